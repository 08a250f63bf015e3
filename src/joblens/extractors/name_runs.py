"""Capitalised tokens in a row that may be a name, and where such a run ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from joblens.extractors.letters import GLUED, UPPERS
from joblens.extractors.name_cues import PARTICLES
from joblens.extractors.not_names import FIRM_FORMS, is_ordinary

LONGEST = 5
"""Most tokens of a name, particles not counted."""

CAPITAL = re.compile(rf"(?<![\w@])[{UPPERS}]|{GLUED}[{UPPERS}]")
"""Where a run may begin."""
_TOKEN = re.compile(r"[^\W\d_]{1,30}(?:['’´-][^\W\d_]{1,30}){0,3}(?![\w@]|/[A-Z])")
_GAP = re.compile(r"[ \u00a0]{1,2}")
_FIRM_AFTER = re.compile(r"[ \u00a0]{0,2}(?:(&) |([\w./]{1,24}))")
_FULL_NAME_AFTER = re.compile(rf" & [{UPPERS}][^\W\d_]+[ -][{UPPERS}]")
_BEFORE_SURNAME = re.compile(r"(?<!\w)(?:[Vv]an|[Vv]on|[Tt]en|[Tt]er|[Bb]in|[Ii]bn)(?: (?:der|den|de))? \Z")
_CAMEL = re.compile(GLUED)
_GLUED_PREFIX = re.compile(r"(?:Ma?c|De|Di|Du|La|Le|Lo|Van|Fitz|O|D|Vander|Des|Dos|San)\Z")
_SHORTENED = frozenset("mª chr ma joh jr sr th fr st wm".split())
_NO_INITIALS = frozenset("pph bv oo bs sa us fp cv cp uk eu sl oe pc ee".split())


@dataclass(frozen=True, slots=True)
class Run:
    """Capitalised tokens in a row that may be a name."""

    start: int
    end: int
    words: tuple[str, ...]
    """The tokens without particles; an initial keeps its full stop."""

    @property
    def is_full(self) -> bool:
        """Whether it has two tokens, of which one is more than an initial."""
        return len(self.words) > 1 and any(not is_initial(word) for word in self.words)

    @property
    def is_shouted(self) -> bool:
        """Whether it is written in capitals throughout."""
        return all(word.isupper() for word in self.words)


def is_initial(word: str) -> bool:
    """Whether the token is one letter, with or without a full stop."""
    return len(word.rstrip(".")) == 1


def read_run(text: str, place: int) -> Run | None:
    """The tokens of a name that begins at `place`, or None when what stands there is no name.

    It ends before an ordinary word, a lower-case word that is no particle, punctuation, a line break, or
    where two sentences are glued ("HolmVi"); a firm ("Carl Hansen A/S") is none.
    """
    start, end = place, place
    words: list[str] = []
    while len(words) < LONGEST and (token := _TOKEN.match(text, place)):
        word, stop = token.group(), token.end()
        if word[-2:] in ("'s", "’s"):
            word, stop = word[:-2], stop - 2
        if words and _is_particle(word, words) and (gap := _GAP.match(text, stop)):
            place = gap.end()
            continue
        glued = next(
            (cut.start() for cut in _CAMEL.finditer(word) if not _GLUED_PREFIX.match(word[: cut.start()])), 0
        )
        if glued:
            word, stop = word[:glued], token.start() + glued
        if not _fits(word, words, text[stop : stop + 1] == "."):
            break
        is_short = len(word) == 1 or word.casefold() in _SHORTENED
        end = stop + (is_short and text[stop : stop + 1] == ".")
        words.append(text[token.start() : end])
        gap = _GAP.match(text, end)
        if glued or stop < token.end() or not (gap or (is_short and end > stop)):
            break
        place = gap.end() if gap else end
    if all(is_initial(word) for word in words) or _is_firm(text, end, words):
        return None
    if "".join(word for word in words if is_initial(word)).replace(".", "").casefold() in _NO_INITIALS:
        return None
    return Run(start, end, tuple(words))


def _is_particle(word: str, before: list[str]) -> bool:
    return word in PARTICLES or (word.isupper() and before[0].isupper() and word.casefold() in PARTICLES)


def _fits(word: str, before: list[str], is_dotted: bool) -> bool:
    """Whether the token can be the next one of a name."""
    if not word[0].isupper():
        return False
    if len(before) > 1 and _is_cyrillic(word) != _is_cyrillic(before[-1]):
        return False  # the next sentence; a name of two words may mix them
    if len(word) == 1:
        return is_dotted or (bool(before) and not before[-1].isupper())
    if word.isupper() != word[0].isupper() and not word[1:].islower() and "-" not in word and "'" not in word:
        return word[:2] in ("Mc", "Ma", "De", "Di", "La", "Le", "Va", "Fi", "O’")
    spelled = [other for other in before if not is_initial(other)]
    if spelled and all(other.isupper() for other in spelled) and not word.isupper():
        return False
    if spelled and word.isupper() and not spelled[-1].isupper() and len(word) < 4:
        return False
    return not is_ordinary(word)


def _is_cyrillic(word: str) -> bool:
    return "\u0400" <= word[0] <= "\u04ff"


def _is_firm(text: str, end: int, words: list[str]) -> bool:
    """Whether a word follows that makes the name a firm: "A/S", "& Co", "Kommune".

    Two full names ("Mette Holm & Jens Dam") are two people; "as" in small letters is a word.
    """
    after = _FIRM_AFTER.match(text, end)
    if after is None:
        return False
    if after.group(1):
        return len(words) < 2 or _FULL_NAME_AFTER.match(text, end) is None
    return after.group(2) != "as" and after.group(2).casefold().rstrip(".") in FIRM_FORMS


def with_particles(text: str, start: int) -> int:
    """Where a surname begins that small words lead: the "van der" of "van der Holm"."""
    before = _BEFORE_SURNAME.search(text, max(0, start - 12), start)
    return before.start() if before else start

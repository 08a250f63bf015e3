"""Names of people that need no model: told by a cue, by an address beside them, or by their own shape.

A name is one to five capitalised tokens. Three kinds of evidence make one:

* a cue before it (`name_cues`): a signature, a field such as "Kontaktperson:", "ring til", "Mr.";
* an e-mail address, a telephone number or a personal number beside it, or an e-mail address spelled like it;
* its shape: a middle initial ("Jens P. Hansen"), a patronymic ("Sørensen", "Иван Петрович Сидоров").

Sources of the shapes: RAE, Ortografía de la lengua española (two surnames, particles); GOST R 7.0.97-2016
(Russian initials); Navneloven (Danish middle names and patronymics). Ordinary words are in `not_names`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from joblens.extractors.identifiers import find_cpr
from joblens.extractors.name_cues import (
    AND,
    ANSWERING,
    ASKING,
    BEFORE_CONTACT,
    DIRECT,
    FIELD,
    HONORIFIC,
    PARTICLES,
    REACHED,
    SAYING,
    SIGNATURE,
)
from joblens.extractors.name_spreading import LOWERS, UPPERS, latin, lower_words
from joblens.extractors.not_names import ALSO_NAMES, FIRM_FORMS, ROLES, is_ordinary
from joblens.extractors.phones import find_phones
from joblens.extractors.web import find_emails
from joblens.text import Span

LONGEST = 5
"""Most tokens of a name, particles not counted."""

_LISTED = 8
"""Names that one cue may list at most; a longer list has cues of its own."""
_CAPITAL = re.compile(rf"(?<![\w@])[{UPPERS}]|(?<=[{LOWERS}])[{UPPERS}]")
_TOKEN = re.compile(r"[^\W\d_]{1,30}(?:['’´-][^\W\d_]{1,30}){0,3}(?![\w@]|/[A-Z])")
_GAP = re.compile(r"[ \u00a0]{1,2}")
_FIRM_AFTER = re.compile(r"[ \u00a0]{0,2}(?:(&) |([\w./]{1,24}))")
_CAMEL = re.compile(rf"(?<=[{LOWERS}])[{UPPERS}]")
_GLUED_PREFIX = re.compile(r"(?:Ma?c|De|Di|Du|La|Le|Lo|Van|Fitz|O|D|Vander|Des|Dos|San)\Z")
_SHORTENED = frozenset("mª chr ma joh jr sr th fr st wm".split())
_NO_PERSON = re.compile(
    r"Dr\.? (?:Martens|Max|Oetker|Pepper|Irena Eris|Schär|Gerard)\b|Doña Godina|J\. ?P\. ?Morgan",
    re.IGNORECASE,
)
_NO_INITIALS = frozenset("pph bv oo bs sa us fp cv cp uk eu sl oe pc ee".split())
_SURNAME = re.compile(
    r"[^\W\d_]{2,}(?:ss?en|sson|sdatter|sdottir|sdóttir)\Z"  # patronymics of the north
    r"|[^\W\d_]*[áéíóú][^\W\d_]*ez\Z|(?:Rodriguez|Gonzalez|Fernandez|Lopez|Martinez|Sanchez|Perez|Gomez)\Z"
    r"|[^\W\d_]{2,}(?:ewski|ewska|owicz|ewicz|ińska|yńska)\Z"
    r"|[^\W\d_]{2,}(?:енко|швили|идзе)\Z"
)
_NO_SURNAME = frozenset("essen hessen wissen messen sachsen niedersachsen wessen dessen fressen".split())
_PATRONYMIC = re.compile(r"[А-ЯЁ][а-яё]{2,20}(?:[оеё]вич|ич|[оеё]вна|ична)(?:[аеуы]|ем|ой)?\Z")
_RUSSIAN = re.compile(
    r"(?<!\w)(?:[А-ЯЁ][а-яё]{2,20} [А-ЯЁ]\. ?[А-ЯЁ]\.|[А-ЯЁ]\. ?[А-ЯЁ]\. ?[А-ЯЁ][а-яё]{2,20}(?!\w))"
)
_BEGIN = rf"(?:(?<![^\W\d_])|(?<=[{LOWERS}])(?=[{UPPERS}]))"
"""Where a word begins, or the second of two glued sentences: "hos osVenlig hilsen"."""
_SIGNATURE = re.compile(rf"{_BEGIN}(?i:{SIGNATURE})[ \u00a0]?[,.!:;–-]{{0,3}}\s{{0,4}}")
_FIELD = re.compile(rf"{_BEGIN}(?i:{FIELD})\s{{0,3}}")
_ASKING = re.compile(rf"{_BEGIN}(?i:{ASKING}):?[ \u00a0\n]{{1,2}}")
_SAYING = re.compile(rf"{_BEGIN}(?i:{SAYING}):?[ \u00a0]")
_HONORIFIC = re.compile(rf"(?<![^\W\d_])(?<!&)(?:{HONORIFIC})[ \u00a0]{{1,2}}")
_DIRECT = re.compile(rf"{_BEGIN}(?i:{DIRECT})(?:(?<=v/)|[ \u00a0]{{1,2}})")
_CUES = (_SIGNATURE, _FIELD, _ASKING, _DIRECT, _SAYING, _HONORIFIC)
_WEAK_TITLES = frozenset(
    ("Ms", "D.", "Professor", "Profesor", "Lektor", "Adjunkt", "professor", "lektor", "adjunkt")
)
_ROLE_WORD = re.compile(r"[^\W\d_][\w'/-]{0,40}|&")
_ROLE_GAP = re.compile(r"[ \u00a0]{1,2}(?:[-–&] )?|, ?|: ?|\n")
_ROLE_BEHIND = re.compile(r"(?:, ?|[ \n]| ?[-–(] ?)([^,;@()0-9]{2,40}?)(?:[,:(]| tlf| på| at| on|\n)")
_COMMA = re.compile(r", ?")
_STOP_AFTER = re.compile(r"[.;)\n]|\Z")
_OPENING = re.compile(r" ?(?:\(|[-–,]? ?(?:v/|att\.?:?|ved|hos)) ?")
_NO_ROLE = frozenset(
    "z ze w we o na do dla od center centre i på med fra hos om til ved under inden efter som der at er in"
    " from with by to on during if when is are y con en por para que os us mig me dem them ham hende eller or"
    " kunder в с по на и или".split()
)
_OF = frozenset("of for af de del für vor i".split())


@dataclass(frozen=True, slots=True)
class _Run:
    """Capitalised tokens in a row that may be a name."""

    start: int
    end: int
    words: tuple[str, ...]
    """The tokens without particles; an initial keeps its full stop."""

    @property
    def is_full(self) -> bool:
        """Whether it has two tokens, of which one is more than an initial."""
        return len(self.words) > 1 and any(not _is_initial(word) for word in self.words)

    @property
    def is_shouted(self) -> bool:
        """Whether it is written in capitals throughout."""
        return all(word.isupper() for word in self.words)


def _is_initial(word: str) -> bool:
    return len(word.rstrip(".")) == 1


def read_run(text: str, place: int) -> _Run | None:
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
    if all(_is_initial(word) for word in words) or _is_firm(text, end):
        return None
    if "".join(word for word in words if _is_initial(word)).replace(".", "").casefold() in _NO_INITIALS:
        return None
    return _Run(start, end, tuple(words))


def _is_particle(word: str, before: list[str]) -> bool:
    return word in PARTICLES or (word.isupper() and before[0].isupper() and word.casefold() in PARTICLES)


def _fits(word: str, before: list[str], is_dotted: bool) -> bool:
    """Whether the token can be the next one of a name."""
    if not word[0].isupper():
        return False
    if len(word) == 1:
        return is_dotted or (bool(before) and not before[-1].isupper())
    if word.isupper() != word[0].isupper() and not word[1:].islower() and "-" not in word and "'" not in word:
        return word[:2] in ("Mc", "Ma", "De", "Di", "La", "Le", "Va", "Fi", "O’")
    spelled = [other for other in before if not _is_initial(other)]
    if spelled and all(other.isupper() for other in spelled) and not word.isupper():
        return False
    if spelled and word.isupper() and not spelled[-1].isupper() and len(word) < 4:
        return False
    return not is_ordinary(word)


def _is_firm(text: str, end: int) -> bool:
    """Whether a word follows that makes the name a firm: "A/S", "& Co", "Kommune"."""
    after = _FIRM_AFTER.match(text, end)
    return after is not None and (
        after.group(1) is not None or after.group(2).casefold().rstrip(".") in FIRM_FORMS
    )


class _Reader:
    """One text with its capitalised runs, its lower-case words, and where its addresses and numbers stand."""

    def __init__(self, text: str, contacts: Iterable[Span]) -> None:
        self.text = text
        self.lower = lower_words(text)
        self.contacts = sorted(contacts)
        self.runs: list[_Run] = []
        place = 0
        while capital := _CAPITAL.search(text, place):
            run = read_run(text, capital.start())
            place = capital.end()
            if run:
                self.runs.append(run)
                place = run.end
        self.by_start = {run.start: run for run in self.runs}

    def persons(self) -> Iterator[_Run]:
        """Runs with evidence; some more than once."""
        for cue in _CUES:
            for match in cue.finditer(self.text):
                yield from self._after_cue(match, cue)
        yield from self._beside_contacts()
        yield from (run for run in self.runs if self._has_shape(run) or self._answers(run))

    def _after_cue(self, match: re.Match[str], cue: re.Pattern[str]) -> Iterator[_Run]:
        """The name behind a cue, and those that are listed with it ("Mette Holm eller Jens Dam")."""
        run = self._next_run(match.end(), 0 if cue in (_HONORIFIC, _DIRECT) else 5)
        if run is None or not self._is_name(run, cue, match.group()):
            return
        yield run
        for _ in range(_LISTED):
            joint = AND.match(self.text, run.end)
            if joint is None or ("," in joint.group() and cue is _SIGNATURE):
                return
            following = self._next_run(joint.end(), 3)
            if following is None or not (following.is_full or self._is_reached(following)):
                return
            if "," in joint.group() and not (
                self._is_reached(following) or AND.match(self.text, following.end)
            ):
                return
            if not self._is_likely(following):
                return
            run = following
            yield run

    def _next_run(self, place: int, steps: int) -> _Run | None:
        """The run at `place`, or behind a role that stands before it ("vores HR-chef Mette Holm")."""
        was_of = is_firm = has_role = False
        for _ in range(steps + 1):
            run = self.by_start.get(place) or self._inner_run(place)
            if run:
                return None if was_of or is_firm else run
            word = _ROLE_WORD.match(self.text, place)
            if word is None or word.group().casefold() in _NO_ROLE:
                return None
            was_of = word.group().casefold() in _OF
            has_role |= word.group().casefold() in ROLES
            is_firm = word.group().casefold() in FIRM_FORMS and not has_role
            gap = _ROLE_GAP.match(self.text, word.end())
            if gap is None:
                return None
            place = gap.end()
        return None

    def _inner_run(self, place: int) -> _Run | None:
        """The rest of a run whose first words belong to the cue: "Att Mette Holm"."""
        index = bisect_right(self.runs, place, key=lambda run: run.start) - 1
        if index >= 0 and self.runs[index].start < place < self.runs[index].end:
            return read_run(self.text, place)
        return None

    def _is_name(self, run: _Run, cue: re.Pattern[str], said: str) -> bool:
        """Whether the run after the cue is a name: how much it needs besides depends on the cue."""
        if not self._is_likely(run):
            return False
        if cue is _HONORIFIC:
            is_alone_enough = (
                len(run.words[0]) > 2 and said.strip() not in _WEAK_TITLES and not said.isupper()
            )
            return run.is_full or (is_alone_enough and not run.is_shouted)
        if cue is _SIGNATURE:
            return True
        if cue is _FIELD:
            return run.is_full or (self._is_reached(run) and not run.is_shouted)
        if cue is _SAYING:
            return run.is_full and not run.is_shouted
        return self._is_reached(run) or (run.is_full and not run.is_shouted)

    def _is_likely(self, run: _Run) -> bool:
        """Whether its words are not the text's ordinary words."""
        if _NO_PERSON.search(self.text, max(0, run.start - 5), run.end):
            return False
        if not run.is_full:
            return run.words[0].casefold() not in self.lower
        spelled = [word for word in run.words if not _is_initial(word)]
        return any(word.casefold() not in self.lower for word in spelled)

    def _is_reached(self, run: _Run) -> bool:
        """Whether it is said how the person is reached: a number or an address follows."""
        if REACHED.match(self.text, run.end):
            return True
        index = bisect_left(self.contacts, (run.end, 0))
        return (
            index < len(self.contacts)
            and BEFORE_CONTACT.fullmatch(self.text, run.end, min(self.contacts[index][0], run.end + 60))
            is not None
        )

    def _beside_contacts(self) -> Iterator[_Run]:
        """Names before an address or a number ("Mette Holm, tlf. ..."), or behind one in brackets."""
        ends = [run.end for run in self.runs]
        for start, end in self.contacts:
            index = bisect_right(ends, start) - 1
            if index > 0 and _COMMA.fullmatch(self.text, ends[index - 1], self.runs[index].start):
                index -= self._is_likely(self.runs[index - 1])  # "Mette Holm, Sandlund Sogn, tlf. ..."
            if index >= 0 and self._leads_to(self.runs[index], start):
                yield self.runs[index]
            opening = _OPENING.match(self.text, end)
            run = self.by_start.get(opening.end()) if opening else None
            if run and run.is_full and self._is_likely(run):
                yield run
            listed = _COMMA.match(self.text, end)
            run = self.by_start.get(listed.end()) if listed else None
            if run and len(run.words) in (2, 3) and self._is_listed(run):
                yield run

    def _is_listed(self, run: _Run) -> bool:
        """Whether the run behind "tlf. 23 45 67 89, " ends what is said, as a name would."""
        ends = _STOP_AFTER.match(self.text, run.end) is not None
        return ends and not run.is_shouted and self._is_likely(run)

    def _leads_to(self, run: _Run, start: int) -> bool:
        """Whether the run is the name that belongs to the address or number at `start`."""
        if start - run.end > 70 or not self._is_likely(run):
            return False
        between = self.text[run.end : start]
        role = _ROLE_BEHIND.match(between)
        if role and (any(is_ordinary(word) for word in role.group(1).split()) or role.group(1)[:1].isupper()):
            between = between[role.end(1) :]
        if BEFORE_CONTACT.fullmatch(between) is None:
            return False
        return run.is_full or self._is_spelled_in(run.words[0], start)

    def _is_spelled_in(self, name: str, start: int) -> bool:
        """Whether the e-mail address at `start` begins with the name."""
        return len(name) > 2 and any(
            self.text[start : start + 40].casefold().startswith(spelling) for spelling in latin(name)
        )

    def _has_shape(self, run: _Run) -> bool:
        """Whether the run is a name by itself: a middle initial, a patronymic, two leading initials."""
        words = run.words
        if len(words) < 2 or run.is_shouted or any(word.casefold() in self.lower for word in words):
            return False
        if (
            len(words[-1]) < 3
            or _NO_PERSON.match(self.text, run.start)
            or any(word.casefold() in ALSO_NAMES for word in words)
        ):
            return False
        initials = [len(word) == 2 and word[1] == "." for word in words]
        if any(initials[1:-1]) and not initials[0]:
            return True
        if all(initials[:-1]) and len(words) > 2:
            return True
        if any(_PATRONYMIC.match(word) for word in words[1:]):
            return True
        return words[-1].casefold() not in _NO_SURNAME and _SURNAME.match(words[-1]) is not None

    def _answers(self, run: _Run) -> bool:
        return ANSWERING.match(self.text, run.end) is not None and self._is_likely(run)


def find_persons(text: str, contacts: Iterable[Span] | None = None) -> Iterator[Span]:
    """People's names, in order and apart.

    Args:
        text: Any text.
        contacts: Where e-mail addresses, telephone and personal numbers stand; None means look for them.
    """
    if contacts is None:
        contacts = [*find_emails(text), *find_phones(text), *find_cpr(text)]
    reader = _Reader(text, contacts)
    found = {(run.start, run.end) for run in reader.persons()}
    found |= {match.span() for match in _RUSSIAN.finditer(text)}
    last = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield start, end
            last = end

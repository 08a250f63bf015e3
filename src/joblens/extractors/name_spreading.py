"""A name that was found once is found wherever else the same text has it: whole, in part, or as a handle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from joblens.extractors.letters import BEGIN, LOWERS, UPPERS, WORD, S
from joblens.extractors.name_cues import PARTICLES, SIGNATURE
from joblens.extractors.name_runs import with_particles
from joblens.extractors.not_names import ALSO_NAMES, is_ordinary
from joblens.extractors.web import find_emails
from joblens.text import Span, without_diacritics

_PART = re.compile(rf"[{UPPERS}]?[{LOWERS}]+|[{UPPERS}]+(?![{LOWERS}])|[^\W\d_]")
"""A token: a word, or a half of two that are glued ("osMette")."""
_INSIDE = re.compile(
    rf"(?<=[{UPPERS}{LOWERS}])[{LOWERS}]|(?<=[{UPPERS}])[{UPPERS}](?![{LOWERS}])"
    r"|[\W\d_]"  # such as U+0345, a sign that is folded to a letter
)
"""A character with which no token starts."""
_LONGEST = 80
"""A whole name has fewer characters, and so fewer tokens."""
_MANY = 40
"""Words that are looked for one by one; of more, every token of a text is looked at once."""
_JOINT = re.compile(r"[ \u00a0]{1,2}|[-'’´]")
_HANDLE = re.compile(r"(?<![\w.@-])\w[\w.-]{4,62}\w(?![\w@])")
_MOST_INITIALS = 4
_SIGNED = re.compile(
    rf"{BEGIN}(?i:{SIGNATURE}){S}?[,.!]?{S}([{LOWERS}]{{2,{_MOST_INITIALS}}})(?={S}[{UPPERS}])"
)
_CAPITALS_GLUED = re.compile(rf"(?<![{UPPERS}])[{UPPERS}]{{4,}}(?=[{LOWERS}]{{4}})")
_SIGNS = re.compile(r"[\W\d_]+")
_SIGNS_IN_WORDS = re.compile(r"(?:[^\w\s]|[\d_])+")
_IN_ADDRESS = re.compile(r"[@/_]|[.-]\w")
_RUSSIAN_END = re.compile(r"(?:ого|ому|ой|ей|ою|ую|ым|ых|ом|ем|ём|[аяоеуюиыйь])\Z")
_FOLDS = (
    str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ß": "ss", "ł": "l", "đ": "d"}),
    str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l"}),
)


def latin(name: str) -> tuple[str, ...]:
    """The ways a name is spelled in an e-mail address, casefolded: "søren" gives "soren" and "soeren"."""
    folded = name.casefold()
    if folded.isascii():
        return (folded,)
    return tuple(dict.fromkeys(without_diacritics(folded.translate(fold)) for fold in _FOLDS))


def lower_words(text: str, among: set[str] | None = None) -> set[str]:
    """The text's words in lower case, those inside e-mail and web addresses left out: "mette@firma.dk".

    Args:
        text: Any text.
        among: The words that matter; others may be missing. None takes all.
    """
    found: set[str] = set()
    last = 0
    for start, end in [*sorted(find_emails(text)), (len(text), len(text))]:
        start = max(last, start)
        if among is None or not among.isdisjoint(WORD.findall(text, last, start)):
            for match in WORD.finditer(text, last, start):
                word = match.group()
                if word not in found and word.islower() and not _is_in_address(text, match):
                    found.add(word)
        last = max(last, end)
    return found


def _is_in_address(text: str, word: re.Match[str]) -> bool:
    before = text[word.start() - 1 : word.start()]
    return before in ("@", "/", "_", ".", "-") or _IN_ADDRESS.match(text, word.end()) is not None


def spread_names(text: str, persons: Iterable[Span]) -> Iterator[Span]:
    """Every other place where a found name stands: the full name, or its given name or surname alone.

    A token stands for the person alone when it is capitalised, has three letters or more, is no ordinary
    word, and is nowhere in the text in lower case. "Mettes", "METTE", the Russian cases ("Иванову") and
    handles ("mettesorensen", "mette.sorensen") count. Neighbouring tokens become one span. The places given
    are not among those yielded.

    Args:
        text: Any text.
        persons: Where names were found; offsets into the text.
    """
    given = sorted(set(persons))
    if not given:
        return
    alone, whole, handles = _spellings(text, given)
    if alone or whole:
        yield from _apart(_merged(text, sorted({*_hits(text, alone, whole), *_glued_on(text, alone)})), given)
    may_stand = len(handles) > _MANY or _is_in(handles, _SIGNS_IN_WORDS.sub("", text.casefold()))
    if handles and may_stand:
        for match in _HANDLE.finditer(text):
            if _SIGNS.sub("", match.group().casefold()) in handles:
                yield from _apart([match.span()], given)


def _is_in(words: Iterable[str], text: str) -> bool:
    return any(word in text for word in words)


def signed_initials(text: str, persons: Iterable[Span]) -> Iterator[Span]:
    """Initials in small letters that were found as a person and sign the text: "Hilsen mkh Lindby Skole".

    What follows them is the line whose break was lost, so that without the first find they may be any word.
    """
    known = {text[start:end] for start, end in persons if end - start <= _MOST_INITIALS}
    for match in _SIGNED.finditer(text):
        if match.group(1) in known:
            yield match.span(1)


def _glued_on(text: str, alone: set[str]) -> Iterator[Span]:
    """Names in capitals that lost the line break behind them: "METTE HOLMspecialkonsulent"."""
    for match in _CAPITALS_GLUED.finditer(text):
        if match.group().casefold() in alone:
            yield match.span()


def _spellings(
    text: str, given: Iterable[Span]
) -> tuple[set[str], dict[str, set[tuple[str, ...]]], set[str]]:
    """What to look for: tokens that stand alone, whole names by their first token, and handles."""
    candidates: set[str] = set()
    whole: dict[str, set[tuple[str, ...]]] = {}
    handles: set[str] = set()
    for start, end in given:
        tokens = [match.group() for match in WORD.finditer(text, start, end)]
        folded = tuple(token.casefold() for token in tokens)
        named = [word for word in folded if len(word) > 2 and word not in PARTICLES]
        if 1 < len(folded) < _LONGEST:
            whole.setdefault(folded[0], set()).add(folded)
        if len(named) > 1:
            for first in latin(named[0]):
                handles |= {first + last for last in latin(named[-1])} | {
                    last + first for last in latin(named[-1])
                }
        candidates.update(word for word in named if word not in ALSO_NAMES and not is_ordinary(word))
    if _is_in(candidates, text):  # else none is written in lower case, and few texts have one
        candidates -= lower_words(text, candidates)
    return {_stem(word) for word in candidates}, whole, handles


def _stem(word: str) -> str:
    """A Russian name without its case ending; any other word as it is."""
    if not "а" <= word[0] <= "я":
        return word
    stem = _RUSSIAN_END.sub("", word)
    return stem if len(stem) > 2 else word


def _hits(text: str, alone: set[str], whole: dict[str, set[tuple[str, ...]]]) -> Iterator[Span]:
    """Single tokens and whole names, in the order of their start; they may overlap."""
    for start in _starts(text, {*alone, *whole}):
        parts = _PART.finditer(text, start)
        end = next(parts).end()
        word = text[start:end].casefold()
        names = whole.get(word, ())
        following = list(islice(parts, max(map(len, names), default=1) - 1))
        said = (word, *(part.group().casefold() for part in following))
        for name in names:
            if said[: len(name)] in (name, (*name[:-1], name[-1] + "s")):
                last = following[len(name) - 2].end()
                if last - start < _LONGEST:
                    yield start, last
        if text[start].isupper() and (
            word in alone or word.removesuffix("s") in alone or _stem(word) in alone
        ):
            yield with_particles(text, start), end


def _starts(text: str, words: set[str]) -> list[int]:
    """Where a token starts that may begin with one of the words, which are in lower case."""
    folded = text.casefold()
    is_moved = len(folded) != len(text)  # by a letter that becomes two: "ß"
    if is_moved or len(words) > _MANY:
        return [match.start() for match in _PART.finditer(text)]
    places = {place for word in words for place in _places(folded, word)}
    return [place for place in sorted(places) if not _INSIDE.match(text, place)]


def _places(text: str, word: str) -> Iterator[int]:
    """Wherever the word stands, also inside others or itself."""
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _merged(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans that overlap, or stand side by side, as one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and (start <= merged[-1][1] or _JOINT.fullmatch(text, merged[-1][1], start)):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _apart(spans: Iterable[Span], given: list[Span]) -> Iterator[Span]:
    """Those spans that are not among, or inside, the given ones."""
    known = set(given)
    for span in spans:
        if span not in known:
            yield span

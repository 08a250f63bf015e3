"""A name that was found once is found wherever else the same text has it: whole, in part, or as a handle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from joblens.extractors.letters import BEGIN, LOWERS, UPPERS, WORD, S
from joblens.extractors.name_cues import PARTICLES, SIGNATURE
from joblens.extractors.name_runs import with_particles
from joblens.extractors.not_names import ALSO_NAMES, is_ordinary
from joblens.extractors.web import find_emails
from joblens.text import Span, without_diacritics

_PART = re.compile(rf"[{UPPERS}]?[{LOWERS}]+|[{UPPERS}]+(?![{LOWERS}])|[^\W\d_]")
_JOINT = re.compile(r"[ \u00a0]{1,2}|[-'’´]")
_HANDLE = re.compile(r"(?<![\w.@-])\w[\w.-]{4,62}\w(?![\w@])")
_MOST_INITIALS = 4
_SIGNED = re.compile(
    rf"{BEGIN}(?i:{SIGNATURE}){S}?[,.!]?{S}([{LOWERS}]{{2,{_MOST_INITIALS}}})(?={S}[{UPPERS}])"
)
_CAPITALS_GLUED = re.compile(rf"(?<![{UPPERS}])[{UPPERS}]{{4,}}(?=[{LOWERS}]{{4}})")
_SIGNS = re.compile(r"[\W\d_]+")
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


def lower_words(text: str) -> set[str]:
    """The text's words in lower case, those inside e-mail and web addresses left out: "mette@firma.dk"."""
    found: set[str] = set()
    last = 0
    for start, end in [*sorted(find_emails(text)), (len(text), len(text))]:
        for match in WORD.finditer(text, last, max(last, start)):
            word = match.group()
            if word.islower() and not (
                text[match.start() - 1 : match.start()] in ("@", "/", "_", ".", "-")
                or _IN_ADDRESS.match(text, match.end())
            ):
                found.add(word)
        last = max(last, end)
    return found


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
    if handles:
        for match in _HANDLE.finditer(text):
            if _SIGNS.sub("", match.group().casefold()) in handles:
                yield from _apart([match.span()], given)


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
        if len(folded) > 1:
            whole.setdefault(folded[0], set()).add(folded)
        if len(named) > 1:
            for first in latin(named[0]):
                handles |= {first + last for last in latin(named[-1])} | {
                    last + first for last in latin(named[-1])
                }
        candidates.update(word for word in named if word not in ALSO_NAMES and not is_ordinary(word))
    if any(word in text for word in candidates):  # else none is written in lower case, and few texts have one
        candidates -= lower_words(text)
    return {_stem(word) for word in candidates}, whole, handles


def _stem(word: str) -> str:
    """A Russian name without its case ending; any other word as it is."""
    if not "а" <= word[0] <= "я":
        return word
    stem = _RUSSIAN_END.sub("", word)
    return stem if len(stem) > 2 else word


def _hits(text: str, alone: set[str], whole: dict[str, set[tuple[str, ...]]]) -> Iterator[Span]:
    """Single tokens and whole names, in the order of their start; they may overlap."""
    words = [
        match.span() for match in _PART.finditer(text)
    ]  # where sentences are glued ("osMette"), the halves
    folded = [text[start:end].casefold() for start, end in words]
    for index, (start, end) in enumerate(words):
        word = folded[index]
        for name in whole.get(word, ()):
            last = index + len(name) - 1
            same = tuple(folded[index : last + 1])
            if (
                last < len(words)
                and words[last][1] - start < 80
                and same in (name, (*name[:-1], name[-1] + "s"))
            ):
                yield start, words[last][1]
        if text[start].isupper() and (
            word in alone or word.removesuffix("s") in alone or _stem(word) in alone
        ):
            yield with_particles(text, start), end


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

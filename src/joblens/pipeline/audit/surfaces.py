"""What would give an entity away if it stood in an output: its traces, and whether an output holds one.

Everything is compared in a folded form (NFKC, case folded). What also stands elsewhere in the advert, outside
of its personal data, gives nothing away and is no trace.

| Type | A trace is |
|---|---|
| `person` | any of its words of three letters or more, standing as a word; initials as a whole |
| telephone and identity numbers | any six digits in a row, whatever stands between them |
| `email` | the whole address without blanks, or the part before the at-sign standing as a word |
| `url` | the whole address without scheme and "www.", or its path |
| `address` | a word beside a number, such as "Skolegade 3" or "4000 Roskilde"; without numbers the whole |
| `organisation` | the whole name |
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from joblens.records import Entity, LabelledText

SHORTEST_NAME = 3
FEWEST_DIGITS = 6
SHORTEST_PATH = 6

NUMBERS = (
    "phone",
    "cpr",
    "cvr",
    "iban",
    "rut",
    "inn",
    "snils",
    "passport",
    "id number",
    "credit card",
    "us ssn",
)
PERSONAL = ("person", "email", "url", "address", *NUMBERS)
"""Types whose presence in an output makes the advert a leaking one."""
APART = "organisation"
"""Masked like personal data, but of no person: reported, never counted as a leak of an advert."""

_WORDS = re.compile(r"[^\W_]+")
_DIGIT_RUNS = re.compile(r"[0-9](?:[\s().\-/+\u2010-\u2015]{0,3}[0-9])*")
_NOT_DIGITS = re.compile(r"[^0-9]")
_AT = re.compile(
    r"\s*(?:@|[\[({<]\s*(?:at|@|snabel-?a|arroba)\s*[\])}>]|\b(?:at|snabel-?a|arroba)\b)\s*", re.IGNORECASE
)
_SCHEME = re.compile(r"\A(?:[a-z]+://)?(?:www\.)?")
_ROOM = frozenset("sal flat suite depto piso of дом офис корп д кв".split())
"""Words that only say which room or floor, so that "1. sal" is no trace."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in the forms in which traces are looked for."""

    text: str
    """Case folded."""
    words: frozenset[str]
    compact: str
    """Without white space."""
    line: str
    """Words joined by one blank, with one before and behind, rooms and floors left out."""
    runs: tuple[str, ...]
    """Numbers as digits only."""


def fold(text: str) -> Folded:
    """The text in all forms."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = _WORDS.findall(folded)
    return Folded(
        text=folded,
        words=frozenset(words),
        compact="".join(folded.split()),
        line=f" {' '.join(word for word in words if word not in _ROOM)} ",
        runs=tuple(_NOT_DIGITS.sub("", run) for run in _DIGIT_RUNS.findall(folded)),
    )


class Source:
    """An advert whose traces are wanted: its text, and what it says besides its personal data."""

    def __init__(self, gold: LabelledText) -> None:
        self.text = gold.text
        self.outside = fold(_without(gold, PERSONAL))
        """Without personal data."""
        self.beside = fold(_without(gold, ("email", "url")))
        """Without e-mail and web addresses: a mailbox called like a person gives away only that name."""
        self.unnamed = fold(_without(gold, (*PERSONAL, APART)))
        """Without personal data and organisations."""

    def traces(self, entity: Entity) -> list[Trace]:
        """What gives the entity away; empty when the rest of the advert says all of it as well."""
        return [trace for trace in _traces(self, entity) if not trace.stands_in(trace.excused)]


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that may stand in an output."""

    look: Callable[[Folded], bool]
    excused: Folded
    """The text that says it anyway."""

    def stands_in(self, output: Folded) -> bool:
        """Whether the output holds it."""
        return self.look(output)


def _without(gold: LabelledText, labels: Iterable[str]) -> str:
    """The text with the entities of these labels blanked out."""
    unwanted = frozenset(labels)
    characters = list(gold.text)
    for entity in gold.entities:
        if entity.label in unwanted:
            characters[entity.start : entity.end] = " " * (entity.end - entity.start)
    return "".join(characters)


def _traces(source: Source, entity: Entity) -> Iterator[Trace]:
    glued = _glued(source.text, entity)
    match entity.label:
        case "person":
            for pattern in _name_patterns(entity.text, glued):
                yield Trace(_pattern_in_text(pattern), source.outside)
        case "email":
            yield Trace(_in_compact(entity.text), source.outside)
            local = fold(_AT.split(entity.text, maxsplit=1)[0]).text.strip()
            if len(local) >= SHORTEST_NAME and local != fold(entity.text).text.strip():
                pattern = _standing(local, (glued[0], False), r"[\w.-]")
                yield Trace(_pattern_in_text(pattern), source.beside)
        case "url":
            bare = _SCHEME.sub("", fold(entity.text).compact).rstrip("/")
            yield Trace(_in_compact(bare), source.outside)
            path = bare.partition("/")[2]
            if len(path) >= SHORTEST_PATH:
                pattern = _standing(path, (False, glued[1]), r"[^\W_]")
                yield Trace(_pattern_in_text(pattern), source.outside)
        case "address":
            words = fold(entity.text).line.split()
            for first, last in _numbered_pairs(words):
                edges = glued[0] and first == 0, glued[1] and last == len(words)
                yield Trace(_in_line(words[first:last], edges), source.outside)
        case "organisation":
            yield Trace(_in_line(fold(entity.text).line.split(), glued), source.unnamed)
        case _:
            for digits in _windows(fold(entity.text).runs):
                yield Trace(_digits_in_runs(digits), source.outside)


def _glued(text: str, entity: Entity) -> tuple[bool, bool]:
    """Whether a lost line break glued the entity to the word before or behind, as in "KontaktJens Friis"."""
    before, after = text[: entity.start][-1:], text[entity.end :][:1]
    return (
        before.isalnum() and entity.text[:1].isalnum(),
        after.isalnum() and entity.text[-1:].isalnum(),
    )


def _name_patterns(name: str, glued: tuple[bool, bool]) -> Iterator[re.Pattern[str]]:
    """A pattern for each word of a name; initials have one for the whole.

    A word that was glued to another may be so in the output too.
    """
    parts = [match for match in _WORDS.finditer(name) if sum(map(str.isalpha, match[0])) >= SHORTEST_NAME]
    for word, start, end in [(match.group(), *match.span()) for match in parts] or [(name, 0, len(name))]:
        edges = glued[0] and start == 0, glued[1] and end == len(name)
        yield _standing(fold(word).text.strip(), edges, r"[^\W_]")


def _standing(folded: str, glued: tuple[bool, bool], inside: str) -> re.Pattern[str]:
    """The text where no character of the class `inside` touches it, except on a side where it was glued."""
    before = "" if glued[0] or not folded[:1].isalnum() else rf"(?<!{inside})"
    after = "" if glued[1] or not folded[-1:].isalnum() else r"(?![^\W_])"
    return re.compile(before + re.escape(folded) + after)


def _windows(runs: Sequence[str]) -> Iterator[str]:
    """All six digits in a row; of shorter numbers the longest one whole."""
    long = [run for run in runs if len(run) >= FEWEST_DIGITS]
    for run in long:
        for start in range(len(run) - FEWEST_DIGITS + 1):
            yield run[start : start + FEWEST_DIGITS]
    if not long and runs:
        yield max(runs, key=len)


def _numbered_pairs(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Neighbours of which one has a digit and the other three letters or more; without any, all words."""
    found = False
    for first, pair in enumerate(pairwise(words)):
        for number, name in (pair, pair[::-1]):
            if any(map(str.isdigit, number)) and name.isalpha() and len(name) >= SHORTEST_NAME:
                found = True
                yield first, first + 2
    if not found:
        yield 0, len(words)


def _pattern_in_text(pattern: re.Pattern[str]) -> Callable[[Folded], bool]:
    return lambda output: pattern.search(output.text) is not None


def _digits_in_runs(digits: str) -> Callable[[Folded], bool]:
    return lambda output: any(digits in run for run in output.runs)


def _in_compact(text: str) -> Callable[[Folded], bool]:
    needle = fold(text).compact
    return lambda output: needle in output.compact


def _in_line(words: Sequence[str], glued: tuple[bool, bool]) -> Callable[[Folded], bool]:
    needle = " ".join(words)
    needle = ("" if glued[0] else " ") + needle + ("" if glued[1] else " ")
    return lambda output: needle in output.line

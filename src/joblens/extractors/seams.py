"""Where two sentences are glued because a line break was lost: "IBAN DK66 1656 4255 4334 13I hverdagen"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

from joblens.extractors.letters import LOWERS, UPPERS
from joblens.text import Span

_FIRM_END = "|".join(
    f"(?<={re.escape(form)})" for form in ("ApS", "A/S", "I/S", "SpA", "GmbH", "Ltd", "S.A.")
)
_SEAM = re.compile(
    rf"(?<=[{LOWERS}])(?=[{UPPERS}][{LOWERS}])"  # ArceAvenida
    rf"|(?<=[0-9])(?=[{UPPERS}](?:[{LOWERS}]|[ \u00a0][{LOWERS}]))"  # 75Elisa, 13I hverdagen
    rf"|(?:{_FIRM_END})(?=[{UPPERS}][{LOWERS}]|[0-9])"  # SpAAv., ApS79
)


def seams_of(text: str) -> list[int]:
    """Where a line break may be lost, in order: a word begins inside another, or beside a number or a firm.

    Many are none ("JavaScript"), so a seam is no more than a place to look at.
    """
    return [match.start() for match in _SEAM.finditer(text)]


def torn(text: str, seams: Sequence[int]) -> str:
    """The text with a line break at each seam."""
    ends = (*seams, len(text))
    return "\n".join(text[start:end] for start, end in zip((0, *seams), ends, strict=True))


def at_numbers(text: str, seams: Iterable[int]) -> set[int]:
    """The seams that have a digit beside them; between letters a product's name looks the same."""
    return {seam for seam in seams if text[seam].isdigit() or text[seam - 1].isdigit()}


def beside_seams(spans: Iterable[Span], seams: Sequence[int], wanted: Collection[int]) -> Iterator[Span]:
    """Of spans in the torn text those that begin or end at a wanted seam, as they stand in the whole."""
    starts = [seam + number + 1 for number, seam in enumerate(seams)]  # in the torn text, behind each break
    for start, end in spans:
        first = start - bisect_left(starts, start + 1)
        last = end - bisect_left(starts, end + 1)
        if first in wanted or last in wanted:
            yield first, last

"""Where two sentences are glued because a line break was lost: "tlf. 23 45 67 89Mette Holm, leder"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from joblens.extractors.letters import LOWERS, UPPERS
from joblens.text import Span

_FIRM_END = "|".join(
    f"(?<={re.escape(form)})" for form in ("ApS", "A/S", "I/S", "SpA", "GmbH", "Ltd", "S.A.")
)
_SEAM = re.compile(
    rf"(?<=[{LOWERS}])(?=[{UPPERS}][{LOWERS}])"  # ArceAvenida
    rf"|(?<=[0-9])(?=[{UPPERS}](?:[{LOWERS}]|[ \u00a0][{LOWERS}]))"  # 75Elisa, 13I hverdagen
    rf"|(?:{_FIRM_END})(?=[{UPPERS}][{LOWERS}]|[0-9])"  # SpAAv., ApS79
    rf"|(?<=[{LOWERS}]{{3}})(?=[0-9]{{2}}(?:[ .-]?[0-9]{{2}}){{3}}(?![0-9]))"  # os79.98.97.53
)


def seams_of(text: str) -> list[int]:
    """Where a line break seems to be lost, in order: a word in a word, or one that is glued to a number.

    Many a seam is none ("JavaScript"), so what lies there is looked at, and nothing is cut.
    """
    return [match.start() for match in _SEAM.finditer(text)]


def torn(text: str, seams: Sequence[int]) -> str:
    """The text with a line break at each seam."""
    ends = (*seams, len(text))
    return "\n".join(text[start:end] for start, end in zip((0, *seams), ends, strict=True))


def beside_seams(spans: Iterable[Span], seams: Sequence[int]) -> Iterator[Span]:
    """Of spans in the torn text those that begin or end at a seam, where they stand in the whole one."""
    starts = [seam + number + 1 for number, seam in enumerate(seams)]  # in the torn text, behind each break
    known = set(seams)
    for start, end in spans:
        first = start - bisect_left(starts, start + 1)
        last = end - bisect_left(starts, end)
        if first in known or last in known:
            yield first, last

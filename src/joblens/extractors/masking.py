"""Mask what was found, everywhere it stands: overlaps merged, repeats in the same advert included."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from joblens.extractors.name_spreading import spread_names
from joblens.extractors.patterns import replace_spans
from joblens.records import Entity

if TYPE_CHECKING:
    from joblens.extractors import Extractor

PASSES = 3
"""How often a text is searched again after masking, so that the time stays linear in its length."""

LOCAL = frozenset({"person", "organisation"})
"""Labels whose text is not searched for: `spread_names` does persons, and organisations are left."""

SHORTEST = 4
"""Characters of the shortest text that is masked again wherever it stands."""

_NONE: Mapping[str, int] = MappingProxyType({})
"""Counts of a text in which nothing is found."""


def merged(spans: Iterable[Entity], text: str) -> list[Entity]:
    """The spans in order, overlapping ones as one that carries the label of the longest of them.

    Of equally long ones the first by start names it, then by label.
    """
    found: list[Entity] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.label)):
        length = span.end - span.start
        if found and span.start < found[-1].end:
            before = found.pop()
            label = span.label if length > longest else before.label
            end = max(before.end, span.end)
            found.append(Entity(before.start, end, label, text[before.start : end]))
            longest = max(longest, length)
        else:
            found.append(span)
            longest = length
    return found


def spread(
    title: str, text: str, in_title: Sequence[Entity], in_text: Sequence[Entity]
) -> tuple[list[Entity], list[Entity]]:
    """What is to be masked in title and text once each knows what was found in the other.

    A person found in one of them is masked in both, the parts of the name standing alone included; any other
    text that was found, of at least `SHORTEST` characters, is masked wherever it stands as it is. Only the
    text of an organisation is not: it may be a word like any other.

    Args:
        title: Of one advert.
        text: Of the same advert.
        in_title: Spans found in `title`, in order, without overlaps.
        in_text: Spans found in `text`, in order, without overlaps.

    Returns:
        Spans of the title and of the text, in order, without overlaps.
    """
    if not in_title and not in_text:
        return [], []
    gap = len(title) + 1
    whole = f"{title}\n{text}"
    known = [*in_title, *(_moved(span, gap, whole) for span in in_text)]
    persons = [(span.start, span.end) for span in known if span.label == "person"]
    again = (
        [Entity(start, end, "person", whole[start:end]) for start, end in spread_names(whole, persons)]
        if persons
        else []
    )
    again += _repeats(whole, known)
    if not again:
        return list(in_title), list(in_text)
    halves: tuple[list[Entity], list[Entity]] = ([*in_title], [*in_text])
    for span in again:
        if span.start < gap - 1:
            end = min(span.end, gap - 1)
            halves[0].append(Entity(span.start, end, span.label, title[span.start : end]))
        if span.end > gap:
            halves[1].append(_moved(Entity(max(span.start, gap), span.end, span.label, ""), -gap, text))
    return merged(halves[0], title), merged(halves[1], text)


def _moved(span: Entity, by: int, text: str) -> Entity:
    start, end = span.start + by, span.end + by
    return Entity(start, end, span.label, text[start:end], span.score)


def _repeats(text: str, known: Sequence[Entity]) -> list[Entity]:
    """Every place where the text of a known span stands as a whole word."""
    labels: dict[str, str] = {}
    for span in known:
        surface = span.text.strip()
        if span.label not in LOCAL and len(surface) >= SHORTEST:
            labels.setdefault(surface, span.label)
    again: list[Entity] = []
    for surface, label in labels.items():
        if text.find(surface, text.find(surface) + 1) < 0:  # it stands once: where it was found
            continue
        again += (
            Entity(match.start(), match.end(), label, surface)
            for match in re.finditer(rf"(?<!\w){re.escape(surface)}(?!\w)", text)
        )
    return again


def mask_all(texts: Sequence[str], patterns: Extractor) -> list[tuple[str, Mapping[str, int]]]:
    """Each text with what the patterns find replaced by `[email]`, `[phone]`, ..., and counts by type.

    What a mask uncovers (a number that only then stands free) is masked in the next pass, of `PASSES`.
    """
    current = list(texts)
    counts: dict[int, Counter[str]] = {}
    waiting = list(range(len(current)))
    for _ in range(PASSES):
        if not waiting:
            break
        found = patterns.extract([current[row] for row in waiting])
        left: list[int] = []
        for row, spans in zip(waiting, found, strict=True):
            if spans:
                current[row] = replace_spans(current[row], spans)
                counts.setdefault(row, Counter()).update(span.label for span in spans)
                left.append(row)
        waiting = left
    return [(text, counts.get(row, _NONE)) for row, text in enumerate(current)]

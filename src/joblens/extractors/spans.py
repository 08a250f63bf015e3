"""Which of several overlapping finds stays."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from joblens.records import Entity


def longest_by_label(entities: Iterable[Entity]) -> list[Entity]:
    """The entities in order of start, none of which overlaps another one of the same label.

    The longer one stays; of equally long ones the surer, then the earlier. Different labels may overlap.
    """
    kept: list[Entity] = []
    taken: dict[str, list[tuple[int, int]]] = {}
    for entity in sorted(
        entities, key=lambda span: (span.start - span.end, -span.score, span.start, span.label)
    ):
        spans = taken.setdefault(entity.label, [])
        place = bisect_left(spans, (entity.start, entity.end))
        is_free = (place == 0 or spans[place - 1][1] <= entity.start) and (
            place == len(spans) or spans[place][0] >= entity.end
        )
        if is_free:
            insort(spans, (entity.start, entity.end))
            kept.append(entity)
    return sorted(kept, key=lambda span: (span.start, span.end, span.label))

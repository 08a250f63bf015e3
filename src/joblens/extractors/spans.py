"""Finds of sentences brought back to their texts, and which of several overlapping ones stays."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence

from joblens.records import Entity
from joblens.text import Span, sentences

Reader = Callable[[Sequence[str]], Sequence[Sequence[Entity]]]
"""Finds the entities of each sentence, where they are in it."""


def by_sentence(
    texts: Sequence[str], read: Reader, spans: Sequence[Sequence[Span]] | None = None
) -> list[list[Entity]]:
    """The entities of each text in order; every distinct sentence of all texts is read once.

    Args:
        texts: Any texts.
        read: Reads sentences.
        spans: The sentences of each text, for one that knows them already.
    """
    if spans is None:
        spans = [sentences(text) for text in texts]
    rows: dict[str, int] = {}
    for text, cuts in zip(texts, spans, strict=True):
        for start, end in cuts:
            rows.setdefault(text[start:end], len(rows))
    found = read(list(rows))
    return [
        [
            Entity(start + entity.start, start + entity.end, entity.label, entity.text, entity.score)
            for start, end in cuts
            for entity in found[rows[text[start:end]]]
        ]
        for text, cuts in zip(texts, spans, strict=True)
    ]


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

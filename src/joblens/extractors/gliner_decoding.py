"""From the scores of a GLiNER network to entities: a threshold per label, overlaps between labels allowed.

The rules are gliner's: a token network scores for each word and label whether an entity starts, ends and goes
on there, and an entity is as sure as the least of those scores over its words; a span network scores every
span of words. Of entities of one label that overlap, the surer stays, then the longer, then the earlier.
Entities of different labels may overlap, where gliner's default would keep only one of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Found = tuple[int, int, int, float]
"""First word, last word, label as its place in the list, score."""


def from_tokens(scores: Array, lengths: Sequence[int], thresholds: Array) -> list[list[Found]]:
    """Entities by the start, end and inside scores of words.

    Args:
        scores: (B, W, C, 3) probabilities.
        lengths: Words of each text; what lies beyond is padding.
        thresholds: (C,) an entity starts and ends above it, and goes on at or above it.

    Returns:
        For each text its entities, in order of their first word.
    """
    import numpy as np

    exists = np.arange(scores.shape[1])[None, :, None] < np.asarray(lengths)[:, None, None]  # (B, W, 1)
    starts = (scores[..., 0] > thresholds) & (scores[..., 2] >= thresholds) & exists
    ends = (scores[..., 1] > thresholds) & exists
    found: list[list[Found]] = [[] for _ in lengths]
    cells: dict[tuple[int, int], list[int]] = {}
    for row, word, label in np.argwhere(starts).tolist():
        cells.setdefault((row, label), []).append(word)
    for (row, label), words in cells.items():
        begin, end, inside = (scores[row, : lengths[row], label, kind].tolist() for kind in range(3))
        closes = ends[row, :, label].tolist()
        least = float(thresholds[label])
        for word in words:
            score = begin[word]
            for last in range(word, lengths[row]):
                if inside[last] < least:
                    break
                score = min(score, inside[last])
                if closes[last]:
                    found[row].append((word, last, label, min(score, end[last])))
    return [surest(spans) for spans in found]


def from_spans(scores: Array, lengths: Sequence[int], thresholds: Array) -> list[list[Found]]:
    """Entities by the scores of all spans of words.

    Args:
        scores: (B, W, K, C) probabilities; [b, w, k] is the span of k + 1 words that begins at word w.
        lengths: Words of each text.
        thresholds: (C,) an entity is above it.

    Returns:
        For each text its entities, in order of their first word.
    """
    import numpy as np

    found: list[list[Found]] = [[] for _ in lengths]
    places = np.argwhere(scores > thresholds)
    values = scores[tuple(places.T)].tolist()
    for (row, first, more, label), score in zip(places.tolist(), values, strict=True):
        if first + more < lengths[row]:
            found[row].append((first, first + more, label, score))
    return [surest(spans) for spans in found]


def from_proposals(scores: Array, spans: Array, exists: Array, thresholds: Array) -> list[list[Found]]:
    """Entities by the scores of spans that the network itself proposed.

    Args:
        scores: (B, S, C) probabilities.
        spans: (B, S, 2) first and last word of each.
        exists: (B, S) false where a proposal is padding.
        thresholds: (C,) an entity is above it.

    Returns:
        For each text its entities, in order of their first word.
    """
    import numpy as np

    found: list[list[Found]] = [[] for _ in scores]
    for row, place, label in np.argwhere((scores > thresholds) & exists.astype(bool)[..., None]).tolist():
        first, last = spans[row, place].tolist()
        found[row].append((first, last, label, float(scores[row, place, label])))
    return [surest(entities) for entities in found]


def surest(found: Sequence[Found]) -> list[Found]:
    """Those that overlap no surer one of the same label, in order."""
    kept: list[Found] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for span in sorted(found, key=lambda span: (-span[3], span[0] - span[1], span[0], span[2])):
        first, last, label, _ = span
        others = taken.setdefault(label, [])
        place = bisect_left(others, (first, last))
        is_free = (place == 0 or others[place - 1][1] < first) and (
            place == len(others) or others[place][0] > last
        )
        if is_free:
            insort(others, (first, last))
            kept.append(span)
    return sorted(kept)

"""How well spans are found: exact and overlapping precision, recall and F1, by label and language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from joblens.records import Entity, LabelledText

Found = Sequence[Collection[Entity]]


@dataclass(frozen=True, slots=True)
class SpanScore:
    """Counts over many texts, and the rates that follow from them."""

    right: int
    """Spans found whose label and limits are the marked ones; for `overlap`, that touch one of the label."""
    reached: int
    """Marked spans that were found; for `overlap`, that a span of their label touches."""
    found: int
    marked: int

    @property
    def precision(self) -> float:
        """Right / found; 0 when nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Reached / marked; 0 when nothing was marked."""
        return self.reached / self.marked if self.marked else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 when both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __add__(self, other: SpanScore) -> SpanScore:
        return SpanScore(
            self.right + other.right,
            self.reached + other.reached,
            self.found + other.found,
            self.marked + other.marked,
        )


NOTHING = SpanScore(0, 0, 0, 0)


def score_text(marked: Collection[Entity], found: Collection[Entity], *, overlap: bool) -> SpanScore:
    """Compare the spans of one text and one label.

    Exact: same start and end in characters. Overlapping: at least one character in common.
    """
    if not overlap:
        gold, guessed = ({(span.start, span.end) for span in spans} for spans in (marked, found))
        return SpanScore(len(gold & guessed), len(gold & guessed), len(guessed), len(gold))
    right = sum(any(_touch(span, other) for other in marked) for span in found)
    reached = sum(any(_touch(span, other) for other in found) for span in marked)
    return SpanScore(right, reached, len(found), len(marked))


def _touch(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end


def score_spans(
    texts: Sequence[LabelledText], found: Found, labels: Sequence[str], *, overlap: bool = False
) -> dict[str, SpanScore]:
    """Scores by label, and under `all` their sum (micro average)."""
    scores = {
        label: sum(
            (
                score_text(
                    [entity for entity in text.entities if entity.label == label],
                    [entity for entity in spans if entity.label == label],
                    overlap=overlap,
                )
                for text, spans in zip(texts, found, strict=True)
            ),
            NOTHING,
        )
        for label in labels
    }
    return {**scores, "all": sum(scores.values(), NOTHING)}


def choose_threshold(
    marked: Found, found: Found, candidates: Sequence[float], *, least_precision: float | None = None
) -> tuple[float, float]:
    """The candidate with the best exact F1 for spans of one label, and that F1; the lowest of equals.

    Args:
        marked: Spans of the label, text by text.
        found: Spans of the label with their scores, found at the lowest candidate or below.
        candidates: Thresholds in ascending order.
        least_precision: For what must not be missed: the lowest candidate at which this share of the found
            spans touch a marked one. Where none does, the best F1 decides.
    """
    best = (candidates[0], -1.0)
    for threshold in candidates:
        kept = [[span for span in spans if span.score >= threshold] for spans in found]
        exact, touching = (
            sum((score_text(*pair, overlap=way) for pair in zip(marked, kept, strict=True)), NOTHING)
            for way in (False, True)
        )
        if least_precision is not None and touching.precision >= least_precision:
            return threshold, exact.f1
        if exact.f1 > best[1]:
            best = (threshold, exact.f1)
    return best


RATES = ("precision", "recall", "f1", "overlap_precision", "overlap_recall", "overlap_f1")
"""Of a row of `as_table`: those of exact limits first."""


def as_table(texts: Sequence[LabelledText], found: Found, labels: Sequence[str]) -> list[dict[str, Any]]:
    """One row a label, and one for all: how many spans are marked, and `RATES` with three decimals."""
    exact = score_spans(texts, found, labels)
    touching = score_spans(texts, found, labels, overlap=True)
    return [
        {
            "label": label,
            "marked": score.marked,
            "precision": round(score.precision, 3),
            "recall": round(score.recall, 3),
            "f1": round(score.f1, 3),
            "overlap_precision": round(touching[label].precision, 3),
            "overlap_recall": round(touching[label].recall, 3),
            "overlap_f1": round(touching[label].f1, 3),
        }
        for label, score in exact.items()
    ]


def by_language(
    texts: Sequence[LabelledText], found: Found, labels: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The table of each language, in their order; none where all texts are in one."""
    languages = sorted({text.language for text in texts})
    if len(languages) < 2:
        return {}
    tables = {}
    for language in languages:
        rows = [row for row, text in enumerate(texts) if text.language == language]
        tables[language] = as_table([texts[row] for row in rows], [found[row] for row in rows], labels)
    return tables

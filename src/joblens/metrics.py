"""Tensors in, numbers out: how good guesses are, and how sure one can be of that.

Pure functions: no files, no config, no logger. Shapes: N rows, C classes; labels and guesses are class
indices in [0, C). Everything that counts guesses goes through the confusion matrix, so a bootstrap redraws
matrices instead of rows and its cost does not grow with N.

Classes without rows: macro averages run over *all* C classes, and a precision, recall or F1 whose
denominator is 0 counts as 0. That equals scikit-learn's `labels=range(C), zero_division=0`, and it means
that a class which has no true row lowers a macro average; split so that each class has test rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from joblens.errors import DataError

Statistic = Callable[[Tensor], Tensor]
"""From confusion matrices (..., C, C) to one number each (...)."""


@dataclass(frozen=True, slots=True)
class Averages:
    """Precision, recall and F1 averaged over classes, each a fraction in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well one class is found: fractions in [0, 1], and how many rows truly have it."""

    label: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows whose probability lies in (low, high]: what the model promised and what came true.

    `confidence` and `accuracy` are None in a bin without rows.
    """

    low: float
    high: float
    confidence: float | None
    accuracy: float | None
    count: int


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """First model minus second on the same rows, with its bootstrap interval.

    `share_above` is the share of redraws in which the first model was strictly better.
    """

    difference: float
    low: float
    high: float
    share_above: float


def best_class(scores: Tensor) -> Tensor:
    """The guess of each row: (N, C) scores to (N,) int64. Ties go to the lower class index."""
    return (scores == scores.max(dim=1, keepdim=True).values).int().argmax(dim=1)


def confusion_matrix(guesses: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Count each pair of truth and guess.

    Returns:
        (C, C) int64; entry [t, g] counts rows of true class t guessed as g.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    _check_rows(guesses, labels)
    for name, values in (("labels", labels), ("guesses", guesses)):
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= classes:
            raise DataError(
                f"{name} run from {low} to {high}, expected 0 to {classes - 1}; "
                "check labels.json against the rows"
            )
    cells = labels.long() * classes + guesses.long()  # (N,)
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(guesses: Tensor, labels: Tensor) -> float:
    """Share of rows guessed right, a fraction in [0, 1].

    Raises:
        DataError: N differs between the two or is 0.
    """
    _check_rows(guesses, labels)
    return float((guesses == labels).double().mean())


def macro_f1(guesses: Tensor, labels: Tensor, classes: int) -> float:
    """Mean F1 over all C classes; see the module docstring for classes without rows.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    return float(confusion_macro_f1(confusion_matrix(guesses, labels, classes)))


def precision_recall_f1(
    guesses: Tensor, labels: Tensor, classes: int, average: Literal["macro", "weighted"] = "macro"
) -> Averages:
    """Average precision, recall and F1 over classes.

    Args:
        guesses: (N,) class indices.
        labels: (N,) class indices.
        classes: C.
        average: `macro` gives each of the C classes the same weight, `weighted` its share of the true rows.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    confusion = confusion_matrix(guesses, labels, classes)
    support = confusion.sum(dim=1).double()
    weights = torch.full_like(support, 1 / classes) if average == "macro" else support / support.sum()
    precision, recall, f1 = _class_scores(confusion)
    return Averages(*(float((weights * values).sum()) for values in (precision, recall, f1)))


def per_class(guesses: Tensor, labels: Tensor, classes: int) -> list[ClassScores]:
    """Precision, recall, F1 and support of each class, in class order.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    confusion = confusion_matrix(guesses, labels, classes)
    columns = [values.tolist() for values in (*_class_scores(confusion), confusion.sum(dim=1))]
    return [ClassScores(label, *row) for label, row in enumerate(zip(*columns, strict=True))]


def top_k_accuracy(scores: Tensor, labels: Tensor, k: int) -> float:
    """Share of rows whose true label is among the k highest scores.

    Args:
        scores: (N, C), higher is better. Ties go to the lower class index.
        labels: (N,) class indices in [0, C).
        k: How many classes may be guessed; 1 <= k <= C.

    Returns:
        A fraction in [0, 1], not a percentage.

    Raises:
        DataError: N differs between the two, N is 0, or k is outside [1, C].
    """
    _check_rows(scores, labels)
    classes = scores.shape[1]
    if not 1 <= k <= classes:
        raise DataError(f"top-k accuracy with k={k} for {classes} classes; choose k from 1 to {classes}")
    column = labels.long().unsqueeze(1)  # (N, 1)
    truth = scores.gather(1, column)  # (N, 1)
    earlier = torch.arange(classes, device=scores.device).unsqueeze(0) < column  # (N, C)
    rank = ((scores > truth) | ((scores == truth) & earlier)).sum(dim=1)  # (N,), 0 = first guess
    return float((rank < k).double().mean())


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> float:
    """How far promised probabilities are from what comes true (Guo et al. 2017, equation 3).

    The mean over rows of |accuracy - confidence| of the row's bin; 0 is perfect, 1 the worst.

    Args:
        probabilities: (N, C), rows sum to 1. The confidence of a row is its highest entry.
        labels: (N,) class indices.
        bins: How many bins of equal width, closed on the right.

    Raises:
        DataError: N differs between the two or is 0, or `bins` is below 1.
    """
    table = reliability_table(probabilities, labels, bins)
    gaps = [
        row.count * abs(row.accuracy - row.confidence)
        for row in table
        if row.accuracy is not None and row.confidence is not None
    ]
    return sum(gaps) / len(labels)


def reliability_table(probabilities: Tensor, labels: Tensor, bins: int) -> list[ReliabilityBin]:
    """Group rows by the probability of their guess into `bins` bins (i/bins, (i+1)/bins] of equal width.

    Raises:
        DataError: N differs between the two or is 0, or `bins` is below 1.
    """
    _check_rows(probabilities, labels)
    if bins < 1:
        raise DataError(f"{bins} reliability bins; choose evaluation.ece_bins of 1 or more")
    guesses = best_class(probabilities)
    confidence = probabilities.gather(1, guesses.unsqueeze(1)).squeeze(1).double()  # (N,)
    right = (guesses == labels).double()
    edges = torch.arange(1, bins, dtype=torch.float64, device=confidence.device) / bins
    place = torch.bucketize(confidence, edges)  # (N,), the first edge that is not below the confidence
    count = torch.bincount(place, minlength=bins).tolist()
    promised = torch.bincount(place, weights=confidence, minlength=bins).tolist()
    found = torch.bincount(place, weights=right, minlength=bins).tolist()
    return [
        ReliabilityBin(
            low=i / bins,
            high=(i + 1) / bins,
            confidence=promised[i] / count[i] if count[i] else None,
            accuracy=found[i] / count[i] if count[i] else None,
            count=count[i],
        )
        for i in range(bins)
    ]


def confusion_accuracy(confusion: Tensor) -> Tensor:
    """Accuracy of each confusion matrix: (..., C, C) to (...) float64."""
    right = confusion.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    return right.double() / confusion.sum(dim=(-2, -1)).double()


def confusion_macro_f1(confusion: Tensor) -> Tensor:
    """Macro-F1 of each confusion matrix: (..., C, C) to (...) float64."""
    return _class_scores(confusion)[2].mean(dim=-1)


def bootstrap_interval(
    statistic: Statistic,
    guesses: Tensor,
    labels: Tensor,
    classes: int,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of the confusion matrix (Efron & Tibshirani 1993, ch. 13).

    Rows are redrawn with replacement within each true class: splits are stratified, so class sizes are
    fixed, and no redraw loses a rare class. A class with one row therefore adds no width.

    Args:
        statistic: `confusion_accuracy`, `confusion_macro_f1` or alike.
        guesses: (N,) class indices.
        labels: (N,) class indices.
        classes: C.
        draws: How many redraws.
        seed: Same seed, same interval.
        level: Share of the redraws inside the interval.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    values = statistic(_redrawn_confusions([guesses], labels, classes, draws, seed)[0])
    return _percentiles(values, level)


def paired_difference(
    statistic: Statistic,
    first: Tensor,
    second: Tensor,
    labels: Tensor,
    classes: int,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> PairedDifference:
    """First model minus second, both redrawn on the same rows: what they share cancels out.

    Args are those of `bootstrap_interval`, with the guesses (N,) of two models.

    Raises:
        DataError: N differs or is 0, or an index is outside [0, C).
    """
    point = [statistic(confusion_matrix(guesses, labels, classes)) for guesses in (first, second)]
    redrawn = statistic(_redrawn_confusions([first, second], labels, classes, draws, seed))  # (2, draws)
    low, high = _percentiles(redrawn[0] - redrawn[1], level)
    share_above = float((redrawn[0] > redrawn[1]).double().mean())
    return PairedDifference(float(point[0] - point[1]), low, high, share_above)


def _redrawn_confusions(guesses: list[Tensor], labels: Tensor, classes: int, draws: int, seed: int) -> Tensor:
    """Confusion matrices (M, draws, C, C) of M models on the same redrawn rows.

    Rows with the same label and the same M guesses are interchangeable, so how often each such pattern is
    drawn is multinomial: exactly the bootstrap over rows, without the rows.
    """
    import numpy as np

    for column in guesses:
        confusion_matrix(column, labels, classes)  # raises on odd indices or lengths
    rows = torch.stack([labels, *guesses], dim=1).long().cpu()  # (N, 1 + M)
    distinct, counts = np.unique(rows.numpy(), axis=0, return_counts=True)
    patterns = torch.from_numpy(distinct)  # (P, 1 + M)
    redrawn = torch.zeros(draws, len(patterns), dtype=torch.int64)
    generator = np.random.default_rng(seed)
    for label in np.unique(distinct[:, 0]):
        place = np.flatnonzero(distinct[:, 0] == label)
        size = int(counts[place].sum())
        share = counts[place] / size
        redrawn[:, place] = torch.from_numpy(generator.multinomial(size, share, size=draws))
    matrices = torch.zeros(len(guesses), draws, classes * classes, dtype=torch.int64)
    for model in range(len(guesses)):
        matrices[model].index_add_(1, patterns[:, 0] * classes + patterns[:, 1 + model], redrawn)
    return matrices.reshape(len(guesses), draws, classes, classes)


def _percentiles(values: Tensor, level: float) -> tuple[float, float]:
    """The central share `level` of `values` (draws,), by linear interpolation."""
    tail = (1 - level) / 2
    low, high = torch.quantile(values, torch.tensor([tail, 1 - tail], dtype=values.dtype)).tolist()
    return low, high


def _class_scores(confusion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Precision, recall and F1 of each class: (..., C, C) to three of (..., C) float64. 0 / 0 is 0."""
    right = confusion.diagonal(dim1=-2, dim2=-1).double()
    guessed = confusion.sum(dim=-2).double()
    support = confusion.sum(dim=-1).double()
    precision = right / guessed.clamp(min=1)
    recall = right / support.clamp(min=1)
    return precision, recall, 2 * right / (guessed + support).clamp(min=1)


def _check_rows(rows: Tensor, labels: Tensor) -> None:
    if len(rows) != len(labels):
        raise DataError(f"{len(rows)} rows of guesses for {len(labels)} labels; give one label for each row")
    if len(labels) == 0:
        raise DataError("no rows to measure; check that the test split is not empty")


def mean_reciprocal_rank(ranks: Tensor) -> float:
    """Mean of 1 / rank of the first right answer.

    Args:
        ranks: (N,) whole numbers from 1; 0 where no right answer was found, which counts as 0.

    Raises:
        DataError: N is 0.
    """
    if len(ranks) == 0:
        raise DataError("there are no ranks to average; check that the queries have answers")
    return float(torch.where(ranks > 0, 1 / ranks.double().clamp(min=1), 0.0).mean())


def mean_average_precision(hits: Tensor, relevant: Tensor) -> float:
    """Mean over queries of the precision at each right answer, right answers not found counting 0.

    Args:
        hits: (N, K) bool: which of the first K answers are right, best first.
        relevant: (N,) how many right answers there are in all, positive.

    Raises:
        DataError: N is 0.
    """
    if len(hits) == 0:
        raise DataError("there are no answers to average; check that the queries have answers")
    places = torch.arange(1, hits.shape[1] + 1)
    precisions = hits.double().cumsum(dim=1) / places  # (N, K)
    return float(((precisions * hits).sum(dim=1) / relevant).mean())


def hit_rate(hits: Tensor, k: int) -> float:
    """Share of queries with a right answer among the first k of (N, K) bool `hits`.

    Raises:
        DataError: N is 0.
    """
    if len(hits) == 0:
        raise DataError("there are no answers to count; check that the queries have answers")
    return float(hits[:, :k].any(dim=1).double().mean())

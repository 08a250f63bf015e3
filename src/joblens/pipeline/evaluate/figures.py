"""The figures of each model on the same rows, and what they say against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from joblens import metrics
from joblens.config import Evaluation
from joblens.models.calibration import Calibration, abstains, accuracy_at_coverage, prediction_sets
from joblens.pipeline.evaluate.rows import SPLITS, Rows

DIGITS = 6
"""Figures are rounded to this many decimals: what a later digit says is noise of the machine."""

TOP = 3
CHALLENGER = "classifier"
"""The model that joblens serves; the others are what it has to beat."""

_STATISTICS = {"macro_f1": metrics.confusion_macro_f1, "accuracy": metrics.confusion_accuracy}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that a model did not learn from, and what it makes of them."""

    probabilities: Tensor
    """(n, C), calibrated."""
    labels: Tensor
    """(n,) class indices."""
    covered: Tensor
    """(n,) bool: whose prediction set holds the label."""
    sizes: Tensor
    """(n,) int64: labels in each prediction set."""
    silent: Tensor
    """(n,) bool: which rows it abstains from."""

    @classmethod
    def of(cls, probabilities: Tensor, labels: Tensor, calibration: Calibration) -> "HeldOut":
        """Rows that one calibration decides."""
        sets = prediction_sets(probabilities, calibration)
        return cls(
            probabilities=probabilities,
            labels=labels,
            covered=torch.tensor([label in one for label, one in zip(labels.tolist(), sets, strict=True)]),
            sizes=torch.tensor([len(one) for one in sets]),
            silent=abstains(probabilities, calibration),
        )

    @classmethod
    def joined(cls, parts: Sequence["HeldOut"]) -> "HeldOut":
        """Rows of several calibrations, one part after the other."""
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in cls.__slots__))


def model_figures(probabilities: Tensor, labels: Tensor, evaluation: Evaluation) -> dict[str, Any]:
    """One model's entry in metrics.json.

    Args:
        probabilities: (n, C), calibrated.
        labels: (n,) class indices of the same rows.
        evaluation: Bins, resamples and seed.
    """
    classes = probabilities.shape[1]
    guesses = metrics.best_class(probabilities)
    macro = metrics.precision_recall_f1(guesses, labels, classes, "macro")
    weighted = metrics.precision_recall_f1(guesses, labels, classes, "weighted")
    intervals = {
        name: metrics.bootstrap_interval(
            statistic, guesses, labels, classes, draws=evaluation.bootstrap, seed=evaluation.seed
        )
        for name, statistic in _STATISTICS.items()
    }
    return rounded(
        {
            "accuracy": metrics.accuracy(guesses, labels),
            "macro_f1": macro.f1,
            "macro_precision": macro.precision,
            "macro_recall": macro.recall,
            "weighted_precision": weighted.precision,
            "weighted_recall": weighted.recall,
            "weighted_f1": weighted.f1,
            f"top_{TOP}_accuracy": metrics.top_k_accuracy(probabilities, labels, min(TOP, classes)),
            "ece": metrics.expected_calibration_error(probabilities, labels, evaluation.ece_bins),
            "ci_macro_f1": list(intervals["macro_f1"]),
            "ci_accuracy": list(intervals["accuracy"]),
        }
    )


def differences(
    probabilities: Mapping[str, Tensor], labels: Tensor, evaluation: Evaluation
) -> dict[str, dict[str, Any]]:
    """The classifier minus each other model, on the same redrawn rows.

    Args:
        probabilities: (n, C) of each model.
        labels: (n,) class indices of the same rows.
        evaluation: Resamples and seed.

    Returns:
        For `classifier_minus_<model>`: the difference in macro-F1 and accuracy, its 95 % interval, and the
        share of redraws in which the classifier was better.
    """
    guesses = {name: metrics.best_class(values) for name, values in probabilities.items()}
    classes = probabilities[CHALLENGER].shape[1]
    found: dict[str, dict[str, Any]] = {}
    for rival in (name for name in guesses if name != CHALLENGER):
        found[f"{CHALLENGER}_minus_{rival}"] = {}
        for name, statistic in _STATISTICS.items():
            result = metrics.paired_difference(
                statistic,
                guesses[CHALLENGER],
                guesses[rival],
                labels,
                classes,
                draws=evaluation.bootstrap,
                seed=evaluation.seed,
            )
            found[f"{CHALLENGER}_minus_{rival}"][name] = rounded(
                {
                    "difference": result.difference,
                    "ci": [result.low, result.high],
                    "share_better": result.share_above,
                }
            )
    return found


def abstain_figures(held: HeldOut, calibration: Calibration) -> dict[str, Any]:
    """What the classifier's prediction sets and abstentions are worth on rows it has not seen.

    `precision_when_answering` is None when it answers no row.

    Args:
        held: The rows.
        calibration: Says what was wanted.
    """
    right = metrics.best_class(held.probabilities) == held.labels
    answered = right[~held.silent]
    return rounded(
        {
            "coverage_wanted": calibration.coverage,
            "coverage": float(held.covered.double().mean()),
            "mean_set_size": float(held.sizes.double().mean()),
            "precision_wanted": calibration.target_precision,
            "precision_when_answering": float(answered.double().mean()) if len(answered) else None,
            "share_answered": len(answered) / len(right),
        }
    )


def coverage_figures(origin: str, held: HeldOut, calibration: Calibration) -> dict[str, Any]:
    """How right the classifier is on the rows it is surest of, and where its abstain rule stands there.

    Args:
        origin: Which rows they are: `cross_validation` (every ad, from the fold that tests it) or `test`.
        held: The rows.
        calibration: Says what was wanted.
    """
    return {
        "rows": origin,
        "ads": len(held.labels),
        "accuracy": rounded(accuracy_at_coverage(held.probabilities, held.labels)),
        "abstain": abstain_figures(held, calibration),
    }


def data_figures(rows: Rows) -> dict[str, int]:
    """How many rows there are: all, and with one of each near-duplicate group."""
    counts = {
        "rows": len(rows.ids),
        "rows_without_near_duplicates": len(set(rows.groups.tolist())),
        "classes": rows.classes,
    }
    for split in SPLITS:
        places = rows.where(split)
        counts[split] = len(places)
        counts[f"{split}_without_near_duplicates"] = len(set(rows.groups[places].tolist()))
    tested = torch.bincount(rows.labels[rows.where("test")], minlength=rows.classes)
    counts["classes_without_test_rows"] = int((tested == 0).sum())
    return counts


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures with each float, also in lists, rounded to `DIGITS` decimals."""
    return {name: _rounded(value) for name, value in figures.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # -0.0 becomes 0.0
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return value

"""Every model fitted again for each fold, and tested on ads that neither it nor a near-duplicate has seen."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

import torch
from torch import Tensor

from joblens.config import Classifier, Split
from joblens.device import track
from joblens.errors import DataError
from joblens.metrics import accuracy, best_class, macro_f1
from joblens.models.calibration import Calibration, fit_abstain_threshold, fit_set_threshold
from joblens.pipeline.evaluate.figures import HeldOut, rounded
from joblens.pipeline.evaluate.models import FitScores, calibrated
from joblens.pipeline.evaluate.rows import Rows
from joblens.pipeline.split import assign_parts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What the folds say."""

    figures: dict[str, Any]
    """For each model, macro-F1 and accuracy: mean, std (over folds, not corrected) and the folds."""
    probabilities: dict[str, Tensor]
    """For each model (N, C), every row from the fold that tests it."""
    held: dict[str, HeldOut]
    """The same, with prediction sets and abstentions by thresholds of each fold's own; fold after fold."""

    @property
    def best(self) -> str:
        """The model with the highest mean macro-F1."""
        return max(self.figures, key=lambda name: float(self.figures[name]["macro_f1"]["mean"]))


def cross_validate(
    rows: Rows, models: Mapping[str, FitScores], split: Split, wanted: Classifier
) -> CrossValidation:
    """Fit, calibrate and test each model once per fold.

    Args:
        rows: The ads, with their folds.
        models: How to fit each model.
        split: Its share `validation` of the rows outside the fold is kept for early stopping and calibration.
        wanted: What prediction sets should cover, and how precise answers should be.

    Raises:
        DataError: A fold leaves no rows to train or validate on.
    """
    folds = sorted(set(rows.folds.tolist()))
    found = {name: torch.zeros(len(rows.ids), rows.classes, dtype=torch.float64) for name in models}
    scores: dict[str, dict[str, list[float]]] = {name: {"macro_f1": [], "accuracy": []} for name in models}
    held: dict[str, list[HeldOut]] = {name: [] for name in models}
    runs = [(fold, name) for fold in folds for name in models]
    held_out = {
        fold: carve_validation(rows, (rows.folds != fold).nonzero().squeeze(1), split.validation, split.seed)
        for fold in folds
    }
    for fold, name in track(runs, total=len(runs), description="cross-validation"):
        test = (rows.folds == fold).nonzero().squeeze(1)
        values, unseen = models[name](*held_out[fold])
        scaled = calibrated(values, rows.labels, unseen)
        found[name][test] = probabilities = scaled[test]
        guesses, labels = best_class(probabilities), rows.labels[test]
        rule = _rule(scaled[unseen], rows.labels[unseen], wanted)
        held[name].append(HeldOut.of(probabilities, labels, rule))
        scores[name]["macro_f1"].append(macro_f1(guesses, labels, rows.classes))
        scores[name]["accuracy"].append(accuracy(guesses, labels))
        logger.info("fold %d, %s: macro-F1 %.3f", fold, name, scores[name]["macro_f1"][-1])
    figures = {
        name: {
            measure: rounded({"mean": fmean(values), "std": pstdev(values), "folds": values})
            for measure, values in measures.items()
        }
        for name, measures in scores.items()
    }
    return CrossValidation(figures, found, {name: HeldOut.joined(parts) for name, parts in held.items()})


def _rule(probabilities: Tensor, labels: Tensor, wanted: Classifier) -> Calibration:
    """The thresholds that `train` would choose, from (n, C) calibrated probabilities of unseen rows."""
    return Calibration(
        temperature=1.0,
        set_threshold=fit_set_threshold(probabilities, labels, wanted.coverage),
        abstain_below=fit_abstain_threshold(probabilities, labels, wanted.target_precision)[0],
    )


def carve_validation(rows: Rows, outside: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Part the rows outside a fold into training and validation rows, as `hold_out` does.

    Raises:
        DataError: Nothing is left on one side.
    """
    labels = [rows.names[label] for label in rows.labels.tolist()]
    groups = [str(group) for group in rows.groups.tolist()]
    train, validation = hold_out(labels, groups, outside, share, seed)
    if len(train) == 0 or len(validation) == 0:
        raise DataError(
            f"a fold leaves {len(train)} rows to train and {len(validation)} to validate on; "
            "add ads, or set evaluation.cross_validation=false"
        )
    return train, validation


def hold_out(
    labels: Sequence[str], groups: Sequence[str], outside: Tensor, share: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Part some rows into those to train on and a share that watches: (n,) and (m,) row numbers, ascending.

    Near-duplicates stay together and each label gives its share, as in stage `split`.

    Args:
        labels: Of all N rows.
        groups: Likewise; near-duplicates share one.
        outside: (n + m,) int64 row numbers, ascending: the rows to part.
        share: Of them that is held out.
        seed: Breaks ties between groups.
    """
    rows = outside.tolist()
    shares = (1 - share, share)
    parts = assign_parts([labels[row] for row in rows], [groups[row] for row in rows], shares, seed)
    is_held = torch.tensor(parts) == 1
    return outside[~is_held], outside[is_held]

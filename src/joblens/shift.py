"""Two samples in, one number out: how far the adverts of today are from those of the training.

Pure functions: no files, no config, no logger. N rows, D dimensions, C classes.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from joblens.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

_SMOOTHING = 0.5
"""Added to each count, so that a label nobody got has a share above 0 (Jeffreys' prior)."""


def population_stability_index(reference: Sequence[int], current: Sequence[int]) -> float:
    """How far the shares of C labels moved: the sum of (q - p) · ln(q / p) over the labels.

    p and q are the shares in the reference and now, each from its counts plus one half. It is 0 when they are
    equal and has no upper end; custom reads below 0.1 as stable and above 0.25 as moved (Siddiqi, Credit Risk
    Scorecards, 2006). With few adverts it is above 0 by chance alone: see `psi_by_chance`.

    Args:
        reference: C counts.
        current: C counts, in the same order.

    Raises:
        DataError: The two differ in length, are empty, or one of them counts nothing or less than nothing.
    """
    _check_counts(reference, current)
    shares = [
        ((before + _SMOOTHING) / _smoothed(reference), (now + _SMOOTHING) / _smoothed(current))
        for before, now in zip(reference, current, strict=True)
    ]
    return sum((now - before) * math.log(now / before) for before, now in shares)


def psi_by_chance(reference: Sequence[int], current: Sequence[int], level: float = 0.99) -> float:
    """What the index stays below `level` of the time when nothing moved.

    That is (1/M + 1/N) times the quantile of the chi-squared distribution with C - 1 degrees of freedom, for
    M and N adverts (Yurdakul and Naranjo, Journal of Risk Model Validation 14(4), 2020). Labels that neither
    sample has count for no degree.

    Raises:
        DataError: As `population_stability_index`.
    """
    from scipy.stats import chi2

    _check_counts(reference, current)
    seen = sum(before + now > 0 for before, now in zip(reference, current, strict=True))
    if seen < 2:
        return 0.0
    return float((1 / sum(reference) + 1 / sum(current)) * chi2.ppf(level, seen - 1))


def domain_classifier_auc(reference: "Tensor", current: "Tensor", *, folds: int = 5, seed: int = 0) -> float:
    """How well a classifier tells the adverts of now from those of the reference: 0.5 not at all, 1 always.

    The area under the ROC curve of a logistic regression on the vectors, each guessed by a model that has not
    seen it (a classifier two-sample test: Lopez-Paz and Oquab, ICLR 2017). Rows that are equal in all their
    numbers count once, or one that lies in two folds would be recognised. Chance moves it too: with 512 and
    1,000 rows by about 0.03 to either side.

    Args:
        reference: (M, D), finite; half precision will do.
        current: (N, D), finite.
        folds: Each has as even a share of both as can be.
        seed: Deals the rows to the folds.

    Raises:
        DataError: The two differ in D, or one has fewer distinct rows than there are folds.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    if reference.shape[1:] != current.shape[1:]:
        raise DataError(
            f"the vectors have {tuple(reference.shape[1:])} and {tuple(current.shape[1:])} numbers, expected "
            "as many; embed both with one encoder"
        )
    # At one precision: else the rounding of one side could tell the two apart.
    sides = [np.unique(side.half().float().cpu().numpy(), axis=0) for side in (reference, current)]
    fewest = min(map(len, sides))
    if fewest < folds:
        raise DataError(f"there are {fewest} distinct vectors on one side, expected at least {folds}; wait")
    vectors = np.concatenate(sides)
    is_current = np.repeat([0, 1], [len(side) for side in sides])
    spread = float(vectors.std(axis=0).mean())  # one scale for all: vectors of any length are fit alike
    # Several BLAS threads would spin for most of the time: 0.2 s with one were 6 s with two.
    with threadpool_limits(1, user_api="blas"):
        scores = cross_val_predict(
            LogisticRegression(C=1.0, class_weight="balanced", max_iter=200),
            (vectors - vectors.mean(axis=0)) / spread,
            is_current,
            cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
            method="decision_function",
        )
    return float(roc_auc_score(is_current, scores))


def _smoothed(counts: Sequence[int]) -> float:
    return sum(counts) + _SMOOTHING * len(counts)


def _check_counts(reference: Sequence[int], current: Sequence[int]) -> None:
    if len(reference) != len(current) or not reference:
        raise DataError(
            f"there are counts of {len(reference)} and {len(current)} labels, expected as many; "
            "compare guesses of one model"
        )
    for name, counts in (("reference", reference), ("current", current)):
        if min(counts) < 0 or sum(counts) == 0:
            raise DataError(f"the {name} counts are {list(counts)}, expected at least one advert; add some")

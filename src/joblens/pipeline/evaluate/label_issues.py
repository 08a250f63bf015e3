"""Ads whose label looks wrong: confident learning on probabilities of rows the network never saw."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from torch import Tensor

from joblens.metrics import best_class
from joblens.pipeline.evaluate.figures import DIGITS
from joblens.pipeline.evaluate.rows import Rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """One ad that a person should look at again."""

    id: str
    title: str
    """Without personal data, as `clean` left it."""
    label: str
    """What the data say."""
    suggested: str
    """What the best model of the cross-validation says."""
    confidence: float
    """That model's probability of the suggested label."""
    quality: float
    """That model's probability of the label in the data: near 0 looks wrong, near 1 looks right."""


def label_issues(rows: Rows, probabilities: Tensor) -> list[LabelIssue]:
    """Ads that cleanlab takes for mislabelled, most doubtful first (Northcutt et al. 2021).

    Confident learning estimates how many labels are wrong; as many ads are listed, those whose label the
    model believes least. This is cleanlab's filter `low_self_confidence`, but for two things: an ad whose
    label is the model's own guess takes no place, and ties go to the lower id.

    Chosen on five other samples (`joblens sample --ads 900`, seeds 101 to 105, 4 % of the labels wrong, the
    default classifier). Means, with the precision of as many of the first as are wrong:

        filter                               listed  precision  recall  first
        low_self_confidence                      45      0.753   0.929  0.846
        prune_by_class                           56      0.610   0.945  0.846
        prune_by_noise_rate (the default)        53      0.588   0.858  0.813
        low_normalized_margin                    45      0.667   0.825  0.796
        confident_learning                       45      0.643   0.797  0.769

    `benchmarks/label_issues.py` says what it finds in the bundled sample.

    Args:
        rows: N ads with their labels.
        probabilities: (N, C) of the same ads, each from a fold that did not train on it.
    """
    from cleanlab.count import num_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels, wide = rows.labels.numpy(), probabilities.double().numpy()
    quality = get_label_quality_scores(labels, wide, method="self_confidence").round(DIGITS)  # (N,)
    confidence = wide.max(axis=1).round(DIGITS)  # (N,)
    suggested = best_class(probabilities).numpy()
    places = [int(row) for row in (suggested != labels).nonzero()[0]]
    places.sort(key=lambda row: (quality[row], rows.ids[row]))
    places = places[: num_label_issues(labels, wide)]
    logger.info("%d of %d labels look wrong", len(places), len(rows.ids))
    return [
        LabelIssue(
            id=rows.ids[row],
            title=rows.titles[row],
            label=rows.names[int(labels[row])],
            suggested=rows.names[int(suggested[row])],
            confidence=float(confidence[row]),
            quality=float(quality[row]),
        )
        for row in places
    ]


def issues_table(issues: Sequence[LabelIssue]) -> pl.DataFrame:
    """One row per issue in their order, a column per field; without issues, the columns alone."""
    return pl.DataFrame(
        {name: [getattr(issue, name) for issue in issues] for name in LabelIssue.__slots__},
        schema={
            "id": pl.String,
            "title": pl.String,
            "label": pl.String,
            "suggested": pl.String,
            "confidence": pl.Float64,
            "quality": pl.Float64,
        },
    )

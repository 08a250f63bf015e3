"""The scores of each model, and how scores become probabilities that can be compared."""

from collections.abc import Callable

import torch
from torch import Tensor

from joblens.config import Config
from joblens.errors import BundleError, DataError
from joblens.models import calibration
from joblens.models.bundle import Bundle, read_bundle
from joblens.models.cosine import CosineBaseline, centroids, cosine_scores, read_baseline
from joblens.models.lexical import LexicalFeatures, lexical_scores
from joblens.paths import Layout
from joblens.pipeline.evaluate.rows import Rows
from joblens.pipeline.train import fit_classifier

FitScores = Callable[[Tensor, Tensor], Tensor]
"""Fit on training rows, watch validation rows (both row numbers), and give the scores (N, C) of all rows."""


def read_models(layout: Layout, rows: Rows) -> tuple[CosineBaseline, Bundle]:
    """The trained models, once they are known to be of these rows' labels and vectors.

    Raises:
        BundleError: The classifier is missing or damaged, or one of the two is of another encoder or of
            other labels.
        DataError: The baseline is missing or damaged.
    """
    baseline, bundle = read_baseline(layout.baseline), read_bundle(layout.classifier)
    for folder, model, encoder in (
        (layout.baseline, baseline, baseline.fingerprint),
        (layout.classifier, bundle, bundle.encoder_fingerprint),
    ):
        if encoder != rows.fingerprint:
            raise BundleError(
                f"{folder} is of encoder {encoder[:12]}, the embeddings of {rows.fingerprint[:12]}; "
                "run `dvc repro`"
            )
        if model.labels != rows.names:
            raise BundleError(
                f"the {len(model.labels)} labels of {folder} are not the {len(rows.names)} of labels.json; "
                "run `dvc repro`"
            )
    return baseline, bundle


def trained_probabilities(
    rows: Rows, baseline: CosineBaseline, bundle: Bundle, features: LexicalFeatures, config: Config
) -> dict[str, Tensor]:
    """Calibrated probabilities of all rows by each model, from the models the other stages trained.

    The lexical model is trained here, on the training rows: it takes a second, and scikit-learn's models
    cannot be stored without pickle. The classifier keeps the calibration of its bundle, as it will be served.

    Returns:
        (N, C) float64 for each model, cheapest model first.
    """
    train, validation = rows.where("train"), rows.where("validation")
    scores = {
        "zero_shot": cosine_scores(rows.vectors, baseline.label_vectors),
        "centroid": cosine_scores(rows.vectors, baseline.centroids),
        "lexical": _lexical(rows, features, config)(train, validation),
    }
    found = {name: calibrated(values, rows.labels, validation) for name, values in scores.items()}
    found["classifier"] = calibration.probabilities(_logits(bundle.network, rows.vectors), bundle.calibration)
    return found


def fold_models(
    rows: Rows, baseline: CosineBaseline, features: LexicalFeatures, config: Config, device: torch.device
) -> dict[str, FitScores]:
    """How to fit each model anew on some rows, in the order of `trained_probabilities`."""

    def zero_shot(train: Tensor, validation: Tensor) -> Tensor:
        return cosine_scores(rows.vectors, baseline.label_vectors)

    def centroid(train: Tensor, validation: Tensor) -> Tensor:
        return cosine_scores(rows.vectors, centroids(rows.vectors[train], rows.labels[train], rows.classes))

    def classifier(train: Tensor, validation: Tensor) -> Tensor:
        network = fit_classifier(
            rows.vectors, rows.labels, train, validation, rows.classes, config.classifier, device
        )
        return _logits(network, rows.vectors)

    return {
        "zero_shot": zero_shot,
        "centroid": centroid,
        "lexical": _lexical(rows, features, config),
        "classifier": classifier,
    }


def calibrated(scores: Tensor, labels: Tensor, validation: Tensor) -> Tensor:
    """Probabilities of every row, with the temperature that suits the validation rows best.

    Scores are first divided by their spread on validation rows: cosines lie within [-1, 1] and would need
    temperatures far below those of logits. Dividing changes no guess.

    Args:
        scores: (N, C), higher is better.
        labels: (N,) class indices.
        validation: (n,) row numbers.

    Returns:
        (N, C) float64; rows sum to 1.

    Raises:
        DataError: A score is not finite.
    """
    if not bool(scores.isfinite().all()):
        raise DataError("a model gives scores that are not finite; check the embeddings and run `dvc repro`")
    wide = scores.double()
    spread = float(wide[validation].std(correction=0))
    wide = wide / spread if spread > 0 else wide
    return (wide / calibration.fit_temperature(wide[validation], labels[validation])).softmax(dim=1)


def _lexical(rows: Rows, features: LexicalFeatures, config: Config) -> FitScores:
    def fit(train: Tensor, validation: Tensor) -> Tensor:
        return lexical_scores(
            features,
            rows.labels,
            train,
            rows.classes,
            C=config.baseline.lexical.C,
            seed=config.evaluation.seed,
        )

    return fit


def _logits(network: torch.nn.Module, vectors: Tensor) -> Tensor:
    """(N, D) vectors to (N, C) logits."""
    with torch.inference_mode():
        logits: Tensor = network(vectors)
    return logits.clone()  # an inference tensor cannot be used outside

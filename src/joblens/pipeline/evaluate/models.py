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
from joblens.models.wide_deep import logits_of
from joblens.paths import Layout
from joblens.pipeline.evaluate.rows import Rows
from joblens.pipeline.train import fit_model, read_knowledge

FitScores = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Fit on training and watch validation rows (both row numbers): scores (N, C) of all rows, and whom to trust.

The latter are numbers of training or validation rows whose scores come from models that did not learn from
them, to calibrate with. The model of the other rows may have learned from all of them.
"""


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

    The lexical model is trained here, on the same rows as the classifier: it takes a second, and
    scikit-learn's models cannot be stored without pickle. The classifier keeps the calibration of its bundle,
    as it will be served.

    Returns:
        (N, C) float64 for each model, cheapest model first.
    """
    train, validation = rows.where("train"), rows.where("validation")
    scores = {
        "zero_shot": cosine_scores(rows.vectors, baseline.label_vectors),
        "centroid": cosine_scores(rows.vectors, baseline.centroids),
        "lexical": _lexical(rows, features, config)(train, validation)[0],
    }
    found = {name: calibrated(values, rows.labels, validation) for name, values in scores.items()}
    found["classifier"] = calibration.probabilities(
        logits_of(bundle.network, rows.inputs), bundle.calibration
    )
    return found


def fold_models(
    rows: Rows,
    baseline: CosineBaseline,
    features: LexicalFeatures,
    config: Config,
    layout: Layout,
    device: torch.device,
) -> dict[str, FitScores]:
    """How to fit each model anew on some rows, in the order of `trained_probabilities`.

    Args:
        rows: All ads.
        baseline: Has the vectors of the label texts.
        features: What the lexical model reads.
        config: The configuration.
        layout: Where the baseline is.
        device: Where the classifier is trained.

    Raises:
        ModelError: The title encoder lacks a file.
    """

    def zero_shot(train: Tensor, validation: Tensor) -> tuple[Tensor, Tensor]:
        return cosine_scores(rows.vectors, baseline.label_vectors), validation

    def centroid(train: Tensor, validation: Tensor) -> tuple[Tensor, Tensor]:
        def score(learned: Tensor) -> Tensor:
            anchors = centroids(rows.vectors[learned], rows.labels[learned], rows.classes)
            return cosine_scores(rows.vectors, anchors)

        return fitted_twice(score, train, validation)

    knowledge = read_knowledge(config, layout, rows.names, rows.fingerprint)
    groups = [str(group) for group in rows.groups.tolist()]

    def classifier(train: Tensor, validation: Tensor) -> tuple[Tensor, Tensor]:
        fitted = fit_model(
            rows.inputs,
            rows.labels,
            groups,
            train,
            validation,
            rows.classes,
            knowledge,
            config.classifier,
            device,
        )
        scores = logits_of(fitted.network, rows.inputs)
        scores[fitted.rows] = fitted.logits
        return scores, fitted.rows

    return {
        "zero_shot": zero_shot,
        "centroid": centroid,
        "lexical": _lexical(rows, features, config),
        "classifier": classifier,
    }


def calibrated(scores: Tensor, labels: Tensor, validation: Tensor) -> Tensor:
    """Probabilities of every row, scaled as suits the validation rows best.

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
    return calibration.scaled(wide, *calibration.fit_scaling(wide[validation], labels[validation]))


def _lexical(rows: Rows, features: LexicalFeatures, config: Config) -> FitScores:
    def score(learned: Tensor) -> Tensor:
        return lexical_scores(
            features,
            rows.labels,
            learned,
            rows.classes,
            C=config.baseline.lexical.C,
            seed=config.evaluation.seed,
        )

    return lambda train, validation: fitted_twice(score, train, validation)


def fitted_twice(
    score: Callable[[Tensor], Tensor], train: Tensor, validation: Tensor
) -> tuple[Tensor, Tensor]:
    """Scores (N, C) of a model that needs validation rows for its temperature alone.

    Args:
        score: Fits a model on row numbers and scores all rows.
        train: (n,) row numbers.
        validation: (m,) row numbers.

    Returns:
        Scores (N, C), of validation rows by a model fitted without them, of all others by one fitted with
        them; and the validation rows.
    """
    scores = score(torch.cat([train, validation]))
    scores[validation] = score(train)[validation]
    return scores, validation

"""Fit what the configuration names: a dense network, or the wide-and-deep classifier with what it knows."""

from pathlib import Path

import torch
from torch import Tensor

from joblens import encoders
from joblens.config import Classifier, Config
from joblens.errors import BundleError, DataError
from joblens.inference.code import TitleCoder
from joblens.models.cosine import read_baseline
from joblens.models.occupation_groups import OccupationGroups
from joblens.models.wide_deep import Inputs, logits_of
from joblens.paths import Layout
from joblens.pipeline.train.fit import Fitted, OnEpoch, check_rows, fit_classifier
from joblens.pipeline.train.wide_deep import Knowledge, fit_wide_deep


def fit_model(
    inputs: Inputs,
    labels: Tensor,
    groups: list[str],
    train_rows: Tensor,
    validation_rows: Tensor,
    classes: int,
    knowledge: Knowledge | None,
    config: Classifier,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Train the classifier; see `fit_classifier` and `fit_wide_deep`. The latter needs the knowledge.

    Raises:
        DataError: There is no advert to train or validate on, or the loss is no longer finite.
    """
    check_rows(train_rows, validation_rows)  # here, because the fusion counts some adverts more than once
    if knowledge is not None:
        return fit_wide_deep(
            inputs, labels, groups, train_rows, validation_rows, knowledge, config, device, on_epoch
        )
    network = fit_classifier(
        inputs.vectors, labels, train_rows, validation_rows, classes, config, device, on_epoch
    )
    return Fitted(network, validation_rows, logits_of(network, inputs.rows(validation_rows)))


def read_knowledge(
    config: Config, layout: Layout, names: tuple[str, ...], fingerprint: str
) -> Knowledge | None:
    """What is known before an advert is read: the vectors of label texts, and ESCO's occupations.

    Args:
        config: Its sections `classifier` and `embedding` matter.
        layout: Where the baseline is, which has the label vectors.
        names: The C labels.
        fingerprint: The encoder's.

    Returns:
        None for a dense network, which knows nothing.

    Raises:
        BundleError: The baseline is of another encoder or of other labels.
        DataError: The baseline is missing or damaged, or the vectors are of another embedding.
        ModelError: The title encoder lacks a file.
    """
    if config.classifier.network == "dense":
        return None
    baseline = read_baseline(layout.baseline)
    if baseline.fingerprint != fingerprint or baseline.labels != names:
        raise BundleError(
            f"the baseline has {len(baseline.labels)} labels of encoder {baseline.fingerprint[:12]}, "
            f"expected {len(names)} of {fingerprint[:12]}; run `dvc repro baseline`"
        )
    width = baseline.label_vectors.shape[1]
    if width != config.embedding.width:
        raise DataError(
            f"vectors have {width} numbers, expected {config.embedding.width} of the sides "
            f"{config.embedding.sides} that embedding asks for; run `dvc repro embed`"
        )
    titles = encoders.in_project(config.embedding, layout.root).titles
    return Knowledge(
        sides=config.embedding.sides,
        label_vectors=baseline.label_vectors,
        occupations=None if titles is None else _occupations(TitleCoder.load(Path(titles))),
    )


def _occupations(coder: TitleCoder) -> OccupationGroups:
    occupations, dimensions = coder.vectors.shape
    groups = OccupationGroups(occupations, dimensions, [len(level.groups) for level in coder.levels])
    groups.vectors.copy_(torch.from_numpy(coder.vectors))
    for row, level in enumerate(coder.levels):
        groups.members[row] = torch.from_numpy(level.members)
        groups.temperatures[row] = level.temperature
    return groups

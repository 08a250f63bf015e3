"""How good settings are: macro-F1 on grouped folds of training and validation rows; none of test rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from joblens.config import Classifier, Config, Split
from joblens.errors import DataError
from joblens.metrics import best_class, macro_f1
from joblens.models.wide_deep import Inputs, logits_of
from joblens.paths import Layout
from joblens.pipeline.evaluate.cross_validation import hold_out
from joblens.pipeline.split import assign_parts
from joblens.pipeline.train.fitting import fit_model, read_knowledge
from joblens.pipeline.train.rows import read_rows
from joblens.pipeline.train.wide_deep import Knowledge
from joblens.storage import content_hash, lock


@dataclass(frozen=True, slots=True)
class Known:
    """N ads of the training and validation parts, in their order, and what is known besides."""

    inputs: Inputs
    labels: Tensor
    """(N,) int64."""
    groups: list[str]
    """Near-duplicate ads share one."""
    names: tuple[str, ...]
    """The C labels."""
    encoder: str
    """Fingerprint of the encoder that made the vectors."""
    knowledge: Knowledge | None
    """None for a dense network."""

    @property
    def fingerprint(self) -> str:
        """Hash of all that trials learn from."""
        tensors = (self.inputs.vectors, self.labels)
        return content_hash(
            self.encoder,
            *self.names,
            *self.groups,
            *self.inputs.titles,
            *self.inputs.texts,
            *(sha256(tensor.contiguous().numpy().data).hexdigest() for tensor in tensors),
        )


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers of `Known`: no two of the three share a row or a near-duplicate."""

    train: Tensor
    """To learn from."""
    validation: Tensor
    """To choose the epoch."""
    judged: Tensor
    """What the trained classifier is judged on."""


def read_known(config: Config, layout: Layout) -> Known:
    """Read the rows that may be learned from, while no stage writes.

    Raises:
        BundleError: The baseline is of another encoder or of other labels.
        DataError: A file is missing or damaged; the files are not of the same ads.
        ModelError: The title encoder lacks a file.
        StorageError: A stage is running.
    """
    with lock(layout.locks / "pipeline.lock"):
        rows = read_rows(layout)
        knowledge = read_knowledge(config, layout, rows.names, rows.encoder_fingerprint)
    kept = torch.cat([rows.where("train"), rows.where("validation")]).sort().values
    return Known(
        inputs=rows.inputs.rows(kept),
        labels=rows.labels[kept],
        groups=[rows.groups[row] for row in kept.tolist()],
        names=rows.names,
        encoder=rows.encoder_fingerprint,
        knowledge=knowledge,
    )


def deal_folds(known: Known, count: int, split: Split) -> list[Fold]:
    """Deal the rows into folds, labels in proportion; `split.validation` of the others watch the training.

    Raises:
        DataError: A fold leaves no rows to train, validate or judge on.
    """
    labels = [known.names[label] for label in known.labels.tolist()]
    parts = torch.tensor(assign_parts(labels, known.groups, [1 / count] * count, split.seed))
    folds = []
    for part in range(count):
        outside = (parts != part).nonzero().squeeze(1)
        train, validation = hold_out(labels, known.groups, outside, split.validation, split.seed)
        fold = Fold(train, validation, (parts == part).nonzero().squeeze(1))
        sizes = [len(fold.train), len(fold.validation), len(fold.judged)]
        if 0 in sizes:
            raise DataError(
                f"a fold has {sizes[0]} rows to train, {sizes[1]} to validate and {sizes[2]} to judge on, "
                "expected some of each; add ads, or lower folds in configs/search/"
            )
        folds.append(fold)
    return folds


def fold_scores(
    known: Known, folds: list[Fold], classifier: Classifier, device: torch.device
) -> Iterator[float]:
    """Train on each fold in turn, as asked for, and yield the macro-F1 of its judged rows.

    Raises:
        DataError: Training went astray, for instance at too high a learning rate.
    """
    for fold in folds:
        fitted = fit_model(
            known.inputs,
            known.labels,
            known.groups,
            fold.train,
            fold.validation,
            len(known.names),
            known.knowledge,
            classifier,
            device,
        )
        logits = logits_of(fitted.network, known.inputs.rows(fold.judged))
        yield macro_f1(best_class(logits), known.labels[fold.judged], len(known.names))

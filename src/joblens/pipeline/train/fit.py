"""Fit the classifier's network with Lightning: trainer, callbacks and device, quiet and repeatable."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from joblens.config import Classifier
from joblens.errors import DataError
from joblens.models.classifier import ClassifierModule
from joblens.models.losses import balanced_weights
from joblens.models.network import Standardise, build_network

_ROWS_AT_ONCE = 4096
"""Validation rows scored together; does not change results."""

_CHATTER = (
    r".*does not have many workers.*",  # the rows are in memory: workers would only cost
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # Lightning's own code, not ours
    r".*GPU available but not used.*",  # `compute=cpu` was asked for
)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the training rows came to."""

    number: int
    """Counted from 1."""
    train_loss: float
    """Mean over the epoch's batches, dropout on."""
    validation_loss: float
    """Over all validation rows."""
    macro_f1: float
    """Of the validation rows, a fraction."""
    accuracy: float
    """Of the validation rows, a fraction."""


OnEpoch = Callable[[Epoch], None]


def chosen_epoch(epochs: Sequence[Epoch], config: Classifier) -> Epoch:
    """The epoch that `fit_network` keeps: with patience the first of the best macro-F1, else the last."""
    return epochs[-1] if config.patience is None else max(epochs, key=lambda epoch: epoch.macro_f1)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained network, and what its like say of adverts they had not seen."""

    network: nn.Module
    """On the CPU, in evaluation mode, without gradients."""
    rows: Tensor
    """(k,) row numbers to calibrate with."""
    logits: Tensor
    """(k, C) of these rows, by networks that did not learn from them."""


def fit_classifier(
    vectors: Tensor,
    labels: Tensor,
    train_rows: Tensor,
    validation_rows: Tensor,
    classes: int,
    config: Classifier,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> nn.Module:
    """Train a network on top of frozen vectors; see `fit_network`.

    Args:
        vectors: (N, D) float32, on the CPU.
        labels: (N,) class indices.
        train_rows: (n,) row numbers to learn from.
        validation_rows: (m,) row numbers that choose the epoch.
        classes: C. A class without training rows is allowed here; it is simply never learned.
        config: The network and how it is trained.
        device: Where to train.
        on_epoch: Called after each epoch.

    Returns:
        (B, D) to (B, C) logits: on the CPU, in evaluation mode, without gradients.

    Raises:
        DataError: There is no row to train or validate on, or the loss is no longer finite.
    """

    def build() -> nn.Module:
        network = build_network(vectors.shape[1], classes, config.hidden, config.dropout)
        for layer in network:
            if isinstance(layer, Standardise):
                layer.fit(vectors[train_rows])
        return network

    return fit_network(build, vectors, labels, train_rows, validation_rows, classes, config, device, on_epoch)


def check_rows(train_rows: Tensor, validation_rows: Tensor) -> None:
    """Refuse to train on nothing.

    Raises:
        DataError: There is no row to train or validate on.
    """
    if len(train_rows) == 0 or len(validation_rows) == 0:
        raise DataError(
            f"{len(train_rows)} rows to train and {len(validation_rows)} to validate on, "
            "expected some of each; add ads or change evaluation.split"
        )


def fit_network(
    build: Callable[[], nn.Module],
    vectors: Tensor,
    labels: Tensor,
    train_rows: Tensor,
    validation_rows: Tensor,
    classes: int,
    config: Classifier,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> nn.Module:
    """Train until validation macro-F1 stops rising, and return the network of the best epoch.

    With `patience` None all epochs are trained, and the network is that of the last.

    With `weight_averaging` the network of an epoch is the average at its end, in validation as well.

    The same rows, configuration and seed give the same network on the same kind of device. Nothing is printed
    or left on disk, and torch's random state is put back.

    Args:
        build: Makes the network, (B, D) to (B, C); called with the seed set.
        vectors: (N, D) float32, on the CPU.
        labels: (N,) class indices.
        train_rows: (n,) row numbers to learn from.
        validation_rows: (m,) row numbers that choose the epoch.
        classes: C.
        config: How it is trained.
        device: Where to train.
        on_epoch: Called after each epoch.

    Returns:
        The network: on the CPU, in evaluation mode, without gradients.

    Raises:
        DataError: There is no row to train or validate on, or the loss is no longer finite.
    """
    check_rows(train_rows, validation_rows)
    train, validation = (
        TensorDataset(vectors[rows], labels[rows].long()) for rows in (train_rows, validation_rows)
    )
    with TemporaryDirectory(prefix="joblens-") as folder, _repeatable(config.seed, device), _quiet():
        module = _build_module(build(), labels[train_rows], classes, config)
        best = _best_epoch(config, folder)
        callbacks = [*_averaging(config), *best, _EpochWatcher(on_epoch)]
        trainer = _build_trainer(config, device, Path(folder), callbacks)
        batches = _batches(train, config.batch_size, training_order(train, config, classes))
        trainer.fit(module, batches, _batches(validation, _ROWS_AT_ONCE, SequentialSampler(validation)))
        module.cpu()
        for callback in best:
            if isinstance(callback, ModelCheckpoint):
                checkpoint = torch.load(callback.best_model_path, map_location="cpu", weights_only=True)
                module.load_state_dict(checkpoint["state_dict"])
    return module.network.eval().requires_grad_(False)


def _build_module(network: nn.Module, labels: Tensor, classes: int, config: Classifier) -> ClassifierModule:
    weights = balanced_weights(labels, classes).tolist() if config.class_weights == "balanced" else None
    return ClassifierModule(
        network=network,
        classes=classes,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        loss=config.loss,
        focal_gamma=config.focal_gamma,
        class_weights=None if weights is None else tuple(weights),
        label_smoothing=config.label_smoothing,
        mixup=config.mixup,
    )


def _build_trainer(
    config: Classifier, device: torch.device, folder: Path, callbacks: list[Callback]
) -> pl.Trainer:
    return pl.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=1 if device.index is None or device.type == "cpu" else [device.index],
        max_epochs=config.max_epochs,
        callbacks=callbacks,
        default_root_dir=folder,
        deterministic=True,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=config.patience is not None,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _best_epoch(config: Classifier, folder: str) -> list[Callback]:
    """What keeps the best epoch and stops after it; nothing when the last one is wanted."""
    if config.patience is None:
        return []
    best = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor="val/macro_f1",
        mode="max",
        save_weights_only=config.weight_averaging == "none",  # averages are saved with whole checkpoints only
    )
    return [best, EarlyStopping(monitor="val/macro_f1", mode="max", patience=config.patience)]


def _averaging(config: Classifier) -> list[Callback]:
    """What averages the weights, when that is wanted; buffers, as of a standardisation, are not averaged."""
    if config.weight_averaging == "none":
        return []
    return [EMAWeightAveraging(decay=config.ema_decay, use_buffers=False)]


def training_order(rows: TensorDataset, config: Classifier, classes: int) -> Sampler[int]:
    """The order in which an epoch shows training rows, by the configuration's seed.

    Without `sampling` every row comes once. With `balanced` as many rows are drawn with replacement, each
    class that has rows as likely as any other.
    """
    generator = torch.Generator().manual_seed(config.seed)
    if config.sampling == "none":
        return RandomSampler(rows, generator=generator)
    labels = rows.tensors[1]
    chances = balanced_weights(labels, classes)[labels]  # (n,)
    return WeightedRandomSampler(chances.tolist(), len(rows), replacement=True, generator=generator)


def _batches(rows: TensorDataset, size: int, order: Sampler[int]) -> DataLoader[tuple[Tensor, ...]]:
    """Whole batches cut from the tensors at once."""
    return DataLoader(rows, batch_size=None, sampler=BatchSampler(order, size, drop_last=False))


class _EpochWatcher(Callback):
    """Tells the caller about each epoch, and stops training that has gone astray."""

    def __init__(self, on_epoch: OnEpoch | None) -> None:
        self.on_epoch = on_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch = Epoch(
            number=trainer.current_epoch + 1,
            train_loss=found["train/loss"],
            validation_loss=found["val/loss"],
            macro_f1=found["val/macro_f1"],
            accuracy=found["val/accuracy"],
        )
        if not isfinite(epoch.train_loss) or not isfinite(epoch.validation_loss):
            raise DataError(
                f"training went astray in epoch {epoch.number}: loss {epoch.train_loss:g}, on validation "
                f"rows {epoch.validation_loss:g}; lower classifier.learning_rate or check the vectors"
            )
        if self.on_epoch is not None:
            self.on_epoch(epoch)


class EpochBar:
    """A bar of epochs on a terminal; nothing in a log."""

    def __init__(self, epochs: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        shown = sys.stderr.isatty()
        self._progress = Progress(console=Console(stderr=True), transient=True, disable=not shown)
        self._task = self._progress.add_task("train", total=epochs)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, epoch: Epoch) -> None:
        """One more epoch is done."""
        self._progress.update(self._task, advance=1, description=f"train, macro-F1 {epoch.macro_f1:.3f}")


@contextmanager
def _repeatable(seed: int, device: torch.device) -> Iterator[None]:
    """Seeded random numbers and deterministic algorithms inside; what was set before, afterwards."""
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    gpus = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=gpus):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's notes on hardware, workers and its other products."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _CHATTER:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        logger.setLevel(level)

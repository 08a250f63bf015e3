"""Stage `train`: the classifier's network, calibrated, as a bundle; and one line per epoch."""

import logging
from pathlib import Path

import torch

from joblens import encoders, extractors
from joblens.config import Config
from joblens.device import choose_device
from joblens.encoders.titles import title_files
from joblens.extractors.gliner_files import own_files
from joblens.metrics import accuracy, best_class, confusion_matrix, expected_calibration_error, macro_f1
from joblens.models.bundle import CLEANER, TITLES, Bundle, Snapshot, write_bundle
from joblens.models.calibration import (
    Calibration,
    abstains,
    accuracy_at_coverage,
    calibrate,
    prediction_sets,
    probabilities,
)
from joblens.paths import Layout
from joblens.pipeline.train.fit import Epoch, EpochBar, Fitted, chosen_epoch, fit_classifier
from joblens.pipeline.train.fitting import fit_model, read_knowledge
from joblens.pipeline.train.rows import Rows, read_rows, source_hash
from joblens.pipeline.train.wide_deep import Knowledge
from joblens.storage import file_hash, write_text
from joblens.tracking import Tracker, build_tracker

__all__ = ["Epoch", "fit_classifier", "fit_model", "read_knowledge", "run"]

logger = logging.getLogger(__name__)

_BINS = 15
"""Bins of the calibration error on the model card, as in Guo et al. (2017)."""


def run(config: Config, layout: Layout) -> None:
    """Read ads, vectors, labels, splits and baseline; write `layout.classifier` and `layout.training_log`.

    Raises:
        DataError: The tables do not fit together, a split is empty, there is one label only, or a label has
            no training ads.
        DeviceError: `compute.device` is `gpu` and there is none.
        BundleError: The baseline is of another encoder or of other labels.
        ModelError: The cleaner that goes along, or the title encoder, lacks a file.
        StorageError: The disk is full; what stood there before is untouched.
    """
    along = _models_along(config, layout)
    rows = read_rows(layout)
    knowledge = read_knowledge(config, layout, rows.names, rows.encoder_fingerprint)
    device = choose_device(config.compute.device)
    tracker = build_tracker(config, layout, "train")
    try:
        _train(config, layout, rows, knowledge, along, device, tracker)
    finally:
        tracker.finish()


def _models_along(config: Config, layout: Layout) -> dict[str, Path]:
    """The files of joblens' own models that the bundle brings, by their path in it."""
    cleaning = extractors.in_project(config.cleaning, layout.root)
    embedding = encoders.in_project(config.embedding, layout.root)
    return {f"{CLEANER}/{name}": path for name, path in own_files(cleaning).items()} | {
        f"{TITLES}/{name}": path for name, path in title_files(embedding).items()
    }


def _train(
    config: Config,
    layout: Layout,
    rows: Rows,
    knowledge: Knowledge | None,
    along: dict[str, Path],
    device: torch.device,
    tracker: Tracker,
) -> None:
    epochs: list[Epoch] = []
    with EpochBar(config.classifier.max_epochs) as bar:

        def remember(epoch: Epoch) -> None:
            epochs.append(epoch)
            bar.advance(epoch)
            tracker.log(_as_metrics(epoch), step=epoch.number)

        fitted = fit_model(
            rows.inputs,
            rows.labels,
            rows.groups,
            rows.where("train"),
            rows.where("validation"),
            len(rows.names),
            knowledge,
            config.classifier,
            device,
            remember,
        )
    best = chosen_epoch(epochs, config.classifier)
    logger.info("%d epochs, best is epoch %d: macro-F1 %.3f", len(epochs), best.number, best.macro_f1)
    calibration, metrics, measured = _calibrate(fitted, rows, config)
    write_text(layout.training_log, _as_csv(epochs))
    bundle = Bundle(
        network=fitted.network,
        labels=rows.names,
        cleaning=config.cleaning,
        embedding=config.embedding,
        classifier=config.classifier,
        encoder_fingerprint=rows.encoder_fingerprint,
        extractor_fingerprint=rows.extractor_fingerprint,
        calibration=calibration,
        uses_title=rows.has_titles,
        html=config.data.html,
        crosscutting=rows.crosscutting,
        card=_card(rows, config, layout, {"run": len(epochs), "best": best.number}, metrics, measured),
        snapshot=_snapshot(fitted, rows, calibration, config),
    )
    write_bundle(layout.classifier, bundle, along)
    figures = {"epoch": float(best.number), **metrics}
    tracker.log({f"best/{name}": value for name, value in figures.items()})  # a step back would be dropped
    tracker.log_file(layout.training_log)
    tracker.log_file(layout.classifier / "README.md")


def _calibrate(
    fitted: Fitted, rows: Rows, config: Config
) -> tuple[Calibration, dict[str, float], dict[str, object]]:
    """Calibrate on rows that were guessed unseen, and measure there what the model card will say.

    Returns:
        The calibration, figures by name, and what the card has besides: `accuracy_at_coverage`, and
        `confusion`, (C, C) counts with the true label as the row.
    """
    logits, labels = fitted.logits, rows.labels[fitted.rows]  # (k, C), (k,)
    wanted = config.classifier
    calibration = calibrate(logits, labels, wanted.coverage, wanted.target_precision)
    if calibration.precision < calibration.target_precision:
        logger.warning(
            "no abstain threshold reaches precision %.3f on unseen rows; the best, %.3f, reaches %.3f",
            calibration.target_precision,
            calibration.abstain_below,
            calibration.precision,
        )
    if calibration.set_threshold == 0:
        logger.warning(
            "%d unseen rows are too few for prediction sets of coverage %.2f: each holds all labels",
            len(labels),
            calibration.coverage,
        )
    scaled = probabilities(logits, calibration)
    guesses = best_class(scaled)
    sets = prediction_sets(scaled, calibration)
    covered = sum(label in inside for label, inside in zip(labels.tolist(), sets, strict=True))
    metrics = {
        "accuracy": accuracy(guesses, labels),
        "macro_f1": macro_f1(guesses, labels, len(rows.names)),
        "ece": expected_calibration_error(scaled, labels, _BINS),
        "coverage": covered / len(labels),
        "mean_set_size": sum(map(len, sets)) / len(sets),
        "answered": 1 - float(abstains(scaled, calibration).double().mean()),
        "precision_of_answered": calibration.precision,
    }
    measured: dict[str, object] = {
        "accuracy_at_coverage": _rounded(accuracy_at_coverage(scaled, labels)),
        "confusion": confusion_matrix(guesses, labels, len(rows.names)).tolist(),
    }
    return calibration, _rounded(metrics), measured


def _snapshot(fitted: Fitted, rows: Rows, calibration: Calibration, config: Config) -> Snapshot | None:
    """A sample of the training vectors, and how often each label was guessed for rows unseen."""
    wanted = config.classifier.snapshot
    if wanted == 0:
        return None
    train = rows.where("train")
    dice = torch.Generator().manual_seed(config.classifier.seed)
    sample = train[torch.randperm(len(train), generator=dice)[:wanted]].sort().values
    scaled = probabilities(fitted.logits, calibration)  # (k, C)
    return Snapshot(
        vectors=rows.vectors[sample].half(),
        label_counts=torch.bincount(best_class(scaled), minlength=len(rows.names)),
        abstained=int(abstains(scaled, calibration).sum()),
    )


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items()}


def _card(
    rows: Rows,
    config: Config,
    layout: Layout,
    epochs: dict[str, int],
    metrics: dict[str, float],
    measured: dict[str, object],
) -> dict[str, object]:
    """Where the model comes from. No time and no commit: the same input gives the same bytes."""
    from joblens import __version__

    train = rows.labels[rows.where("train")]
    sizes = torch.bincount(train, minlength=len(rows.names)).tolist()
    return {
        "joblens": __version__,
        "code": source_hash(layout),
        "data": {split: len(rows.where(split)) for split in ("train", "validation", "test")},
        "train_ads_by_label": dict(zip(rows.names, sizes, strict=True)),
        "hashes": {
            path.name: file_hash(path)
            for path in (layout.clean_ads, layout.labels, layout.splits, layout.ids, layout.embeddings)
        },
        "encoder": {
            "model": config.embedding.model,
            "revision": config.embedding.revision,
            "fingerprint": rows.encoder_fingerprint,
        },
        "extractor": {
            "model": config.cleaning.model,
            "revision": config.cleaning.revision,
            "fingerprint": rows.extractor_fingerprint,
        },
        "config": config.model_dump(mode="json", include={"cleaning", "embedding", "classifier"}),
        "epochs": epochs,
        "metrics": metrics,
        **measured,
    }


def _as_metrics(epoch: Epoch) -> dict[str, float]:
    return {
        "train/loss": epoch.train_loss,
        "val/loss": epoch.validation_loss,
        "val/macro_f1": epoch.macro_f1,
        "val/accuracy": epoch.accuracy,
    }


def _as_csv(epochs: list[Epoch]) -> str:
    """One line per epoch, six digits."""
    lines = [",".join(["epoch", *_as_metrics(epochs[0])])]
    for epoch in epochs:
        lines.append(
            ",".join([str(epoch.number), *(f"{value:.6f}" for value in _as_metrics(epoch).values())])
        )
    return "\n".join(lines) + "\n"

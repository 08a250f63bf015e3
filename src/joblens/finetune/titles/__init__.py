"""Flow `titles`: the encoder of job titles, trained on synonyms in many languages, written with its card."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from joblens.config import TitlesFlow
from joblens.device import choose_device, one_thread
from joblens.encoders.titles import Shape, TitleEncoder, quantised, write_encoder
from joblens.finetune.titles.card import write_card
from joblens.finetune.titles.concepts import Vocabulary, read_vocabulary, spelling
from joblens.finetune.titles.indexing import calibrate, write_index
from joblens.storage import lock, replace_folder
from joblens.tracking import build_tracker

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.paths import Layout

logger = logging.getLogger(__name__)

_MOST_UNSEEN_OF = 2  # labels: with fewer there is nothing left to train on


def run(flow: TitlesFlow, layout: Layout, data: Path) -> dict[str, Any]:
    """Train the table, keep the best one, and replace the folder at `flow.output`.

    On a CPU the same data, configuration and machine give the same bytes: it trains on one thread, because
    several round differently, and then other neighbours are drawn. A run takes minutes, so one that is
    killed starts again; the folder that was there stays until the new one is whole.

    Args:
        flow: What to train on, and how.
        layout: The project.
        data: Folder that the sources' paths are relative to.

    Returns:
        The figures of the card: rows by source, steps, scores, seconds.

    Raises:
        DataError: A source is missing or of another format, or they have no synonyms.
        DeviceError: `compute.device` is `gpu` and there is none.
        StorageError: Another run is writing, or the disk is full.
    """
    started = time.monotonic()
    with lock(layout.locks / "finetune-titles.lock"):
        vocabulary = read_vocabulary(flow, data)
        shape = Shape(flow.buckets, flow.dimensions, flow.shortest, flow.longest)
        table, figures = _train(flow, layout, vocabulary, shape)
        encoder = TitleEncoder(shape, *quantised(table.numpy()))
        with replace_folder(layout.root / flow.output) as folder:
            write_encoder(folder, encoder)
            figures |= write_index(folder, encoder, vocabulary)
            figures |= calibrate(folder, vocabulary.held_out)
            figures |= {
                "sources": _counts(flow, vocabulary),
                "concepts": len(vocabulary.concepts),
                "excluded": vocabulary.excluded,
                "known": vocabulary.known,
                "seconds": round(time.monotonic() - started),
            }
            write_card(folder, flow, figures)
    return figures


def held_out_concepts(flow: TitlesFlow, vocabulary: Vocabulary) -> set[str]:
    """The keys of the concepts that are only measured on."""
    keys = sorted(vocabulary.concepts)
    return set(Random(f"{flow.seed}-held-out").sample(keys, max(1, round(flow.held_out * len(keys)))))


def unseen_labels(flow: TitlesFlow, vocabulary: Vocabulary, held_out: set[str]) -> set[tuple[str, str]]:
    """Key and language of concepts trained on without their last label, which is only measured on."""
    rng = Random(f"{flow.seed}-unseen")
    return {
        (key, language)
        for key, concept in sorted(vocabulary.concepts.items())
        for language, labels in sorted(concept.labels.items())
        if key not in held_out and len(labels) > _MOST_UNSEEN_OF and rng.random() < flow.held_out
    }


def without_unseen(vocabulary: Vocabulary, unseen: set[tuple[str, str]]) -> Vocabulary:
    """The vocabulary without the last labels of those concepts and languages."""
    concepts = {
        key: replace(
            concept,
            labels={
                language: labels[:-1] if (key, language) in unseen else labels
                for language, labels in concept.labels.items()
            },
        )
        for key, concept in vocabulary.concepts.items()
    }
    return replace(vocabulary, concepts=concepts)


def _train(
    flow: TitlesFlow, layout: Layout, vocabulary: Vocabulary, shape: Shape
) -> tuple[Tensor, dict[str, Any]]:
    from joblens.finetune.titles.network import TitleNetwork, first_table
    from joblens.finetune.titles.pairs import Pairs
    from joblens.finetune.titles.training import Validation, train

    device = choose_device(flow.compute.device)
    held_out = held_out_concepts(flow, vocabulary)
    unseen = unseen_labels(flow, vocabulary, held_out)
    seen = without_unseen(vocabulary, unseen)
    labels = [
        label
        for concept in seen.concepts.values()
        if concept.key not in held_out
        for found in concept.labels.values()
        for label in found
    ]
    trained = {spelling(title) for title in labels}
    trained |= {
        spelling(title) for rows in vocabulary.titles.values() for title, key in rows if key not in held_out
    }
    validation = Validation(list(vocabulary.concepts.values()), held_out, unseen, trained)
    network = TitleNetwork(shape, first_table(labels, shape, flow.seed)).to(device)
    pairs = Pairs(flow, seen, held_out)
    tracker = build_tracker(flow, layout, "finetune titles")
    curve: list[dict[str, float]] = []

    def after(step: int, loss: float, score: float) -> None:
        logger.info("step %d: loss %.3f, MRR of titles held out %.4f", step, loss, score)
        tracker.log({"loss": loss, "held_out/mrr": score}, step=step)
        curve.append({"step": step, "loss": round(loss, 4), "mrr": round(score, 4)})

    try:
        with one_thread():
            table, step, score = train(network, pairs, validation, flow, after)
    finally:
        tracker.finish()
    figures = {
        "step": step,
        "held_out_mrr": round(score, 4),
        "held_out_concepts": len(held_out),
        "unseen_labels": len(unseen),
        "held_out_queries": validation.queries,
        "curve": curve,
        "refused": pairs.refused,
        "device": device.type,
    }
    return table, figures


def _counts(flow: TitlesFlow, vocabulary: Vocabulary) -> dict[str, int]:
    """Labels by language, and titles of each table of synonyms."""
    counts: dict[str, int] = {}
    for concept in vocabulary.concepts.values():
        for language, labels in concept.labels.items():
            counts[f"labels {language}"] = counts.get(f"labels {language}", 0) + len(labels)
    return dict(sorted(counts.items())) | {
        name: len(rows) for name, rows in [*vocabulary.titles.items(), *vocabulary.descriptions.items()]
    }

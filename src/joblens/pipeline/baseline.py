"""Stage `baseline`: anchors to compare an advert with, from the taxonomy and from the training adverts."""

import logging
from collections.abc import Mapping, Sequence

import polars as pl
import torch

from joblens.config import Config
from joblens.encoders import build_encoder, in_project
from joblens.errors import DataError
from joblens.models.cosine import CosineBaseline, centroids, write_baseline
from joblens.paths import Layout
from joblens.storage import read_json, read_table, read_tensor_metadata, read_tensors

logger = logging.getLogger(__name__)


def run(config: Config, layout: Layout) -> None:
    """Read the embeddings, the split and the labels; write the folder `layout.baseline`.

    Raises:
        DataError: The files are not of the same adverts, or were made by another encoder.
        ModelError: The encoder's weights are missing or not the expected ones.
        DeviceError: The device that was asked for is not there.
    """
    tensors = read_tensors(layout.embeddings)
    labels = read_json(layout.labels)
    encoder = build_encoder(in_project(config.embedding, layout.root), config.compute)
    if read_tensor_metadata(layout.embeddings).get("fingerprint") != encoder.fingerprint:
        raise DataError(
            f"{layout.embeddings.name} was made by another encoder than params.yaml names; "
            "run `dvc repro embed`"
        )
    ids = read_table(layout.ids, columns={"id"})
    splits = read_table(layout.splits, columns={"id", "split"})
    table = ids.join(splits, on="id", how="left", maintain_order="left")
    if len(table) != len(tensors["vectors"]) or table["split"].null_count():
        raise DataError(
            f"{layout.embeddings.name} has {len(tensors['vectors'])} vectors, {layout.splits.name} "
            f"{len(splits)} adverts, expected the same ones; run `dvc repro` again"
        )
    train = torch.tensor(table.select(pl.col("split") == "train").to_series().to_list(), dtype=torch.bool)
    baseline = CosineBaseline(
        label_vectors=encoder.encode(label_texts(labels, config.baseline.label_text)),
        centroids=centroids(tensors["vectors"][train], tensors["labels"][train], len(labels)),
        labels=tuple(entry["label"] for entry in labels),
        label_text=config.baseline.label_text,
        fingerprint=encoder.fingerprint,
    )
    write_baseline(layout.baseline, baseline)
    logger.info("%d labels; centroids of %d training ads", len(labels), int(train.sum()))


def label_texts(labels: Sequence[Mapping[str, str]], label_text: str) -> list[str]:
    """What stands for each label: its name, or its name and description.

    Args:
        labels: Entries of labels.json.
        label_text: `name` or `name_and_description`.
    """
    key = "name" if label_text == "name" else "text"
    return [entry.get(key) or entry["label"] for entry in labels]

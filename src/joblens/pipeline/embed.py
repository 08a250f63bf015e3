"""Stage `embed`: one vector per clean advert, title and text read as one."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from joblens.config import Config
from joblens.device import track
from joblens.encoders import Encoder, build_encoder, encode_ads, in_project
from joblens.errors import DataError
from joblens.paths import Layout
from joblens.storage import (
    ShardCache,
    content_hash,
    read_json,
    read_table,
    write_table,
    write_tensors,
)

logger = logging.getLogger(__name__)

SHARD_SIZE = 128
"""Texts in a shard: what a killed run may have to encode again, some seconds of work on a CPU."""


def run(config: Config, layout: Layout) -> None:
    """Read `layout.clean_ads`, `layout.ads` and `layout.labels`; write `layout.embeddings` and `layout.ids`.

    Finished shards are kept in `layout.cache` by content, so that a run that was killed goes on where it
    stopped; its result has the same bytes.

    Raises:
        DataError: A table lacks a column, has no rows, is not of the same adverts, or has an unknown label.
        ModelError: The encoder's weights are missing or not the expected ones.
        DeviceError: The device that was asked for is not there.
    """
    clean = read_table(layout.clean_ads, columns={"id", "title", "clean_text"})
    ads = read_table(layout.ads, columns={"id", "label"})
    if clean.is_empty():
        raise DataError(
            f"{layout.clean_ads} has no adverts; check the source in `data`, then run `dvc repro`"
        )
    if clean["id"].to_list() != ads["id"].to_list():
        raise DataError(
            f"{layout.clean_ads.name} has {len(clean)} adverts and {layout.ads.name} {len(ads)}, "
            "expected the same ones in the same order; run `dvc repro` again"
        )
    labels = label_indices(ads["label"].to_list(), [entry["label"] for entry in read_json(layout.labels)])
    titles = [title or "" for title in clean["title"]]
    texts = [text or "" for text in clean["clean_text"]]
    encoder = build_encoder(in_project(config.embedding, layout.root), config.compute)
    cache = ShardCache(layout.cache / "embed")
    vectors = encode_ads(encoder, titles, texts, lambda side, joined: encode_in_shards(joined, side, cache))
    write_tensors(
        layout.embeddings, {"vectors": vectors, "labels": labels}, {"fingerprint": encoder.fingerprint}
    )
    write_table(layout.ids, clean.select("id"))
    logger.info("%d ads → vectors of %d numbers", len(texts), vectors.shape[1])


def label_indices(labels: Sequence[str | None], names: Sequence[str]) -> Tensor:
    """Each label's place in `names`: (N,) int64.

    Raises:
        DataError: A label is missing or unknown.
    """
    place = {name: index for index, name in enumerate(names)}
    unknown = sorted({str(label) for label in labels if label not in place})
    if unknown:
        raise DataError(
            f"label {unknown[0]!r} of the adverts is not among the {len(names)} of labels.json; "
            "run `dvc repro ingest` again"
        )
    return torch.tensor([place[label] for label in labels if label is not None], dtype=torch.int64)


def encode_in_shards(texts: Sequence[str], encoder: Encoder, cache: ShardCache) -> Tensor:
    """Encode each distinct text once, a shard at a time, and remember finished shards.

    Returns:
        (N, D) float32 in the order of `texts`.
    """
    distinct = list(dict.fromkeys(texts))
    row_of = {text: row for row, text in enumerate(distinct)}
    shards = [distinct[start : start + SHARD_SIZE] for start in range(0, len(distinct), SHARD_SIZE)]
    vectors, remembered = [], 0
    for shard in track(shards, len(shards), "embed"):
        key = content_hash(encoder.fingerprint, *shard)
        known = cache.get(key)
        remembered += known is not None
        if known is None:
            known = {"vectors": encoder.encode(shard)}
            cache.put(key, known)
        vectors.append(known["vectors"])
    logger.info(
        "%d ads, %d distinct texts: %d shards encoded, %d from the cache",
        len(texts),
        len(distinct),
        len(shards) - remembered,
        remembered,
    )
    return torch.cat(vectors)[torch.tensor([row_of[text] for text in texts], dtype=torch.int64)]

"""Stage `clean`: what matters of each advert, without personal data."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from joblens.device import track
from joblens.errors import DataError
from joblens.extractors import build_extractor
from joblens.extractors.cleaning import clean_ads
from joblens.records import Ad, CleanAd, Entity
from joblens.storage import ShardCache, content_hash, read_table, write_json, write_table

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Config
    from joblens.extractors import Extractor
    from joblens.paths import Layout

logger = logging.getLogger(__name__)

SHARD_SIZE = 512
"""Sentences in a shard: what a killed run may have to read again."""


def run(config: Config, layout: Layout) -> None:
    """Read `layout.ads`, write `layout.clean_ads` and, beside it, `layout.clean_counts`.

    What the model has read is kept in `layout.cache` by content, so that a run that was killed goes on where
    it stopped; its result has the same bytes.

    Raises:
        DataError: The table lacks a column, has no rows, or a word was not read.
        ModelError: The extractor's model is missing, or cannot read a sentence whole.
        DeviceError: The device that was asked for is not there.
    """
    table = read_table(layout.ads, columns={"id", "title", "text"})
    if table.is_empty():
        raise DataError(
            f"{layout.ads} has no adverts; check the source in `data` and run `joblens ingest` again"
        )
    ads = [
        Ad(id=row["id"], title=row["title"] or "", text=row["text"] or "")
        for row in table.iter_rows(named=True)
    ]
    extractor = build_extractor(config.cleaning, config.compute)
    if extractor.name in {"gliner", "toy"}:
        extractor = RememberingExtractor(extractor, ShardCache(layout.cache / "clean"))
    removed: Counter[str] = Counter()
    cleaned = clean_ads(ads, config.cleaning, extractor, removed)
    words_in, words_read = sum(ad.words_in for ad in cleaned), sum(ad.words_read for ad in cleaned)
    if words_in != words_read:
        raise DataError(
            f"{extractor.name} read {words_read} of {words_in} words; every word must be read: "
            "set a smaller cleaning.max_tokens and run `dvc repro` again"
        )
    write_table(layout.clean_ads, _frame(cleaned))
    write_json(
        layout.clean_counts,
        {
            "extractor": config.cleaning.extractor,
            "fingerprint": extractor.fingerprint,
            "ads": len(cleaned),
            "words_in": words_in,
            "words_read": words_read,
            "ads_without_entities": _without_entities(cleaned, config.cleaning.extractor),
            "pii_removed": removed.total(),
            "pii_removed_by_type": dict(sorted(removed.items())),
        },
    )
    logger.info("%s: %d ads, %d of %d words read", extractor.name, len(cleaned), words_read, words_in)
    if config.cleaning.extractor == "none":
        logger.warning("cleaning=none removes nothing: personal data stays in the adverts")
    else:
        logger.info("%d pieces of personal data removed: %s", removed.total(), dict(sorted(removed.items())))


class RememberingExtractor:
    """An extractor that keeps what it has read, shard by shard, under the hash of model and sentences."""

    def __init__(self, extractor: Extractor, cache: ShardCache) -> None:
        self.name = extractor.name
        self.fingerprint = extractor.fingerprint
        self._extractor = extractor
        self._cache = cache

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """As the extractor inside; a shard that is remembered is not read again.

        Raises:
            ModelError: The model cannot read a text whole.
        """
        found: list[list[Entity]] = []
        shards = [texts[start : start + SHARD_SIZE] for start in range(0, len(texts), SHARD_SIZE)]
        for shard in track(shards, len(shards), "clean"):
            key = content_hash(self.fingerprint, *shard)
            stored = self._cache.get(key)
            if stored is None:
                entities = self._extractor.extract(shard)
                self._cache.put(key, _to_tensors(entities))
            else:
                entities = _from_tensors(stored, shard)
            found += entities
        return found


def _to_tensors(entities: Sequence[Sequence[Entity]]) -> dict[str, Tensor]:
    """Spans as JSON in a byte tensor: `[[[start, end, label, score], ...] per text]`."""
    import torch

    rows = [[[span.start, span.end, span.label, span.score] for span in spans] for spans in entities]
    return {"entities": torch.frombuffer(bytearray(json.dumps(rows).encode()), dtype=torch.uint8)}


def _from_tensors(tensors: dict[str, Tensor], texts: Sequence[str]) -> list[list[Entity]]:
    rows = json.loads(bytes(tensors["entities"].numpy()).decode())
    return [
        [Entity(start, end, label, text[start:end], score) for start, end, label, score in spans]
        for text, spans in zip(texts, rows, strict=True)
    ]


def _without_entities(cleaned: Sequence[CleanAd], extractor: str) -> int:
    """Adverts whose clean text is only their title, because the model kept nothing."""
    if extractor in {"none", "patterns"}:
        return 0
    return sum(not (ad.occupation or ad.skills or ad.tasks) for ad in cleaned)


def _frame(cleaned: Sequence[CleanAd]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [ad.id for ad in cleaned],
            "title": [ad.title for ad in cleaned],
            "occupation": [list(ad.occupation) for ad in cleaned],
            "skills": [list(ad.skills) for ad in cleaned],
            "tasks": [list(ad.tasks) for ad in cleaned],
            "clean_text": [ad.clean_text for ad in cleaned],
            "words_in": [ad.words_in for ad in cleaned],
            "words_read": [ad.words_read for ad in cleaned],
            "pii_removed": [ad.pii_removed for ad in cleaned],
        },
        schema={
            "id": pl.String,
            "title": pl.String,
            "occupation": pl.List(pl.String),
            "skills": pl.List(pl.String),
            "tasks": pl.List(pl.String),
            "clean_text": pl.String,
            "words_in": pl.Int64,
            "words_read": pl.Int64,
            "pii_removed": pl.Int64,
        },
    )

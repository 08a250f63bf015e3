"""Stage `clean`: what matters of each advert, without personal data."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

import polars as pl

from joblens.device import spared_from_collections
from joblens.errors import DataError
from joblens.extractors import build_extractor, in_project
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.remembering import RememberingExtractor
from joblens.records import Ad, CleanAd
from joblens.storage import read_table, write_json, write_table

if TYPE_CHECKING:
    from joblens.config import Cleaning, Config
    from joblens.paths import Layout

logger = logging.getLogger(__name__)


def run(config: Config, layout: Layout) -> None:
    """Read `layout.ads`, write `layout.clean_ads` and, beside it, `layout.clean_counts`.

    What model and patterns have read is kept in `layout.cache` by content, sentence by sentence and text by
    text. A run that was killed goes on where it stopped and its result has the same bytes; new adverts cost
    only what is new in them.

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
    started = monotonic()
    extractor = build_extractor(in_project(config.cleaning, layout.root), config.compute)
    if extractor.name not in {"none", "patterns"}:
        extractor = RememberingExtractor(extractor, layout.cache / "clean")
    patterns = RememberingExtractor(PatternExtractor(), layout.cache / "clean", unit="texts")
    removed: Counter[str] = Counter()
    with spared_from_collections():
        cleaned = clean_ads(ads, config.cleaning, extractor, removed, patterns=patterns)
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
            "output": config.cleaning.output,
            "fingerprint": extractor.fingerprint,
            "ads": len(cleaned),
            "words_in": words_in,
            "words_read": words_read,
            "ads_without_entities": _without_entities(cleaned, config.cleaning),
            "pii_removed": removed.total(),
            "pii_removed_by_type": dict(sorted(removed.items())),
        },
    )
    logger.info(
        "%s: %d ads, %d of %d words read, %.0f ads/s",
        extractor.name, len(cleaned), words_read, words_in, len(cleaned) / (monotonic() - started),
    )  # fmt: skip
    if config.cleaning.extractor == "none":
        logger.warning("cleaning=none removes nothing: personal data stays in the adverts")
    else:
        logger.info("%d pieces of personal data removed: %s", removed.total(), dict(sorted(removed.items())))


def _without_entities(cleaned: Sequence[CleanAd], cleaning: Cleaning) -> int:
    """Adverts whose clean text is only their title, because the model kept nothing."""
    if cleaning.extractor in {"none", "patterns"} or cleaning.output == "redact":
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

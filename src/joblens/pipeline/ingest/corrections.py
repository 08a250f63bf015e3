"""Corrections of people among the adverts: they relabel those of the source and add those that it lacks."""

import logging
from dataclasses import dataclass

import polars as pl

from joblens.config import Data
from joblens.sources.columns import FIELDS
from joblens.sources.feedback import TABLE, Correction, last_ones, read_corrections

logger = logging.getLogger(__name__)

CORRECTIONS = f"table {TABLE}"
"""How messages call where they come from."""

_GIVEN = "label in the source"


@dataclass(frozen=True, slots=True)
class Corrections:
    """The last correction of each advert."""

    stored: int
    """How many the table holds."""
    last: tuple[Correction, ...]
    """The last of each advert, in the order they came."""

    @classmethod
    def read(cls, data: Data) -> "Corrections | None":
        """Those of the table that `data.feedback_url_env` leads to; None when it names nothing.

        Raises:
            SourceError: The database cannot be reached, or its table is another one.
        """
        if data.feedback_url_env is None:
            return None
        stored = read_corrections(data.feedback_url_env)
        return cls(len(stored), tuple(last_ones(stored)))

    def relabelled(self, ads: pl.DataFrame) -> pl.DataFrame:
        """The adverts with the labels that people gave; one more column keeps those of the source."""
        labels = {one.ad_id: one.label for one in self.last}
        found = [labels.get(id or "", label) for id, label in ads.select("id", "label").iter_rows()]
        kept = ads if _GIVEN in ads.columns else ads.with_columns(pl.col("label").alias(_GIVEN))
        return kept.with_columns(pl.Series("label", found, dtype=pl.String))

    def merged(self, ads: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
        """The source's adverts and those that it lacks, and what became of each correction.

        Args:
            ads: What is left of `relabelled`, every advert with an id; some ids were only made after it.

        Returns:
            The adverts with the columns `FIELDS`; and counts, of which those after `adverts` add up to it.
        """
        ads = self.relabelled(ads)
        corrected = ads.filter(pl.col("id").is_in([one.ad_id for one in self.last]))
        changed = corrected.filter(pl.col("label").ne_missing(pl.col(_GIVEN))).height
        lacking = self._lacking(set(ads["id"].to_list()))
        added = lacking.filter(pl.col("text") != "")
        counts = {
            "stored": self.stored,
            "adverts": len(self.last),
            "relabelled": changed,
            "confirmed": corrected.height - changed,
            "added": added.height,
            "without_text": lacking.height - added.height,
        }
        logger.info(
            "%s corrections of %s adverts: %s relabelled, %s confirmed, %s added, %s without text",
            *(f"{count:,}" for count in counts.values()),
        )
        return pl.concat([ads.drop(_GIVEN), added]), counts

    def _lacking(self, there: set[str]) -> pl.DataFrame:
        """The corrections whose advert is not `there`, as adverts; some may be without text."""
        rows = [
            (one.ad_id, one.title, one.text, one.label, None) for one in self.last if one.ad_id not in there
        ]
        return pl.DataFrame(rows, schema=dict.fromkeys(FIELDS, pl.String), orient="row")

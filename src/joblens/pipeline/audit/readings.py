"""Clean labelled texts exactly as the stage `clean` does, and read the meter in every output mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joblens.device import track
from joblens.extractors import build_extractor
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.nothing import NoExtractor
from joblens.pipeline.audit.meter import Leaks, leaked_entities, measure
from joblens.pipeline.audit.surfaces import APART, PERSONAL
from joblens.records import Ad, CleanAd, Entity, LabelledText

if TYPE_CHECKING:
    from joblens.config import Cleaning, Compute
    from joblens.extractors import Extractor

SHARD_SIZE = 256
"""Sentences read between two signs of progress."""
MOST_EXAMPLES = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """The meter on one output mode."""

    mode: str
    """`extract`, `redact`, or `unchanged` for an extractor that removes nothing."""
    leaks: Leaks
    examples: tuple[tuple[str, Entity], ...]
    """Some that leaked, with the advert's id. Only ever shown of synthetic adverts."""


@dataclass(frozen=True, slots=True)
class Audit:
    """All readings of one set of labelled texts."""

    extractor: str
    fingerprint: str
    configured: str
    """The mode that the stage `clean` writes."""
    readings: tuple[Reading, ...]


def read_meter(texts: Sequence[LabelledText], cleaning: Cleaning, compute: Compute, *, titled: bool) -> Audit:
    """Clean the texts and measure, in both output modes where the extractor has two.

    Args:
        texts: With gold entities.
        cleaning: How; `output` only says which reading is the configured one.
        compute: Where the model runs.
        titled: Whether a text begins with a title and an empty line.

    Raises:
        DataError: There are no texts.
        ModelError: The extractor's model is missing, or cannot read a sentence whole.
        DeviceError: The device that was asked for is not there.
    """
    ads = [as_ad(text, titled=titled) for text in texts]
    extractor = ReadOnce(build_extractor(cleaning, compute))
    readings: list[Reading] = []
    for mode in modes(cleaning):
        section = cleaning if mode == "unchanged" else cleaning.model_copy(update={"output": mode})
        outputs = [all_that_leaves(ad) for ad in clean_ads(ads, section, extractor)]
        open_section = section.model_copy(update={"drop": ()})
        unscrubbed = clean_ads(ads, open_section, extractor, patterns=NoExtractor())
        leaks = measure(outputs, texts, [all_that_leaves(ad) for ad in unscrubbed])
        leaked = [*leaked_entities(outputs, texts)]
        readings.append(Reading(mode, leaks, tuple(_spread_out(leaked))))
    configured = cleaning.output if len(readings) == 2 else readings[0].mode
    return Audit(cleaning.extractor, extractor.fingerprint, configured, tuple(readings))


def modes(cleaning: Cleaning) -> tuple[str, ...]:
    """The output modes an extractor has: those that read entities have two."""
    return {"none": ("unchanged",), "patterns": ("redact",)}.get(cleaning.extractor, ("extract", "redact"))


def as_ad(text: LabelledText, *, titled: bool) -> Ad:
    """The advert that a labelled text was."""
    title, gap, body = text.text.partition("\n\n") if titled else ("", "", text.text)
    return (
        Ad(id=text.id, title=title, text=body) if gap or not titled else Ad(id=text.id, title="", text=title)
    )


def all_that_leaves(ad: CleanAd) -> str:
    """Title, clean text and kept phrases, one a line: every column of the clean adverts that holds text."""
    return "\n".join((ad.title, ad.clean_text, *ad.occupation, *ad.skills, *ad.tasks))


class ReadOnce:
    """An extractor that remembers what it has read, so that the second mode costs nothing."""

    def __init__(self, extractor: Extractor) -> None:
        self.name = extractor.name
        self.fingerprint = extractor.fingerprint
        self._extractor = extractor
        self._read: dict[str, list[Entity]] = {}

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """As the extractor inside.

        Raises:
            ModelError: The model cannot read a text whole.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        shards = [new[start : start + SHARD_SIZE] for start in range(0, len(new), SHARD_SIZE)]
        for shard in track(shards, len(shards), "audit"):
            self._read.update(zip(shard, self._extractor.extract(shard), strict=True))
        return [self._read[text] for text in texts]


def _spread_out(leaked: Sequence[tuple[str, Entity]]) -> list[tuple[str, Entity]]:
    """A few of each type, types in the order of the tables, each text once."""
    by_label: dict[str, dict[str, tuple[str, Entity]]] = {label: {} for label in (*PERSONAL, APART)}
    for id, entity in leaked:
        shown = by_label[entity.label]
        if len(shown) < MOST_EXAMPLES:
            shown.setdefault(entity.text, (id, entity))
    return [example for shown in by_label.values() for example in shown.values()]

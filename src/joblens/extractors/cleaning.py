"""What leaves an advert: its masked text, or the entities that are kept, and a scrubbed title."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joblens.extractors.patterns import find_pii, mask
from joblens.records import Ad, CleanAd, Entity
from joblens.text import distinct, entities_to_line, sentences, word_count

if TYPE_CHECKING:
    from joblens.config import Cleaning
    from joblens.extractors import Extractor

KINDS = ("occupation", "skill", "task")
"""Labels that have a column of their own in the clean adverts; other kept labels count as skills."""


def clean_ads(
    ads: Sequence[Ad], cleaning: Cleaning, extractor: Extractor, removed: Counter[str] | None = None
) -> list[CleanAd]:
    """Clean adverts, in their order, with the extractor that `build_extractor(cleaning, ...)` gave.

    What `clean_text` holds depends on `cleaning.extractor`:

    * `none`: the text as it came. Nothing is removed, so personal data stays.
    * `patterns`: the whole text with personal data masked by type, as `[email]`.
    * `gliner`, `toy`: the kept entities as one line. Words that are also personal data, by the patterns or
      by a label in `cleaning.drop`, are masked in it. An advert without kept entities takes its title.

    Titles are scrubbed in every mode but `none`. Every sentence is given to the model once, however many
    adverts share it.

    Args:
        ads: What to clean.
        cleaning: The section of the configuration that the extractor was built from.
        extractor: Reads the sentences.
        removed: When given, counts of personal data removed by type are added to it.

    Returns:
        One record per advert. `words_in` counts the words of title and text, `words_read` those in the
        sentences that the patterns or the model have seen (`none`: that were passed on); the two are equal.

    Raises:
        ModelError: The model cannot read a sentence whole.
    """
    counts: Counter[str] = Counter() if removed is None else removed
    if cleaning.extractor == "none":
        return [_unchanged(ad) for ad in ads]
    if cleaning.extractor == "patterns":
        return [_masked(ad, counts) for ad in ads]
    return _entities_only(ads, cleaning, extractor, counts)


def _unchanged(ad: Ad) -> CleanAd:
    words = word_count(ad.title) + word_count(ad.text)
    return CleanAd(
        id=ad.id,
        title=ad.title,
        occupation=(),
        skills=(),
        tasks=(),
        clean_text=ad.text,
        words_in=words,
        words_read=words,
        pii_removed=0,
    )


def _masked(ad: Ad, counts: Counter[str]) -> CleanAd:
    title, in_title = mask(ad.title)
    text, in_text = mask(ad.text)
    counts.update(in_title + in_text)
    words = word_count(ad.title) + word_count(ad.text)
    return CleanAd(
        id=ad.id,
        title=title,
        occupation=(),
        skills=(),
        tasks=(),
        clean_text=text,
        words_in=words,
        words_read=words,
        pii_removed=(in_title + in_text).total(),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found in one string: entities with offsets into it, and the words of the sentences seen."""

    text: str
    entities: list[Entity]
    words: int


def _entities_only(
    ads: Sequence[Ad], cleaning: Cleaning, extractor: Extractor, counts: Counter[str]
) -> list[CleanAd]:
    strings = [string for ad in ads for string in (ad.title, ad.text)]
    read = _read_once(strings, extractor)
    cleaned: list[CleanAd] = []
    for ad, title, text in zip(ads, read[::2], read[1::2], strict=True):
        here: Counter[str] = Counter()
        kept: dict[str, list[str]] = {kind: [] for kind in KINDS}
        in_title = _personal(title, cleaning.drop)
        scrubbed_title = _scrubbed(title.text, 0, len(title.text), in_title, here)
        for part, personal in ((title, in_title), (text, _personal(text, cleaning.drop))):
            here.update(entity.label for entity in personal)
            for entity in part.entities:
                if entity.label in cleaning.keep:
                    kind = entity.label if entity.label in KINDS else "skill"
                    kept[kind].append(_scrubbed(part.text, entity.start, entity.end, personal, here))
        occupation, skills, tasks = (distinct(kept[kind]) for kind in KINDS)
        counts.update(here)
        cleaned.append(
            CleanAd(
                id=ad.id,
                title=scrubbed_title,
                occupation=occupation,
                skills=skills,
                tasks=tasks,
                clean_text=entities_to_line(occupation, skills, tasks) or scrubbed_title,
                words_in=word_count(ad.title) + word_count(ad.text),
                words_read=title.words + text.words,
                pii_removed=here.total(),
            )
        )
    return cleaned


def _read_once(strings: Sequence[str], extractor: Extractor) -> list[_Read]:
    """Every string cut into sentences, every distinct sentence extracted once, offsets moved back."""
    spans = [sentences(string) for string in strings]
    rows: dict[str, int] = {}
    for string, cuts in zip(strings, spans, strict=True):
        for start, end in cuts:
            rows.setdefault(string[start:end], len(rows))
    found = extractor.extract(list(rows))
    read: list[_Read] = []
    for string, cuts in zip(strings, spans, strict=True):
        entities: list[Entity] = []
        words = 0
        for start, end in cuts:
            sentence = string[start:end]
            words += word_count(sentence)
            entities += (
                Entity(start + entity.start, start + entity.end, entity.label, entity.text, entity.score)
                for entity in found[rows[sentence]]
            )
        read.append(_Read(string, entities, words))
    return read


def _personal(part: _Read, drop: Iterable[str]) -> list[Entity]:
    """What the patterns find and what the model labels as personal, merged where they overlap."""
    dropped = set(drop)
    spans = find_pii(part.text) + [entity for entity in part.entities if entity.label in dropped]
    merged: list[Entity] = []
    for entity in sorted(spans, key=lambda span: (span.start, -span.end)):
        if merged and entity.start < merged[-1].end:
            before = merged[-1]
            end = max(before.end, entity.end)
            merged[-1] = Entity(before.start, end, before.label, part.text[before.start : end])
        else:
            merged.append(entity)
    return merged


def _scrubbed(text: str, start: int, end: int, personal: Sequence[Entity], counts: Counter[str]) -> str:
    """`text[start:end]` with personal data masked.

    What the patterns find in the result only now, out of its context, is masked and counted as well.
    """
    parts: list[str] = []
    last = start
    for entity in personal[bisect_right(personal, start, key=lambda span: span.end) :]:
        if entity.start >= end:
            break
        parts += text[last : max(last, entity.start)], f"[{entity.label}]"
        last = min(end, entity.end)
    masked, extra = mask("".join(parts) + text[last:end])
    counts.update(extra)
    return masked

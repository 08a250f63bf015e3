"""What leaves an advert: its masked text, or the entities that are kept, and a scrubbed title."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from joblens.device import beside
from joblens.extractors.believing import believed
from joblens.extractors.gliner_exported import BACKENDS
from joblens.extractors.languages import ENOUGH, language_of
from joblens.extractors.masking import mask_all, merged, spread
from joblens.extractors.patterns import PatternExtractor, replace_spans
from joblens.extractors.spans import by_sentence
from joblens.records import Ad, CleanAd, Entity
from joblens.text import distinct, entities_to_line, sentences, word_count

if TYPE_CHECKING:
    from joblens.config import Cleaning
    from joblens.extractors import Extractor

KINDS = ("occupation", "skill", "task")
"""Labels that have a column of their own in the clean adverts; other kept labels count as skills."""

_Phrases = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Occupations, skills and tasks of one advert."""
_NOTHING: _Phrases = ((), (), ())


def clean_ads(
    ads: Sequence[Ad],
    cleaning: Cleaning,
    extractor: Extractor,
    removed: Counter[str] | None = None,
    *,
    patterns: Extractor | None = None,
) -> list[CleanAd]:
    """Clean adverts, in their order, with the extractor that `build_extractor(cleaning, ...)` gave.

    What `clean_text` holds depends on `cleaning.extractor`:

    * `none`: the text as it came. Nothing is removed, so personal data stays.
    * `patterns`: the whole text with personal data masked by type, as `[email]`.
    * the others with `cleaning.output` `redact`: the whole text, masked by the patterns and by the labels in
      `cleaning.drop`; with `extract`: the kept entities as `cleaning.template` writes them, what is masked in
      the text being masked in them. An advert without kept entities takes its title.

    Titles are scrubbed in every mode but `none`. A person or an identifier found somewhere in an advert is
    masked everywhere in it. Where it is surely in none of `cleaning.languages` the patterns alone mask;
    elsewhere the model's finds as well, if `believed`. The model is given every sentence once.

    Args:
        ads: What to clean.
        cleaning: The section of the configuration that the extractor was built from.
        extractor: Reads the sentences; where its backend has room, another thread searches for the patterns.
        removed: When given, counts of what was removed by type are added to it.
        patterns: Reads titles, texts and kept phrases; None takes the patterns as they are. For one that
            remembers.

    Returns:
        One record per advert. `words_in` counts the words of title and text, `words_read` those in the
        sentences that the patterns or the model have seen (`none`: that were passed on); the two are equal.

    Raises:
        ModelError: The model cannot read a sentence whole.
    """
    if cleaning.extractor == "none":
        return [_unchanged(ad) for ad in ads]
    patterns = PatternExtractor() if patterns is None else patterns
    counts = [Counter[str]() for _ in ads]
    parts = read_ads(ads, cleaning, extractor, patterns)
    titles = _scrubbed([_masked(title) for title, _ in parts], patterns, counts)
    for count, (title, text) in zip(counts, parts, strict=True):
        count.update(entity.label for entity in (*title.personal, *text.personal))
    kept = [_NOTHING] * len(ads)
    if cleaning.extractor != "patterns":
        kept = _kept(parts, cleaning, patterns, counts)
    if cleaning.extractor == "patterns" or cleaning.output == "redact":
        texts = _scrubbed([_masked(text) for _, text in parts], patterns, counts)
    else:
        lines = [entities_to_line(*phrases, cleaning.template) for phrases in kept]
        texts = [line or title for line, title in zip(lines, titles, strict=True)]
    if removed is not None:
        for count in counts:
            removed.update(count)
    return [
        CleanAd(
            id=ad.id,
            title=title,
            occupation=phrases[0],
            skills=phrases[1],
            tasks=phrases[2],
            clean_text=text,
            words_in=word_count(ad.title) + word_count(ad.text),
            words_read=sum(part.words for part in pair),
            pii_removed=count.total(),
        )
        for ad, title, text, phrases, pair, count in zip(ads, titles, texts, kept, parts, counts, strict=True)
    ]


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


@dataclass(frozen=True, slots=True)
class Part:
    """A title or a text: what is to be masked in it, what the model found, and the words that were seen."""

    text: str
    personal: Sequence[Entity]
    """In order, without overlaps."""
    entities: Sequence[Entity]
    words: int


def read_ads(
    ads: Sequence[Ad], cleaning: Cleaning, extractor: Extractor, patterns: Extractor
) -> list[tuple[Part, Part]]:
    """Title and text of each advert with all that was found in them; with `none` by the patterns."""
    strings = [string for ad in ads for string in (ad.title, ad.text)]
    if cleaning.extractor in {"none", "patterns"}:
        shaped = patterns.extract(strings)
        read: list[tuple[list[Entity], int]] = [([], word_count(string)) for string in strings]
    elif cleaning.backend in BACKENDS and BACKENDS[cleaning.backend].has_room:
        with beside(lambda: patterns.extract(strings)) as searched:
            read = _read_once(strings, extractor)
            shaped = searched.result()
    else:
        shaped, read = patterns.extract(strings), _read_once(strings, extractor)
    dropped = [set(cleaning.drop) if _believes(cleaning, ad) else set() for ad in ads for _ in range(2)]
    told = [
        believed(entities, string, is_title=row % 2 == 0)
        for row, (string, (entities, _)) in enumerate(zip(strings, read, strict=True))
    ]
    found = [
        merged([*spans, *(entity for entity in entities if entity.label in labels)], string)
        for string, spans, entities, labels in zip(strings, shaped, told, dropped, strict=True)
    ]
    parts: list[tuple[Part, Part]] = []
    for row in range(0, len(strings), 2):
        personal = spread(strings[row], strings[row + 1], found[row], found[row + 1])
        masked = (_of_the_title(personal[0], found[row], strings[row]), personal[1])
        title, text = (Part(strings[row + side], masked[side], *read[row + side]) for side in range(2))
        parts.append((title, text))
    return parts


def _of_the_title(spans: Sequence[Entity], own: Sequence[Entity], title: str) -> list[Entity]:
    """Spans to mask in a title, without the words of a job that only the text has made part of a name.

    What a model takes for a person in the text ("MOZO DE ALMACÉN") has parts, and all of them are masked
    wherever they stand; in the title they are the job.
    """
    further = [span for span in spans if all(span.end <= o.start or o.end <= span.start for o in own)]
    told = believed(further, title, is_title=True)
    return [span for span in spans if span not in further or span in told]


def _believes(cleaning: Cleaning, ad: Ad) -> bool:
    """Whether the model's word is taken for what is personal in the advert, by its language."""
    if not cleaning.languages:
        return True
    language = language_of(f"{ad.title}\n{ad.text[:ENOUGH]}")
    return language is None or language in cleaning.languages


def _read_once(strings: Sequence[str], extractor: Extractor) -> list[tuple[list[Entity], int]]:
    """Every string cut into sentences, every distinct sentence extracted once, offsets moved back.

    Returns:
        For each string its entities, and how many words the sentences have that were seen.
    """
    cuts = [sentences(text) for text in strings]
    words = [
        sum(word_count(text[start:end]) for start, end in spans)
        for text, spans in zip(strings, cuts, strict=True)
    ]
    return list(zip(by_sentence(strings, extractor.extract, cuts), words, strict=True))


def _masked(part: Part) -> str:
    return replace_spans(part.text, part.personal)


def _scrubbed(texts: Sequence[str], patterns: Extractor, counts: Sequence[Counter[str]]) -> list[str]:
    """Texts without what the patterns find only now, beside a mask or out of context; it is counted."""
    scrubbed: list[str] = []
    for count, (text, extra) in zip(counts, mask_all(texts, patterns), strict=True):
        count.update(extra)
        scrubbed.append(text)
    return scrubbed


def _kept(
    parts: Sequence[tuple[Part, Part]],
    cleaning: Cleaning,
    patterns: Extractor,
    counts: Sequence[Counter[str]],
) -> list[_Phrases]:
    """The kept entities of each advert by kind, scrubbed."""
    phrases: list[str] = []
    kinds: list[str] = []
    ends = [0]
    for pair in parts:
        for part in pair:
            for entity in part.entities:
                if entity.label in cleaning.keep:
                    kinds.append(entity.label if entity.label in KINDS else "skill")
                    phrases.append(_cut(part, entity))
        ends.append(len(phrases))
    places = list(pairwise(ends))
    owners = [count for count, (first, end) in zip(counts, places, strict=True) for _ in range(end - first)]
    scrubbed = list(zip(_scrubbed(phrases, patterns, owners), kinds, strict=True))
    return [_by_kind(scrubbed[first:end]) for first, end in places]


def _by_kind(phrases: Sequence[tuple[str, str]]) -> _Phrases:
    occupation, skills, tasks = (
        distinct(phrase for phrase, kind in phrases if kind == wanted) for wanted in KINDS
    )
    return occupation, skills, tasks


def _cut(part: Part, entity: Entity) -> str:
    """The entity's text with what is personal in it masked."""
    pieces: list[str] = []
    last = entity.start
    for masked in part.personal[bisect_right(part.personal, entity.start, key=lambda span: span.end) :]:
        if masked.start >= entity.end:
            break
        pieces += part.text[last : max(last, masked.start)], f"[{masked.label}]"
        last = min(entity.end, masked.end)
    return "".join(pieces) + part.text[last : entity.end]

"""What an advert says and whom it names: its text without personal data, and where entities stand."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from joblens.extractors import Extractor
from joblens.extractors.cleaning import KINDS, Part
from joblens.extractors.masking import PASSES
from joblens.extractors.patterns import PatternExtractor
from joblens.inference.classify import Classifier
from joblens.records import Entity
from joblens.text import word_count


@dataclass(frozen=True, slots=True)
class Redacted:
    """A title or a text with its personal data masked."""

    text: str
    entities: tuple[Entity, ...]
    """In order, offsets into `text`. Those of personal data are their masks, such as `[email]`."""
    removed: int
    """How many masks."""


@dataclass(frozen=True, slots=True)
class Extract:
    """An advert without personal data, and what was found in it."""

    title: Redacted
    text: Redacted
    words_in: int
    words_read: int


def extract(
    classifier: Classifier, texts: Sequence[str], titles: Sequence[str | None] | None = None
) -> list[Extract]:
    """Entities and redacted text of each advert, in their order.

    Args:
        classifier: Its extractor and its way of reading (`html`) are used, not its network.
        texts: Adverts as they are.
        titles: Their titles; None where there is none.

    Raises:
        DataError: A text is no string, or there are more or fewer titles than texts.
    """
    patterns = PatternExtractor()
    keep = classifier.bundle.cleaning.keep
    found = []
    for title, text in classifier.parts(texts, titles):
        found.append(
            Extract(
                title=redact(title, keep, patterns),
                text=redact(text, keep, patterns),
                words_in=word_count(title.text) + word_count(text.text),
                words_read=title.words + text.words,
            )
        )
    return found


def redact(part: Part, keep: Sequence[str], patterns: Extractor) -> Redacted:
    """Mask what is personal in a title or a text, and move the kept entities to their new places.

    An entity that a mask covers is gone; one that it cuts takes the whole mask in. What the patterns find
    only beside a mask is masked in the next pass, as in cleaning.
    """
    kept = [_renamed(entity) for entity in part.entities if entity.label in keep]
    text, masks, kept = _masked(part.text, part.personal, [], kept)
    for _ in range(PASSES):
        (extra,) = patterns.extract([text])
        if not extra:
            break
        text, masks, kept = _masked(text, extra, masks, kept)
    entities = sorted([*masks, *kept], key=lambda entity: (entity.start, entity.end, entity.label))
    return Redacted(text, tuple(entities), len(masks))


def _renamed(entity: Entity) -> Entity:
    label = entity.label if entity.label in KINDS else "skill"
    return Entity(entity.start, entity.end, label, entity.text, entity.score)


def _masked(
    text: str, personal: Sequence[Entity], masks: Sequence[Entity], kept: Sequence[Entity]
) -> tuple[str, list[Entity], list[Entity]]:
    """The text with `personal` (in order, without overlaps) masked, all masks there are, and what is kept."""
    pieces: list[str] = []
    new: list[Entity] = []
    length = last = 0
    for span in personal:
        mask = f"[{span.label}]"
        length += span.start - last
        pieces += text[last : span.start], mask
        new.append(Entity(length, length + len(mask), span.label, mask))
        length += len(mask)
        last = span.end
    masked = "".join(pieces) + text[last:]
    moved = _Moves(personal, new, masked)
    before = [place for mask in masks if (place := moved(mask))]
    return masked, [*before, *new], [place for entity in kept if (place := moved(entity))]


class _Moves:
    """Where the entities of a text are once `spans` (in order, without overlaps) have become `masks`."""

    def __init__(self, spans: Sequence[Entity], masks: Sequence[Entity], masked: str) -> None:
        self._spans, self._masks, self._masked = spans, masks, masked
        self._starts = [span.start for span in spans]
        self._ends = [span.end for span in spans]

    def __call__(self, entity: Entity) -> Entity | None:
        """The entity in its new place; None when a mask covers it."""
        first = bisect_right(self._ends, entity.start)  # the first span that ends behind its start
        if first < len(self._spans) and self._starts[first] <= entity.start:
            if entity.end <= self._ends[first]:
                return None
            start = self._masks[first].start
        else:
            start = entity.start + self._shift(first - 1)
        last = bisect_left(self._starts, entity.end) - 1  # the last span that starts before its end
        if last >= 0 and self._ends[last] > entity.end:
            end = self._masks[last].end
        else:
            end = entity.end + self._shift(last)
        return Entity(start, end, entity.label, self._masked[start:end], entity.score)

    def _shift(self, place: int) -> int:
        """How far what stands behind a span moves."""
        return self._masks[place].end - self._ends[place] if place >= 0 else 0

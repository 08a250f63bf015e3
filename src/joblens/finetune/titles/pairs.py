"""Pairs of titles that mean one occupation, drawn batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from joblens.errors import DataError
from joblens.finetune.titles.augmentation import as_in_an_advert, gender_form, plural
from joblens.finetune.titles.concepts import spelling

if TYPE_CHECKING:
    from joblens.config import TitlesFlow
    from joblens.finetune.titles.concepts import Concept, Vocabulary

GROUP = "/isco/"
"""What the URI of a group of ISCO-08 has and that of an occupation has not."""

_DESCRIPTION_LETTERS = 300  # the first two sentences say what matters
_TO_ENGLISH = 0.6  # of pairs in two languages: ESCO and most models speak English
_SAME_LANGUAGE = 0.7  # of pairs of a synonym with a label: tables of synonyms come in one language
_LESS_THAN_LINEAR = 0.75  # a concept with many labels is drawn more often, but not as much more


@dataclass(frozen=True, slots=True)
class Batch:
    """N pairs; pairs with one key mean the same and are no negatives of each other."""

    first: list[str]
    second: list[str]
    keys: list[int]
    meanings: list[list[int]]
    """The keys of other pairs that a title of this pair means as well: several concepts share a label."""
    codes: list[str]
    """The ISCO-08 code of each pair's concept; empty when none is known."""
    are_groups: list[bool]
    """Whether the concept is a group of ISCO-08, and no occupation."""


class Pairs:
    """Draws batches; the same seed draws the same ones."""

    def __init__(self, flow: TitlesFlow, vocabulary: Vocabulary, held_out: set[str]) -> None:
        """Sort out what can be drawn.

        Args:
            flow: The shares of each kind of pair.
            vocabulary: What to draw from.
            held_out: Keys of concepts that are never drawn.

        Raises:
            DataError: No concept has two labels of one language.
        """
        self._flow = flow
        self._rng = Random(f"{flow.seed}-pairs")
        self._concepts = [
            concept
            for key, concept in vocabulary.concepts.items()
            if key not in held_out and any(concept.labels.values())
        ]
        self._place = {concept.key: place for place, concept in enumerate(self._concepts)}
        self._described = [concept for concept in self._concepts if concept.description]
        self._in_languages = [concept for concept in self._concepts if len(_spoken(concept)) > 1]
        self._with_synonyms = [
            (concept, language)
            for concept in self._concepts
            for language, labels in concept.labels.items()
            if len(labels) > 1
        ]
        if not self._with_synonyms:
            raise DataError(
                f"none of {len(self._concepts)} concepts has two labels of one language; "
                "add a source with synonyms to configs/finetune/titles.yaml"
            )
        self._cumulative = list(
            accumulate(
                len(concept.labels[language]) ** _LESS_THAN_LINEAR
                for concept, language in self._with_synonyms
            )
        )
        self._languages = sorted({language for _, language in self._with_synonyms})
        self._tables = []
        for source in flow.sources:
            if source.kind == "synonyms":
                titles = [pair for pair in vocabulary.titles[source.name] if pair[1] not in held_out]
                self._tables.append((source.weight, *self._grouped(titles, source.language)))
        self._sentences = []
        for source in flow.sources:
            if source.kind == "descriptions":
                rows = [row for row in vocabulary.descriptions[source.name] if self._has_titles(row[1])]
                self._sentences.append((source.weight, rows))
        self._near: Sequence[Sequence[int]] | None = None
        self._kept_out = vocabulary.kept_out
        self.refused = 0
        """How often a plural or a changed title was to be kept out, and the title stayed as it was."""
        self._meanings = self._shared()

    @property
    def concepts(self) -> list[Concept]:
        """The concepts that are drawn."""
        return self._concepts

    def use_neighbours(self, near: Sequence[Sequence[int]]) -> None:
        """From now on draw a share of each batch from concepts that are alike.

        Args:
            near: For each of `concepts` the places of those the encoder finds most alike.
        """
        self._near = near

    def batch(self, size: int) -> Batch:
        """`size` pairs, the first title of each sometimes written as adverts write it."""
        pairs: list[tuple[str, str, str]] = []
        if self._near is not None:
            hard = int(size * self._flow.hard)
            while len(pairs) < hard:
                pairs += self._alike()
        while len(pairs) < size:
            pairs.append(self._any())
        del pairs[size:]
        numbers: dict[str, int] = {}
        for _, _, key in pairs:
            numbers.setdefault(key, len(numbers))
        return Batch(
            first=[self._as_written(first) for first, _, _ in pairs],
            second=[second for _, second, _ in pairs],
            keys=[numbers[key] for _, _, key in pairs],
            meanings=[
                [
                    numbers[other]
                    for title in titles
                    for other in self._meanings.get(title, ())
                    if other != key and other in numbers
                ]
                for *titles, key in pairs
            ],
            codes=[self._code(key) for _, _, key in pairs],
            are_groups=[GROUP in key for _, _, key in pairs],
        )

    def _any(self) -> tuple[str, str, str]:
        rng = self._rng
        drawn = rng.random()
        for weight, titles, groups, language in self._tables:
            if drawn < weight and titles:
                return self._synonym(titles, groups, language)
            drawn -= weight
        for weight, rows in self._sentences:
            if drawn < weight and rows:
                sentence, key = rng.choice(rows)
                return self._title_of(key), sentence[:_DESCRIPTION_LETTERS], key
            drawn -= weight
        if drawn < self._flow.descriptions and self._described:
            return self._with_description()
        drawn -= self._flow.descriptions
        if drawn < self._flow.cross_language and self._in_languages:
            concept = self._rng.choice(self._in_languages)
            return (*self._in_two_languages(concept, self._rng.choice(_spoken(concept))), concept.key)
        [(concept, language)] = rng.choices(self._with_synonyms, cum_weights=self._cumulative)
        first, second = rng.sample(concept.labels[language], 2)
        if rng.random() < self._flow.plurals:
            first = self._unless_kept_out(plural(first, language), first)
        return first, second, concept.key

    def _as_written(self, title: str) -> str:
        """The title in the form of one sex, and as adverts write it, each sometimes."""
        rng = self._rng
        if rng.random() < self._flow.gender_forms:
            title = self._unless_kept_out(gender_form(title, rng), title)
        if rng.random() < self._flow.augmentation:
            title = self._unless_kept_out(as_in_an_advert(title, rng), title)
        return title

    def _unless_kept_out(self, changed: str, title: str) -> str:
        """What is made of a title, or the title itself if that is in `Vocabulary.kept_out`."""
        if spelling(changed) in self._kept_out:
            self.refused += 1
            return title
        return changed

    def _alike(self) -> list[tuple[str, str, str]]:
        """One pair of each of some concepts that the encoder finds alike, in one language if possible."""
        assert self._near is not None
        rng = self._rng
        language = rng.choice(self._languages)
        place = rng.randrange(len(self._concepts))
        near = self._near[place]
        places = [place, *rng.sample(near, min(len(near), self._flow.neighbours - 1))]
        return [self._of(self._concepts[each], language) for each in places]

    def _of(self, concept: Concept, language: str) -> tuple[str, str, str]:
        spoken = _spoken(concept)
        if language not in spoken:
            language = self._rng.choice(spoken)
        if len(spoken) > 1 and self._rng.random() < self._flow.cross_language:
            return (*self._in_two_languages(concept, language), concept.key)
        labels = concept.labels[language]
        first, second = self._rng.sample(labels, 2) if len(labels) > 1 else (labels[0], labels[0])
        return first, second, concept.key

    def _in_two_languages(self, concept: Concept, language: str) -> tuple[str, str]:
        rng, spoken = self._rng, _spoken(concept)
        others = [other for other in spoken if other != language]
        other = "en" if "en" in others and rng.random() < _TO_ENGLISH else rng.choice(others)
        return rng.choice(concept.labels[language]), rng.choice(concept.labels[other])

    def _with_description(self) -> tuple[str, str, str]:
        rng = self._rng
        concept = rng.choice(self._described)
        spoken = _spoken(concept)
        language = "en" if "en" in spoken and rng.random() < 0.5 else rng.choice(spoken)
        title = rng.choice(concept.labels[language])
        return title, concept.description[:_DESCRIPTION_LETTERS], concept.key

    def _has_titles(self, key: str) -> bool:
        return key in self._place or any(key in groups for _, _, groups, _ in self._tables)

    def _title_of(self, key: str) -> str:
        """Any title of a concept."""
        if key in self._place:
            concept = self._concepts[self._place[key]]
            return self._rng.choice(concept.labels[self._rng.choice(_spoken(concept))])
        return self._rng.choice(next(groups[key] for _, _, groups, _ in self._tables if key in groups))

    def _code(self, key: str) -> str:
        return self._concepts[self._place[key]].code if key in self._place else ""

    def _synonym(
        self, titles: list[tuple[str, str]], groups: dict[str, list[str]], language: str
    ) -> tuple[str, str, str]:
        rng = self._rng
        title, key = rng.choice(titles)
        if key not in self._place:
            return title, rng.choice(groups[key]), key
        concept = self._concepts[self._place[key]]
        spoken = _spoken(concept)
        if language not in spoken or rng.random() >= _SAME_LANGUAGE:
            language = rng.choice(spoken)
        return title, rng.choice(concept.labels[language]), key

    def _shared(self) -> dict[str, tuple[str, ...]]:
        """The titles that mean several concepts, and their plurals, with the keys of all of them."""
        titles = [
            (label, concept.key, language)
            for concept in self._concepts
            for language, labels in concept.labels.items()
            for label in labels
        ]
        titles += [(title, key, "") for _, rows, _, _ in self._tables for title, key in rows]
        keys: dict[str, dict[str, None]] = {}
        for title, key, _ in titles:
            keys.setdefault(spelling(title), {})[key] = None
        shared = {}
        for title, _, language in titles:
            found = tuple(keys[spelling(title)])
            if len(found) > 1:
                shared[title] = found
                shared.setdefault(plural(title, language), found)
        return shared

    def _grouped(
        self, titles: list[tuple[str, str]], language: str
    ) -> tuple[list[tuple[str, str]], dict[str, list[str]], str]:
        """The titles that have a partner, and all titles of each key."""
        groups: dict[str, list[str]] = {}
        for title, key in titles:
            groups.setdefault(key, []).append(title)
        kept = [(title, key) for title, key in titles if key in self._place or len(groups[key]) > 1]
        return kept, groups, language


def _spoken(concept: Concept) -> list[str]:
    """The languages a concept has labels in."""
    return [language for language, labels in concept.labels.items() if labels]

"""The words adverts are written with: packaged JSON files, read once."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

LANGUAGES = ("da", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """What people of one area are called, know and do, in one language."""

    workplaces: tuple[str, ...]
    """Names of employers, with `{place}` or `{family}` to fill in."""
    occupations: tuple[str, ...]
    skills: tuple[str, ...]
    tasks: tuple[str, ...]
    """Infinitives without "at" or "to", so that they fit after "du skal" and "you will"."""


@dataclass(frozen=True, slots=True)
class Area:
    """One label of the taxonomy and the vocabulary behind it."""

    slug: str
    label: str
    name_en: str
    description_da: str
    description_en: str
    weight: float
    """How common adverts of the area are, relative to the others."""
    mixes_fields: bool
    """Whether it cuts across all other areas, as management and apprenticeships do."""
    neighbours: dict[str, int]
    """Slugs of areas it is easily taken for, with how often."""
    words: dict[str, Words]
    """By language."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything the generator may write."""

    areas: tuple[Area, ...]
    """In taxonomy order: by label, as Danes sort it."""
    phrases: dict[str, dict[str, tuple[str, ...]]]
    """Language, then kind of sentence, then templates with `{slots}`."""
    names: dict[str, tuple[str, ...]]
    """Parts of invented people, places, streets and dates."""

    def area(self, slug: str) -> Area:
        """The area whose vocabulary file is `slug`.json."""
        return next(area for area in self.areas if area.slug == slug)


@cache
def load_vocabulary() -> Vocabulary:
    """Read the packaged files; the second call is free."""
    folder = files(__package__) / "vocabulary"
    areas = [_area(path) for path in (folder / "areas").iterdir() if path.name.endswith(".json")]
    return Vocabulary(
        areas=tuple(sorted(areas, key=lambda area: _danish_order(area.label))),
        phrases={language: _tuples(_read(folder / f"phrases_{language}.json")) for language in LANGUAGES},
        names=_tuples(_read(folder / "names.json")),
    )


def _area(path: Traversable) -> Area:
    content = _read(path)
    words = {language: Words(**_tuples(content.pop(language))) for language in LANGUAGES}
    return Area(slug=path.name.removesuffix(".json"), words=words, **content)


def _read(path: Traversable) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _tuples(lists: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


def _danish_order(label: str) -> str:
    """A key that puts æ, ø and å after z, in that order."""
    return label.lower().translate(str.maketrans("æøå", "{|}"))

"""Titles, tasks and tools of public lists, placed in sentences as adverts write them.

O*NET (CC BY 4.0) gives task statements, tools and reported titles in English; ESCO (Decision 2011/833/EU,
with attribution) gives occupation names in seven languages. The sentences around them are ours.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

import yaml

from joblens.errors import DataError
from joblens.records import Entity, LabelledText

_SLOT = re.compile(r"\{(\w+)\}")
_CLAUSE = re.compile(r"[,;(:]|\b(?:or|and|to|using|by|such as|for|when|according)\b")
_SUFFIX = re.compile(r"\s*[(/,].*")


def phrase_texts(data: Path, count: int, seed: int) -> list[LabelledText]:
    """`count` synthetic sentences in the languages of `sentences.yaml`, their phrases marked.

    Args:
        data: Folder with `esco/` and `onet/`.
        count: How many sentences.
        seed: The same seed gives the same sentences.

    Raises:
        DataError: A list is missing or lacks a column.
    """
    templates = _templates()
    languages = list(templates)
    weights = [4 if language == "en" else 3 if language == "da" else 1 for language in languages]
    lists = {language: _phrases(data, language) for language in languages}
    texts: list[LabelledText] = []
    for number in range(count):
        rng = Random(f"{seed}-phrases-{number}")
        [language] = rng.choices(languages, weights=weights)
        template = rng.choice(templates[language])
        text, entities = _fill(rng, template, lists[language])
        texts.append(LabelledText(f"phrase-{number}", text, entities, language, f"phrase-{number}"))
    return texts


def _fill(rng: Random, template: str, phrases: dict[str, tuple[str, ...]]) -> tuple[str, tuple[Entity, ...]]:
    text, last, entities = "", 0, []
    for slot in _SLOT.finditer(template):
        text += template[last : slot.start()]
        name = slot.group(1)
        phrase = rng.choice(phrases[name.lower()])
        if name[0].isupper() or not text:
            phrase = phrase[0].upper() + phrase[1:]
        entities.append(Entity(len(text), len(text) + len(phrase), name.lower(), phrase))
        text += phrase
        last = slot.end()
    return text + template[last:], tuple(entities)


@cache
def _templates() -> dict[str, tuple[str, ...]]:
    path = Path(__file__).with_name("sentences.yaml")
    return {lang: tuple(lines) for lang, lines in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def _phrases(data: Path, language: str) -> dict[str, tuple[str, ...]]:
    titles = (
        [
            _SUFFIX.sub("", row["label"])
            for row in _rows(data / f"esco/esco_labels_{language}.csv.gz", "label")
            if row.get("is_isco_group") != "True"
        ]
        if language != "en"
        else _english_titles(data)
    )
    phrases = {"occupation": _kept(titles, 1, 5)}
    if language == "en":
        statements = [
            row["Task"] for row in _rows(data / "onet/Task_Statements.txt.gz", "Task", delimiter="\t")
        ]
        tools = [
            row["Example"] for row in _rows(data / "onet/Technology_Skills.txt.gz", "Example", delimiter="\t")
        ]
        phrases["task"] = _kept((_clause(statement) for statement in statements), 2, 7)
        phrases["skill"] = _kept((tool.removesuffix(" software") for tool in tools), 1, 4)
    return phrases


def _english_titles(data: Path) -> list[str]:
    rows = _rows(data / "onet/Sample_of_Reported_Titles.txt.gz", "Reported Job Title", delimiter="\t")
    reported = [_SUFFIX.sub("", row["Reported Job Title"]) for row in rows]
    lowered = [title.lower() for title in reported if not any(word.isupper() for word in title.split())]
    return reported + lowered


def _clause(statement: str) -> str:
    """The first clause of a task statement, as an advert would say it: "direct financial activities"."""
    words = statement.rstrip(".")
    first = _CLAUSE.split(words)[0].strip()
    return first[:1].lower() + first[1:]


def _kept(phrases: Iterator[str] | Sequence[str], least: int, most: int) -> tuple[str, ...]:
    """Distinct phrases of a natural length, sorted."""
    return tuple(
        sorted(
            {phrase.strip() for phrase in phrases if least <= len(phrase.split()) <= most and phrase.strip()}
        )
    )


def _rows(path: Path, column: str, delimiter: str = ",") -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise DataError(f"there is no {path}; name the folder with esco/ and onet/ by --data")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            if column not in (reader.fieldnames or ()):
                raise DataError(f"{path} has no column {column!r}; get the file again")
            yield from reader
    except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({type(error).__name__}); get the file again") from error

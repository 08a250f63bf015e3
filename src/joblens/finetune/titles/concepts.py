"""Occupations and what they are called: the tables of `configs/finetune/titles.yaml` as one."""

from __future__ import annotations

import csv
import gzip
import logging
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TextIO, cast

from joblens.encoders.title_features import title_words
from joblens.errors import DataError, nearest
from joblens.sources.melo import read_melo

if TYPE_CHECKING:
    from joblens.config import TitlesFlow, TitleSource

logger = logging.getLogger(__name__)

_Row = tuple[str, str, list[str], str]  # key, ISCO code, labels, description


@dataclass(slots=True)
class Concept:
    """One occupation or group of occupations."""

    key: str
    """ESCO's URI, or the key of a table of synonyms."""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """Labels by language, each spelling once, in the order they were read."""
    code: str = ""
    """ISCO-08 code: 1 to 4 digits, or empty when none is known."""
    name: str = ""
    """The preferred English label."""
    description: str = ""
    """What ESCO says about it in English, the first sentences."""


@dataclass(slots=True)
class Vocabulary:
    """Everything the flow trains on."""

    concepts: dict[str, Concept]
    """By key, in the order they were read."""
    titles: dict[str, list[tuple[str, str]]]
    """Titles to train on with the key of their concept, by the name of their table of synonyms."""
    descriptions: dict[str, list[tuple[str, str]]]
    """Sentences with the key of their concept, by the name of their table."""
    held_out: list[tuple[str, str]]
    """Titles of those tables with the key of their concept, kept aside to calibrate."""
    excluded: dict[str, int]
    """Titles left out because they are queries of the benchmark, by table."""
    kept_out: frozenset[str] = frozenset()
    """Spellings that are no label and that nothing trained on may have: queries of the benchmark, and titles
    kept aside."""
    known: int = 0
    """Titles kept aside and then dropped, because a label or another table has their spelling."""


def spelling(title: str) -> str:
    """What the encoder sees of a title, its words in the order of the alphabet.

    Two titles have one spelling exactly when the encoder cannot tell them apart: "Restaurant Manager" and
    "manager (restaurant)".
    """
    return " ".join(sorted(title_words(title)))


def read_vocabulary(flow: TitlesFlow, data: Path) -> Vocabulary:
    """Read every source; titles of synonyms that are queries of the benchmark are left out and counted.

    Args:
        flow: Which tables.
        data: The folder their paths are relative to.

    Raises:
        DataError: A file is missing, or lacks a column or a set.
    """
    queries = {spelling(text) for found in read_melo(data / flow.exclude) for _, text in found.queries}
    vocabulary = Vocabulary({}, {}, {}, [], {})
    labels: set[tuple[str, str, str]] = set()  # key, language, spelling
    read = 0
    for source in flow.sources:
        if source.kind == "synonyms":
            _read_synonyms(source, data, vocabulary, queries, flow.seed)
        elif source.kind == "descriptions":
            vocabulary.descriptions[source.name] = list(_keyed(source, data))
        else:
            for row in _LABELS[source.kind](source, data):
                _add(row, source.language, vocabulary, labels)
                read += len(row[2])
    spellings = {seen for _, _, seen in labels}
    trained = spellings | {spelling(title) for rows in vocabulary.titles.values() for title, _ in rows}
    unknown = [pair for pair in vocabulary.held_out if spelling(pair[0]) not in trained]
    vocabulary.known = len(vocabulary.held_out) - len(unknown)
    vocabulary.held_out = unknown
    vocabulary.kept_out = frozenset((queries | {spelling(title) for title, _ in unknown}) - spellings)
    logger.info(
        "%d concepts with %d labels (%d more are empty or spelled as another), %d synonyms; "
        "left out: %d that are queries of the benchmark, %d kept aside that are trained on elsewhere",
        len(vocabulary.concepts),
        len(labels),
        read - len(labels),
        sum(map(len, vocabulary.titles.values())),
        sum(vocabulary.excluded.values()),
        vocabulary.known,
    )
    return vocabulary


def _add(row: _Row, language: str, vocabulary: Vocabulary, known: set[tuple[str, str, str]]) -> None:
    """A row's labels to its concept; labels without words and known spellings are left out."""
    key, code, labels, description = row
    concept = vocabulary.concepts.setdefault(key, Concept(key))
    concept.code = concept.code or code
    concept.description = concept.description or description
    for label in labels:
        seen = key, language, spelling(label)
        if seen[2] and seen not in known:
            known.add(seen)
            concept.labels.setdefault(language, []).append(" ".join(label.split()))
    if language == "en" and not concept.name and labels:
        concept.name = labels[0]


def _read_synonyms(
    source: TitleSource, data: Path, vocabulary: Vocabulary, queries: set[str], seed: int
) -> None:
    rng = Random(f"{seed}-{source.name}")
    kept: dict[tuple[str, str], None] = {}
    excluded = 0
    for title, key in _keyed(source, data):
        if spelling(title) in queries:
            excluded += 1
        else:
            kept[title, key] = None
    spellings = dict.fromkeys(spelling(title) for title, _ in kept)
    held = {each for each in spellings if rng.random() < source.held_out}
    vocabulary.titles[source.name] = [pair for pair in kept if spelling(pair[0]) not in held]
    vocabulary.held_out += [pair for pair in kept if spelling(pair[0]) in held]
    vocabulary.excluded[source.name] = excluded


def _keyed(source: TitleSource, data: Path) -> Iterator[tuple[str, str]]:
    """The texts of a table with their keys; rows that lack one are left out and counted."""
    left_out = 0
    for row in _rows(data / source.path, (source.title, source.concept), source.delimiter):
        text, key = " ".join(row[source.title].split()), row[source.concept].strip()
        if text and key:
            yield text, key
        else:
            left_out += 1
    if left_out:
        logger.info("%s: %d rows without a text or a key left out", source.name, left_out)


def table_labels(source: TitleSource, data: Path) -> Iterator[str]:
    """The labels of one of ESCO's tables, of `kind` labels or occupations; some may be empty.

    Raises:
        DataError: The file is missing, or lacks a column.
    """
    for _, _, labels, _ in _LABELS[source.kind](source, data):
        yield from labels


def _labels(source: TitleSource, data: Path) -> Iterator[_Row]:
    for row in _rows(data / source.path, ("label", "uri", "isco4")):
        yield row["uri"], row["isco4"], [row["label"]], ""


def _occupations(source: TitleSource, data: Path) -> Iterator[_Row]:
    for row in _rows(data / source.path, ("conceptUri", "preferredLabel", "altLabels")):
        labels = [row["preferredLabel"]]
        for column in ("altLabels", "hiddenLabels"):
            labels += (row.get(column) or "").split("\n")
        code = row.get("iscoGroup") or row.get("code") or ""
        yield (
            row["conceptUri"],
            code,
            labels,
            (row.get("description") or "") if source.language == "en" else "",
        )


def _benchmark(source: TitleSource, data: Path) -> Iterator[_Row]:
    [found] = read_melo(data / source.path, [source.set or ""])
    left_out = 0
    for key, label in found.labels:
        if key in found.concepts:
            yield found.concepts[key], "", [label], ""
        else:
            left_out += 1
    if left_out:
        logger.info("%s: %d labels without a concept left out", source.name, left_out)


_LABELS = {"labels": _labels, "occupations": _occupations, "benchmark": _benchmark}


def _rows(path: Path, columns: Sequence[str], delimiter: str = ",") -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise DataError(
            f"there is no {path}; name the folder with the tables of configs/finetune/titles.yaml"
        )
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    try:
        with _opened(path) as file:
            rows = csv.DictReader(file, delimiter=delimiter, quoting=quoting)  # type: ignore[call-overload]
            for column in columns:
                if column not in (rows.fieldnames or ()):
                    known = rows.fieldnames or ()
                    raise DataError(
                        f"{path.name} has no column {column!r}{nearest(column, known)} "
                        f"(it has {', '.join(known) or 'none'}); "
                        "name the right one in configs/finetune/titles.yaml"
                    )
            for row in rows:
                yield {name: row[name] or "" for name in rows.fieldnames or ()}
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}); get it again") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")

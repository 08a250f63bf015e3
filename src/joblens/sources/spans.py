"""Texts in which people have marked entities: the file formats they come in, read into one record.

| Kind | What a file holds |
|---|---|
| `skillspan` | JSON lines of `tokens`, `tags_skill` and perhaps `tags_knowledge` (SkillSpan, NNOSE) |
| `conll` | a token, its skill and knowledge tag a line; an empty line ends a sentence (Kompetencer) |
| `uner` | CoNLL-U with a column of named entities (Universal NER) |
| `gliner` | JSON of `tokenized_text` and `ner`: `[first, last, label]` by word, last included |
| `presidio` | JSON of `full_text` and `spans`, alone or in a tar archive (presidio-research) |
| `sample` | JSON lines of `title`, `text` and their entities by character (`joblens sample`) |

Knowledge of these corpora is our `skill`, their skill (mostly verb phrases) our `task`. A corpus that has one
merged label keeps it as `competence`. Tokens are joined by one blank.
"""

from __future__ import annotations

import json
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from joblens.errors import DataError, nearest
from joblens.records import Entity, LabelledText

BLOCK = 10
"""Sentences of a CoNLL file in a group: it names no postings, but their sentences follow each other."""

_UNER = {"PER": "person", "ORG": "organisation", "LOC": "location"}
_PRESIDIO = {
    "PERSON": "person",
    "STREET_ADDRESS": "address",
    "ORGANIZATION": "organisation",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "DOMAIN_NAME": "url",
    "URL": "url",
    "GPE": "location",
}

_WRONG = (
    ValueError, KeyError, TypeError, IndexError, AttributeError,
    EOFError, OSError, tarfile.TarError, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What reading a file of another format, or a compressed one that is cut or damaged, may raise."""


def read_spans(path: Path, *, kind: str, language: str) -> list[LabelledText]:
    """The labelled texts of a file, in its order.

    Args:
        path: The file; for `presidio` also a tar archive of JSON files.
        kind: One of `KINDS`.
        language: ISO 639-1 code that every text gets, unless the file names one.

    Raises:
        DataError: The file is missing, is of another format, or marks spans outside its text.
    """
    if kind not in KINDS:
        raise DataError(f"there is no kind {kind!r}{nearest(kind, KINDS)}; use one of {', '.join(KINDS)}")
    if not path.is_file():
        raise DataError(f"there is no file {path}; give a file of the format {kind!r}")
    try:
        return list(KINDS[kind](path, language))
    except _WRONG as error:
        raise DataError(
            f"{path} is not a file of the format {kind!r} ({type(error).__name__} while reading); "
            f"give the right kind, one of {', '.join(KINDS)}"
        ) from error


def from_words(
    id: str, words: Sequence[str], spans: Iterable[tuple[int, int, str]], language: str, group: str
) -> LabelledText:
    """A text of words joined by blanks; `spans` count words, first and last included.

    Raises:
        ValueError: A span is outside the words.
    """
    starts: list[int] = []
    position = 0
    for word in words:
        starts.append(position)
        position += len(word) + 1
    text = " ".join(words)
    entities: list[Entity] = []
    for first, last, label in spans:
        if not 0 <= first <= last < len(words):
            raise ValueError("a span is outside its text")
        start, end = starts[first], starts[last] + len(words[last])
        entities.append(Entity(start, end, label, text[start:end]))
    entities.sort(key=lambda entity: (entity.start, entity.end, entity.label))
    return LabelledText(id, text, tuple(entities), language, group)


def _from_tags(tags: Sequence[str], label: str) -> Iterator[tuple[int, int, str]]:
    """Spans of BIO tags; an I without a B before it begins a span, as it does in conlleval."""
    first: int | None = None
    for at, tag in enumerate([*tags, "O"]):
        if first is not None and tag[:1] != "I":
            yield first, at - 1, label
            first = None
        if tag[:1] == "B" or (tag[:1] == "I" and first is None):
            first = at


def _skillspan(path: Path, language: str) -> Iterator[LabelledText]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            words = [str(token) for token in row["tokens"]]
            tags = row["tags_skill"]
            if len(tags) != len(words):
                raise ValueError("tags and tokens differ in number")
            if "tags_knowledge" in row:
                spans = [*_from_tags(tags, "task"), *_from_tags(row["tags_knowledge"], "skill")]
            else:
                spans = list(_from_tags(tags, "competence"))
            group = f"{path.stem}-{row.get('source', '')}-{row.get('idx', number)}"
            yield from_words(f"{path.stem}-{number}", words, spans, language, group)


def _conll(path: Path, language: str) -> Iterator[LabelledText]:
    for number, rows in enumerate(_paragraphs(path)):
        words = [row[0] for row in rows]
        spans = [
            *_from_tags([row[1] for row in rows], "task"),
            *_from_tags([row[2] for row in rows], "skill"),
        ]
        yield from_words(f"{path.stem}-{number}", words, spans, language, f"{path.stem}-{number // BLOCK}")


def _paragraphs(path: Path) -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            rows.append(line.split("\t"))
        elif rows:
            yield rows
            rows = []
    if rows:
        yield rows


def _uner(path: Path, language: str) -> Iterator[LabelledText]:
    import gzip

    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    for number, block in enumerate(blocks):
        rows = [line.split("\t") for line in block.splitlines() if line and not line.startswith("#")]
        if rows:
            tags = [row[2] for row in rows]
            spans = [
                (first, last, _UNER.get(tags[first][2:], tags[first][2:].lower()))
                for first, last, _ in _from_tags(tags, "")
            ]
            words = [row[1].replace(" ", "\u00a0") for row in rows]
            yield from_words(
                f"{path.stem}-{number}", words, spans, language, f"{path.stem}-{number // BLOCK}"
            )


def _gliner(path: Path, language: str) -> Iterator[LabelledText]:
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(r) for r in text.splitlines()]
    for number, row in enumerate(rows):
        words = [str(word) for word in row["tokenized_text"]]
        spans = [(int(first), int(last), str(label)) for first, last, label in row["ner"]]
        group = str(row.get("group", f"{path.stem}-{number}"))
        yield from_words(f"{path.stem}-{number}", words, spans, str(row.get("language", language)), group)


def _presidio(path: Path, language: str) -> Iterator[LabelledText]:
    for name, rows in _presidio_files(path):
        for number, row in enumerate(rows):
            text = str(row["full_text"])
            entities = [
                _entity(text, span["start_position"], span["end_position"], _presidio_label(span))
                for span in row["spans"]
            ]
            entities.sort(key=lambda entity: (entity.start, entity.end))
            group = f"{name}-template-{row.get('template_id', number)}"
            yield LabelledText(f"{name}-{number}", text, tuple(entities), language, group)


def _presidio_label(span: dict[str, Any]) -> str:
    kind = str(span["entity_type"])
    return _PRESIDIO.get(kind, kind.lower().replace("_", " "))


def _presidio_files(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if ".tar" not in path.suffixes:
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))
        return
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                yield Path(member.name).stem, json.loads(file.read())


def _sample(path: Path, language: str) -> Iterator[LabelledText]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            title = f"{row['title']}\n\n" if row.get("title") else ""
            text = title + row["text"]
            marked = [(0, span) for span in row.get("title_entities", [])]
            marked += [(len(title), span) for span in row["entities"]]
            entities = tuple(
                _entity(text, shift + span["start"], shift + span["end"], str(span["label"]))
                for shift, span in marked
            )
            group = str(row.get("repost_of") or row["id"])
            yield LabelledText(str(row["id"]), text, entities, str(row.get("language") or language), group)


def _entity(text: str, start: int, end: int, label: str) -> Entity:
    if not 0 <= start < end <= len(text):
        raise ValueError("a span is outside its text")
    return Entity(start, end, label, text[start:end])


KINDS: dict[str, Callable[[Path, str], Iterator[LabelledText]]] = {
    "skillspan": _skillspan,
    "conll": _conll,
    "uner": _uner,
    "gliner": _gliner,
    "presidio": _presidio,
    "sample": _sample,
}
"""Every format with its reader."""

"""The labels with their names and descriptions: a CSV that a user can replace."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from joblens.errors import DataError, short
from joblens.sources.columns import MISSING, check_columns
from joblens.sources.delimited import csv_header, csv_rows
from joblens.sources.files import must_be_file
from joblens.text import normalise

PREFERRED = ("", "_en", "_da")
"""Endings of `name` and `description` in the order they are tried: the default encoder reads English best."""


CROSSCUTTING = "crosscutting"
"""The column that says whether a label cuts across the others."""

_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0", ""}


@dataclass(frozen=True, slots=True)
class Topic:
    """One label of a taxonomy."""

    label: str
    name: str
    description: str = ""
    is_crosscutting: bool = False
    """Whether an advert of this label is of another one just as well: a manager of builders."""

    @property
    def text(self) -> str:
        """What an encoder reads: the name, and the description when there is one."""
        return f"{self.name}: {self.description}" if self.description else self.name


def read_taxonomy(path: Path) -> list[Topic]:
    """The labels in the order of the file.

    Only the column `label` must be there. Name and description come from `name` and `description`, or from
    the columns of a language, such as `name_en` and `description_en`; a label without a name is its own name.
    `crosscutting` says yes or no, and no when it is empty or not there.

    Raises:
        DataError: The file is missing or empty, has no column `label`, a label is missing or occurs twice,
            or `crosscutting` is neither yes nor no.
    """
    must_be_file(path)
    header = csv_header(path, ["label"])
    check_columns(["label"], header, str(path), advice="name the column with the labels so")
    names = _in_order("name", header)
    descriptions = _in_order("description", header)
    flags = [CROSSCUTTING] if CROSSCUTTING in header else []
    topics: list[Topic] = []
    for cells in csv_rows(path, ["label", *names, *descriptions, *flags], None, None):
        label, *others = ("" if cell.strip() in MISSING else normalise(cell) for cell in cells)
        if not label:
            raise DataError(f"{path} has row {len(topics) + 1} without a label; fill it in or remove the row")
        name = next(filter(None, others[: len(names)]), label)
        description = next(filter(None, others[len(names) : len(names) + len(descriptions)]), "")
        flag = others[-1].casefold() if flags else ""
        if flag not in _YES | _NO:
            raise DataError(
                f"{path} has {CROSSCUTTING} {short(others[-1])} for label {label!r}, expected yes or no; "
                "correct it or leave it empty"
            )
        topics.append(Topic(label, name, description, flag in _YES))
    if not topics:
        raise DataError(f"{path} has no labels under its header; add one row per label")
    twice = [label for label, count in Counter(topic.label for topic in topics).items() if count > 1]
    if twice:
        raise DataError(f"{path} has label {twice[0]!r} more than once; keep one of its rows")
    return topics


def _in_order(word: str, header: list[str]) -> list[str]:
    """The columns `word` and `word_<language>`, the preferred languages first."""
    found = [column for column in header if column == word or column.startswith(f"{word}_")]
    first = [word + ending for ending in PREFERRED if word + ending in found]
    return first + [column for column in found if column not in first]

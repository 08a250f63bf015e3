"""Bilingual word lists: a table of words, what they are in English, and what else they may be."""

from __future__ import annotations

import re
from pathlib import Path

from joblens.errors import DataError
from joblens.extractors.glossary import WordList

OWN = {"da": Path(__file__).with_name("glossary_da.tsv")}
"""Lists that come with joblens, by language (ISO 639-1)."""

_COLUMNS = ("word", "english", "kinds")
_KINDS = frozenset({"shared", "name", "function"})
_WORD = re.compile(r"-?[^\W\d_]+(?:-[^\W\d_]+)*")


def read_word_list(source: str, project: Path) -> WordList:
    """The list of a language of `OWN`, or of a file with the columns `word`, `english` and `kinds`.

    Columns are parted by tabs, kinds (`shared`, `name`, `function`, or none) by blanks; see `WordList`.

    Args:
        source: A language, or a path.
        project: What a path is relative to.

    Raises:
        DataError: The file is missing or of another form; the line is said.
    """
    path = path_of(source, project)
    english: dict[str, str] = {}
    kinds: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({type(error).__name__})") from error
    if lines[:1] != ["\t".join(_COLUMNS)]:
        raise DataError(f"{path} begins with {lines[:1]!r:.80}, expected the columns {', '.join(_COLUMNS)}")
    for number, line in enumerate(lines[1:], start=2):
        row = line.split("\t")
        if not _is_entry(row) or row[0] in english:
            raise DataError(
                f"line {number} of {path} is {line!r:.80}, expected a new word in lower case, an English "
                f"one, and none or more of {', '.join(sorted(_KINDS))}"
            )
        english[row[0]] = row[1]
        for kind in row[2].split():
            kinds[kind].add(row[0])
    return WordList(
        english,
        shared=frozenset(kinds["shared"]),
        names=frozenset(kinds["name"]),
        function=frozenset(kinds["function"]),
    )


def path_of(source: str, project: Path) -> Path:
    """The file of a list; see `read_word_list`.

    Raises:
        DataError: There is none.
    """
    path = OWN.get(source, project / source)
    if not path.is_file():
        raise DataError(f"there is no {path}; glossary should be a file or one of {', '.join(OWN)}")
    return path


def _is_entry(row: list[str]) -> bool:
    return (
        len(row) == len(_COLUMNS)
        and row[0] == row[0].casefold()
        and all(map(_WORD.fullmatch, row[:2]))
        and _KINDS.issuperset(row[2].split())
    )

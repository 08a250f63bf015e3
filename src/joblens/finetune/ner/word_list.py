"""Bilingual word lists: a table of words, what they are in English, and what else they may be."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

from joblens.errors import DataError
from joblens.extractors.glossary import WordList, is_entry

OWN = {"da": Path(__file__).with_name("glossary_da.tsv")}
"""Lists that come with joblens, by language (ISO 639-1)."""

_COLUMNS = ("word", "english", "kinds")
_KINDS = {"shared": "shared", "name": "names", "surname": "surnames", "function": "function"}
"""As files call what else is said of a word, and as `WordList` does."""


def read_word_list(source: str, project: Path) -> WordList:
    """The list of a language of `OWN`, or of a file with the columns `word`, `english` and `kinds`.

    Columns are parted by tabs, kinds (`shared`, `name`, `surname`, `function`, or none) by blanks; see
    `WordList`. Empty lines do not count.

    Args:
        source: A language, or a path.
        project: What a path is relative to.

    Raises:
        DataError: The file is missing or of another form; the line is said.
    """
    path = OWN.get(source, project / source)
    if not path.is_file():
        raise DataError(f"there is no {path}; glossary should be a file or one of {', '.join(OWN)}")
    try:
        lines = normalize("NFC", path.read_text(encoding="utf-8-sig")).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({type(error).__name__})") from error
    if lines[:1] != ["\t".join(_COLUMNS)]:
        raise DataError(f"{path} begins with {lines[:1]!r:.80}, expected the columns {', '.join(_COLUMNS)}")
    english: dict[str, str] = {}
    kinds: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        row = line.split("\t")
        if not _is_row(row) or row[0] in english:
            raise DataError(
                f"line {number} of {path} is {line!r:.80}, expected a new word in lower case, an English "
                f"one, and none or more of {', '.join(_KINDS)}"
            )
        english[row[0]] = row[1]
        for kind in row[2].split():
            kinds[kind].add(row[0])
    return WordList(english, **{_KINDS[kind]: frozenset(words) for kind, words in kinds.items()})


def _is_row(row: list[str]) -> bool:
    return len(row) == len(_COLUMNS) and is_entry(row[0], row[1]) and _KINDS.keys() >= set(row[2].split())

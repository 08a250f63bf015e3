"""Read the MELO benchmark: job titles of national classifications, and the ESCO labels they mean.

Retyk et al., "MELO: An Evaluation Benchmark for Multilingual Entity Linking of Occupations", 2024,
https://github.com/Avature/melo-benchmark. The corpus of a set is ESCO's list of labels in one language.
"""

from __future__ import annotations

import lzma
import re
import tarfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joblens.errors import DataError

_NAME = re.compile(r"[a-z]+_q_[a-z]{2}_c_[a-z_]+/")
_FILES = ("queries.tsv", "corpus_elements.tsv", "concept_mapping.tsv", "annotations.tsv")


@dataclass(frozen=True, slots=True)
class MeloSet:
    """One set of the benchmark, such as `deu_q_de_c_en`: German titles, English labels."""

    name: str
    queries: tuple[tuple[str, str], ...]
    """Id and text of each title."""
    labels: tuple[tuple[str, str], ...]
    """Id and text of each ESCO label."""
    concepts: dict[str, str]
    """The ESCO URI of each label's id."""
    relevant: dict[str, frozenset[str]]
    """The ids of the labels that a title's id means, according to people; never empty."""

    @property
    def language(self) -> str:
        """ISO 639-1 code of the titles."""
        return self.name.split("_")[2]

    @property
    def label_language(self) -> str:
        """ISO 639-1 code of the labels."""
        return self.name.split("_")[4]


def read_melo(path: Path, names: Sequence[str] = ()) -> list[MeloSet]:
    """The sets in a folder or `.tar.xz` archive, by name; only `names` when any are given.

    Raises:
        DataError: There is no such file or folder, no set in it, or a set lacks a file or a column.
    """
    files = _folder(path) if path.is_dir() else _archive(path)
    found = sorted({name.split("/")[0] for name in files if _NAME.match(name)})
    missing = [name for name in names if name not in found]
    if missing or not found:
        wanted = missing[0] if missing else "of the benchmark"
        raise DataError(
            f"{path} has no set {wanted} (it has {', '.join(found) or 'none'}); "
            "get melo.tar.xz, or a folder with one folder per set"
        )
    return [_set(name, files, path) for name in names or found]


def _set(name: str, files: dict[str, str], path: Path) -> MeloSet:
    tables = {}
    for file in _FILES:
        if f"{name}/{file}" not in files:
            raise DataError(f"{path}: the set {name} has no {file}; get the benchmark again")
        tables[file] = [line.split("\t") for line in _lines(files[f"{name}/{file}"])]
        columns = 4 if file == "annotations.tsv" else 2
        if not tables[file] or any(len(row) != columns for row in tables[file]):
            raise DataError(f"{path}: {name}/{file} is not a table of {columns} columns; get it again")
    relevant = defaultdict(set)
    for query, _, label, relevance in tables["annotations.tsv"]:
        if relevance == "1":
            relevant[query].add(label)
    return MeloSet(
        name=name,
        queries=tuple((row[0], row[1].strip()) for row in tables["queries.tsv"]),
        labels=tuple((row[0], row[1].strip()) for row in tables["corpus_elements.tsv"]),
        concepts={row[0]: row[1].strip() for row in tables["concept_mapping.tsv"]},
        relevant={query: frozenset(labels) for query, labels in relevant.items()},
    )


def _lines(text: str) -> list[str]:
    """Lines with something in them, with or without a carriage return; `splitlines` cuts at more."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def _folder(path: Path) -> dict[str, str]:
    files = sorted(path.glob("*/*.tsv"))
    try:
        return {f"{file.parent.name}/{file.name}": file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} has a table that is not UTF-8 text; get the benchmark again") from error


def _archive(path: Path) -> dict[str, str]:
    found = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.name.endswith(".tsv") else None
                if content is not None:
                    found["/".join(Path(member.name).parts[-2:])] = content.read().decode("utf-8")
    except (OSError, tarfile.TarError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is no readable archive ({type(error).__name__}); name melo.tar.xz or its folder"
        ) from error
    return found

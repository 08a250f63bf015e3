"""Rows out of joblens: csv, parquet and jsonl files, written whole or not at all."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from joblens.errors import DataError
from joblens.sources.files import COMPRESSED, kind_of
from joblens.storage import atomic_write

if TYPE_CHECKING:
    import polars as pl

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel takes wide ones
"""A cell that starts with one of these is run as a formula by spreadsheets (OWASP, CSV injection)."""


class _Writer(Protocol):
    def write(self, frame: "pl.DataFrame") -> None: ...

    def close(self) -> None: ...


def write_file(path: Path, frames: "Iterable[pl.DataFrame]") -> int:
    """Write frames to a file of the kind that its ending names; returns how many rows. NaN becomes null.

    Raises:
        DataError: The ending is unknown or asks for compression, or there is no frame.
        StorageError: The disk is full; an older file is untouched.
    """
    kind = kind_of(path)
    if path.suffix.lower() in COMPRESSED:
        raise DataError(f"{path} ends in {path.suffix!r}, and joblens writes plain files only; leave it off")
    rows: int | None = None
    with atomic_write(path) as temporary:
        writers: dict[str, Callable[[Path, str], _Writer]] = {
            "csv": _CsvWriter,
            "parquet": _ParquetWriter,
            "jsonl": _JsonlWriter,
        }
        writer = writers[kind](temporary, "\t" if path.suffix.lower() == ".tsv" else ",")
        try:
            for frame in frames:
                writer.write(frame.fill_nan(None))
                rows = (rows or 0) + frame.height
        finally:
            writer.close()
        if rows is None:
            raise DataError(f"there are no rows to write to {path}; check what was read")
    return rows


def join_list(value: Any) -> Any:
    """A list as one text, for places that know no lists; anything else as it is."""
    return "; ".join(str(item) for item in value) if isinstance(value, list) else value


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet runs: text that would be a formula gets an apostrophe in front."""
    value = join_list(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


class _CsvWriter:
    def __init__(self, path: Path, delimiter: str) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, delimiter=delimiter, lineterminator="\n")
        self._has_header = False

    def write(self, frame: "pl.DataFrame") -> None:
        if not self._has_header:
            self._csv.writerow([safe_cell(name) for name in frame.columns])
            self._has_header = True
        self._csv.writerows([safe_cell(value) for value in row] for row in frame.iter_rows())

    def close(self) -> None:
        self._file.close()


class _JsonlWriter:
    def __init__(self, path: Path, delimiter: str) -> None:
        self._file: io.TextIOWrapper = path.open("w", encoding="utf-8", newline="\n")

    def write(self, frame: "pl.DataFrame") -> None:
        for row in frame.iter_rows(named=True):
            self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n")

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    """One row group per frame; the first frame decides the schema."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self._path = path
        self._path.touch()
        self._writer: Any = None

    def write(self, frame: "pl.DataFrame") -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = frame.to_arrow()
        try:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
            self._writer.write_table(table.cast(self._writer.schema))
        except (pa.ArrowException, ValueError) as error:  # other columns than before are a ValueError
            reason = str(error).splitlines()[0]
            raise DataError(f"cannot write these rows as parquet ({reason}); write jsonl instead") from error

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

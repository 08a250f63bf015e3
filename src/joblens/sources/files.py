"""Adverts in csv, parquet and jsonl files, read a bounded number of rows at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, nearest
from joblens.sources.columns import Columns, check_columns, to_fields, to_text

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 2_000
BATCH_CHARACTERS = 16_000_000
"""A batch ends at whichever comes first, so that long adverts do not add up."""

KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
"""What a file is, by its ending."""

COMPRESSED = (".gz", ".zst")


def kind_of(path: Path) -> str:
    """'csv', 'parquet' or 'jsonl', from the ending; `.gz` and `.zst` behind it do not matter.

    Raises:
        DataError: The ending is none that joblens knows.
    """
    ending = path.with_suffix("").suffix if path.suffix.lower() in COMPRESSED else path.suffix
    kind = KINDS.get(ending.lower())
    if kind is None:
        raise DataError(
            f"{path} ends in {ending or 'nothing'!r}, expected one of {', '.join(KINDS)}; convert it"
        )
    return kind


def must_be_file(path: Path) -> None:
    """Make sure that there is a file that can be read, with something in it.

    Raises:
        DataError: It is missing (the nearest name beside it is told), a folder, empty, or may not be read.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, expected a file; name the file in it")
        if not path.is_file():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"there is no file {path}{nearest(path.name, beside)}; check the path")
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; change its rights") from error
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes), expected adverts; export it again")


class FileSource:
    """One file of adverts."""

    ordered = True

    def __init__(
        self, path: Path, columns: Columns, *, kind: str, delimiter: str | None, encoding: str | None
    ) -> None:
        self.path = path
        self.where = str(path)
        self.columns = columns
        self.kind = kind
        self.delimiter = delimiter
        self.encoding = encoding

    def batches(self) -> "Iterator[pl.DataFrame]":
        """Frames with the columns `FIELDS`.

        Raises:
            DataError: The file is missing, empty, not of its kind, or lacks a column.
        """
        must_be_file(self.path)
        wanted, advice = self.columns.wanted, self.columns.advice
        if self.kind == "parquet":
            frames = _parquet_frames(self.path, wanted, advice)
        elif self.kind == "jsonl":
            frames = _jsonl_frames(self.path, wanted, self.encoding, advice)
        else:
            from joblens.sources.delimited import csv_rows

            rows = csv_rows(self.path, wanted, self.delimiter, self.encoding, advice=advice)
            frames = text_frames(rows, wanted)
        for frame in frames:
            yield to_fields(frame, self.columns)


def text_frames(rows: Iterable[Sequence[str | None]], names: Sequence[str]) -> "Iterator[pl.DataFrame]":
    """Gather rows of text into frames of bounded size."""
    import polars as pl

    schema = dict.fromkeys(names, pl.String)
    batch: list[Sequence[str | None]] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += sum(len(value) for value in row if value is not None)
        if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield pl.DataFrame(batch, schema=schema, orient="row")
            batch, characters = [], 0
    if batch:
        yield pl.DataFrame(batch, schema=schema, orient="row")


def _jsonl_frames(
    path: Path, wanted: Sequence[str], encoding: str | None, advice: str
) -> "Iterator[pl.DataFrame]":
    """Frames of the wanted keys; a key that no row of the first batch has counts as missing from the file."""
    keys: set[str] = set()
    records = _json_records(path, encoding, keys)
    is_first = True
    rows = ([_json_text(row, name, path, line) for name in wanted] for line, row in records)
    for frame in text_frames(rows, wanted):
        if is_first:
            check_columns(wanted, sorted(keys), str(path), advice=advice)
            is_first = False
        yield frame


def json_keys(path: Path) -> list[str]:
    """The keys of the first row, in their order; empty for a file without rows.

    Raises:
        DataError: The row is not an object in JSON, or its bytes are of no known encoding.
    """
    _, first = next(_json_records(path, None, set()), (0, {}))
    return list(first)


def _json_text(row: Mapping[str, Any], name: str, path: Path, line: int) -> str | None:
    return to_text(row.get(name), name, f"{path} line {line}")


def _json_records(path: Path, encoding: str | None, keys: set[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is not blank; the names met so far are added to `keys`."""
    from joblens.sources.delimited import text_lines

    for number, line in enumerate(text_lines(path, encoding), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{path} line {number} is not JSON ({error.msg} at column {error.colno}), "
                "expected one object per line; correct it or set data.source to what the file is"
            ) from None
        except RecursionError:
            raise DataError(
                f"{path} line {number} is nested too deeply, expected one flat object per line; flatten it"
            ) from None
        if not isinstance(row, dict):
            raise DataError(
                f"{path} line {number} is a {type(row).__name__}, expected an object; export it again"
            )
        keys.update(row)
        yield number, row


def _parquet_frames(path: Path, wanted: Sequence[str], advice: str) -> "Iterator[pl.DataFrame]":
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            check_columns(wanted, file.schema_arrow.names, str(path), advice=advice)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(wanted)):
                frame = pl.from_arrow(pa.table(batch))
                assert isinstance(frame, pl.DataFrame)
                yield frame.select(_as_text(frame[name], path) for name in wanted)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path} is not a readable parquet file ({reason}); "
            "export it again, or set data.source to what it is"
        ) from error


def _as_text(column: "pl.Series", path: Path) -> "pl.Series":
    """A column as text, each value as `to_text` would write it."""
    import polars as pl

    dtype = column.dtype
    if dtype == pl.String:
        return column
    if dtype.is_integer() or isinstance(dtype, pl.Categorical | pl.Enum | pl.Null):
        return column.cast(pl.String)
    texts = [to_text(value, column.name, str(path)) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)

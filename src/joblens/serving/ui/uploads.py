"""Adverts of an uploaded file: csv, jsonl or parquet, read as the rest of joblens reads them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from joblens.errors import DataError
from joblens.serving.ui.client import Advert
from joblens.sources import Columns, read_records
from joblens.sources.files import KINDS, kind_of

ENDINGS = [ending.removeprefix(".") for ending in KINDS]
MOST_ROWS = 20_000

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd

_TEXT = ("text", "tekst", "body", "description", "beskrivelse", "annonce", "annoncetekst", "content")
_TITLE = ("title", "titel", "headline", "overskrift", "stilling", "job_title", "jobtitle")
_ID = ("id", "ad_id", "annonce_id", "job_id", "jobid", "nummer", "number")


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file and the names of its columns."""

    name: str
    data: bytes
    columns: tuple[str, ...]

    @property
    def likely(self) -> Columns:
        """The columns that probably hold text, title and id."""
        text = _first(_TEXT, self.columns) or self.columns[0]
        return Columns(text=text, title=_first(_TITLE, self.columns), id=_first(_ID, self.columns))


def open_upload(name: str, data: bytes) -> Upload:
    """Find out which columns a file has.

    Raises:
        DataError: The ending is unknown, or the file is not what it says.
    """
    with _on_disk(name, data) as path:
        names = _columns(path)
    if not names:
        raise DataError(f"{PurePath(name).name} has no columns, expected a header; export it again")
    return Upload(PurePath(name).name, data, tuple(names))


def read_adverts(upload: Upload, columns: Columns) -> list[Advert]:
    """Every row as an advert; a cell without a value is an empty text.

    Raises:
        DataError: A row cannot be read, or there are none or more than `MOST_ROWS`.
    """
    adverts: list[Advert] = []
    with _on_disk(upload.name, upload.data) as path:
        for frame in read_records(path, columns):
            rows = frame.select("text", "title", "id").iter_rows()
            adverts.extend(Advert(*(value or "" for value in row)) for row in rows)
            if len(adverts) > MOST_ROWS:
                raise DataError(
                    f"{upload.name} has more than {MOST_ROWS:,} rows; split it, or use `joblens predict`"
                )
    if not adverts:
        raise DataError(f"{upload.name} has no rows, expected adverts; export it again")
    return adverts


def _columns(path: Path) -> Sequence[str]:
    kind = kind_of(path)
    if kind == "csv":
        from joblens.sources.delimited import csv_header

        return [name for name in csv_header(path, _TEXT + _TITLE + _ID) if name]
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return [str(name) for name in pq.read_schema(path).names]
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path} is not a readable parquet file; export it again") from error
    from joblens.sources.files import json_keys

    return json_keys(path)


@contextmanager
def _on_disk(name: str, data: bytes) -> Iterator[Path]:
    """The bytes as a file that is gone afterwards; errors name the file as the person does."""
    kind_of(Path(name))
    if data.startswith(_COMPRESSED):  # a small one may hold more than the machine has memory for
        raise DataError(f"{PurePath(name).name} is compressed; upload it as it was before")
    with tempfile.TemporaryDirectory(prefix="joblens-page-") as folder:
        path = Path(folder) / f"upload{Path(name).suffix}"
        path.write_bytes(data)
        try:
            yield path
        except DataError as error:
            raise DataError(str(error).replace(str(path), PurePath(name).name)) from None


def _first(known: Sequence[str], columns: Sequence[str]) -> str | None:
    """The column with the likeliest name, whatever its case."""
    by_name = {column.strip().casefold(): column for column in reversed(columns)}
    return next((by_name[name] for name in known if name in by_name), None)

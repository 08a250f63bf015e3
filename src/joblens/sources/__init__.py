"""Where rows come from and where they go: files by their ending, databases by an environment variable."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from joblens.sources.columns import FIELDS, Columns, MissingColumns, columns_of

if TYPE_CHECKING:
    import polars as pl

    from joblens.config import Data

__all__ = [
    "FIELDS",
    "Columns",
    "Source",
    "build_source",
    "columns_of",
    "fill_ids",
    "read_records",
    "title_if_there",
    "write_rows",
]

logger = logging.getLogger(__name__)

DATABASE = "sql:"
"""Prefix of a place that is a table: `sql:ads` is table `ads` of the database that the environment names."""


class Source(Protocol):
    """Adverts, a bounded number at a time."""

    where: str
    """How messages call it: a path or a table, never a URL."""
    ordered: bool
    """Whether it gives its rows in the same order every time."""

    def batches(self) -> "Iterator[pl.DataFrame]":
        """Frames with the columns `FIELDS`, all text or null.

        Raises:
            DataError: A file or a column is not what it should be.
            SourceError: A database cannot be reached, or refuses the query.
        """
        ...


def build_source(data: "Data", root: Path) -> Source:
    """The source that the configuration names; paths are relative to the project folder `root`.

    Raises:
        ConfigError: The path does not say which file.
    """
    if data.source == "sql":
        from joblens.sources.sql import SqlSource

        return SqlSource(data)
    from joblens.sources.files import FileSource

    return FileSource(
        root / (data.path or ""),
        columns_of(data),
        kind=data.source,
        delimiter=data.delimiter,
        encoding=data.encoding,
    )


def read_records(
    place: str | Path, columns: Columns, *, url_env: str = "JOBLENS_DB_URL"
) -> "Iterator[pl.DataFrame]":
    """Batches of `FIELDS` from a csv, parquet or jsonl file (known by its ending) or a table (`sql:TABLE`).

    Raises:
        DataError: The ending is unknown, the place is missing, or a column is.
        SourceError: The database cannot be reached, or refuses the query.
    """
    if str(place).startswith(DATABASE):
        from joblens.sources.sql import read_database

        return read_database(str(place).removeprefix(DATABASE), columns, url_env)
    from joblens.sources.files import FileSource, kind_of

    path = Path(place)
    return FileSource(path, columns, kind=kind_of(path), delimiter=None, encoding=None).batches()


def title_if_there(place: str | Path, columns: Columns, *, url_env: str = "JOBLENS_DB_URL") -> Columns:
    """`columns`, without the title when that is the only one of them that the place lacks; it is said then.

    Raises:
        DataError: The ending is unknown, the place is missing, or another column is.
        SourceError: The database cannot be reached, or refuses the query.
    """
    try:
        next(read_records(place, columns, url_env=url_env), None)
    except MissingColumns as error:
        if error.names != (columns.title,):
            raise
        logger.warning("%s has no column %r: adverts are read without titles", place, columns.title)
        return replace(columns, title=None)
    return columns


def write_rows(
    place: str | Path, frames: "pl.DataFrame | Iterable[pl.DataFrame]", *, url_env: str = "JOBLENS_DB_URL"
) -> int:
    """Write frames in turn to a file (by its ending) or a new table (`sql:TABLE`), whole or not at all.

    Cells of a csv that a spreadsheet would run as a formula get an apostrophe in front.

    Returns:
        How many rows were written.

    Raises:
        DataError: The ending is unknown, or the table is there already.
        SourceError: The database cannot be reached.
        StorageError: The disk is full.
    """
    import polars as pl

    frames = [frames] if isinstance(frames, pl.DataFrame) else frames
    if str(place).startswith(DATABASE):
        from joblens.sources.sql import write_database

        return write_database(str(place).removeprefix(DATABASE), frames, url_env)
    from joblens.sources.writing import write_file

    return write_file(Path(place), frames)


def fill_ids(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Give each ad without an id one made from title and text; equal ads get `-2`, `-3`, … in row order."""
    import polars as pl

    from joblens.storage import content_hash

    ids: list[str | None] = frame["id"].to_list()
    if None not in ids:
        return frame
    taken = {id for id in ids if id is not None}
    seen: dict[str, int] = {}
    for row, (id, title, text) in enumerate(frame.select("id", "title", "text").iter_rows()):
        if id is not None:
            continue
        made = content_hash(title or "", text or "")[:16]
        while True:
            seen[made] = seen.get(made, 0) + 1
            name = made if seen[made] == 1 else f"{made}-{seen[made]}"
            if name not in taken:
                break
        taken.add(name)
        ids[row] = name
    return frame.with_columns(pl.Series("id", ids, dtype=pl.String))

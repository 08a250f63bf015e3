"""Adverts in databases: any table or query, streamed by a server-side cursor, in constant memory.

A table gives the mapped columns, ordered by its id; a query gives what it selects, in the order it asks for.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, nearest
from joblens.sources.columns import Columns, check_columns, columns_of, to_fields, to_text
from joblens.sources.database import check_url_env, open_database
from joblens.storage import atomic_write, write_json

if TYPE_CHECKING:
    import polars as pl
    from sqlalchemy import Connection

    from joblens.config import Data

logger = logging.getLogger(__name__)

FETCH_ROWS = 200
"""Rows that wait in memory; small, since one advert may be megabytes."""
GROUP_ROWS = 20_000
GROUP_CHARACTERS = 8_000_000
"""A parquet row group ends at whichever comes first."""


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What an extract wrote."""

    path: Path
    rows: int
    columns: tuple[str, ...]
    query_sha256: str
    """Hash of the SQL statement that was sent."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """An open result."""

    names: tuple[str, ...]
    statement: str
    partitions: Iterator[list[tuple[Any, ...]]]


class SqlSource:
    """One table or query."""

    def __init__(self, data: "Data", columns: Columns | None = None) -> None:
        self.data = data
        self.columns = columns or columns_of(data)
        self.where = f"table {data.table!r}" if data.table else "the result of data.query"
        self.ordered = data.table is not None and data.id is not None

    def batches(self) -> "Iterator[pl.DataFrame]":
        """Frames with the columns `FIELDS`.

        Raises:
            DataError: The table or a column is missing, or a column does not hold text.
            SourceError: The database cannot be reached, or refuses the query.
        """
        from joblens.sources.files import text_frames

        wanted = self.columns.wanted
        with _open_rows(self.columns, self.data.table, self.data.query, self.data.url_env) as rows:
            check_columns(wanted, rows.names, self.where, advice=self.columns.advice)
            places = [rows.names.index(name) for name in wanted]
            texts = (
                [to_text(row[place], name, self.where) for place, name in zip(places, wanted, strict=True)]
                for partition in rows.partitions
                for row in partition
            )
            for frame in text_frames(texts, wanted):
                yield to_fields(frame, self.columns)


def extract(data: "Data", out: Path) -> ExtractReport:
    """Copy a table or query to `OUT.parquet`, and what it was to `OUT.json`; every column becomes text.

    Of a table only the mapped columns are taken, ordered by its id if it has one; of a query, all it gives.
    Memory stays the same however many rows there are.

    Raises:
        DataError: The table or a column is missing, or there are no rows.
        SourceError: The database cannot be reached, or refuses the query.
        StorageError: The disk is full; an older file is untouched.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out if out.suffix == ".parquet" else out.with_name(f"{out.name}.parquet")
    columns = columns_of(data)
    count = 0
    with _open_rows(columns, data.table, data.query, data.url_env) as rows, atomic_write(path) as temporary:
        check_columns(columns.wanted, rows.names, "the database")
        schema = pa.schema([(name, pa.large_string()) for name in rows.names])
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for cells in _row_groups(rows):
                arrays = [pa.array(column, pa.large_string()) for column in cells]
                writer.write_table(pa.table(arrays, schema=schema))
                count += len(cells[0])
                logger.info("%s rows extracted", f"{count:,}")
        if count == 0:
            raise DataError("the database gives no rows, expected adverts; check data.table or data.query")
        report = ExtractReport(
            path=path,
            rows=count,
            columns=rows.names,
            query_sha256=hashlib.sha256(rows.statement.encode()).hexdigest(),
        )
    write_json(
        path.with_suffix(".json"),
        {"rows": report.rows, "columns": list(report.columns), "query_sha256": report.query_sha256},
    )
    return report


def read_database(table: str, columns: Columns, url_env: str) -> "Iterator[pl.DataFrame]":
    """Batches of `FIELDS` from a table.

    Raises:
        DataError: The table or a column is missing.
        SourceError: The database cannot be reached.
    """
    from joblens.config import Data

    check_url_env(url_env)
    data = Data(source="sql", table=table, url_env=url_env, watch="", seed=0, **columns.named)
    return SqlSource(data, columns).batches()


def write_database(table: str, frames: "Iterable[pl.DataFrame]", url_env: str) -> int:
    """Write frames to a new table, all or nothing; lists are joined with `; `. Returns how many rows.

    Raises:
        DataError: The table is there already.
        SourceError: The database cannot be reached, or refuses to write.
    """
    import sqlalchemy as sa

    from joblens.sources.writing import join_list

    schema, name = _schema_and_name(table)
    rows = 0
    with open_database(url_env) as engine, engine.connect() as connection:
        if sa.inspect(connection).has_table(name, schema=schema):
            raise DataError(
                f"table {table!r} is there already; name another or drop it, joblens overwrites none"
            )
        target: sa.Table | None = None
        try:
            for frame in frames:
                if target is None:
                    columns = [sa.Column(column, _sql_type(dtype)) for column, dtype in frame.schema.items()]
                    target = sa.Table(name, sa.MetaData(), *columns, schema=schema)
                    target.create(connection)
                records = [{key: join_list(value) for key, value in row.items()} for row in frame.to_dicts()]
                if records:
                    connection.execute(target.insert(), records)
                rows += len(records)
            connection.commit()
        except BaseException:
            connection.rollback()
            if target is not None:  # SQLite keeps a table that a rolled back transaction made
                target.drop(connection, checkfirst=True)
                connection.commit()
            raise
    return rows


@contextmanager
def _open_rows(columns: Columns, table: str | None, query: str | None, url_env: str) -> Iterator[_Rows]:
    """Send the statement and hand out its rows, read-only where the database can promise that."""
    import sqlalchemy as sa

    with open_database(url_env) as engine, engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        elif engine.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA query_only = ON"))
        streaming = {"stream_results": True, "max_row_buffer": FETCH_ROWS}
        if table is not None:
            statement = _select(connection, table, columns)
            sent = str(statement.compile(engine))
            result = connection.execute(statement, execution_options=streaming)
        else:
            sent = (query or "").strip().rstrip(";")
            # Without parameters: a colon or a per cent sign in the query is only itself.
            options = {**streaming, "no_parameters": True}
            result = connection.exec_driver_sql(sent, execution_options=options)
        with result:
            if not result.returns_rows:
                raise DataError("data.query gives no rows, expected a SELECT; joblens only reads")
            names = tuple(result.keys())
            if len(set(names)) < len(names):
                raise DataError(
                    f"data.query gives columns {', '.join(names)}, expected each once; rename with AS"
                )
            yield _Rows(names, sent, ([tuple(row) for row in rows] for rows in result.partitions(FETCH_ROWS)))


def _select(connection: "Connection", table: str, columns: Columns) -> Any:
    """`SELECT` of the mapped columns, after checking that table and columns are there."""
    import sqlalchemy as sa

    schema, name = _schema_and_name(table)
    inspector = sa.inspect(connection)
    if not inspector.has_table(name, schema=schema):
        there = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
        raise DataError(
            f"the database has no table {table!r}{nearest(name, there)}; "
            "set data.table to a table or view that it has"
        )
    origin = sa.table(name, schema=schema)
    with connection.execute(sa.select(sa.text("*")).select_from(origin).limit(0)) as nothing:
        found = list(nothing.keys())
    check_columns(columns.wanted, found, f"table {table!r}", advice=columns.advice)
    statement: sa.Select[*tuple[Any, ...]] = sa.select(
        *(sa.column(column) for column in columns.wanted)
    ).select_from(origin)
    return statement.order_by(sa.column(columns.id)) if columns.id else statement


def _row_groups(rows: _Rows) -> Iterator[list[list[str | None]]]:
    """The cells of each row group, column by column."""
    cells: list[list[str | None]] = [[] for _ in rows.names]
    characters = 0
    for partition in rows.partitions:
        for row in partition:
            for column, value, name in zip(cells, row, rows.names, strict=True):
                text = _cell(value, name)
                column.append(text)
                characters += len(text or "")
        if len(cells[0]) >= GROUP_ROWS or characters >= GROUP_CHARACTERS:
            yield cells
            cells, characters = [[] for _ in rows.names], 0
    if cells[0]:
        yield cells


def _cell(value: object, name: str) -> str | None:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return to_text(value, name, "the database")


def _schema_and_name(table: str) -> tuple[str | None, str]:
    schema, _, name = table.rpartition(".")
    return schema or None, name


def _sql_type(dtype: "pl.DataType") -> Any:
    import sqlalchemy as sa

    if dtype.is_integer():
        return sa.BigInteger()
    if dtype.is_float():
        return sa.Double()
    return sa.Boolean() if dtype.base_type().__name__ == "Boolean" else sa.Text()

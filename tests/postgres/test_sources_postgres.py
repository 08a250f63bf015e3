"""The SQL source against a real PostgreSQL: streaming, types, and a password that nobody gets to see."""

import hashlib
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest

from joblens.config import Data
from joblens.errors import DataError, JoblensError, SourceError
from joblens.sources import Columns, build_source, database, read_records, sql, write_rows

CANARY = "canary-7h3-p4ssw0rd"


def sql_data(**changes: object) -> Data:
    named = {
        "source": "sql",
        "table": "ads",
        "text": "body",
        "title": "headline",
        "label": "area",
        "id": "id",
    }
    return Data.model_validate({**named, "seed": 1, **changes})


@pytest.fixture
def ads(database_url: str) -> Iterator[psycopg.Connection]:
    """Three ads, stored in the order 3, 1, 2."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE ads (id bigint, headline text, body text, area smallint, seen date)")
        connection.execute("CREATE SEQUENCE numbers")
        connection.execute(
            "INSERT INTO ads VALUES (3, 'Kok', 'Lav mad', 51, '2024-01-03'),"
            " (1, 'Tømrer', 'Byg huse', 71, NULL), (2, NULL, 'Pas børn', 53, '2024-01-02')"
        )
        yield connection


@pytest.mark.usefixtures("ads")
def test_a_table_is_read_in_the_order_of_its_id_with_numbers_as_text(tmp_path: Path) -> None:
    frame = pl.concat(build_source(sql_data(), tmp_path).batches())
    assert frame.select("id", "title", "text", "label").rows() == [
        ("1", "Tømrer", "Byg huse", "71"),
        ("2", None, "Pas børn", "53"),
        ("3", "Kok", "Lav mad", "51"),
    ]


@pytest.mark.usefixtures("ads")
def test_extract_leaves_a_table_and_what_it_was_without_the_url(tmp_path: Path) -> None:
    query = "SELECT id, body, area::text AS area, seen FROM ads WHERE body LIKE '%b%' ORDER BY id;"
    data = sql_data(table=None, query=query, title=None)
    report = sql.extract(data, tmp_path / "ads")
    assert report.path == tmp_path / "ads.parquet"
    assert pl.read_parquet(report.path).rows() == [("2", "Pas børn", "53", "2024-01-02")]
    assert json.loads((tmp_path / "ads.json").read_text()) == {
        "rows": 1,
        "columns": ["id", "body", "area", "seen"],
        "query_sha256": hashlib.sha256(query.rstrip(";").encode()).hexdigest(),
    }


@pytest.mark.usefixtures("ads")
def test_extract_takes_only_the_mapped_columns_of_a_table_and_is_the_same_twice(tmp_path: Path) -> None:
    first = sql.extract(sql_data(), tmp_path / "first.parquet")
    second = sql.extract(sql_data(), tmp_path / "second.parquet")
    assert first.columns == ("id", "headline", "body", "area")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_rows_are_streamed_by_a_server_side_cursor_into_bounded_row_groups(
    ads: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ads.execute("INSERT INTO ads SELECT n, 'x', 'text ' || n, 1, NULL FROM generate_series(4, 2500) AS n")
    monkeypatch.setattr(sql, "GROUP_ROWS", 1_000)
    cursors: list[str] = []
    real = psycopg.ServerCursor.execute

    def spy(self: psycopg.ServerCursor, *args: object, **named: object) -> object:
        cursors.append(self.name)
        return real(self, *args, **named)

    monkeypatch.setattr(psycopg.ServerCursor, "execute", spy)
    for number, statement in enumerate(
        ("SELECT * FROM ads", "WITH every AS (SELECT * FROM ads) SELECT * FROM every")
    ):
        report = sql.extract(sql_data(table=None, query=statement), tmp_path / str(number))
        file = pq.ParquetFile(report.path)
        assert report.rows == file.metadata.num_rows == 2_500
        groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        assert groups == [1_000, 1_000, 500]
    assert len(cursors) >= 2


@pytest.mark.usefixtures("ads")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "adds"}, "no table 'adds'; nearest is 'ads'"),
        ({"text": "boddy"}, "no column 'boddy'; nearest is 'body'"),
        ({"table": None, "query": "SELECT body FROM ads", "id": None, "title": None}, "no column 'area'"),
        ({"table": None, "query": "SELECT a.id, b.id FROM ads a, ads b"}, "expected each once"),
        ({"table": None, "query": "SELECT * FROM ads WHERE false"}, "gives no rows"),
        (
            {"table": None, "query": "SELECT id, headline, area, body::bytea AS body FROM ads"},
            "'body', expected text",
        ),
    ],
)
def test_a_wrong_table_query_or_column_is_named(
    changes: dict[str, str | None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        sql.extract(sql_data(**changes), tmp_path / "ads")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('numbers') AS id, '' AS headline, '' AS body, '' AS area",  # would write
        "SELEKT",
        "SET search_path TO public",
        "DELETE FROM ads RETURNING *",
        "SELECT nothing FROM ads",
    ],
)
def test_a_query_that_is_refused_or_would_write_changes_nothing(
    query: str, ads: psycopg.Connection, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="refuses the statement"):
        sql.extract(sql_data(table=None, query=query), tmp_path / "ads")
    assert ads.execute("SELECT count(*) FROM ads").fetchone() == (3,)


def test_a_wrong_password_is_refused_and_never_shown(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("JOBLENS_DB_URL", database_url.replace(CANARY, "wrong-canary"))
    with pytest.raises(SourceError, match="refuses the user or the password") as caught:
        sql.extract(sql_data(), tmp_path / "ads")
    assert caught.value.__cause__ is None
    assert "canary" not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://tester:{CANARY}@127.0.0.1:1/adverts",  # nothing listens
        f"postgresql://tester:{CANARY}@no-such-host.invalid/adverts",
        f"postgresql://tester:piece@{CANARY}@127.0.0.1:1/adverts",
        f"postgresql://tester:piece/{CANARY}@127.0.0.1:1/adverts",  # an unescaped slash: port 'piece'
        f"postgresql://tester:1/{CANARY}@127.0.0.1/adverts",
        f"nosuchsql://tester:{CANARY}@127.0.0.1/adverts",
        f"mysql://tester:{CANARY}@127.0.0.1/adverts",
        f"tester:{CANARY}@127.0.0.1",
    ],
)
def test_no_way_of_failing_to_connect_shows_the_password(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("JOBLENS_DB_URL", url)
    with pytest.raises(SourceError, match="JOBLENS_DB_URL") as caught:
        sql.extract(sql_data(), tmp_path / "ads")
    shown = str(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert CANARY not in shown
    assert "piece" not in shown
    assert "\n" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up_in_seconds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv(
            "JOBLENS_DB_URL", f"postgresql://tester:{CANARY}@127.0.0.1:{silent.getsockname()[1]}/x"
        )
        with pytest.raises(SourceError, match="no answer within"):
            sql.extract(sql_data(), tmp_path / "ads")


def test_a_missing_database_is_said_to_be_missing(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOBLENS_DB_URL", database_url.replace("/adverts", "/advert"))
    with pytest.raises(SourceError, match="no database of that name"):
        sql.extract(sql_data(), tmp_path / "ads")


@pytest.mark.usefixtures("ads")
def test_guesses_go_to_a_new_table_and_no_table_is_overwritten() -> None:
    guesses = pl.DataFrame(
        {"id": ["1"], "label": ["71"], "probability": [0.5], "set": [["71", "51"]], "sure": [True]}
    )
    assert write_rows("sql:guesses", [guesses, guesses]) == 2
    read = pl.concat(read_records("sql:guesses", Columns(text="label", id="id", title="set")))
    assert read.select("id", "text", "title").rows() == [("1", "71", "71; 51")] * 2
    with pytest.raises(DataError, match="'guesses' is there already"):
        write_rows("sql:guesses", guesses)


@pytest.mark.usefixtures("ads")
def test_a_write_that_breaks_off_leaves_no_table() -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"id": ["1"]})
        raise DataError("the reader broke")

    with pytest.raises(JoblensError, match="the reader broke"):
        write_rows("sql:guesses", broken())
    assert write_rows("sql:guesses", pl.DataFrame({"id": ["1"]})) == 1

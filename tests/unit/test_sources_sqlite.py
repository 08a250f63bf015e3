"""The SQL source on SQLite, and what can be wrong before any server is asked."""

import sqlite3
from pathlib import Path

import polars as pl
import pytest

from joblens.config import Data
from joblens.errors import ConfigError, DataError, SourceError
from joblens.sources import Columns, build_source, read_records, write_rows
from joblens.sources.sql import extract


def sql_data(**changes: object) -> Data:
    named = {"source": "sql", "table": "ads", "text": "body", "label": "area", "id": "id", "seed": 1}
    return Data.model_validate({**named, **changes})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ads.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ads (id, body, area)")
        rows = [(2, "Byg", 71.0), (1, "Lav mad", "51")]
        connection.executemany("INSERT INTO ads VALUES (?, ?, ?)", rows)
    connection.close()
    monkeypatch.setenv("JOBLENS_DB_URL", f"sqlite:///{path}")
    return path


@pytest.mark.usefixtures("database")
def test_a_table_and_a_query_give_the_same_rows(tmp_path: Path) -> None:
    expected = [("1", "Lav mad", "51"), ("2", "Byg", "71")]
    query = sql_data(table=None, query="SELECT body, area, id FROM ads ORDER BY id -- 100 % :real")
    for data in (sql_data(), query):
        frame = pl.concat(build_source(data, tmp_path).batches())
        assert frame.select("id", "text", "label").rows() == expected
    assert pl.concat(read_records("sql:ads", Columns(text="body"))).height == 2


@pytest.mark.usefixtures("database")
def test_extract_reads_only(tmp_path: Path) -> None:
    assert extract(sql_data(), tmp_path / "out").rows == 2
    with pytest.raises(SourceError, match="refuses the statement: attempt to write a readonly database"):
        extract(sql_data(table=None, query="DELETE FROM ads RETURNING *"), tmp_path / "out")
    assert pl.read_parquet(tmp_path / "out.parquet").height == 2  # the old file is intact
    with pytest.raises(DataError, match="expected a SELECT"):
        extract(sql_data(table=None, query="PRAGMA cache_size = 1"), tmp_path / "out")


@pytest.mark.usefixtures("database")
def test_rows_are_written_to_a_new_table() -> None:
    assert write_rows("sql:out", pl.DataFrame({"id": ["1"], "text": ["x"], "rank": [1], "p": [0.5]})) == 1
    assert pl.concat(read_records("sql:out", Columns(text="text", id="id", label="p")))[
        "label"
    ].to_list() == ["0.5"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "JOBLENS_DB_URL is not set, expected a database URL"),
        ("secret-words", "JOBLENS_DB_URL does not hold a database URL"),
        ("nosuchsql://a:secret@b/c", "'nosuchsql' database, and no driver"),
        ("postgresql://a:secret@b:port/c", "does not hold a database URL"),
        ("sqlite:///FOLDER/adds.db", "SQLite file that is not there; nearest is 'ads.db'"),
        ("sqlite:///FOLDER/text.db", "refuses the statement|cannot connect"),
    ],
)
def test_a_wrong_url_is_explained_without_being_shown(
    database: Path, url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (database.parent / "text.db").write_text("no database " * 100)
    monkeypatch.setenv("JOBLENS_DB_URL", url.replace("FOLDER", str(database.parent)))
    with pytest.raises(SourceError, match=message) as caught:
        list(read_records("sql:ads", Columns(text="body")))
    assert "secret" not in str(caught.value)
    assert not (database.parent / "adds.db").exists()  # SQLite would make it


def test_a_url_given_for_the_name_of_its_variable_is_not_repeated():
    with pytest.raises(ConfigError) as caught:
        read_records("sql:ads", Columns(text="body"), url_env="sqlite:///canary.db")
    assert "canary" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        write_rows("sql:ads", pl.DataFrame({"a": [1]}), url_env="sqlite:///canary.db")
    assert "canary" not in str(caught.value)

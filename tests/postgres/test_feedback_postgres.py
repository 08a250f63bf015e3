"""The table of corrections in a real PostgreSQL."""

import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest

from joblens.config import compose
from joblens.errors import SourceError
from joblens.paths import Layout
from joblens.pipeline import ingest
from joblens.sources import database, feedback
from joblens.sources.feedback import Correction, read_corrections, store_corrections

CANARY = "canary-7h3-p4ssw0rd"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, datetime
from joblens.sources.feedback import Correction, store_corrections
for turn in range(20):
    id, now = f"{sys.argv[1]}-{turn}", datetime.now(UTC)
    rows = [Correction(id, "", str(row), "A", None, None, "", now) for row in range(3)]
    assert store_corrections("JOBLENS_DB_URL", rows) == 3
"""


def correction(id: str, label: str, text: str = "mad") -> Correction:
    return Correction(id, "Kok", text, label, "B", None, "", NOON)


@pytest.mark.usefixtures("database_url")
def test_what_was_stored_is_read_in_the_order_it_came() -> None:
    rows = [correction("2", "A"), correction("1", "B")]
    assert store_corrections("JOBLENS_DB_URL", rows) == 2
    assert store_corrections("JOBLENS_DB_URL", [correction("1", "C", "blåbærgrød 🫐")]) == 1
    assert read_corrections("JOBLENS_DB_URL") == [*rows, correction("1", "C", "blåbærgrød 🫐")]


@pytest.mark.usefixtures("database_url")
def test_a_row_that_is_refused_takes_its_whole_request_with_it() -> None:
    store_corrections("JOBLENS_DB_URL", [correction("1", "A")])
    with pytest.raises(SourceError, match="does not store corrections") as caught:
        store_corrections("JOBLENS_DB_URL", [correction("2", "A"), correction("3", "A", "kanarie\0fugl")])
    assert "kanarie" not in str(caught.value)
    assert [one.id for one in read_corrections("JOBLENS_DB_URL")] == ["1"]


@pytest.mark.usefixtures("database_url")
def test_two_processes_may_make_the_table_and_write_at_once() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("a", "b")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert len(read_corrections("JOBLENS_DB_URL")) == 2 * 20 * 3


def test_a_locked_table_and_a_wrong_password_end_in_one_line_without_secrets(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(feedback, "STATEMENT_SECONDS", 1)
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)
    store_corrections("JOBLENS_DB_URL", [correction("1", "A")])
    shown = ""
    with psycopg.connect(database_url) as other:
        other.execute(f"LOCK TABLE {feedback.TABLE}")
        with pytest.raises(SourceError, match="no answer within") as caught:
            store_corrections("JOBLENS_DB_URL", [correction("2", "A", "kanariefugl")])
        shown += str(caught.value)
    monkeypatch.setenv("JOBLENS_DB_URL", database_url.replace(CANARY, f"wrong-{CANARY}"))
    with pytest.raises(SourceError, match="refuses the user or the password") as caught:
        store_corrections("JOBLENS_DB_URL", [correction("2", "A", "kanariefugl")])
    shown += str(caught.value) + caplog.text
    assert CANARY not in shown
    assert "kanariefugl" not in shown


@pytest.mark.usefixtures("database_url")
def test_ingest_takes_the_corrections_of_a_postgres_table(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text("id,text,label\n1,mad til børn,A\n2,huse af træ,B\n")
    store_corrections("JOBLENS_DB_URL", [correction("1", "B"), correction("1", "C"), correction("7", "B")])
    config = compose(["experiment=toy"], repository / "configs")
    named = {"source": "csv", "path": "ads.csv", "text": "text", "label": "label", "id": "id", "seed": 1}
    data = type(config.data).model_validate({**named, "feedback_url_env": "JOBLENS_DB_URL"})
    layout = Layout(tmp_path)
    ingest.run(config.model_copy(update={"data": data}), layout)
    ads = pl.read_parquet(layout.ads)
    assert ads.select("id", "text", "label").rows() == [
        ("1", "mad til børn", "C"),
        ("2", "huse af træ", "B"),
        ("7", "mad", "B"),
    ]

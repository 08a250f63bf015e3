"""The table of corrections in SQLite: all or nothing, nothing forgotten, the last word counts."""

import logging
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joblens.errors import ConfigError, SourceError
from joblens.sources.feedback import (
    TABLE,
    Correction,
    last_ones,
    pseudonym,
    read_corrections,
    store_corrections,
)

URL_ENV = "JOBLENS_FEEDBACK_URL"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, datetime
from joblens.sources.feedback import Correction, store_corrections
for turn in range(20):
    id, now = f"{sys.argv[1]}-{turn}", datetime.now(UTC)
    rows = [Correction(id, "", str(row), "A", None, None, "", now) for row in range(3)]
    assert store_corrections("JOBLENS_FEEDBACK_URL", rows) == 3
"""


def correction(id: str, label: str, text: str = "mad", minute: int = 0) -> Correction:
    return Correction(id, "Kok", text, label, "B", "0a1b", "", NOON + timedelta(minutes=minute))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SQLite file that is not there yet, which the environment names."""
    monkeypatch.setenv(URL_ENV, f"sqlite:///{tmp_path / 'feedback.db'}")
    return tmp_path / "feedback.db"


def test_what_was_stored_is_read_in_the_order_it_came_and_the_file_is_made(file: Path) -> None:
    first, second = correction("2", "A"), correction("1", "B", minute=1)
    assert store_corrections(URL_ENV, [first]) == 1
    assert store_corrections(URL_ENV, [second]) == 1
    assert file.is_file()
    assert read_corrections(URL_ENV) == [first, second]


def test_the_last_correction_of_an_advert_counts_and_the_earlier_one_is_kept(file: Path) -> None:
    rows = [correction("1", "A"), correction("2", "A"), correction("1", "C", "ny tekst")]
    store_corrections(URL_ENV, rows)
    found = read_corrections(URL_ENV)
    assert len(found) == 3
    assert [(one.id, one.label) for one in last_ones(found)] == [("2", "A"), ("1", "C")]


def test_adverts_without_an_id_are_one_when_their_words_are() -> None:
    rows = [correction("", "A"), correction("", "B"), correction("", "C", "andet")]
    assert [one.label for one in last_ones(rows)] == ["B", "C"]
    assert len({one.ad_id for one in rows}) == 2


def test_a_row_that_is_refused_takes_its_whole_request_with_it(file: Path) -> None:
    store_corrections(URL_ENV, [correction("1", "A")])
    broken = [correction("2", "A"), correction("3", None)]  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=f"{URL_ENV} names does not store corrections"):
        store_corrections(URL_ENV, broken)
    assert [one.id for one in read_corrections(URL_ENV)] == ["1"]


def test_two_processes_may_write_at_once_and_no_row_is_lost(file: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("a", "b")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    found = read_corrections(URL_ENV)
    assert len(found) == 2 * 20 * 3
    requests = [one.id for one in found]
    assert all(len(set(requests[start : start + 3])) == 1 for start in range(0, 120, 3))  # never torn apart


def test_a_lock_that_is_never_given_back_ends_in_one_line_without_the_text(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("joblens.sources.database.CONNECT_SECONDS", 0.2)
    store_corrections(URL_ENV, [correction("1", "A")])
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SourceError, match="another process has written to it") as caught:
            store_corrections(URL_ENV, [correction("2", "A", "kanariefugl")])
    assert "kanariefugl" not in f"{caught.value}{caught.value.__cause__}{caplog.text}"
    assert str(file) not in f"{caught.value}{caplog.text}"


def test_a_database_without_the_table_has_no_corrections_and_says_so(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite3.connect(file).close()
    file.touch()
    assert read_corrections(URL_ENV) == []
    assert f"no table {TABLE} yet" in caplog.text


def test_reading_makes_no_file_and_a_url_is_no_name(file: Path) -> None:
    with pytest.raises(SourceError, match="SQLite file that is not there"):
        read_corrections(URL_ENV)
    assert not file.exists()
    with pytest.raises(ConfigError) as caught:
        store_corrections("sqlite:///secret.db", [])
    assert "secret" not in str(caught.value)


def test_a_missing_folder_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_ENV, f"sqlite:///{tmp_path / 'no' / 'feedback.db'}")
    with pytest.raises(SourceError, match="not there"):
        store_corrections(URL_ENV, [correction("1", "A")])
    assert list(tmp_path.iterdir()) == []


def test_a_reviewer_has_one_pseudonym_however_the_name_is_spelled() -> None:
    assert pseudonym("Anne  Holm") == pseudonym("anne holm ") != pseudonym("Anna Holm")
    assert len(pseudonym("Anne Holm")) == 16
    assert pseudonym(" ") == ""

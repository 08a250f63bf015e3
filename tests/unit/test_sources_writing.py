"""Writing rows: safe in a spreadsheet, whole or not at all."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from joblens.errors import DataError, StorageError
from joblens.sources import Columns, read_records, write_rows, writing

GUESSES = pl.DataFrame(
    {
        "id": ["1", "2"],
        "text": ["Lav, mad", 'Sig "hej"\nnu'],
        "probability": [0.5, float("nan")],
        "set": [["a", "b"], []],
    }
)


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.parquet", "out.jsonl"])
def test_what_is_written_in_parts_reads_back_whole(tmp_path: Path, name: str) -> None:
    assert write_rows(tmp_path / name, iter([GUESSES, GUESSES])) == 4
    read = pl.concat(read_records(tmp_path / name, Columns(text="text", id="id", label="probability")))
    assert (
        read.select("id", "text", "label").rows()
        == [("1", "Lav, mad", "0.5"), ("2", 'Sig "hej"\nnu', None)] * 2
    )


def test_lists_stay_lists_where_the_format_knows_them(tmp_path: Path) -> None:
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        write_rows(tmp_path / name, GUESSES)
    assert pl.read_parquet(tmp_path / "out.parquet")["set"].to_list() == [["a", "b"], []]
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["set"] == ["a", "b"]
    assert pl.read_csv(tmp_path / "out.csv")["set"].to_list() == ["a; b", None]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(tmp_path: Path, cell: str) -> None:
    write_rows(
        tmp_path / "out.csv", pl.DataFrame({"text": [cell, "a=1"], "=head": [-1, 2], "set": [[cell], ["b"]]})
    )
    safe = pl.read_csv(tmp_path / "out.csv")
    assert safe["text"].to_list() == [f"'{cell}", "a=1"]
    assert safe["'=head"].to_list() == [-1, 2]  # a number is no formula
    assert safe["set"].to_list() == [f"'{cell}", "b"]


@pytest.mark.parametrize(
    ("name", "frames", "message"),
    [
        ("out.xlsx", [GUESSES], r"ends in '\.xlsx'"),
        ("out.csv.gz", [GUESSES], "plain files only"),
        ("out.parquet", [], "no rows to write"),
        ("out.parquet", [GUESSES, pl.DataFrame({"other": [1]})], "cannot write these rows as parquet"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(
    tmp_path: Path, name: str, frames: list[pl.DataFrame], message: str
) -> None:
    (tmp_path / name).write_text("old")
    with pytest.raises(DataError, match=message):
        write_rows(tmp_path / name, frames)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "old")]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, frame: pl.DataFrame) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing._CsvWriter, "write", full)
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(StorageError, match="disk is full"):
        write_rows(tmp_path / "out.csv", GUESSES)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_reader_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield GUESSES
        raise DataError("line 3 is not JSON")

    with pytest.raises(DataError, match="line 3"):
        write_rows(tmp_path / "out.parquet", broken())
    assert list(tmp_path.iterdir()) == []

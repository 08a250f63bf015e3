"""Reading csv, parquet and jsonl: whatever they come in, and every fault with its place."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from joblens.errors import DataError
from joblens.sources import Columns, files, read_records, title_if_there

COLUMNS = Columns(text="body", title="head", label="area")
ADS = [("Kok", "Lav mad på Ærø", "51"), ("Tømrer", "Byg, byg\nog byg", "71")]


def table(delimiter: str = ",") -> str:
    quoted = [[f'"{cell}"' for cell in row] for row in ADS]
    return "\n".join(delimiter.join(row) for row in [["head", "body", "area"], *quoted]) + "\n"


def rows(path: Path, columns: Columns = COLUMNS) -> list[tuple[Any, ...]]:
    return pl.concat(read_records(path, columns)).select("title", "text", "label").rows()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "ads.csv"
    path.write_bytes(table(delimiter).encode(encoding))
    assert rows(path) == ADS


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Vi søger en pædagog til børnehaven på Ærø, løn efter overenskomst og gode kolleger"),
        ("cp1250", "Poszukujemy osób do pracy w żłobku, wymagane wykształcenie wyższe i doświadczenie"),
        ("cp1251", "Требуется повар с опытом работы, зарплата по итогам собеседования, график сменный"),
        ("shift_jis", "経験者歓迎、給与は面談の上で決定します。勤務時間は九時から十八時までです。"),
    ],
)
def test_old_encodings_are_told_apart(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "ads.csv"
    path.write_bytes(("head;body;area\n" + f"x;{text};1\n" * 20).encode(encoding))
    assert rows(path)[0] == ("x", text, "1")


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files_are_read_as_they_are(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"ads.csv{ending}"
    with pa.output_stream(str(path), compression={".gz": "gzip", ".zst": "zstd"}[ending]) as stream:
        stream.write(table().encode())
    assert rows(path) == ADS


def test_a_cut_off_archive_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ads.csv.gz"
    path.write_bytes(gzip.compress(table().encode() * 50)[:-20])
    with pytest.raises(DataError, match=r"ads\.csv\.gz is damaged or cut off"):
        rows(path)


def test_mixed_encodings_are_named_with_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "ads.csv"
    good = "head,body,area\nKok,på Ærø,51\n".encode()
    path.write_bytes(good + "Kok,på Fanø,51\n".encode("cp1252"))
    with pytest.raises(
        DataError, match=r"line 3 \(byte 37, 0xe5\) is not utf-8 though 1 other lines are: .*mixes"
    ):
        rows(path)
    assert len(good) + len("Kok,p") == 37  # bytes are counted from 0


def test_an_encoding_that_was_told_wrongly_is_named_with_its_first_wrong_byte(tmp_path: Path) -> None:
    path = tmp_path / "ads.csv"
    path.write_bytes(b"head,body,area\nKok,p\xe5,51\n")
    with pytest.raises(DataError, match=r"line 2 \(byte 20, 0xe5\) is not utf-8"):
        list(files.FileSource(path, COLUMNS, kind="csv", delimiter=None, encoding="utf-8").batches())
    with pytest.raises(DataError, match=r"data\.encoding is 'utf-9'"):
        list(files.FileSource(path, COLUMNS, kind="csv", delimiter=None, encoding="utf-9").batches())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("head,body,area\nKok,Lav mad\n", "line 2 has 2 cells, the header has 3"),
        ('head,body,area\n"a\nb",x,1\nKok,Lav, mad,51\n', "line 4 has 4 cells"),
        ('head,body,area\nKok,"Lav mad,51\n', "row from line 2 that is not csv"),
        ("head,bodi,area\nKok,Lav mad,51\n", "no column 'body'; nearest is 'bodi'"),
        ("head,body,body,area\nKok,Lav,mad,51\n", "more than one column 'body'"),
    ],
)
def test_a_broken_row_or_header_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ads.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        rows(path)


def test_batches_are_bounded_in_rows_and_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BATCH_ROWS", 3)
    monkeypatch.setattr(files, "BATCH_CHARACTERS", 100)
    path = tmp_path / "ads.jsonl"
    texts = ["a", "b", "c", "d", "e" * 100, "f"]
    path.write_text("".join(json.dumps({"body": text}) + "\n" for text in texts))
    heights = [frame.height for frame in read_records(path, Columns(text="body"))]
    assert heights == [3, 2, 1]  # three rows; then 'e' fills the second batch; one is left


def test_json_lines_give_numbers_as_text_and_absent_keys_as_null(tmp_path: Path) -> None:
    path = tmp_path / "ads.jsonl"
    path.write_text('{"body": "Lav mad", "area": 51}\n\n{"head": "Kok", "body": "Bag", "area": 51.0}\n')
    assert rows(path) == [(None, "Lav mad", "51"), ("Kok", "Bag", "51")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is a list, expected an object"),
        ('{"body": ["x"]}', "line 2 holds list in column 'body', expected text"),
        ("[" * 100_000, "line 2 is n"),  # nested too deeply, or not JSON: it depends on Python's release
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "ads.jsonl"
    path.write_text(f'{{"body": "x"}}\n{line}\n')
    with pytest.raises(DataError, match=message):
        list(read_records(path, Columns(text="body")))


def test_a_key_that_no_line_has_is_a_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "ads.jsonl"
    path.write_text('{"boddy": "x"}\n')
    with pytest.raises(DataError, match="no column 'body'; nearest is 'boddy'"):
        list(read_records(path, Columns(text="body")))


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([51, 71], ["51", "71"]),
        ([51.0, float("nan")], ["51", None]),  # pandas turns whole numbers with gaps into floats
        ([5.5, 71.0], ["5.5", "71"]),
        ([True, None], ["true", None]),
        ([None, None], [None, None]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (["nan", " NULL "], [None, None]),
    ],
)
def test_labels_of_any_type_become_text(tmp_path: Path, values: Any, texts: list[str | None]) -> None:
    path = tmp_path / "ads.parquet"
    pl.DataFrame({"body": ["x", "y"], "head": ["x", "y"], "area": values}).write_parquet(path)
    assert [row[2] for row in rows(path)] == texts


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ads.parquet"
    pl.DataFrame({"body": [["x"]]}).write_parquet(path)
    with pytest.raises(DataError, match="holds list in column 'body'"):
        list(read_records(path, Columns(text="body")))


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ads.parquet"
    pl.DataFrame({"body": ["x" * n for n in range(2_000)]}).write_parquet(path)
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    with pytest.raises(DataError, match="is not a readable parquet file"):
        list(read_records(path, Columns(text="body")))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adds.csv", r"there is no file .*adds\.csv; nearest is 'ads\.csv'"),
        ("nowhere/ads.csv", r"there is no file .*nowhere/ads\.csv; check"),
        ("folder.csv", "is a folder, expected a file"),
        ("empty.csv", "is empty"),
        ("ads.docx", r"ends in '\.docx', expected one of \.csv"),
        ("ads", "ends in 'nothing'"),
    ],
)
def test_a_place_without_adverts_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "ads.csv").write_text(table())
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=message):
        list(read_records(tmp_path / name, COLUMNS))


def test_a_file_that_may_not_be_read_is_one_clear_error(tmp_path, monkeypatch):
    def forbidden(path: Path, *_args: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "a.csv").write_text("body\nx\n")
    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DataError, match=r"^cannot read .*a\.csv: Permission denied; change its rights$"):
        list(read_records(tmp_path / "a.csv", Columns(text="body")))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_title_that_is_not_there_is_done_without_and_said(tmp_path, caplog, name):
    frame = pl.DataFrame({"body": ["x"], "heading": ["y"]})
    {"a.csv": frame.write_csv, "a.jsonl": frame.write_ndjson, "a.parquet": frame.write_parquet}[name](
        tmp_path / name
    )
    with_title = Columns(text="body", title="heading")
    assert title_if_there(tmp_path / name, with_title) == with_title
    assert caplog.messages == []
    assert title_if_there(tmp_path / name, Columns(text="body", title="title")) == Columns(text="body")
    assert caplog.messages == [
        f"{tmp_path / name} has no column 'title': adverts are read without titles",
    ]
    with pytest.raises(DataError, match="no column 'title' and no column 'text'"):
        title_if_there(tmp_path / name, Columns(text="text", title="title"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_the_caller_says_how_a_missing_column_is_named(tmp_path, name):
    frame = pl.DataFrame({"body": ["x"]})
    {"a.csv": frame.write_csv, "a.jsonl": frame.write_ndjson, "a.parquet": frame.write_parquet}[name](
        tmp_path / name
    )
    with pytest.raises(DataError, match=r"no column 'text' .*; say it so$"):
        list(read_records(tmp_path / name, Columns(text="text", advice="say it so")))

"""What people give `ingest` by mistake: one line of what was found, what was expected and what to do."""

import errno
from pathlib import Path

import polars as pl
import pytest

from joblens import storage
from joblens.config import Config, compose
from joblens.errors import ConfigError, DataError, JoblensError, SourceError, StorageError
from joblens.paths import Layout
from joblens.pipeline import ingest

GOOD = "id,title,text,label\n1,Kok,mad,A\n2,,huse,B\n"


def config_for(repository: Path, **data: object) -> Config:
    config = compose(["experiment=toy"], repository / "configs")
    named = {"text": "text", "title": "title", "label": "label", "id": "id", "seed": 1}
    changed = type(config.data).model_validate({"source": "csv", "path": "ads.csv", **named, **data})
    return config.model_copy(update={"data": changed})


def refusal(repository: Path, root: Path, content: str | bytes, **data: object) -> JoblensError:
    """What the stage says to this file; nothing may be written."""
    (root / "ads.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(JoblensError) as caught:
        ingest.run(config_for(repository, **data), Layout(root))
    assert "\n" not in str(caught.value)
    assert not Layout(root).ads.exists()
    assert not Layout(root).labels.exists()
    return caught.value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty (0 bytes)"),
        ("id,title,text,label\n", "has no rows, expected adverts"),
        ("id,title,txt,label\n1,a,b,c\n", "no column 'text'; nearest is 'txt'"),
        ("id,title,text,lable\n1,a,b,c\n", "no column 'label'; nearest is 'lable'"),
        ("id,title,text,label\n1,a,b,\n2,c,d,nan\n", "all 2 rows of"),
        ("id,title,text,label\n1,a,NaN,A\n2,c,,B\n", "are without text in column 'text'; set data.text"),
        ("id,title,text,label\n1,a,b,\n2,c,,B\n", "no row of"),
        ("id,title,text,label\n1,a,b,A\n2,c,d,A\n", "only label 'A' has at least 1 ads, expected 2 labels"),
        (
            "id,title,text,label\n1,a,b,A\n1,c,d,B\n3,x,y,A\n",
            "ids occur more than once ('1'); make them unique",
        ),
        (
            "id,title,text,label\n1,a,på,A\n".encode() + "2,c,nå,B\n".encode("cp1252"),
            "line 3 (byte 35, 0xe5) is not utf-8",
        ),
        ('id,title,text,label\n1,a,"b,A\n2,c,d,B\n', "row from line 2 that is not csv"),
    ],
)
def test_a_csv_that_is_not_right_is_refused_with_one_line(
    repository: Path, tmp_path: Path, content: str | bytes, message: str
) -> None:
    error = refusal(repository, tmp_path, content)
    assert isinstance(error, DataError)
    assert message in str(error)
    assert str(tmp_path / "ads.csv") in str(error) or "labels" in str(error)


def test_a_missing_file_names_its_neighbour(repository: Path, tmp_path: Path) -> None:
    error = refusal(repository, tmp_path, GOOD, path="add.csv")
    assert "add.csv; nearest is 'ads.csv'" in str(error)


def test_classes_that_are_all_too_small_are_refused(repository: Path, tmp_path: Path) -> None:
    assert "none of 2 labels has at least 5 ads" in str(refusal(repository, tmp_path, GOOD, min_class_size=5))


def test_a_label_outside_the_taxonomy_is_named_with_the_nearest(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.csv").write_text("label,name\nKokke,\nTømrere,\n")
    content = "id,title,text,label\n1,,mad,Koke\n2,,huse,Tømrere\n"
    error = refusal(repository, tmp_path, content, taxonomy="taxonomy.csv")
    assert "labels are not in the taxonomy ('Koke'; nearest is 'Kokke')" in str(error)


def test_all_that_is_wrong_is_said_at_once_and_long_lists_are_cut(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.csv").write_text("label\nA\nB\n")
    rows = "".join(f"{row % 5},,text {row},L{row}\n" for row in range(10))
    error = refusal(repository, tmp_path, f"id,title,text,label\n{rows}", taxonomy="taxonomy.csv")
    assert "2 kinds of wrong rows" in str(error)
    assert "('0', '1', '2' and 2 more)" in str(error)
    assert "('L0', 'L1', 'L2' and 7 more" in str(error)


def test_a_missing_taxonomy_is_named(repository: Path, tmp_path: Path) -> None:
    assert "there is no file" in str(refusal(repository, tmp_path, GOOD, taxonomy="taxonomy.csv"))


def test_a_label_column_must_be_named(repository: Path, tmp_path: Path) -> None:
    error = refusal(repository, tmp_path, GOOD, label=None)
    assert isinstance(error, ConfigError)
    assert "data.label is not set" in str(error)


@pytest.mark.parametrize("content", [GOOD, b"PAR1 but no more", b"PAR1\0\0\0\0PAR1"])
def test_a_parquet_file_that_is_not_one_is_refused(
    repository: Path, tmp_path: Path, content: str | bytes
) -> None:
    error = refusal(repository, tmp_path, content, source="parquet")
    assert "ads.csv is not a readable parquet file" in str(error)


def test_a_csv_that_is_taken_for_json_lines_is_refused(repository: Path, tmp_path: Path) -> None:
    assert "line 1 is not JSON" in str(refusal(repository, tmp_path, GOOD, source="jsonl"))


def test_nan_text_in_parquet_is_a_lost_row(repository: Path, tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["mad", None, "huse", "nan"], "label": [1.0, 1.0, 2.0, 2.0]})
    frame.write_parquet(tmp_path / "ads.parquet")
    config = config_for(repository, source="parquet", path="ads.parquet", title=None, id=None)
    ingest.run(config, Layout(tmp_path))
    assert pl.read_parquet(Layout(tmp_path).ads).select("text", "label").rows() == [
        ("mad", "1"),
        ("huse", "2"),
    ]
    assert storage.read_json(Layout(tmp_path).ads_counts)["dropped"]["no text"] == 2


def test_an_unreachable_database_is_an_error_without_its_password(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLENS_DB_URL", "postgresql://me:canary@127.0.0.1:1/ads")
    error = refusal(repository, tmp_path, GOOD, source="sql", path=None, table="ads")
    assert isinstance(error, SourceError)
    assert "nothing listens there" in str(error)
    assert "canary" not in str(error)


def test_a_full_disk_leaves_the_old_tables(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ads.csv").write_text(GOOD)
    layout = Layout(tmp_path)
    ingest.run(config_for(repository), layout)
    before = [path.read_bytes() for path in (layout.ads, layout.labels, layout.ads_counts)]

    def full(self: pl.DataFrame, *args: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    (tmp_path / "ads.csv").write_text(GOOD + "3,,fly,B\n")
    with pytest.raises(StorageError, match="disk is full"):
        ingest.run(config_for(repository), layout)
    assert [path.read_bytes() for path in (layout.ads, layout.labels, layout.ads_counts)] == before
    assert not list(layout.ads.parent.glob("*.part"))

"""Stage `ingest`: one checked table from any source, every lost row counted."""

import json
import logging
import sqlite3
import time
from pathlib import Path

import polars as pl
import pytest

from joblens.config import Config, compose
from joblens.paths import Layout
from joblens.pipeline import ingest
from joblens.storage import file_hash

HEADER = "id,title,text,label"


def config_for(repository: Path, **data: object) -> Config:
    """The toy configuration with its `data` section changed, unchecked overrides left out."""
    config = compose(["experiment=toy"], repository / "configs")
    named = {
        "text": "text",
        "title": "title",
        "label": "label",
        "id": "id",
        "near_duplicates": 0.8,
        "seed": 1,
    }
    changed = type(config.data).model_validate({"source": "csv", "path": "ads.csv", **named, **data})
    return config.model_copy(update={"data": changed})


def ingested(
    repository: Path, root: Path, csv: str, **data: object
) -> tuple[pl.DataFrame, dict[str, object], list[dict[str, str]]]:
    """Run the stage on a csv; the table, the counts and the labels."""
    (root / "ads.csv").write_text(csv)
    layout = Layout(root)
    ingest.run(config_for(repository, **data), layout)
    return (
        pl.read_parquet(layout.ads),
        json.loads(layout.ads_counts.read_text()),
        json.loads(layout.labels.read_text()),
    )


def test_the_table_has_one_schema_and_clean_text(repository: Path, tmp_path: Path) -> None:
    ads, counts, labels = ingested(
        repository, tmp_path, f"{HEADER}\n1,Kok,<p>Lav&nbsp;mad</p><p>Vask op</p>,B\n2,,Byg  huse,A\n"
    )
    assert ads.columns == ["id", "title", "text", "label", "language", "group"]
    assert set(ads.dtypes) == {pl.String}
    assert ads.rows() == [
        ("1", "Kok", "Lav mad\nVask op", "B", None, "1"),
        ("2", "", "Byg huse", "A", None, "2"),
    ]
    assert labels == [
        {"label": name, "name": name, "description": "", "text": name, "crosscutting": False}
        for name in ("A", "B")
    ]
    assert counts["rows_read"] == counts["kept"] == 2


def test_html_can_be_left_as_it_is(repository: Path, tmp_path: Path) -> None:
    ads, _, _ = ingested(repository, tmp_path, f"{HEADER}\n1,Kok,<p>Mad</p>,B\n2,,Byg,A\n", html=False)
    assert ads["text"].to_list() == ["<p>Mad</p>", "Byg"]


def test_every_lost_row_is_counted_once_and_the_counts_sum_up(
    repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        "1,Kok,mad til børn,A",
        "2,Kok,mad til gamle,A",
        "3,Tømrer,huse af træ,B",
        "4,Tømrer,huse af sten,B",
        "5,Pilot,flyv fly,C",  # a class of one
        "6,Kok,,A",  # no text
        "7,Kok,nan,A",  # NaN, as other programs write it
        "8,Kok,<p> &nbsp; </p>,",  # HTML with nothing in it, and no label: counted as no text only
        "9,Kok,mad uden label,",
        "10,Kok,<style>p {}</style>,A",
    ]
    caplog.set_level(logging.INFO)
    ads, counts, _ = ingested(repository, tmp_path, "\n".join([HEADER, *rows]), min_class_size=2)
    assert ads["id"].to_list() == ["1", "2", "3", "4"]
    assert counts["dropped"] == {"no text": 4, "no label": 1, "small class": 1}
    assert counts["small_classes"] == {"C": 1}
    assert counts["rows_read"] == 10 == counts["kept"] + sum(counts["dropped"].values())
    assert "10 ads → 4: 4 no text, 1 no label, 1 small class" in caplog.text


def test_ids_are_made_from_content_and_equal_ads_get_a_number(repository: Path, tmp_path: Path) -> None:
    csv = "title,text,label\nKok,mad,A\nTømrer,huse,B\nKok,mad,A\nKok,mad,B\n"
    ads, counts, _ = ingested(repository, tmp_path, csv, id=None)
    first, other, second, third = ads["id"].to_list()
    assert len(first) == 16
    assert (second, third) == (f"{first}-2", f"{first}-3")
    assert ads["group"].to_list() == [first, other, first, first]
    assert (counts["ids_made"], counts["near_duplicates"], counts["groups"]) == (4, 2, 2)
    reordered, _, _ = ingested(repository, tmp_path, "title,text,label\nTømrer,huse,B\nKok,mad,A\n", id=None)
    assert set(reordered["id"]) == {first, other}


def test_only_missing_ids_are_made(repository: Path, tmp_path: Path) -> None:
    ads, counts, _ = ingested(repository, tmp_path, f"{HEADER}\nx7,Kok,mad,A\n,Tømrer,huse,B\n")
    assert ads["id"][0] == "x7"
    assert counts["ids_made"] == 1


def test_reposts_share_a_group_and_boilerplate_does_not(repository: Path, tmp_path: Path) -> None:
    body = " ".join(f"opgave{number}" for number in range(40))
    other = " ".join(f"pligt{number}" for number in range(40))
    rows = [f"1,Kok,{body},A", f"2,Tømrer,{other},B", f"3,Kok,{body} straks,A"]
    ads, counts, _ = ingested(repository, tmp_path, "\n".join([HEADER, *rows]))
    assert ads["group"].to_list() == ["1", "2", "1"]
    assert counts["near_duplicates"] == 1


def test_labels_follow_the_taxonomy_and_those_without_ads_are_left_out(
    repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "taxonomy.csv").write_text(
        "label,name,description,crosscutting\nB,Byg,Huse,\nX,Ingen,,yes\nA,Mad,,yes\n"
    )
    _, counts, labels = ingested(
        repository, tmp_path, f"{HEADER}\n1,,mad,A\n2,,huse,B\n", taxonomy="taxonomy.csv"
    )
    assert [(label["label"], label["text"]) for label in labels] == [("B", "Byg: Huse"), ("A", "Mad")]
    assert [label["crosscutting"] for label in labels] == [False, True]
    assert counts["labels_without_ads"] == 1
    assert "1 of 3 labels of the taxonomy have no ads" in caplog.text


def test_two_runs_give_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    csv = "\n".join([HEADER, *(f"{n},Kok {n},tekst nummer {n},{n % 3}" for n in range(300))])
    hashes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ingested(repository, tmp_path / name, csv)
        layout = Layout(tmp_path / name)
        hashes.append([file_hash(path) for path in (layout.ads, layout.labels, layout.ads_counts)])
    assert hashes[0] == hashes[1]


def test_a_table_without_ids_gives_the_same_bytes_in_any_row_order(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("Kok", "mad", "A"), ("Kok", "mad", "A"), ("Tømrer", "huse", "B"), (None, "fly", "B")]
    hashes = set()
    for name, order in (("one", rows), ("two", rows[::-1])):
        root = tmp_path / name
        root.mkdir()
        connection = sqlite3.connect(root / "ads.db")
        connection.execute("CREATE TABLE ads (title, text, label)")
        connection.executemany("INSERT INTO ads VALUES (?, ?, ?)", order)
        connection.commit()
        connection.close()
        monkeypatch.setenv("JOBLENS_DB_URL", f"sqlite:///{root / 'ads.db'}")
        ingest.run(config_for(repository, source="sql", path=None, table="ads", id=None), Layout(root))
        hashes.add(file_hash(Layout(root).ads))
    assert len(hashes) == 1


def test_an_advert_of_five_megabytes_is_read_whole_and_fast(repository: Path, tmp_path: Path) -> None:
    long = "<p>mad til børn og gamle</p>" * 180_000
    assert len(long) > 5_000_000
    started = time.perf_counter()
    ads, _, _ = ingested(repository, tmp_path, f"{HEADER}\n1,Kok,{long},A\n2,,huse,B\n")
    assert ads["text"][0].count("\n") == 179_999
    assert time.perf_counter() - started < 20


def test_null_bytes_are_taken_out_and_their_rows_kept(repository: Path, tmp_path: Path) -> None:
    ads, counts, _ = ingested(repository, tmp_path, f"{HEADER}\n1,K\0ok,m\0ad,A\n2,,huse,B\n")
    assert ads.row(0)[:4] == ("1", "Kok", "mad", "A")
    assert counts["kept"] == 2

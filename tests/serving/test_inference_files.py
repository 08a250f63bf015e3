import csv
import json
import logging
import sqlite3

import polars as pl
import pytest

from joblens.errors import DataError, SourceError
from joblens.inference import files
from joblens.inference.files import Predicted, predict_file
from joblens.sources import Columns

ADS = [
    {"number": "a1", "headline": "Tømrer søges", "body": "Vi bygger tag og væg af beton."},
    {"number": "a2", "headline": None, "body": "Sygeplejerske til hospital og pleje."},
    {"number": "a3", "headline": None, "body": None},
    {"number": "a4", "headline": "Kok", "body": "<p>Mad og menu</p>"},
]
LABELS = ["Byggeri", "Sundhed", None, "Køkken"]
COLUMNS = Columns(text="body", title="headline", id="number")
NAMES = ["id", "label", "probability", "top_3", "prediction_set", "abstained", "reason", "crossing"]


@pytest.fixture
def ads(tmp_path):
    path = tmp_path / "ads.parquet"
    pl.DataFrame(ADS).write_parquet(path)
    return path


def test_every_row_gets_a_guess_in_its_place(classifier, ads, tmp_path):
    out = tmp_path / "guesses.parquet"
    counts = predict_file(classifier, ads, out, COLUMNS)
    table = pl.read_parquet(out)
    assert table.columns == NAMES
    assert table["id"].to_list() == ["a1", "a2", "a3", "a4"]
    assert table["label"].to_list() == LABELS
    assert table["reason"].to_list() == [None, None, "no text", None]
    assert counts == Predicted(rows=4, abstained=1, without_text=1)


def test_guesses_are_those_of_the_python_interface(classifier, ads, tmp_path):
    out = tmp_path / "guesses.parquet"
    predict_file(classifier, ads, out, COLUMNS)
    guesses = classifier.predict([ad["body"] or "" for ad in ADS], titles=[ad["headline"] for ad in ADS])
    table = pl.read_parquet(out)
    assert table["probability"].to_list() == pytest.approx([guess.probability for guess in guesses])
    assert table["prediction_set"].to_list() == [list(guess.prediction_set) for guess in guesses]


def test_labels_that_cut_across_each_other_are_told_row_by_row(make_bundle, tmp_path):
    source, out = tmp_path / "ads.csv", tmp_path / "guesses.csv"
    pl.DataFrame({"body": ["tømrer murer kok tjener", "sygeplejerske læge patient"]}).write_csv(source)
    predict_file(make_bundle(crosscutting=(1,)), source, out, Columns(text="body"))
    with out.open(encoding="utf-8", newline="") as file:
        told = [row["crossing"] for row in csv.DictReader(file)]
    assert "Køkken" in told[0]
    assert "cut across each other: both may be right" in told[0]
    assert told[1] == ""


def test_the_top_three_can_be_read_by_people(classifier, ads, tmp_path):
    out = tmp_path / "guesses.csv"
    predict_file(classifier, ads, out, COLUMNS)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (guess,) = classifier.predict([ADS[0]["body"]], titles=[ADS[0]["headline"]])
    assert rows[0]["top_3"] == ", ".join(f"{label} {100 * chance:.1f}%" for label, chance in guess.top)
    assert rows[2]["prediction_set"] == "Byggeri; Køkken; Sundhed"
    assert list(rows[0]) == NAMES


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_every_kind_of_file_can_be_read_and_written(classifier, tmp_path, ending):
    source, out = tmp_path / f"ads.{ending}", tmp_path / f"out.{ending}"
    frame = pl.DataFrame(ADS)
    writers = {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}
    writers[ending](source)
    predict_file(classifier, source, out, COLUMNS)
    if ending == "csv":
        with out.open(encoding="utf-8", newline="") as file:
            labels = [row["label"] or None for row in csv.DictReader(file)]
    elif ending == "parquet":
        labels = pl.read_parquet(out)["label"].to_list()
    else:
        labels = [json.loads(line)["label"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert labels == LABELS


def test_a_table_can_be_read_and_another_written(classifier, tmp_path, monkeypatch):
    database = tmp_path / "jobs.db"
    with sqlite3.connect(database) as connection:
        connection.execute("create table ads (number text, headline text, body text)")
        connection.executemany("insert into ads values (:number, :headline, :body)", ADS)
    connection.close()
    monkeypatch.setenv("JOBS_URL", f"sqlite:///{database}")
    counts = predict_file(classifier, "sql:ads", "sql:guesses", COLUMNS, url_env="JOBS_URL")
    connection = sqlite3.connect(database)
    rows = connection.execute("select id, label, abstained from guesses").fetchall()
    connection.close()
    assert rows == [("a1", "Byggeri", 0), ("a2", "Sundhed", 0), ("a3", None, 1), ("a4", "Køkken", 0)]
    assert counts.rows == 4


def test_without_an_id_column_rows_are_numbered_from_one_across_pieces(
    classifier, ads, tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "PIECE", 3)
    out = tmp_path / "guesses.parquet"
    predict_file(classifier, ads, out, Columns(text="body", title="headline"))
    table = pl.read_parquet(out)
    assert table["id"].to_list() == ["1", "2", "3", "4"]
    assert table["label"].to_list() == LABELS


def test_titles_that_are_left_out_are_warned_about(classifier, ads, tmp_path, caplog):
    predict_file(classifier, ads, tmp_path / "guesses.csv", Columns(text="body"))
    assert "trained with titles and none are read" in caplog.text


def test_the_log_counts_what_came_in_and_went_out(classifier, ads, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="joblens"):
        predict_file(classifier, ads, tmp_path / "guesses.csv", COLUMNS)
    assert "4 ads → 4 guesses: 1 abstained, 1 of them without text" in caplog.text


@pytest.mark.parametrize("spelling", ["ads.parquet", "folder/../ads.parquet"])
def test_the_input_is_never_overwritten(classifier, ads, tmp_path, spelling):
    (tmp_path / "folder").mkdir()
    before = ads.read_bytes()
    with pytest.raises(DataError, match="is also the input"):
        predict_file(classifier, ads, tmp_path / spelling, COLUMNS)
    assert ads.read_bytes() == before


def test_a_table_is_not_written_over_itself(classifier):
    with pytest.raises(DataError, match="is also the input"):
        predict_file(classifier, "sql:ads", "sql:ads", COLUMNS)


@pytest.mark.parametrize(("source", "output"), [("ads.xlsx", "out.csv"), ("ads.parquet", "out.xlsx")])
def test_an_unknown_ending_is_refused_with_the_known_ones_before_the_bundle_is_read(
    tmp_path, ads, source, output
):
    with pytest.raises(DataError, match=r"ends in '.xlsx', expected one of .csv.*.parquet.*.jsonl"):
        predict_file(tmp_path / "no bundle", tmp_path / source, tmp_path / output, COLUMNS)


def test_a_missing_column_names_the_nearest(classifier, ads, tmp_path):
    with pytest.raises(DataError, match="no column 'headlin'; nearest is 'headline'"):
        predict_file(classifier, ads, tmp_path / "out.csv", Columns(text="body", title="headlin"))


def test_a_missing_file_is_refused(classifier, tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        predict_file(classifier, tmp_path / "none.csv", tmp_path / "out.csv", COLUMNS)


def test_a_file_without_rows_is_refused(classifier, tmp_path):
    empty = tmp_path / "ads.csv"
    empty.write_text("number,headline,body\n", encoding="utf-8")
    with pytest.raises(DataError, match="has no rows, expected adverts"):
        predict_file(classifier, empty, tmp_path / "out.csv", COLUMNS)


def test_a_fault_in_the_last_row_leaves_the_old_output_and_is_found_before_the_work(
    classifier, tmp_path, monkeypatch
):
    broken = tmp_path / "ads.jsonl"
    broken.write_text('{"body": "Kok"}\n{"body": \n', encoding="utf-8")
    out = tmp_path / "out.csv"
    out.write_text("old", encoding="utf-8")
    asked = []
    monkeypatch.setattr(type(classifier), "predict", lambda *arguments, **named: asked.append(arguments))
    with pytest.raises(DataError, match="line 2 is not JSON"):
        predict_file(classifier, broken, out, Columns(text="body"))
    assert out.read_text(encoding="utf-8") == "old"
    assert asked == []


def test_an_unset_database_variable_is_refused(classifier, tmp_path, monkeypatch):
    monkeypatch.delenv("JOBLENS_DB_URL", raising=False)
    with pytest.raises(SourceError, match="JOBLENS_DB_URL is not set"):
        predict_file(classifier, "sql:ads", tmp_path / "out.csv", COLUMNS)


def test_a_label_that_a_spreadsheet_would_run_is_defused(classifier, tmp_path):
    source, out = tmp_path / "ads.csv", tmp_path / "out.csv"
    source.write_text("number,body\n=1+1,Kok til restaurant\n", encoding="utf-8")
    predict_file(classifier, source, out, Columns(text="body", id="number"))
    assert out.read_text(encoding="utf-8").splitlines()[1].startswith("'=1+1,Køkken,")

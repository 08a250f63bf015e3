"""A bundle on its own gives the guesses that `evaluate` measured, from the adverts as they came."""

import json
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from joblens.inference.classify import NO_TEXT, Classifier
from joblens.inference.files import predict_file
from joblens.serving.api import create_app
from joblens.sources import Columns
from joblens.storage import read_table

STAGES = ("ingest", "clean", "split", "embed", "baseline", "train", "evaluate")


def raw_ads(sample: Path) -> dict[str, tuple[str, str]]:
    """Title and text of each advert of the source file, untouched."""
    lines = (sample / "ads.jsonl").read_text(encoding="utf-8").splitlines()
    return {ad["id"]: (ad["title"], ad["text"]) for ad in map(json.loads, lines)}


def assert_agreement(layout) -> None:
    expected = read_table(layout.predictions)
    raw = raw_ads(layout.root / "data/sample")
    titles, texts = zip(*(raw[id] for id in expected["id"]), strict=True)
    guesses = Classifier.load(layout.classifier).predict(texts, titles=titles)
    assert NO_TEXT not in {guess.reason for guess in guesses}
    assert [guess.label for guess in guesses] == expected["guess"].to_list()
    assert [guess.abstained for guess in guesses] == expected["abstained"].to_list()
    assert [list(guess.prediction_set) for guess in guesses] == expected["prediction_set"].to_list()
    assert [guess.probability for guess in guesses] == pytest.approx(
        expected["probability"].to_list(), abs=1e-5
    )


def test_a_file_gets_the_guesses_of_evaluate(make_project, run_stages):
    config, layout = make_project("evaluation.cross_validation=false", ads=150)
    run_stages(config, layout, *STAGES)
    out = layout.root / "guesses.parquet"
    columns = Columns(text="text", title="title", id="id")
    counts = predict_file(layout.classifier, layout.root / "data/sample/ads.jsonl", out, columns)
    guesses = pl.read_parquet(out)
    assert counts.rows == guesses.height == 150
    joined = guesses.join(read_table(layout.predictions), on="id")
    assert joined.height == read_table(layout.predictions).height
    assert joined["label"].to_list() == joined["guess"].to_list()


@pytest.mark.parametrize("cleaning", ["toy", "patterns", "none"])
def test_guesses_are_those_of_evaluate(make_project, run_stages, cleaning):
    config, layout = make_project(f"cleaning={cleaning}", "evaluation.cross_validation=false", ads=150)
    run_stages(config, layout, *STAGES)
    assert_agreement(layout)


def test_guesses_are_those_of_evaluate_when_html_was_left_as_it_is(make_project, run_stages):
    config, layout = make_project("data.html=false", "evaluation.cross_validation=false", ads=150)
    run_stages(config, layout, *STAGES)
    assert_agreement(layout)


def test_guesses_of_a_wide_and_deep_classifier_are_those_of_evaluate(make_project, run_stages, write_titles):
    config, layout = make_project(
        "classifier=wide_deep",
        "classifier.buckets=1024",
        "classifier.max_epochs=3",
        "embedding.titles=models/titles",
        "embedding.title_dimensions=4",
        "embedding.words_weight=0.25",
        "evaluation.cross_validation=false",
        ads=150,
    )
    write_titles(layout.root / "models/titles")
    run_stages(config, layout, *STAGES)
    assert_agreement(layout)


@pytest.mark.slow
def test_the_api_with_minilm_gives_the_guesses_of_evaluate(make_project, run_stages):
    """The encoder that ships: the whole way from raw adverts over HTTP, for forty of them."""
    config, layout = make_project(
        "embedding=minilm", "cleaning=patterns", "evaluation.cross_validation=false", ads=180
    )
    run_stages(config, layout, *STAGES)
    expected = read_table(layout.predictions).head(40)
    raw = raw_ads(layout.root / "data/sample")
    ads = [dict(zip(("title", "text"), raw[id], strict=True)) for id in expected["id"]]
    app = create_app(layout.classifier)
    with TestClient(app) as client:
        app.state.loading.result(timeout=120)
        answer = client.post("/classify", json={"ads": ads}).json()
    assert answer["model"]["encoder"] == "all-MiniLM-L6-v2"
    results = answer["results"]
    assert [result["label"] for result in results] == expected["guess"].to_list()
    assert [result["prediction_set"] for result in results] == expected["prediction_set"].to_list()
    chances = [result["probability"] for result in results]
    assert chances == pytest.approx(expected["probability"].to_list(), abs=1e-4)

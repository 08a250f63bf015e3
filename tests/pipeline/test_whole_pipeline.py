"""The seven stages on toy twins, end to end, without a network."""

import json

import polars as pl
import pytest

from joblens.errors import StorageError
from joblens.pipeline import run_stage
from joblens.storage import file_hash, lock, read_json, read_table

MODELS = ("zero_shot", "centroid", "lexical", "classifier")


def test_the_toy_pipeline_compares_all_models_on_the_same_rows(make_project, run_stages):
    config, layout = make_project()
    run_stages(config, layout)
    metrics = read_json(layout.metrics)
    assert set(MODELS) <= set(metrics)
    for model in MODELS:
        low, high = metrics[model]["ci_macro_f1"]
        assert 0 <= low <= metrics[model]["macro_f1"] <= high <= 1
    assert set(metrics["cross_validation"]) == set(MODELS)
    learned = metrics["cross_validation"]["classifier"]["accuracy"][
        "mean"
    ]  # over all rows, so less by chance
    assert learned > 2 / metrics["data"]["classes"]  # twice what guessing gives
    assert layout.report.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_no_row_is_lost_between_stages(make_project, run_stages):
    config, layout = make_project(ads=150)
    run_stages(config, layout)
    counts = read_json(layout.ads_counts)
    ads = read_table(layout.ads)
    assert counts["rows_read"] == 150
    assert counts["rows_read"] == counts["kept"] + sum(counts["dropped"].values())
    assert ads.height == counts["kept"]
    for path in (layout.clean_ads, layout.splits, layout.ids, layout.predictions):
        assert read_table(path)["id"].sort().to_list() == ads["id"].sort().to_list()


def test_near_duplicates_never_cross_a_split_or_a_fold(make_project, run_stages):
    config, layout = make_project(ads=300)
    run_stages(config, layout, "ingest", "clean", "split")
    joined = read_table(layout.ads).join(read_table(layout.splits), on="id")
    sides = joined.group_by("group").agg(pl.col("split").n_unique(), pl.col("fold").n_unique(), pl.len())
    assert sides["len"].max() > 1  # the sample has reposts, so the test can fail
    assert sides["split"].max() == 1
    assert sides["fold"].max() == 1


def test_two_runs_from_scratch_give_the_same_bytes(make_project, run_stages):
    hashes = []
    for folder in ("one", "two"):
        config, layout = make_project(folder=folder)
        run_stages(config, layout)
        outputs = [
            path for place in ("data", "models", "reports") for path in (layout.root / place).rglob("*")
        ]
        hashes.append(
            {str(path.relative_to(layout.root)): file_hash(path) for path in outputs if path.is_file()}
        )
    assert hashes[0] == hashes[1]
    assert "data/processed/embeddings.safetensors" in hashes[0]
    assert "reports/report.html" in hashes[0]


def test_personal_data_of_the_sample_does_not_pass_the_cleaning(make_project, run_stages):
    config, layout = make_project("cleaning=patterns")
    run_stages(config, layout, "ingest", "clean")
    lines = (layout.root / "data/sample/ads.jsonl").read_text(encoding="utf-8").splitlines()
    ads = [json.loads(line) for line in lines]
    secrets = {e["text"] for ad in ads for e in ad["entities"] if e["label"] in {"email", "id number"}}
    kept = " ".join(read_table(layout.clean_ads)["clean_text"].to_list())
    assert secrets
    assert [secret for secret in sorted(secrets) if secret in kept] == []


def test_a_second_stage_is_refused_while_one_is_running(make_project):
    config, layout = make_project(ads=60)
    with lock(layout.locks / "pipeline.lock"), pytest.raises(StorageError, match="another joblens process"):
        run_stage("ingest", config, layout)
    assert not layout.ads.exists()

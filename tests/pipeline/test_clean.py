"""Stage `clean`: its files, its counts, and that a killed run goes on to the same bytes."""

import json

import polars as pl
import pytest

from joblens.config import compose
from joblens.errors import DataError, ModelError
from joblens.extractors import remembering
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.toy import ToyExtractor
from joblens.paths import Layout
from joblens.pipeline import clean
from joblens.storage import write_table

SENTENCES = [f"Du skal servere ret {row} for gæster." for row in range(40)]


def project(tmp_path, texts):
    layout = Layout(tmp_path)
    rows = len(texts)
    write_table(
        layout.ads,
        pl.DataFrame(
            {
                "id": [f"ad-{row}" for row in range(rows)],
                "title": ["Kok, ring 23 45 67 89"] * rows,
                "text": texts,
            },
            schema={"id": pl.String, "title": pl.String, "text": pl.String},
        ),
    )
    return layout


@pytest.fixture
def config(pytestconfig):
    def build(cleaning):
        return compose([f"cleaning={cleaning}"], pytestconfig.rootpath / "configs")

    return build


def outputs(layout):
    return layout.clean_ads.read_bytes(), layout.clean_counts.read_bytes()


def test_patterns_write_masked_adverts_and_counts_by_type(tmp_path, config):
    layout = project(tmp_path, ["Skriv til navn@firma.dk", None])
    clean.run(config("patterns"), layout)
    table = pl.read_parquet(layout.clean_ads)
    assert table["id"].to_list() == ["ad-0", "ad-1"]
    assert table["title"].to_list() == ["Kok, ring [phone]"] * 2
    assert table["clean_text"].to_list() == ["Skriv til [email]", ""]
    assert table.schema == {
        **dict.fromkeys(("id", "title"), pl.String),
        **dict.fromkeys(("occupation", "skills", "tasks"), pl.List(pl.String)),
        "clean_text": pl.String,
        **dict.fromkeys(("words_in", "words_read", "pii_removed"), pl.Int64),
    }
    assert json.loads(layout.clean_counts.read_text()) == {
        "extractor": "patterns",
        "output": "redact",
        "fingerprint": PatternExtractor().fingerprint,
        "ads": 2,
        "words_in": 17,  # 6 in each title, 5 in the first text
        "words_read": 17,
        "ads_without_entities": 0,
        "pii_removed": 3,
        "pii_removed_by_type": {"email": 1, "phone": 2},
    }


def test_none_changes_nothing_and_says_so(tmp_path, config, caplog):
    layout = project(tmp_path, ["Skriv til navn@firma.dk"])
    clean.run(config("none"), layout)
    assert pl.read_parquet(layout.clean_ads)["clean_text"].to_list() == ["Skriv til navn@firma.dk"]
    assert "cleaning=none removes nothing" in caplog.text


def test_entities_are_lists_and_adverts_without_any_are_counted(tmp_path, config):
    layout = project(tmp_path, ["Du skal servere god mad", "Ja"])
    pl_before = pl.read_parquet(layout.ads)
    write_table(layout.ads, pl_before.with_columns(title=pl.Series(["Kok", "Hej"])))
    clean.run(config("toy"), layout)
    table = pl.read_parquet(layout.clean_ads)
    assert table["occupation"].to_list() == [["Kok"], []]
    assert table["tasks"].to_list() == [["servere god mad"], []]
    assert table["clean_text"].to_list() == ["Kok; servere god mad", "Hej"]
    assert json.loads(layout.clean_counts.read_text())["ads_without_entities"] == 1


def test_the_extractor_that_cleaned_is_told_by_its_fingerprint(tmp_path, config):
    layout, wanted = project(tmp_path, SENTENCES), config("toy")
    clean.run(wanted, layout)
    used = ToyExtractor(wanted.cleaning.keep, wanted.cleaning.drop)
    assert json.loads(layout.clean_counts.read_text())["fingerprint"] == used.fingerprint


@pytest.mark.parametrize("cleaning", ["none", "patterns", "toy"])
def test_two_runs_write_the_same_bytes(tmp_path, config, cleaning):
    first, second = (project(tmp_path / name, SENTENCES) for name in ("one", "two"))
    clean.run(config(cleaning), first)
    clean.run(config(cleaning), second)
    assert outputs(first) == outputs(second)


def test_a_killed_run_goes_on_where_it_stopped_and_writes_the_same_bytes(tmp_path, config, monkeypatch):
    monkeypatch.setattr(remembering, "SHARD_SIZE", 10)
    whole = project(tmp_path / "whole", SENTENCES)
    clean.run(config("toy"), whole)

    killed = project(tmp_path / "killed", SENTENCES)
    read = []
    extract = ToyExtractor.extract

    def stop_at_the_third(self, texts):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.append(len(texts))
        return extract(self, texts)

    monkeypatch.setattr(ToyExtractor, "extract", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        clean.run(config("toy"), killed)
    assert not killed.clean_ads.exists()

    def note(self, texts):
        read.append(len(texts))
        return extract(self, texts)

    monkeypatch.setattr(ToyExtractor, "extract", note)
    clean.run(config("toy"), killed)
    assert read == [10, 10, 10, 10, 1]  # 40 sentences and one title, none twice
    assert outputs(killed) == outputs(whole)


def test_new_adverts_cost_only_their_new_sentences(tmp_path, config, monkeypatch):
    layout = project(tmp_path, SENTENCES)
    clean.run(config("toy"), layout)
    read = []
    extract = ToyExtractor.extract
    monkeypatch.setattr(
        ToyExtractor, "extract", lambda self, texts: read.extend(texts) or extract(self, texts)
    )
    find = PatternExtractor.extract
    monkeypatch.setattr(
        PatternExtractor, "extract", lambda self, texts: read.extend(texts) or find(self, texts)
    )
    project(tmp_path, [*SENTENCES, f"{SENTENCES[3]} Ny sætning."])
    clean.run(config("toy"), layout)
    assert sorted(read) == [
        f"{SENTENCES[3]} Ny sætning.",
        "Ny sætning.",
    ]  # the text by patterns, its sentence


def test_nothing_of_an_advert_is_in_what_is_remembered(tmp_path, config):
    layout = project(tmp_path, ["Du skal servere for Anna Brovang. Skriv til navn@firma.dk"])
    clean.run(config("toy"), layout)
    shards = list(layout.cache.rglob("*.safetensors"))
    assert len(shards) >= 2  # patterns and toy
    stored = b"".join(path.read_bytes() for path in shards)
    for word in (b"servere", b"Anna", b"Brovang", b"navn", b"firma", b"23 45", b"Kok"):
        assert word not in stored


def test_an_advert_table_without_rows_is_an_error(tmp_path, config):
    layout = project(tmp_path, [])
    with pytest.raises(DataError, match=r"ads.parquet has no adverts; check the source"):
        clean.run(config("patterns"), layout)


def test_a_word_that_was_not_read_is_an_error_and_nothing_is_written(tmp_path, config, monkeypatch):
    layout = project(tmp_path, ["Du skal servere mad. Ja."])
    monkeypatch.setattr("joblens.extractors.cleaning.sentences", lambda text: [(0, len(text) // 2)])
    with pytest.raises(DataError, match=r"toy read \d of 11 words; every word must be read"):
        clean.run(config("toy"), layout)
    assert not layout.clean_ads.exists()


def test_a_missing_model_is_an_error(tmp_path, pytestconfig):
    layout = project(tmp_path, ["x"])
    wanted = compose(["cleaning=gliner", "cleaning.model=./nowhere"], pytestconfig.rootpath / "configs")
    with pytest.raises(ModelError, match=r"'./nowhere', which is no folder here"):
        clean.run(wanted, layout)

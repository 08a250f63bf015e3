"""Corrections of people in stage `ingest`: each one is somewhere in the counts, and the last one counts."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from joblens.config import Config, compose
from joblens.errors import ConfigError, DataError, SourceError
from joblens.paths import Layout
from joblens.pipeline import ingest
from joblens.sources.feedback import Correction, store_corrections
from joblens.storage import content_hash

URL_ENV = "JOBLENS_FEEDBACK_URL"
CSV = """id,title,text,label
1,Kok,mad til børn,A
2,Kok,mad til gamle,A
3,Tømrer,huse af træ,B
4,Tømrer,huse af sten,
5,Tømrer,,B
"""


def correction(id: str, label: str, text: str = "", title: str = "") -> Correction:
    return Correction(id, title, text, label, None, None, "", datetime(2024, 5, 1, tzinfo=UTC))


def config_for(repository: Path, **data: object) -> Config:
    config = compose(["experiment=toy"], repository / "configs")
    named = {
        "source": "csv",
        "path": "ads.csv",
        "text": "text",
        "title": "title",
        "label": "label",
        "id": "id",
    }
    changed = type(config.data).model_validate({**named, "seed": 1, "feedback_url_env": URL_ENV, **data})
    return config.model_copy(update={"data": changed})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Five adverts: one without label, one without text; and an empty database for corrections."""
    monkeypatch.setenv(URL_ENV, f"sqlite:///{tmp_path / 'feedback.db'}")
    store_corrections(URL_ENV, [])
    (tmp_path / "ads.csv").write_text(CSV)
    return Layout(tmp_path)


def ingested(config: Config, layout: Layout) -> tuple[dict[str, str], dict[str, object]]:
    """Label by id, and the counts."""
    ingest.run(config, layout)
    ads = pl.read_parquet(layout.ads)
    return dict(ads.select("id", "label").iter_rows()), json.loads(layout.ads_counts.read_text())


def test_a_correction_relabels_confirms_adds_or_is_counted_as_empty(
    repository: Path, project: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [
        correction("1", "C"),  # overruled by the next one
        correction("1", "B"),  # A becomes B
        correction("2", "A"),  # as it was
        correction("4", "B"),  # had no label
        correction("9", "A", "servér mad"),  # the source does not have it
        correction("", "B", "byg et tag"),  # has no id
        correction("8", "A"),  # nobody knows its text
        correction("5", "B", "huse af ler"),  # the source has no text, the correction has
    ]
    store_corrections(URL_ENV, rows)
    labels, counts = ingested(config_for(repository), project)
    made = f"feedback-{content_hash('', 'byg et tag')[:16]}"
    assert labels == {"1": "B", "2": "A", "3": "B", "4": "B", "9": "A", made: "B", "5": "B"}
    people = counts["corrections"]
    assert people == {
        "stored": 8, "adverts": 7, "relabelled": 2, "confirmed": 1, "added": 3, "without_text": 1
    }  # fmt: skip
    assert sum(list(people.values())[2:]) == people["adverts"]
    assert counts["rows_read"] == 5 + 4 == counts["kept"] + sum(counts["dropped"].values())
    assert counts["dropped"] == {"no text": 2, "no label": 0, "small class": 0}
    assert "8 corrections of 7 adverts: 2 relabelled, 1 confirmed, 3 added, 1 without text" in caplog.text


def test_an_advert_that_people_added_joins_the_group_of_its_near_duplicates(
    repository: Path, project: Layout
) -> None:
    words = " ".join(f"ord{number}" for number in range(40))
    (project.root / "ads.csv").write_text(f"id,title,text,label\n1,,{words},A\n2,,helt andre ord her,B\n")
    store_corrections(URL_ENV, [correction("7", "B", f"{words} [person]")])
    ingested(config_for(repository), project)
    groups = dict(pl.read_parquet(project.ads).select("id", "group").iter_rows())
    assert groups == {"1": "1", "2": "2", "7": "1"}


def test_a_correction_finds_an_advert_by_the_id_that_was_made_for_it(
    repository: Path, project: Layout
) -> None:
    before, _ = ingested(config_for(repository, id=None, feedback_url_env=None), project)
    first = next(iter(before))
    store_corrections(URL_ENV, [correction(first, "B")])
    after, counts = ingested(config_for(repository, id=None), project)
    assert after == {**before, first: "B"}
    assert counts["corrections"]["relabelled"] == 1


def test_an_empty_table_and_no_table_change_nothing_but_the_counts(repository: Path, project: Layout) -> None:
    off = ingested(config_for(repository, feedback_url_env=None), project)
    assert "corrections" not in off[1]
    files = [path.read_bytes() for path in (project.ads, project.labels)]
    on = ingested(config_for(repository), project)
    assert [path.read_bytes() for path in (project.ads, project.labels)] == files
    assert on[1].pop("corrections")["stored"] == 0
    assert on == off


def test_a_corrected_label_outside_the_taxonomy_is_refused_and_the_table_named(
    repository: Path, project: Layout
) -> None:
    (project.root / "labels.csv").write_text("label\nA\nB\n")
    store_corrections(URL_ENV, [correction("1", "Z")])
    with pytest.raises(DataError, match=r"table joblens_corrections .*not in the taxonomy \('Z'"):
        ingested(config_for(repository, taxonomy="labels.csv"), project)


def test_a_database_that_is_not_there_stops_the_stage(
    repository: Path, project: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL_ENV)
    with pytest.raises(SourceError, match=f"{URL_ENV} is not set"):
        ingested(config_for(repository), project)


def test_the_url_itself_is_refused_as_a_name_and_not_repeated(repository: Path) -> None:
    override = "data.feedback_url_env=postgresql://u:canary@h/db"
    with pytest.raises(ConfigError, match=r"data\.feedback_url_env") as caught:
        compose([override], repository / "configs")
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"

"""Stage `audit` and `joblens audit FILE`: the meter on real cleaning, with patterns and the toy extractor."""

from __future__ import annotations

import json
import re
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from joblens.config import compose
from joblens.errors import DataError
from joblens.paths import Layout
from joblens.pipeline import audit
from joblens.pipeline.audit.labelled import audit_file, tables
from joblens.pipeline.audit.meter import ALL, Count, Leaks, Removal
from joblens.pipeline.audit.page import verdict
from joblens.pipeline.audit.readings import (
    Audit,
    Reading,
    ReadOnce,
    all_that_leaves,
    as_ad,
    modes,
    read_meter,
)
from joblens.records import CleanAd, Entity, LabelledText

ADS = 48


@pytest.fixture
def make_config(pytestconfig):
    """What the stage reads of a configuration, with few adverts."""

    def make(cleaning: str, languages=("da", "en", "es", "ru")):
        config = compose([f"cleaning={cleaning}"], pytestconfig.rootpath / "configs")
        settings = SimpleNamespace(ads=ADS, seed=5, languages=languages)
        return SimpleNamespace(cleaning=config.cleaning, compute=config.compute, audit=settings)

    return make


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def ad(text: str, *entities: tuple[str, str]) -> LabelledText:
    spans = [Entity(text.index(w), text.index(w) + len(w), label, w) for w, label in entities]
    return LabelledText("1", text, tuple(spans), "da", "1")


def test_the_stage_measures_both_modes_on_as_many_adverts_as_asked_for(make_config, layout):
    audit.run(make_config("toy"), layout)
    report = json.loads(layout.cleaning_report.read_text("utf-8"))
    assert report["data"]["ads"] == ADS
    assert report["data"]["languages"]["es"] == ADS // 8
    assert list(report["modes"]) == ["extract", "redact"]
    assert report["configured"] == "extract"
    for mode in report["modes"].values():
        assert mode["leaking_ads"]["all"]["ads"] == ADS
        by_language = [
            figures["person"]["entities"] for name, figures in mode["removed"].items() if name != "all"
        ]
        assert sum(by_language) == mode["removed"]["all"]["person"]["entities"]


def test_what_is_known_is_measured_or_counted_as_not_measured(make_config, layout):
    audit.run(make_config("patterns"), layout)
    report = json.loads(layout.cleaning_report.read_text("utf-8"))
    removed = report["modes"]["redact"]["removed"]["all"]
    measured = {name: row["entities"] + row["not_measured"] for name, row in removed.items()}
    useful = {name: row["spans"] for name, row in report["modes"]["redact"]["useful"]["all"].items()}
    assert measured | useful == report["data"]["entities"]


def test_patterns_remove_numbers_and_cost_no_useful_word(make_config, layout):
    audit.run(make_config("patterns"), layout)
    report = json.loads(layout.cleaning_report.read_text("utf-8"))
    figures = report["modes"]["redact"]
    assert figures["pattern_types"]["share"] > 0.9
    assert figures["leaking_ads"]["all"]["leaking"] > 0
    assert abs(figures["useful"]["all"]["task"]["lost_points"]) < 1


def test_removing_nothing_leaks_everything_that_can_be_measured(make_config, layout):
    audit.run(make_config("none"), layout)
    report = json.loads(layout.cleaning_report.read_text("utf-8"))
    assert list(report["modes"]) == ["unchanged"]
    removed = report["modes"]["unchanged"]["removed"]["all"]
    assert {name: row["leaked"] for name, row in removed.items()} == {
        name: row["entities"] for name, row in removed.items()
    }


def test_the_same_configuration_writes_the_same_bytes(make_config, layout):
    audit.run(make_config("toy"), layout)
    first = layout.cleaning_report.read_bytes(), layout.cleaning_page.read_bytes()
    audit.run(make_config("toy"), layout)
    assert (layout.cleaning_report.read_bytes(), layout.cleaning_page.read_bytes()) == first


def test_the_page_opens_offline_and_shows_each_mode(make_config, layout):
    audit.run(make_config("toy"), layout)
    page = layout.cleaning_page.read_text("utf-8")
    assert 'id="extract"' in page
    assert 'id="redact"' in page
    assert "How to read it" in page
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", page) == []
    assert len(re.findall(r'src="data:image/png;base64,[A-Za-z0-9+/=]{2000,}"', page)) == 1


def reading(leaking: int, ads: int) -> Audit:
    leaks = Leaks((Removal("person", ALL, 10, leaking, 0),), {ALL: Count(leaking, ads)}, (), {})
    return Audit("toy", "f", "redact", (Reading("redact", leaks, ()),))


def test_the_verdict_says_how_many_adverts_leak():
    assert verdict(reading(2, 500))[0] == "2 of 500 adverts still hold personal data after cleaning."
    assert verdict(reading(0, 500))[0] == "None of 500 adverts holds personal data after cleaning."
    assert "names 80.00\u00a0%" in verdict(reading(2, 500))[1]


def test_a_mask_in_the_title_and_in_every_column_is_looked_at():
    clean = CleanAd("1", "Titel", ("kok",), ("Excel",), ("lave mad",), "kok; Excel", 5, 5, 0)
    assert all_that_leaves(clean).split("\n") == ["Titel", "kok; Excel", "kok", "Excel", "lave mad"]


def test_a_title_is_what_stands_before_the_first_empty_line():
    assert (
        as_ad(ad("Kok\n\nVi søger\n\nen"), titled=True).title,
        as_ad(ad("Kok\n\nVi"), titled=False).title,
    ) == (
        "Kok",
        "",
    )
    assert as_ad(ad("Vi søger"), titled=True).text == "Vi søger"


def test_only_extractors_that_read_entities_have_two_modes(make_config):
    assert modes(make_config("toy").cleaning) == ("extract", "redact")
    assert modes(make_config("patterns").cleaning) == ("redact",)
    assert modes(make_config("none").cleaning) == ("unchanged",)


def test_scrubbing_that_masks_a_useful_word_is_a_loss_in_points(make_config):
    config = make_config("toy")
    text = ad("Kok\n\nDu skal servere mad for anna@firma.dk", ("servere mad for anna@firma.dk", "task"))
    result = read_meter([text], config.cleaning, config.compute, titled=True)
    [row] = [row for row in result.readings[0].leaks.recalls if row.language == ALL]
    # of servere, mad, for, anna, firma, dk the toy's rule stops before the last; scrubbing leaves three
    assert (row.without_scrubbing, row.recall) == (5 / 6, 3 / 6)


def test_what_is_dropped_as_a_name_is_part_of_the_price_of_scrubbing(make_config):
    config = make_config("toy")
    text = ad("Kok\n\nDu skal servere mad hos Solflow Ravn A/S", ("servere mad hos Solflow Ravn A/S", "task"))
    result = read_meter([text], config.cleaning, config.compute, titled=True)
    for reading in result.readings:
        [row] = [row for row in reading.leaks.recalls if row.language == ALL]
        assert row.without_scrubbing == 1
        assert row.recall == 3 / 7  # of servere, mad, hos, solflow, ravn, a, s the employer is masked


def test_a_sentence_is_read_once_for_both_modes(make_config):
    class Counting:
        name, fingerprint, seen = "toy", "f", 0

        def extract(self, texts):
            self.seen += len(texts)
            return [[] for _ in texts]

    inside = Counting()
    once = ReadOnce(inside)
    assert once.extract(["a", "b", "a"]) == [[], [], []]
    once.extract(["b", "c"])
    assert inside.seen == 3


@pytest.fixture
def skillspan(tmp_path):
    path = tmp_path / "spans.json"
    rows = [
        {"tokens": ["Contact", "<NAME>", "<NAME>", "on", "<CONTACT>"], "tags_skill": ["O"] * 5},
        {"tokens": ["You", "know", "Python"], "tags_skill": ["O", "O", "B"]},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_placeholders_of_a_file_are_filled_and_measured(make_config, skillspan):
    result = audit_file(skillspan, kind="skillspan", language="en", config=make_config("patterns"))
    leaks = result.readings[0].leaks
    assert leaks.removal("person").entities == 1
    assert leaks.leaking_ads[ALL].total == 2
    assert [row.label for row in leaks.recalls if row.language == ALL] == ["competence"]


def test_placeholders_stay_when_they_are_not_to_be_filled(make_config, skillspan):
    config = make_config("patterns")
    result = audit_file(skillspan, kind="skillspan", language="en", config=config, fill=False)
    assert result.readings[0].leaks.removals == ()


def test_a_limit_takes_the_first_texts(make_config, skillspan):
    config = make_config("patterns")
    result = audit_file(skillspan, kind="skillspan", language="en", config=config, limit=1)
    assert result.readings[0].leaks.leaking_ads[ALL].total == 1


def test_a_file_without_texts_is_refused(make_config, tmp_path):
    empty = tmp_path / "empty.json"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="has no labelled texts"):
        audit_file(empty, kind="skillspan", language="en", config=make_config("patterns"))


def test_the_tables_show_figures_and_never_the_text(make_config, skillspan):
    result = audit_file(skillspan, kind="skillspan", language="en", config=make_config("toy"))
    console = Console(width=140, record=True, file=StringIO())
    for table in tables(result):
        console.print(table)
    printed = console.export_text()
    assert "toy, extract, as configured" in printed
    assert "names" in printed
    assert "Python" not in printed
    assert "Contact" not in printed

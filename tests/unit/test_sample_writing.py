"""The sample as files: the same bytes every time, and the committed ones are those."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from joblens.errors import DataError
from joblens.sources.sample import generate, write_sample

COMMITTED = Path(__file__).parents[2] / "data/sample"
FILES = ("README.md", "ads.jsonl", "taxonomy.csv")


def test_a_new_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    write_sample(tmp_path / "here", 60, 7)
    code = (
        "import sys; from pathlib import Path; from joblens.sources.sample import write_sample;"
        "write_sample(Path(sys.argv[1]), 60, 7)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "there"], check=True, env=environment)
    for name in FILES:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_the_committed_sample_is_what_900_adverts_of_seed_7_give(tmp_path, name):
    write_sample(tmp_path, 900, 7)
    fresh, committed = (tmp_path / name).read_bytes(), (COMMITTED / name).read_bytes()
    assert fresh == committed, "run `joblens sample --ads 900 --seed 7` and commit data/sample"


def test_the_file_says_what_the_records_say(tmp_path):
    write_sample(tmp_path, 30, 5)
    rows = [json.loads(line) for line in (tmp_path / "ads.jsonl").read_text(encoding="utf-8").splitlines()]
    ads = generate(ads=30, seed=5)
    assert [row["text"] for row in rows] == [ad.text for ad in ads]
    assert [row["repost_of"] for row in rows] == [ad.repost_of for ad in ads]
    for row, ad in zip(rows, ads, strict=True):
        assert [row["text"][e["start"] : e["end"]] for e in row["entities"]] == [e.text for e in ad.entities]


def test_the_taxonomy_names_every_label_in_both_languages(tmp_path):
    write_sample(tmp_path, 120, 7)
    with (tmp_path / "taxonomy.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "label",
        "name_da",
        "name_en",
        "description_da",
        "description_en",
        "crosscutting",
    ]
    assert {row["label"] for row in rows} == {ad.label for ad in generate(ads=120, seed=7)}
    assert all(row["label"] == row["name_da"] for row in rows)
    assert all(all(row.values()) for row in rows)
    assert [row["label"] for row in rows if row["crosscutting"] == "yes"] == ["Elever", "Ledelse"]
    assert rows[0]["label"] == "Akademisk arbejde"
    assert rows[-1]["label"] == "Vagt, sikkerhed og overvågning"


def test_the_readme_says_that_it_is_synthetic_and_counts_these_adverts(tmp_path):
    write_sample(tmp_path, 200, 11)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "synthetic" in readme
    assert "made up by a program" in readme
    assert "joblens sample --ads 200 --seed 11" in readme
    assert "12 (6.0%) of all adverts" in readme  # reposts
    assert "{{" not in readme


def test_a_refused_count_leaves_the_old_sample_alone(tmp_path):
    write_sample(tmp_path, 10, 7)
    before = (tmp_path / "ads.jsonl").read_bytes()
    with pytest.raises(DataError, match="ask for 1 or more"):
        write_sample(tmp_path, 0, 7)
    assert (tmp_path / "ads.jsonl").read_bytes() == before

"""`joblens drift`: what moved between a scored file and the training, by hand-made files."""

import os
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
import torch

from joblens.errors import BundleError, ConfigError, DataError
from joblens.inference.drift import compare_guesses, drift_report, read_guesses
from joblens.inference.files import predict_file
from joblens.models.bundle import Snapshot, read_bundle, write_bundle
from joblens.sources import Columns

HEADER = "id,label,probability,top_3,prediction_set,abstained,reason,crossing\n"


def scored(path, counts, abstained=0):
    """A file as `joblens predict` writes it, with so many guesses of each label."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    rows = [
        f'{row},"{label}",0.8,,,{"True" if row < abstained else "False"},,\n'
        for row, label in enumerate(labels)
    ]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def frame(**counts):
    labels = [label for label, count in counts.items() for _ in range(count)]
    return pl.DataFrame(
        {"label": labels, "probability": [0.8] * len(labels), "abstained": [False] * len(labels)}
    )


@pytest.fixture
def with_snapshot(bundle_folder, tmp_path):
    """The toy bundle with a snapshot of 50, 30 and 20 guesses, ten of them abstained."""
    found = Snapshot(torch.ones(4, 64).half(), torch.tensor([50, 30, 20]), abstained=10)
    write_bundle(tmp_path / "bundle", replace(read_bundle(bundle_folder), snapshot=found))
    return tmp_path / "bundle"


def test_the_labels_that_moved_most_come_first():
    found = compare_guesses(frame(a=50, b=30, c=20), frame(a=10, b=30, c=60))
    assert found.moved == (("a", 0.5, 0.1), ("c", 0.2, 0.6), ("b", 0.3, 0.3))
    assert found.label_psi > 0.25 > found.label_psi_by_chance
    assert "moved far" in str(found)
    assert "a 50.0% → 10.0%" in str(found)


def test_the_same_shares_did_not_move():
    found = compare_guesses(frame(a=50, b=50), frame(a=100, b=100))
    assert found.label_psi == pytest.approx(0, abs=1e-6)
    assert "no more than chance explains" in str(found)


def test_adverts_without_words_are_counted_apart(tmp_path):
    found = compare_guesses(
        frame(a=5, b=5), read_guesses(scored(tmp_path / "s.csv", {"": 2, "a": 3, "b": 4}))
    )
    assert (found.adverts, found.without_label) == (7, 2)


def test_a_label_that_only_one_side_has_counts():
    found = compare_guesses(frame(a=10), frame(b=10))
    assert found.moved == (("a", 1.0, 0.0), ("b", 0.0, 1.0))


def test_the_training_rows_of_predictions_are_left_out_and_guesses_are_read(tmp_path):
    pl.DataFrame(
        {
            "split": ["train", "test", "validation"],
            "label": ["x", "y", "z"],
            "guess": ["a", "b", "c"],
            "probability": [1.0, 0.5, 0.6],
            "abstained": [False, True, False],
        }
    ).write_parquet(tmp_path / "predictions.parquet")
    found = read_guesses(tmp_path / "predictions.parquet")
    assert found["label"].to_list() == ["b", "c"]
    assert found["abstained"].to_list() == [True, False]


def test_a_guard_against_formulas_is_no_part_of_a_label(tmp_path):
    assert read_guesses(scored(tmp_path / "s.csv", {"'=a": 1, "'tis": 1}))["label"].to_list() == [
        "=a",
        "'tis",
    ]


def test_files_of_predict_are_read_in_every_kind(classifier, tmp_path):
    source = tmp_path / "ads.csv"
    source.write_text('text\n"vi søger en tømrer"\n"kok og tjener med mad"\n""\n', encoding="utf-8")
    found = []
    for kind in ("csv", "parquet", "jsonl"):
        predict_file(classifier, source, tmp_path / f"guesses.{kind}", Columns(text="text"))
        found.append(read_guesses(tmp_path / f"guesses.{kind}"))
    assert found[0]["label"].to_list() == ["Byggeri", "Køkken", None]
    for other in found[1:]:
        assert other["label"].to_list() == found[0]["label"].to_list()
        assert other["abstained"].to_list() == found[0]["abstained"].to_list()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,lable,probability,abstained\n1,a,0.5,True\n", "no column 'label'; nearest is 'lable'"),
        ("label,probability,abstained\n,0.5,True\n", "none with a label"),
        ("label,probability,abstained\na,much,True\n", "cannot read"),
    ],
)
def test_files_that_no_predict_wrote_are_refused(tmp_path, text, words):
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        read_guesses(tmp_path / "s.csv")
    assert "\n" not in str(caught.value)


def test_a_bundle_from_before_snapshots_says_what_to_do(bundle_folder, tmp_path):
    with pytest.raises(DataError, match=r"has no snapshot; train it again .* --reference"):
        drift_report(scored(tmp_path / "s.csv", {"Byggeri": 3}), tmp_path / "d.html", bundle=bundle_folder)


def test_guesses_of_another_model_are_refused(with_snapshot, tmp_path):
    with pytest.raises(DataError, match=r"1 labels that the bundle .* such as 'Fiskeri'"):
        drift_report(scored(tmp_path / "s.csv", {"Fiskeri": 3}), tmp_path / "d.html", bundle=with_snapshot)


def test_a_missing_bundle_is_told(tmp_path):
    with pytest.raises(BundleError, match="no bundle folder"):
        drift_report(scored(tmp_path / "s.csv", {"a": 3}), tmp_path / "d.html", bundle=tmp_path / "none")


def test_without_evidently_the_extra_is_named(with_snapshot, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "evidently", None)
    with pytest.raises(ConfigError, match=r"pip install 'joblens\[drift\]'"):
        drift_report(scored(tmp_path / "s.csv", {"Byggeri": 9}), tmp_path / "d.html", bundle=with_snapshot)
    assert not (tmp_path / "d.html").exists()


@pytest.mark.slow
def test_the_command_writes_a_report_that_opens_offline_and_phones_nobody(with_snapshot, tmp_path):
    """In a process of its own, whose every connection is refused, and whose home stays empty."""
    scored(tmp_path / "s.csv", {"Byggeri": 20, "Køkken": 20, "Sundhed": 160}, abstained=40)
    code = (
        "import socket, sys\n"
        "def refuse(*args): raise SystemExit(f'connects to {args[1]}')\n"
        "socket.socket.connect = refuse\n"
        "sys.argv = ['joblens', 'drift', 's.csv', '--bundle', 'bundle', '--output', 'drift.html']\n"
        "from joblens.cli import main\n"
        "main()\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(home), "DO_NOT_TRACK": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "200 adverts with a label" in done.stdout
    assert "moved far" in done.stdout
    assert "Sundhed 20.0% → 80.0%" in done.stdout
    assert "Abstained 10.0% → 20.0%" in done.stdout
    assert "Warning" not in done.stderr
    page = (tmp_path / "drift.html").read_text("utf-8")
    assert "Sundhed" in page
    assert "<script src=" not in page
    assert "<link" not in page
    assert not [path for path in home.rglob("*") if "evidently" in path.name]

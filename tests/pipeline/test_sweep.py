"""`joblens sweep`: what it reads, what it tries, what a kill costs, and what it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from joblens.config import compose, load, to_yaml
from joblens.errors import ConfigError, DataError, StorageError
from joblens.paths import Layout
from joblens.pipeline import run_stage, train
from joblens.search.folds import deal_folds, read_known
from joblens.search.journal import journal_path
from joblens.search.sweep import sweep
from joblens.sources.sample import write_sample
from joblens.storage import lock, read_table, read_tensor_metadata, read_tensors, write_tensors
from joblens.tracking import NullTracker

REPOSITORY = Path(__file__).parents[2]
TOY = ["experiment=toy", "data.min_class_size=8", "evaluation.split.folds=2", "classifier.max_epochs=2"]
PREPARED = ("ingest", "clean", "split", "embed", "baseline")
SMALL = """# A small space.
folds: 2
startup: 2
space:
  learning_rate: {low: 0.003, high: 0.03, log: true}
  hidden: {choices: [[], [8]]}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A project up to its baseline, made once; tests work on copies."""
    layout = Layout(tmp_path_factory.mktemp("prepared") / "project")
    write_sample(layout.root / "data/sample", ads=200, seed=1)
    shutil.copytree(REPOSITORY / "configs", layout.configs)
    config = compose(TOY, layout.configs)
    for stage in PREPARED:
        run_stage(stage, config, layout)
    (layout.configs / "search/dense.yaml").write_text(SMALL, encoding="utf-8")
    return layout


@pytest.fixture
def prepare(prepared, tmp_path):
    """`prepare("classifier.hidden=[4]")`: configuration and layout of a prepared project."""

    def make(*overrides):
        layout = Layout(tmp_path / "project")
        shutil.copytree(prepared.root, layout.root)
        config = compose([*TOY, *overrides], layout.configs)
        layout.params.write_text(to_yaml(config), encoding="utf-8")
        return config, layout

    return make


def tried(layout, name="best"):
    """Settings and macro-F1 of the finished trials of a journal, in order."""
    lines = journal_path(layout, name).read_text("utf-8").splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if line.endswith("\n")]
    settings, found = {}, []
    for entry in entries:
        if "settings" in entry.get("user_attr", {}):
            settings[entry["trial_id"]] = entry["user_attr"]["settings"]
        if entry.get("values") or entry.get("state") == 2:
            found.append((settings[entry["trial_id"]], entry.get("values")))
    return found


def test_the_best_settings_become_an_experiment_that_changes_nothing_else(prepare):
    config, layout = prepare()
    swept = sweep(config, layout, "tuned", trials=4, minutes=None)
    assert swept.finished == 4
    assert swept.experiment == layout.configs / "experiment/tuned.yaml"
    best = swept.best[0]
    assert best.macro_f1 == max(trial.macro_f1 for trial in swept.best)
    composed = compose(["experiment=tuned"], layout.configs)
    values = config.model_dump(mode="json")
    values["classifier"].update(best.settings)
    assert composed.model_dump(mode="json") == values
    package, command, origin = swept.experiment.read_text("utf-8").splitlines()[:3]
    assert package == "# @package _global_"
    assert command == "# joblens params experiment=tuned && dvc repro"
    assert origin.startswith("# Written by `joblens sweep --name tuned`: trial ")


def test_the_first_trial_has_the_settings_of_params_yaml_though_the_space_leaves_them_out(prepare):
    config, layout = prepare("classifier.hidden=[4]", "classifier.learning_rate=0.05")
    swept = sweep(config, layout, "best", trials=1, minutes=None)
    assert swept.best[0].settings == {"learning_rate": 0.05, "hidden": [4]}
    assert swept.best[0].changed == {}
    assert compose(["experiment=best"], layout.configs) == config


def test_test_rows_are_never_looked_at(prepare):
    """Other vectors and labels of the test rows change neither a trial nor what the sweep is known by."""
    config, layout = prepare()
    one = sweep(config, layout, "best", trials=2, minutes=None)
    splits = read_table(layout.ids).join(
        read_table(layout.splits), on="id", how="left", maintain_order="left"
    )
    known_before = read_known(config, layout)
    is_test = torch.tensor((splits["split"] == "test").to_list())
    assert 0 < int(is_test.sum()) < len(is_test)
    tensors = read_tensors(layout.embeddings)
    tensors["vectors"][is_test] = 1e6
    tensors["labels"][is_test] = (tensors["labels"][is_test] + 1) % len(known_before.names)
    write_tensors(layout.embeddings, tensors, read_tensor_metadata(layout.embeddings))
    known = read_known(config, layout)
    assert len(known.labels) == int((~is_test).sum()) == one.ads
    assert float(known.inputs.vectors.max()) < 1e6
    again = sweep(config, layout, "again", trials=2, minutes=None)
    assert [trial.folds for trial in again.best] == [trial.folds for trial in one.best]
    assert sweep(config, layout, "best", trials=2, minutes=None).finished == 2  # the same data to it


def test_folds_share_no_row_and_no_near_duplicate(prepare):
    config, layout = prepare()
    known = read_known(config, layout)
    judged = []
    for fold in deal_folds(known, 3, config.evaluation.split):
        parts = [fold.train.tolist(), fold.validation.tolist(), fold.judged.tolist()]
        assert sorted(row for part in parts for row in part) == list(range(len(known.labels)))
        groups = [{known.groups[row] for row in part} for part in parts]
        assert sum(map(len, groups)) == len(set(known.groups))
        judged += parts[2]
    assert sorted(judged) == list(range(len(known.labels)))


def start(layout, *arguments):
    """`joblens sweep` as a process of its own."""
    code = "from joblens.cli import main; main()"
    command = [sys.executable, "-c", code, "sweep", "--project", str(layout.root), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_tries_what_it_would_have_tried(prepare):
    config, layout = prepare()
    whole = sweep(config, layout, "whole", trials=6, minutes=None)
    killed = start(layout, "--name", "cut", "--trials", "6")
    journal = journal_path(layout, "cut")
    deadline = time.monotonic() + 300
    while killed.poll() is None and (not journal.exists() or len(tried(layout, "cut")) < 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    before = tried(layout, "cut")
    assert 2 <= len(before) < 6
    done = start(layout, "--name", "cut", "--trials", "6")
    output, errors = done.communicate()
    assert done.returncode == 0, errors
    assert f"{len(before)} finished trials are in the journal" in errors
    assert "joblens params experiment=cut" in output
    after = tried(layout, "cut")
    assert after[: len(before)] == before
    assert after == tried(layout, "whole")
    assert len(after) == whole.finished == 6


def test_half_a_line_a_stale_lock_and_a_running_trial_do_not_stop_a_sweep(prepare):
    """What a kill in the middle of a write leaves."""
    config, layout = prepare()
    sweep(config, layout, "best", trials=2, minutes=None)
    journal = journal_path(layout, "best")
    lines = journal.read_bytes().splitlines(keepends=True)
    results = [row for row, line in enumerate(lines) if json.loads(line).get("values")]
    journal.write_bytes(b"".join(lines[: results[-1]]) + lines[results[-1]][:20])  # half of the last result
    (journal.parent / f"{journal.name}.lock").symlink_to(journal)
    started = time.monotonic()
    swept = sweep(config, layout, "best", trials=3, minutes=None)
    assert time.monotonic() - started < 25  # the sampler's own lock would be waited for 30 s
    assert swept.finished == 3
    assert sorted(trial.number for trial in swept.best)[:2] == [0, 2]  # trial 1 had not been written down


def test_a_sweep_of_other_data_or_settings_is_refused(prepare):
    config, layout = prepare()
    sweep(config, layout, "best", trials=1, minutes=None)
    other = config.model_copy(update={"classifier": config.classifier.model_copy(update={"max_epochs": 3})})
    with pytest.raises(DataError, match="begun with other settings; choose another --name, or delete"):
        sweep(other, layout, "best", trials=2, minutes=None)
    (layout.configs / "search/dense.yaml").write_text(SMALL.replace("0.03,", "0.02,"), encoding="utf-8")
    with pytest.raises(DataError, match="begun with other search space"):
        sweep(config, layout, "best", trials=2, minutes=None)


def test_a_sweep_goes_on_after_its_winner_was_taken(prepare):
    config, layout = prepare()
    sweep(config, layout, "best", trials=3, minutes=None)
    layout.params.write_text(to_yaml(compose(["experiment=best"], layout.configs)), encoding="utf-8")
    swept = sweep(load(layout.params), layout, "best", trials=4, minutes=None)
    assert swept.finished == 4


def test_two_sweeps_of_one_name_do_not_run_at_once(prepare):
    config, layout = prepare()
    with lock(layout.locks / "sweep-best.lock"), pytest.raises(StorageError, match="another joblens process"):
        sweep(config, layout, "best", trials=1, minutes=None)


def test_after_the_time_no_trial_begins_but_the_first(prepare):
    config, layout = prepare()
    assert sweep(config, layout, "best", trials=50, minutes=1e-6).finished == 1


def test_an_experiment_that_somebody_wrote_is_not_overwritten(prepare):
    config, layout = prepare()
    before = (layout.configs / "experiment/toy.yaml").read_text("utf-8")
    with pytest.raises(ConfigError, match=r"toy\.yaml is there already, and no sweep wrote it"):
        sweep(config, layout, "toy", trials=1, minutes=None)
    assert (layout.configs / "experiment/toy.yaml").read_text("utf-8") == before


def test_settings_that_cannot_be_trained_end_a_trial_and_not_the_sweep(prepare):
    config, layout = prepare("classifier.learning_rate=0.01")
    text = SMALL.replace("low: 0.003, high: 0.03, log: true", "choices: [0.01, 1.0]")
    text += "  weight_decay: {choices: [0.1, 1.0e+30]}\n"  # one step of this and the weights are infinite
    (layout.configs / "search/dense.yaml").write_text(text, encoding="utf-8")
    swept = sweep(config, layout, "best", trials=8, minutes=None)
    assert swept.finished == 8
    assert 1 <= len(swept.best) < 8
    assert all(trial.settings["weight_decay"] == 0.1 for trial in swept.best)


@pytest.mark.slow
def test_the_wide_and_deep_classifier_is_searched_with_its_own_space(prepare):
    config, layout = prepare("classifier=wide_deep", "classifier.buckets=1024", "classifier.max_epochs=2")
    path = layout.configs / "search/wide_deep.yaml"
    space = "space:\n  C: {low: 0.1, high: 10.0, log: true}\n  min_df: {low: 1, high: 3}\n"
    path.write_text(f"folds: 2\nstartup: 1\n{space}", encoding="utf-8")
    swept = sweep(config, layout, "deep", trials=2, minutes=None)
    assert set(swept.best[0].settings) == {"C", "min_df"}
    assert "override /classifier: wide_deep" not in swept.experiment.read_text("utf-8")  # it is the default
    assert compose(["experiment=deep"], layout.configs).classifier.network == "wide_deep"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"name": "../x"}, r"--name is '\.\./x', expected letters, digits and _ only, at most 60"),
        ({"trials": 0}, "--trials is 0, expected 1 or more"),
        ({"minutes": 0.0}, "--minutes is 0, expected more than 0"),
        ({"minutes": float("nan")}, "--minutes is nan, expected more than 0"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_read(tmp_path, wanted, message):
    config = compose(TOY, REPOSITORY / "configs")
    options = {"name": "best", "trials": 1, "minutes": None, **wanted}
    with pytest.raises(ConfigError, match=f"^{message}$"):
        sweep(config, Layout(tmp_path), options["name"], trials=options["trials"], minutes=options["minutes"])
    assert list(tmp_path.iterdir()) == []


def test_a_project_without_vectors_is_told_what_is_missing(prepare):
    config, layout = prepare()
    layout.embeddings.unlink()
    with pytest.raises(DataError, match=r"there is no file .*embeddings\.safetensors"):
        sweep(config, layout, "best", trials=1, minutes=None)
    assert not layout.sweeps.exists()


def test_the_metric_of_the_wandb_sweep_is_one_that_train_logs(prepare, monkeypatch):
    class Remembers(NullTracker):
        def log(self, metrics, step=None):
            super().log(metrics, step)
            logged.update(metrics)

    logged = {}
    config, layout = prepare()
    monkeypatch.setattr(train, "build_tracker", lambda *arguments: Remembers(layout))
    train.run(config, layout)
    wanted = yaml.safe_load((REPOSITORY / "configs/sweep.yaml").read_text("utf-8"))["metric"]["name"]
    assert 0 <= logged[wanted] <= 1

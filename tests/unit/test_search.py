"""Search spaces, experiment files and ranks, without training."""

from __future__ import annotations

import shutil
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from typer.testing import CliRunner

from joblens.cli import app
from joblens.config import Config, compose
from joblens.errors import ConfigError, DataError
from joblens.paths import Layout
from joblens.search.experiments import parse_experiments, read_experiments
from joblens.search.journal import open_study, read_studies
from joblens.search.space import (
    Space,
    as_first_trial,
    read_space,
    settings_of,
    suggest,
    widened,
    with_settings,
)
from joblens.search.tables import experiments_table
from joblens.search.trials import as_words, best_trials, run_trials
from joblens.search.winner import experiment_text, write_experiment

REPOSITORY = Path(__file__).parents[2]
COMMENTS = ["# Written by `joblens sweep --name best`: trial 1."]


@pytest.fixture
def layout(tmp_path):
    """A project with option files of its own."""
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    return Layout(tmp_path)


@pytest.fixture
def classifier(layout):
    return compose(["classifier=mlp"], layout.configs).classifier


def write_space(layout, text):
    (layout.configs / "search/dense.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("option", ["linear", "mlp", "wide_deep"])
def test_the_shipped_space_of_every_classifier_can_begin_at_its_settings(layout, option):
    classifier = compose([f"classifier={option}"], layout.configs).classifier
    space = read_space(layout, classifier)
    present = settings_of(classifier, space)
    wide = widened(space, present)
    assert as_first_trial(wide, present).keys() == space.space.keys()
    assert with_settings(classifier, present) == classifier


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lerning_rate: {low: 0.1, high: 0.2}", "no key of classifier; nearest is 'learning_rate'"),
        ("seed: {low: 1, high: 9}", "space.seed is not searched"),
        ("dropout: {low: 0.5, high: 0.1}", "low is 0.5 and high 0.1; low should be less"),
        ("dropout: {low: 0.0, high: 0.5, log: true}", "low is 0; with log it should be greater than 0"),
        ("dropout: {low: 0.1}", "give low and high, or choices"),
        ("dropout: {low: 0.1, high: 0.2, choices: [0.1]}", "not both"),
        ("dropout: {low: 0.1, high: 2.0}", "dropout: should be less than 1 (found 2.0)"),
        ("batch_size: {low: 1.5, high: 8}", "batch_size: should be a valid integer"),
        ("loss: {choices: [cross_entropy, hinge]}", "should be 'cross_entropy' or 'focal' (found 'hinge')"),
        ("hidden: {low: 1, high: 8}", "hidden: should be a valid tuple"),
        ("dropout: {lo: 0.1, high: 0.2}", "no such key"),
    ],
)
def test_a_wrong_space_is_refused_by_name(layout, classifier, line, message):
    write_space(layout, f"folds: 2\nstartup: 1\nspace:\n  {line}\n")
    with pytest.raises(ConfigError) as caught:
        read_space(layout, classifier)
    assert message in str(caught.value)
    assert "configs/search/dense.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("- 1\n", "holds list, expected folds, startup and space"), ("space: [", "cannot read")],
)
def test_a_space_that_is_no_mapping_is_refused(layout, classifier, text, message):
    write_space(layout, text)
    with pytest.raises(ConfigError, match=message):
        read_space(layout, classifier)


def test_a_project_without_spaces_says_which_file_is_missing(layout, classifier):
    shutil.rmtree(layout.configs / "search")
    with pytest.raises(ConfigError, match=r"there is no .*configs/search/dense\.yaml"):
        read_space(layout, classifier)


def test_a_present_value_of_0_cannot_be_in_a_range_of_ratios(layout, classifier):
    space = read_space(layout, classifier)
    present = {**settings_of(classifier, space), "weight_decay": 0.0}
    with pytest.raises(ConfigError, match=r"classifier\.weight_decay is 0\.0.* above 0 "):
        widened(space, present)


def study_of(layout, name, scores, space, classifier, trials, **options):
    """Run a sweep whose judge knows the score of each setting by heart; returns the study."""
    study = open_study(layout, name, {"settings": "1"}, settings_of(classifier, space))
    wide = widened(space, study.user_attrs["present"])
    run_trials(study, wide, classifier, scores, trials=trials, seconds=None, seed=7, **options)
    return study


DROPOUT = {"folds": 3, "startup": 2, "space": {"dropout": {"low": 0.0, "high": 0.9}}}


def test_a_sweep_cut_anywhere_tries_the_same_as_one_that_was_not(layout, classifier):
    space = Space.model_validate(DROPOUT)

    def judge(settings):
        return iter([1 - abs(settings.dropout - 0.3)] * 3)

    whole = study_of(layout, "whole", judge, space, classifier, 12)
    for trials in (1, 5, 6, 12):
        cut = study_of(layout, "cut", judge, space, classifier, trials)
    assert [trial.params for trial in cut.trials] == [trial.params for trial in whole.trials]
    assert len(cut.trials) == 12
    assert abs(best_trials(cut)[0].settings["dropout"] - 0.3) < 0.2


def test_a_trial_that_begins_worse_than_most_is_not_judged_to_the_end(layout, classifier):
    judged = []

    def judge(settings):
        for fold in range(3):
            judged.append((settings.dropout, fold))
            yield 1 - settings.dropout

    study = study_of(layout, "best", judge, Space.model_validate(DROPOUT), classifier, 12)
    stopped = {trial.params["dropout"] for trial in study.trials if trial.state.name == "PRUNED"}
    assert 0 < len(stopped) < 12
    assert len(judged) < 12 * 3
    assert len(best_trials(study)) == 12 - len(stopped)


def test_of_equal_trials_the_simpler_comes_first(layout, classifier):
    """The smallest network wins, though the others were found before."""
    sizes = {"folds": 2, "startup": 50, "space": {"hidden": {"choices": [[64], [8], [], [8, 8]]}}}

    def judge(settings):
        return iter([0.70001, 0.70002])

    study = study_of(layout, "best", judge, Space.model_validate(sizes), classifier, 20)
    order = [sum(trial.settings["hidden"]) for trial in best_trials(study)]
    assert order == sorted(order)
    assert order[0] == 0
    assert order[-1] == 512  # the first trial: the settings of classifier=mlp


def test_suggested_numbers_have_three_digits_and_keep_their_kind(layout, classifier):
    space = Space.model_validate(
        {
            "folds": 2,
            "startup": 9,
            "space": {
                "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
                "batch_size": {"low": 8, "high": 64},
                "hidden": {"choices": [[], [16, 8]]},
                "class_weights": {"choices": ["none", "balanced"]},
            },
        }
    )
    study = open_study(layout, "best", {}, settings_of(classifier, space))
    for _ in range(5):
        found = suggest(study.ask(), space, study.user_attrs["present"])
        assert found["learning_rate"] == float(f"{found['learning_rate']:.3g}")
        assert isinstance(found["batch_size"], int)
        assert found["hidden"] in ([], [16, 8])
        assert with_settings(classifier, found).class_weights in ("none", "balanced")


def test_rounding_does_not_leave_the_range(layout, classifier):
    """Between 0.9995 and 0.9999 three digits say 1.0, which is no dropout."""
    space = Space.model_validate(
        {"folds": 2, "startup": 9, "space": {"dropout": {"low": 0.9995, "high": 0.9999}}}
    )
    study = open_study(layout, "best", {}, settings_of(classifier, space))
    for _ in range(5):
        found = suggest(study.ask(), space, study.user_attrs["present"])
        assert 0.9995 <= with_settings(classifier, found).dropout <= 0.9999


def test_settings_that_contradict_each_other_cost_one_trial_and_not_the_sweep(layout, caplog):
    classifier = compose(["classifier=mlp", "classifier.class_weights=none"], layout.configs).classifier
    write_space(
        layout,
        "folds: 2\nstartup: 20\nspace:\n"
        "  sampling: {choices: [none, balanced]}\n  class_weights: {choices: [none, balanced]}\n",
    )
    space = read_space(layout, classifier)
    study = study_of(layout, "best", lambda settings: iter([0.5, 0.5]), space, classifier, 12)
    refused = [trial for trial in study.trials if "refused" in trial.user_attrs]
    assert 0 < len(refused) < 12
    for trial in refused:
        assert trial.state.name == "PRUNED"
        assert set(trial.user_attrs["settings"].values()) == {"balanced"}
        assert trial.user_attrs["refused"].startswith(
            "sampling=balanced, class_weights=balanced cannot be tried: sampling and class_weights are both"
        )
    assert len(best_trials(study)) == 12 - len(refused)
    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("damage", ["no journal\nat all\n", '{"op_code": 99}\n{"a": 1}\n', "[]\n[]\n"])
def test_a_damaged_journal_is_one_line(layout, damage):
    layout.sweeps.mkdir(parents=True)
    (layout.sweeps / "best.jsonl").write_text(damage, encoding="utf-8")
    with pytest.raises(DataError, match="is no journal of a sweep") as caught:
        open_study(layout, "best", {}, {})
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="is no journal of a sweep"):
        read_studies(layout)


def test_a_journal_that_has_just_begun_has_no_study(layout):
    layout.sweeps.mkdir(parents=True)
    (layout.sweeps / "best.jsonl").touch()
    assert read_studies(layout) == {}


def test_a_renamed_journal_is_a_renamed_sweep_that_goes_on(layout, classifier):
    space = Space.model_validate(DROPOUT)

    def judge(settings):
        return iter([settings.dropout] * 3)

    whole = study_of(layout, "whole", judge, space, classifier, 6)
    study_of(layout, "before", judge, space, classifier, 3)
    (layout.sweeps / "before.jsonl").rename(layout.sweeps / "after.jsonl")
    done = CliRunner().invoke(app, ["experiments", "--project", str(layout.root)])
    assert done.exit_code == 0, done.output
    assert "Sweep after: 3 trials" in done.output
    renamed = study_of(layout, "after", judge, space, classifier, 6)
    assert [trial.params for trial in renamed.trials] == [trial.params for trial in whole.trials]


def test_a_journal_of_two_studies_or_of_another_program_is_one_line(layout):
    open_study(layout, "best", {}, {})
    storage = JournalStorage(JournalFileBackend(str(layout.sweeps / "best.jsonl")))
    optuna.create_study(storage=storage, study_name="second")
    with pytest.raises(DataError, match="it holds 2 studies, expected one"):
        open_study(layout, "best", {}, {})
    storage = JournalStorage(JournalFileBackend(str(layout.sweeps / "other.jsonl")))
    optuna.create_study(storage=storage, study_name="other").ask()
    with pytest.raises(DataError, match="its trials are of another program"):
        open_study(layout, "other", {}, {})


OWN_DATA = ["data=csv", "data.path=ads.csv", "data.text=body", "data.label=area"]


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["experiment=toy"],
        ["experiment=e5_mlp", "seed=11"],
        ["experiment=jobnet", "data.query='select a, b\n from ads'", "data.table=null"],
        [*OWN_DATA, "data.taxonomy=labels.csv", "classifier=linear", "evaluation.split.test=0.3"],
        [
            *OWN_DATA,
            "baseline.lexical.word_ngrams=[1,3]",
            "classifier.learning_rate=1e-5",
            "classifier.seed=9",
        ],
    ],
)
def test_an_experiment_file_gives_back_any_configuration(layout, overrides):
    config = compose(overrides, layout.configs)
    path = write_experiment(layout, "best", config, COMMENTS)
    assert compose(["experiment=best"], layout.configs) == config
    assert path.read_text("utf-8").splitlines()[:3] == [
        "# @package _global_",
        "# joblens params experiment=best && dvc repro",
        *COMMENTS,
    ]


def test_an_experiment_file_says_only_what_differs(layout):
    config = compose([*OWN_DATA, "classifier.C=0.3"], layout.configs)
    text = experiment_text(layout, "best", config, COMMENTS)
    assert yaml.safe_load(text) == {
        "defaults": [{"override /data": "csv"}],
        "data": {"path": "ads.csv", "text": "body", "label": "area"},
        "classifier": {"C": 0.3},
    }


def test_a_configuration_that_no_file_gives_leaves_the_old_one(layout):
    """Hydra would read the value as a reference to another key."""
    config = compose(["cleaning=toy"], layout.configs)
    odd = config.cleaning.model_copy(update={"model": "a${b}"})
    path = write_experiment(layout, "best", config, COMMENTS)
    before = path.read_bytes()
    with pytest.raises(ConfigError):
        write_experiment(layout, "best", config.model_copy(update={"cleaning": odd}), COMMENTS)
    assert path.read_bytes() == before


def state(rev, macro_f1=None, name=None, experiments=(), **settings):
    """What `dvc exp show --json` says of a commit or an experiment."""
    figures = {} if macro_f1 is None else {"classifier": {"macro_f1": macro_f1, "accuracy": 0.5}}
    data = {
        "metrics": {"reports/metrics.json": {"data": figures}},
        "params": {"params.yaml": {"data": {"classifier": settings}}},
    }
    return {"rev": rev, "name": name, "data": data, "experiments": list(experiments)}


def test_experiments_are_ranked_by_macro_f1_with_what_they_changed():
    tip = [{"revs": [state("b" * 40, 0.7, "wild-fox", C=2.0, min_df=2)]}]
    queued = [{"revs": [state("c" * 40, None, "slow-owl", C=3.0)]}]
    found = parse_experiments(
        [
            state("workspace", 0.5, C=1.0, min_df=3),
            state("a" * 40, 0.6, "main", [*tip, *queued], C=1.0, min_df=2),
            state("d" * 40, 0.9, C=1.0),  # an older commit without experiments says nothing new
        ]
    )
    assert [(entry.name, entry.kind, entry.changed) for entry in found.ranked] == [
        ("wild-fox", "experiment", {"classifier.C": 2.0}),
        ("main", "commit", {}),
        ("workspace", "workspace", {"classifier.min_df": 3}),
    ]
    assert found.without_figures == ["slow-owl"]
    assert found.count == 2
    rows = list(experiments_table("", found.ranked).columns[0].cells)
    assert rows == ["wild-fox", "main (commit)", "workspace"]


def test_a_folder_that_dvc_does_not_know_is_said_in_one_line(tmp_path):
    with pytest.raises(DataError, match=r"^DVC cannot list experiments: you are not inside") as caught:
        read_experiments(Layout(tmp_path), commits=1)
    assert "\n" not in str(caught.value)


def test_words_of_dvc_that_are_no_json_are_said_in_one_line(tmp_path):
    """`python -m dvc` finds a module of the folder first; this one talks as a plug-in or a wrapper might."""
    (tmp_path / "dvc.py").write_text("print('a new version is out')\nprint('[]')\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"printed 'a new version is out.*expected JSON") as caught:
        read_experiments(Layout(tmp_path), commits=1)
    assert "\n" not in str(caught.value)


def test_settings_are_words_on_one_line():
    words = as_words({"hidden": [512, 256], "C": 0.5, "loss": "focal", "patience": None})
    assert words == "hidden=[512, 256], C=0.5, loss=focal, patience=null"


def test_every_key_of_a_space_is_a_key_of_the_classifier_in_params():
    for path in sorted((REPOSITORY / "configs/search").glob("*.yaml")):
        space = Space.model_validate(yaml.safe_load(path.read_text("utf-8")))
        assert set(space.space) <= set(Config.model_fields["classifier"].annotation.model_fields)


def test_without_experiments_and_sweeps_the_ranks_say_so(tmp_path, run):
    run(tmp_path, "git", "init", "--quiet")
    run(tmp_path, "dvc", "init", "--quiet")
    done = CliRunner().invoke(app, ["experiments", "--project", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "no DVC experiments yet; make some with `dvc exp run -S classifier.dropout=0.2`",
        "no sweeps yet; begin one with `joblens sweep`",
    ]


def test_where_dvc_is_not_the_sweeps_are_ranked_all_the_same(layout, classifier):
    study_of(layout, "tuned", lambda settings: iter([0.5] * 3), Space.model_validate(DROPOUT), classifier, 2)
    done = CliRunner().invoke(app, ["experiments", "--project", str(layout.root)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("DVC cannot list experiments: you are not inside")
    assert "Sweep tuned: 2 trials, 2 judged in full" in done.output
    assert "as before" in done.output


def test_a_folder_that_is_not_there_has_no_ranks(tmp_path):
    done = CliRunner().invoke(app, ["experiments", "--project", str(tmp_path / "no")])
    assert isinstance(done.exception, ConfigError)
    assert "there is no folder" in str(done.exception)

"""configs/sweep.yaml is one that `wandb sweep` takes, its keys are settings and its metric is logged."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from joblens.config import compose

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "configs"


@pytest.fixture
def sweep():
    """The file as `wandb sweep` reads it."""
    return yaml.safe_load((CONFIGS / "sweep.yaml").read_text("utf-8"))


def ends(allowed):
    """What a parameter may be, at its ends."""
    return allowed.get("values") or [allowed["min"], allowed["max"]]


def test_wandb_accepts_the_file_as_it_is(sweep):
    from wandb.apis.public.sweeps import _validate_config_and_fill_distribution

    assert sweep["method"] == "bayes"
    assert sweep["metric"]["goal"] == "maximize"
    assert _validate_config_and_fill_distribution(sweep) == sweep  # every distribution is spelled out
    for allowed in sweep["parameters"].values():
        assert {"values"} == set(allowed) or {"distribution", "min", "max"} == set(allowed)
        assert allowed.get("distribution", "categorical") in {
            "categorical",
            "int_uniform",
            "log_uniform_values",
            "uniform",
        }


def test_every_parameter_is_a_setting_that_may_have_the_values_named(sweep):
    for key, allowed in sweep["parameters"].items():
        section, name = key.split(".")
        for value in ends(allowed):
            config = compose([f"{key}={value}"], CONFIGS)
            assert getattr(getattr(config, section), name) == value


def test_it_searches_where_joblens_sweep_searches(sweep):
    space = yaml.safe_load((CONFIGS / "search/wide_deep.yaml").read_text("utf-8"))["space"]
    assert compose([], CONFIGS).classifier.network == sweep["name"] == "wide_deep"
    assert {
        key.removeprefix("classifier."): ends(allowed) for key, allowed in sweep["parameters"].items()
    } == {key: allowed.get("choices") or [allowed["low"], allowed["high"]] for key, allowed in space.items()}
    by_ratio = {
        key for key, allowed in sweep["parameters"].items() if "log" in allowed.get("distribution", "")
    }
    assert by_ratio == {f"classifier.{key}" for key, allowed in space.items() if allowed.get("log")}


def test_the_command_an_agent_runs_gives_joblens_params_the_chosen_values(sweep, tmp_path, run):
    """The words are put together as wandb's agent does; `dvc repro` is left to the tests of the pipeline."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    values = {key: ends(allowed)[-1] for key, allowed in sweep["parameters"].items()}
    words = create_sweep_command_args({"args": {key: {"value": value} for key, value in values.items()}})
    words["env"] = ["/usr/bin/env"]
    command = []
    for word in create_sweep_command(copy.deepcopy(sweep["command"])):
        is_macro = word.startswith("${") and word.endswith("}")
        command += words[word[2:-1]] if is_macro else [word]
    script = command.index("-c") + 1
    params, train_it = command[script].split(" && ")
    assert train_it == "dvc repro --single-item --force train"
    command[script] = params
    (tmp_path / "configs").symlink_to(CONFIGS)
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    run(tmp_path, *command)
    written = yaml.safe_load((tmp_path / "params.yaml").read_text("utf-8"))
    assert written["tracking"]["mode"] == "wandb"
    assert {key: written["classifier"][key.split(".")[1]] for key in values} == values

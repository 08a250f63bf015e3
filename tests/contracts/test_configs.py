"""Every option file composes, lists every key, and the committed params.yaml is what they compose to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from joblens.config import (
    Config,
    Corpus,
    Folds,
    NerFlow,
    Phase,
    Section,
    TitlesFlow,
    TitleSource,
    compose,
    compose_flow,
    load,
    to_yaml,
)
from joblens.finetune.titles.card import card_settings, card_text
from joblens.storage import read_json

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "configs"
OPTIONS = sorted(
    path.relative_to(CONFIGS).with_suffix("").as_posix()
    for path in CONFIGS.glob("*/*.yaml")
    if path.parent.name not in {"finetune", "search"}
)
FLOWS = sorted(path.stem for path in (CONFIGS / "finetune").glob("*.yaml"))
SECTIONS = {
    name: field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
FILLED_IN_BY_THE_USER = {
    "data/csv": ["data.path=ads.csv"],
    "data/jsonl": ["data.path=ads.jsonl"],
    "data/parquet": ["data.path=ads.parquet"],
    "data/sql": ["data.table=ads"],
}


def mandatory(option: str) -> list[str]:
    """What the option file leaves to the user, `???` in the file."""
    given = FILLED_IN_BY_THE_USER.get(option, [])
    left_open = [
        line for line in (CONFIGS / f"{option}.yaml").read_text("utf-8").splitlines() if ": ???" in line
    ]
    return given if left_open or option == "data/sql" else []


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_composes_and_validates(option):
    group, name = option.split("/")
    config = compose([f"{group}={name}", *mandatory(option)], CONFIGS)
    assert isinstance(config, Config)


@pytest.mark.parametrize("option", [option for option in OPTIONS if not option.startswith("experiment/")])
def test_an_option_file_lists_every_key_of_its_section_in_order(option):
    section = SECTIONS[option.split("/")[0]]
    values = yaml.safe_load((CONFIGS / f"{option}.yaml").read_text("utf-8"))
    assert list(values) == list(section.model_fields)
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            assert list(values[key]) == list(field.annotation.model_fields)


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_composes_and_lists_every_key_in_order(flow):
    kind = {"ner": NerFlow, "titles": TitlesFlow}[flow]
    config = compose_flow(flow, kind, [], CONFIGS)
    values = yaml.safe_load((CONFIGS / f"finetune/{flow}.yaml").read_text("utf-8"))
    chosen = [re.search(r"\w+$", group)[0] for entry in values["defaults"][:-1] for group in entry]
    assert [*values, *chosen] == ["defaults", *type(config).model_fields]
    assert compose_flow(flow, kind, ["compute=cpu"], CONFIGS).compute.device == "cpu"


@pytest.mark.parametrize("path", sorted((CONFIGS / "experiment").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_experiment_starts_with_the_command_that_runs_it(path):
    package, command = path.read_text("utf-8").splitlines()[:2]
    assert package == "# @package _global_"
    assert f"experiment={path.stem}" in command or command == f"# invoke {path.stem}"


def test_only_config_yaml_chooses_and_it_names_every_section():
    defaults = yaml.safe_load((CONFIGS / "config.yaml").read_text("utf-8"))["defaults"]
    assert defaults[0] == "_self_"
    assert defaults[-1] == {"experiment": None}
    assert [next(iter(entry)) for entry in defaults[1:-1]] == list(SECTIONS)
    assert {path.name for path in CONFIGS.iterdir() if path.is_dir()} == {
        *SECTIONS,
        "experiment",
        "finetune",
        "search",
    }


def test_the_committed_params_are_what_the_configs_compose_to():
    params = REPOSITORY / "params.yaml"
    assert params.read_text("utf-8") == to_yaml(compose([], CONFIGS)), (
        "run `joblens params` and commit params.yaml"
    )
    assert load(params) == compose([], CONFIGS)


def test_the_demo_changes_no_committed_file():
    assert compose(["experiment=demo"], CONFIGS) == compose([], CONFIGS)


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_no_config_reads_the_environment_the_clock_or_hydra(path):
    assert not re.findall(r"\$\{(?:oc\.env|now|hydra)[:.]", path.read_text("utf-8"))


@pytest.mark.parametrize(
    "section",
    [*SECTIONS.values(), Config, NerFlow, Phase, Corpus, Folds, TitlesFlow, TitleSource],
    ids=lambda section: section.__name__,
)
def test_every_key_is_explained(section):
    assert section.__doc__
    assert [key for key, field in section.model_fields.items() if not field.description] == []


def test_the_shipped_title_encoder_was_trained_with_the_committed_settings_and_its_card_says_so():
    flow = compose_flow("titles", TitlesFlow, [], REPOSITORY / "configs")
    folder = REPOSITORY / flow.output
    card = read_json(folder / "card.json")
    assert card["settings"] == card_settings(flow)
    assert (folder / "README.md").read_text("utf-8") == card_text(flow, card)

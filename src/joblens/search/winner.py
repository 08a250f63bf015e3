"""Say a configuration as an experiment file: the option files nearest to it, and what differs from them."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joblens.config import Config, Section, compose
from joblens.errors import ConfigError
from joblens.paths import Layout
from joblens.storage import write_text

MARK = "# Written by `joblens sweep"
"""How the third line of a file begins that may be written again."""

_FILLED_IN = {"watch", "watch_taxonomy"}
"""Keys of `data` that follow from the others."""


def experiment_path(layout: Layout, name: str) -> Path:
    """Where the experiment of that name is."""
    return layout.configs / "experiment" / f"{name}.yaml"


def check_free(layout: Layout, name: str) -> None:
    """Refuse a name under which somebody has written an experiment by hand.

    Raises:
        ConfigError: The file is there, and no sweep wrote it.
    """
    path = experiment_path(layout, name)
    if path.is_file() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        raise ConfigError(f"{path} is there already, and no sweep wrote it; choose another --name")


def write_experiment(layout: Layout, name: str, config: Config, comments: Sequence[str]) -> Path:
    """Write `configs/experiment/<name>.yaml`, which composes to exactly `config`.

    Args:
        layout: The project.
        name: Of the experiment.
        config: What `joblens params experiment=<name>` shall give.
        comments: Lines that say where it comes from; the first begins with `MARK`.

    Raises:
        ConfigError: The option files cannot be composed to this configuration.
        StorageError: The disk is full or refuses; a file that stood there is untouched.
    """
    text = experiment_text(layout, name, config, comments)
    with TemporaryDirectory(prefix="joblens-") as folder:
        trial = Layout(Path(folder))
        shutil.copytree(layout.configs, trial.configs)
        experiment_path(trial, name).parent.mkdir(exist_ok=True)
        experiment_path(trial, name).write_text(text, encoding="utf-8")
        composed = compose([f"experiment={name}"], trial.configs)
    if composed != config:
        wrong = [key for key in Config.model_fields if getattr(composed, key) != getattr(config, key)]
        raise ConfigError(
            f"no experiment file gives the {' and '.join(wrong)} of params.yaml; run `joblens params` again"
        )
    path = experiment_path(layout, name)
    write_text(path, text)
    return path


def experiment_text(layout: Layout, name: str, config: Config, comments: Sequence[str]) -> str:
    """The text of the file: its command, the comments, the option files, and the differences."""
    values = config.model_dump(mode="json")
    chosen = _chosen_options(layout)
    overrides, differences = [], {}
    if compose([], layout.configs).seed != config.seed:
        differences["seed"] = values["seed"]
    for group, default in chosen.items():
        option, rest = _nearest_option(layout, group, default, values[group], config.seed)
        if option != default:
            overrides.append(f"  - override /{group}: {option}")
        if rest:
            differences[group] = rest
    lines = ["# @package _global_", f"# joblens params experiment={name} && dvc repro", *comments]
    lines += ["defaults:", *overrides, ""] if overrides else []
    return "\n".join([*lines, *_as_yaml(differences)]) + "\n"


def _chosen_options(layout: Layout) -> dict[str, str]:
    """The option that config.yaml takes for each section, in the order of params.yaml."""
    import yaml

    entries = yaml.safe_load((layout.configs / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    named = {key: value for entry in entries if isinstance(entry, Mapping) for key, value in entry.items()}
    return {
        name: named[name]
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def _nearest_option(
    layout: Layout, group: str, default: str, wanted: Mapping[str, Any], seed: int
) -> tuple[str, dict[str, Any]]:
    """The option file that differs least from a section, the default if it is as near, and what differs."""
    found = {
        path.stem: _differences(_option_values(path, group, seed), wanted)
        for path in sorted((layout.configs / group).glob("*.yaml"))
    }
    option = min(found, key=lambda name: (len(list(_leaves(found[name]))), name != default, name))
    return option, found[option]


def _option_values(path: Path, group: str, seed: int) -> Any:
    """The values of an option file, `${seed}` filled in; those left to the user are `???`."""
    from omegaconf import OmegaConf

    tree = OmegaConf.create({"seed": seed, group: OmegaConf.load(path)})
    return OmegaConf.to_container(tree, resolve=True)[group]  # type: ignore[call-overload, index]


def _differences(option: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What `wanted` has that the option has not or has otherwise; sections inside keep their place."""
    option = option if isinstance(option, Mapping) else {}
    found: dict[str, Any] = {}
    for key, value in wanted.items():
        if key in _FILLED_IN and option.get(key) is None:
            continue
        if isinstance(value, Mapping):
            if inner := _differences(option.get(key), value):
                found[key] = inner
        elif key not in option or option[key] != value:
            found[key] = value
    return found


def _leaves(values: Mapping[str, Any]) -> Iterator[Any]:
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield value


def _as_yaml(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Sections as indented blocks, everything else on one line."""
    import yaml

    for key, value in values.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _as_yaml(value, f"{indent}  ")
        elif isinstance(value, str) and "\n" in value:
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
        else:
            line = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
            yield f"{indent}{key}: {line.splitlines()[0]}"

"""Compose the option files, check the result, spell it as `params.yaml` and load it again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from joblens.config.base import Section
from joblens.config.sections import Config
from joblens.errors import ConfigError, nearest

Flow = TypeVar("Flow", bound=Section)

URL_ENVS = ("data.url_env", "data.feedback_url_env")
"""Keys whose value is never repeated: people put the URL itself there, password and all."""


def compose(overrides: Sequence[str], configs: Path) -> Config:
    """Compose the option files below `configs` with Hydra and check the result.

    Args:
        overrides: Hydra overrides, such as `classifier=linear` or `data.path=ads.csv`.
        configs: The folder with `config.yaml`.

    Raises:
        ConfigError: An override names no option or key, or a value is out of range.
    """
    return _check(_composed("config", overrides, configs), "the composed configuration")


def compose_flow(name: str, kind: type[Flow], overrides: Sequence[str], configs: Path) -> Flow:
    """Compose `finetune/<name>.yaml` and check the result.

    Args:
        name: The flow, a file of `configs/finetune`.
        kind: Its section, such as `NerFlow`.
        overrides: Hydra overrides, such as `compute=gpu` or `hidden_size=128`.
        configs: The folder with `finetune/`.

    Raises:
        ConfigError: An override names no option or key, or a value is out of range.
    """
    values = _composed(f"finetune/{name}", overrides, configs)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(wrong_values(error, f"configs/finetune/{name}.yaml")) from error


def _composed(name: str, overrides: Sequence[str], configs: Path) -> Any:
    """The values that Hydra makes of one file, its defaults and the overrides."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not (configs / f"{name}.yaml").is_file():
        raise ConfigError(f"there is no {configs / name}.yaml; run this in a joblens project folder")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(configs.resolve()), version_base="1.3"):
            composed = hydra_compose(name, overrides=list(overrides))
            return OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        explained = ConfigError(_explain(error, overrides, configs))
        if any(_may_hold_a_url(override) for override in overrides):
            raise explained from None  # Hydra quotes what it cannot read
        raise explained from error


def to_yaml(config: Config) -> str:
    """The text of `params.yaml`, in the order of the classes."""
    import yaml

    header = "# Written by `joblens params [overrides]`; `joblens params --help` shows how.\n"
    body = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
    return header + str(body)


def load(path: Path) -> Config:
    """Read `params.yaml` and check it.

    Raises:
        ConfigError: The file is missing, is not YAML, or holds a wrong value or key.
    """
    import yaml

    if not path.is_file():
        raise ConfigError(f"there is no {path}; write it with `joblens params`")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; change its rights") from error
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(
            f"{path.name} is not YAML ({error.problem}{line}); run `joblens params` again"
        ) from None  # the line itself may hold a secret
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path.name} is not YAML ({reason}); run `joblens params` again") from error
    return _check(values, path.name)


def _check(values: Any, source: str) -> Config:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source} holds {type(values).__name__}, expected sections such as data")
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(wrong_values(error, source)) from error


def wrong_values(error: ValidationError, source: str) -> str:
    """Every wrong value of a pydantic error: one line naming the source, then one indented line per value."""
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if problem["type"] == "extra_forbidden":
            known = _keys_beside(problem["loc"])
            lines.append(f"{key}: no such key{nearest(str(problem['loc'][-1]), known)}")
        elif problem["type"] in {"missing", "value_error"} or key in URL_ENVS:
            lines.append(f"{key}: {message}")
        else:
            lines.append(f"{key}: {message} (found {problem['input']!r})")
    if len(lines) == 1:
        return f"{source} has a wrong value: {lines[0]}"
    return f"{source} has {len(lines)} wrong values:\n" + "\n".join(f"  {line}" for line in lines)


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    section: type[Section] | None = Config
    for part in location[:-1]:
        section = _section(section, str(part)) if section else None
    return list(section.model_fields) if section else []


def _section(parent: type[Section], key: str) -> type[Section] | None:
    """The class of a section inside another, or None when `key` is a value or unknown."""
    field = parent.model_fields.get(key)
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _explain(error: Exception, overrides: Sequence[str], configs: Path) -> str:
    """Hydra's words for a wrong override, in one line, with the nearest option."""
    from omegaconf.errors import MissingMandatoryValue

    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} has no value; add {error.full_key}=VALUE"
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        shown = key if _may_hold_a_url(override) else override
        group, _, name = key.partition(".")
        known = [*Config.model_fields, "experiment"]
        options = sorted(path.stem for path in (configs / key).glob("*.yaml")) if key in known else []
        if group not in known:
            return f"{shown}: there is no group {group!r}{nearest(group, known)}; see `joblens params --help`"
        if options and value not in options:
            choices = ", ".join(options)
            return f"{shown}: there is no such option{nearest(value, options)}; choose one of {choices}"
        section = _section(Config, group)
        first = name.partition(".")[0]
        if section and first and first not in section.model_fields:
            close = nearest(first, section.model_fields)
            return f"{shown}: {group} has no key {first!r}{close}; see configs/{group}/"
    if any(_may_hold_a_url(override) for override in overrides):
        return "the overrides do not compose; put quotes around values with special characters"
    reason = " ".join(str(error).split())
    return f"the overrides do not compose: {reason}"


def _may_hold_a_url(override: str) -> bool:
    return "://" in override or override.lstrip("+~").startswith(URL_ENVS)

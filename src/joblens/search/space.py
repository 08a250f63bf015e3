"""What a sweep tries: a range or a list for each setting of the classifier, from `configs/search/`."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic import Field, ValidationError, model_validator

from joblens.config import Classifier, Section
from joblens.config.compose import wrong_values
from joblens.errors import ConfigError, nearest
from joblens.paths import Layout

if TYPE_CHECKING:
    from optuna import Trial

Choice = bool | int | float | str | tuple[int, ...] | None

NOT_SEARCHED = ("network", "coverage", "target_precision", "seed")
"""Keys that choose the space itself, that no guess depends on, or that would only be a search for luck."""

_DIGITS = 3
"""Digits of a number that is tried: enough to matter, few enough to read."""


class Values(Section):
    """What one setting may be: `low` and `high`, or `choices`."""

    low: float | None = None
    """Least value, included."""
    high: float | None = None
    """Greatest value, included."""
    log: bool = False
    """Whether equal ratios are equally likely, and not equal differences."""
    choices: tuple[Choice, ...] = ()
    """All values."""

    @model_validator(mode="after")
    def _is_a_range_or_a_list(self) -> Self:
        if self.choices:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("give low and high, or choices, not both")
        elif self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        elif self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}; low should be less")
        elif self.log and self.low <= 0:
            raise ValueError(f"low is {self.low:g}; with log it should be greater than 0")
        return self


class Space(Section):
    """A file of `configs/search/`, named as the network whose settings it is for."""

    folds: int = Field(ge=2)
    """Grouped folds that judge each trial, made of training and validation rows."""
    startup: int = Field(ge=1)
    """Trials drawn at random before the sampler learns from them, and before any is stopped early."""
    space: dict[str, Values] = Field(min_length=1)
    """What each setting of the classifier may be."""

    @model_validator(mode="after")
    def _keys_are_settings(self) -> Self:
        for key in self.space:
            if key not in Classifier.model_fields:
                close = nearest(key, Classifier.model_fields)
                raise ValueError(f"space.{key} is no key of classifier{close}")
            if key in NOT_SEARCHED:
                raise ValueError(f"space.{key} is not searched; leave out {', '.join(NOT_SEARCHED)}")
        return self


def read_space(layout: Layout, classifier: Classifier) -> Space:
    """Read the space of the classifier's network; every end and choice is one the classifier may have.

    Raises:
        ConfigError: The file is missing, is not YAML, or holds a wrong key or value.
    """
    import yaml

    path = layout.configs / "search" / f"{classifier.network}.yaml"
    source = f"configs/search/{path.name}"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}; it says what is tried with classifier.network={classifier.network}"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read {path}: {' '.join(str(error).split())}; mend it") from error
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source} holds {type(values).__name__}, expected folds, startup and space")
    try:
        space = Space.model_validate(values)
        for key, allowed in space.space.items():
            for value in allowed.choices or (allowed.low, allowed.high):
                with_settings(classifier, {key: _of_kind(key, value)})
    except ValidationError as error:
        raise ConfigError(wrong_values(error, source)) from error
    return space


def with_settings(classifier: Classifier, settings: Mapping[str, Any]) -> Classifier:
    """The classifier's section with some settings changed, and checked."""
    return Classifier.model_validate({**classifier.model_dump(mode="json"), **settings})


def settings_of(classifier: Classifier, space: Space) -> dict[str, Any]:
    """The settings that the space names, as JSON knows them."""
    values = classifier.model_dump(mode="json")
    return {key: values[key] for key in space.space}


def widened(space: Space, present: Mapping[str, Any]) -> Space:
    """The space with the present settings in it, so that they can be the first trial.

    Raises:
        ConfigError: A present value is 0 and its range is searched by ratios.
    """
    wide: dict[str, dict[str, Any]] = {}
    for key, allowed in space.space.items():
        value, known = present[key], [_spelled(choice) for choice in allowed.choices]
        values = allowed.model_dump(mode="json")
        if known:
            values["choices"] += [] if _spelled(value) in known else [value]
        elif value is None or (allowed.log and value <= 0):
            raise ConfigError(
                f"classifier.{key} is {value}, which no range of the sweep can hold; "
                f"give it a number{' above 0' * allowed.log} with `joblens params`, or list choices instead"
            )
        else:
            values["low"], values["high"] = min(allowed.low or 0, value), max(allowed.high or 0, value)
        wide[key] = values
    return Space.model_validate({**space.model_dump(exclude={"space"}), "space": wide})


def suggest(trial: "Trial", space: Space, present: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a trial, as JSON knows them.

    Numbers have three digits, unless they are the present ones or the ends of a range.
    """
    found: dict[str, Any] = {}
    for key, allowed in space.space.items():
        if allowed.choices:
            by_name = {_spelled(choice): choice for choice in allowed.choices}
            choice = by_name[trial.suggest_categorical(key, list(by_name))]
            found[key] = list(choice) if isinstance(choice, tuple) else choice
            continue
        low, high = allowed.low or 0.0, allowed.high or 0.0
        if _is_whole(key):
            found[key] = trial.suggest_int(key, int(low), int(high), log=allowed.log)
        else:
            value = trial.suggest_float(key, low, high, log=allowed.log)
            short = min(max(float(f"{value:.{_DIGITS}g}"), low), high)
            found[key] = value if value == present[key] else short
    return found


def as_first_trial(space: Space, present: Mapping[str, Any]) -> dict[str, Any]:
    """The present settings in the words of the sampler."""
    return {
        key: _spelled(present[key]) if allowed.choices else present[key]
        for key, allowed in space.space.items()
    }


def _spelled(choice: Choice | list[int]) -> str:
    """A choice as text: the sampler knows no lists."""
    return json.dumps(choice)


def _of_kind(key: str, value: Any) -> Any:
    """An end of a range as the setting has it; 2.0 is a whole number, 2.5 is left for pydantic to refuse."""
    return int(value) if _is_whole(key) and isinstance(value, float) and value.is_integer() else value


def _is_whole(key: str) -> bool:
    annotation = Classifier.model_fields[key].annotation
    return annotation is int or (int in get_args(annotation) and float not in get_args(annotation))

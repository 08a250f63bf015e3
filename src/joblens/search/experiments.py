"""DVC's experiments, read from `dvc exp show`: their macro-F1 and what they changed."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from joblens.errors import DataError, one_line, short
from joblens.paths import Layout

_SETTINGS, _METRICS = "params.yaml", "reports/metrics.json"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A state of the project with figures of its own: the working tree, a commit, or a DVC experiment."""

    name: str
    """As DVC says it; `workspace` is the working tree."""
    kind: str
    """`workspace`, `commit` or `experiment`."""
    macro_f1: float
    """Of the classifier, on test ads."""
    accuracy: float
    """Likewise."""
    changed: dict[str, Any]
    """Settings that differ from those of its commit; for a commit none."""


@dataclass(frozen=True, slots=True)
class Experiments:
    """What DVC knows."""

    ranked: list[Experiment]
    """Those with figures, best macro-F1 first; the order of DVC breaks ties."""
    without_figures: list[str]
    """Names of experiments that are queued, running, failed, or stopped before `evaluate`."""

    @property
    def count(self) -> int:
        """How many DVC experiments there are, with figures or without."""
        return sum(found.kind == "experiment" for found in self.ranked) + len(self.without_figures)


def read_experiments(layout: Layout, commits: int) -> Experiments:
    """Ask DVC for the experiments of the last commits.

    Raises:
        DataError: DVC refuses, for instance outside of a Git repository, or prints what is no JSON.
    """
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", "--num", str(commits)]
    done = subprocess.run(command, cwd=layout.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr]
        raise DataError(f"DVC cannot list experiments: {one_line(errors[0].removeprefix('ERROR: '))}")
    try:
        states = json.loads(done.stdout)
    except ValueError as error:
        raise DataError(
            f"DVC cannot list experiments: `dvc exp show --json` printed {short(done.stdout)}, expected "
            "JSON; see whether `dvc exp show` works here"
        ) from error
    return parse_experiments(states)


def parse_experiments(states: list[dict[str, Any]]) -> Experiments:
    """Rank what `dvc exp show --json` prints: the working tree and commits, each with its experiments.

    Older commits without experiments are left out.
    """
    found: list[Experiment] = []
    missing: list[str] = []
    commits = [state for state in states if state["rev"] != "workspace"]
    for state in states:
        is_workspace = state["rev"] == "workspace"
        base = _settings(commits[0] if is_workspace and commits else state)
        is_shown = is_workspace or state is commits[0] or state.get("experiments")
        entry = _as_experiment(state, "workspace" if is_workspace else "commit", base)
        if entry is not None and is_shown:
            found.append(entry)
        for group in state.get("experiments") or []:
            tip = group["revs"][0]
            entry = _as_experiment(tip, "experiment", base)
            if entry is None:
                missing.append(_name(tip))
            else:
                found.append(entry)
    return Experiments(sorted(found, key=lambda entry: -entry.macro_f1), missing)


def _as_experiment(state: Mapping[str, Any], kind: str, base: Mapping[str, Any]) -> Experiment | None:
    """None without figures of the classifier."""
    try:
        figures = state["data"]["metrics"][_METRICS]["data"]["classifier"]
        macro_f1, accuracy = float(figures["macro_f1"]), float(figures["accuracy"])
    except (KeyError, TypeError, ValueError):
        return None
    settings = _settings(state)
    changed = {key: value for key, value in settings.items() if value != base.get(key)}
    return Experiment(_name(state), kind, macro_f1, accuracy, changed)


def _name(state: Mapping[str, Any]) -> str:
    return str(state.get("name") or state["rev"][: 7 if state["rev"] != "workspace" else None])


def _settings(state: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting by its dotted name; empty when the state has none."""
    try:
        return dict(_flat(state["data"]["params"][_SETTINGS]["data"], ""))
    except (KeyError, TypeError):
        return {}


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

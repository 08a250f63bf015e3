"""How a benchmark and a peer exchange work: one file in, one file out, standard library only.

A peer runs in an environment of its own, because its libraries must not mix with those of joblens, so the two
share files and no code. The task is JSON:

    {"titles": [N texts], "texts": [N texts], "labels": [N numbers], "names": [C label names], "seed": 7,
     "threads": 2, "runs": [{"name": "fold 0", "train": [row numbers], "test": [row numbers]}, ...]}

and so is the result, written anew after every run, whole or not at all:

    {"peer": "setfit", "versions": {...}, "runs": [{"name": "fold 0", "made_from": SHA-256, "scores": [[...]],
     "train_seconds": 1.0, "predict_seconds": 0.1, "memory_mb": 500}, ...]}

`scores` has a row for each test row and a column for each label name: probabilities, 0 for a label that no
training row has. `made_from` covers rows, seed, threads, options and versions: a run that the result already
has is not done again unless one of these changed.
"""

import argparse
import hashlib
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Scores = Sequence[Sequence[float]]
Predict = Callable[[list[int]], Scores]
"""Scores of the given rows, one column for each label name."""
Fit = Callable[[list[int], Path], Predict]
"""Train on the given rows; the folder is empty, and there until the scores are."""


class TaskError(Exception):
    """A file, an option or an environment is not what the peer needs."""


@dataclass(frozen=True)
class Run:
    """One training and the rows to score after it."""

    name: str
    train: list[int]
    test: list[int]


@dataclass(frozen=True)
class Task:
    """Adverts, their labels, and which to train on."""

    titles: list[str]
    texts: list[str]
    labels: list[int]
    """Positions in `names`."""
    names: list[str]
    runs: list[Run]
    seed: int
    threads: int


def run_peer(
    peer: str,
    arguments: argparse.Namespace,
    packages: Iterable[str],
    prepare: Callable[[Task, argparse.Namespace], Fit],
) -> None:
    """Do the runs that the result lacks; on an error print one line and exit with 2.

    Args:
        peer: The name to write into the result.
        arguments: Of a parser that `command_line` made.
        packages: The installed packages whose versions belong to the result.
        prepare: What is needed once and is not part of the measured seconds, such as imports.
    """
    try:
        _do_runs(peer, arguments, packages, prepare)
    except TaskError as error:
        print(f"{peer}: {error}", file=sys.stderr)
        sys.exit(2)


def command_line(description: str) -> argparse.ArgumentParser:
    """A parser with the two files every peer is given."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("task", type=Path, help="JSON file with the adverts and the runs")
    parser.add_argument("result", type=Path, help="JSON file to write, or to go on with")
    return parser


def at_least_one(text: str) -> int:
    """The type of a command line option that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number of at least 1 (found {text!r})")
    return int(text)


def read_task(path: Path) -> Task:
    """The task in `path`, checked.

    Raises:
        TaskError: The file cannot be read, or a part of it is missing or wrong.
    """
    found = _read_json(path)
    expected: dict[str, type] = {"titles": list, "texts": list, "labels": list, "names": list, "runs": list}
    expected |= {"seed": int, "threads": int}
    for key, kind in expected.items():
        if type(found.get(key)) is not kind:
            kind_found = type(found[key]).__name__ if key in found else "nothing"
            raise TaskError(f"{path}: {key!r} should be {kind.__name__} (found {kind_found})")
    N, C = len(found["titles"]), len(found["names"])
    for key in ("texts", "labels"):
        if len(found[key]) != N:
            raise TaskError(f"{path}: {key!r} should have {N} entries, as 'titles' (found {len(found[key])})")
    for key in ("titles", "texts", "names"):
        for position, entry in enumerate(found[key]):
            if not isinstance(entry, str):
                raise TaskError(f"{path}: {key!r}[{position}] should be text (found {entry!r})")
    if len(set(found["names"])) != C:
        raise TaskError(f"{path}: 'names' should all differ (found {C - len(set(found['names']))} repeated)")
    if found["threads"] < 1:
        raise TaskError(f"{path}: 'threads' should be at least 1 (found {found['threads']})")
    _check_numbers(path, "'labels'", found["labels"], C)
    runs = [_read_run(path, position, run, found["labels"]) for position, run in enumerate(found["runs"])]
    repeated = [run.name for place, run in enumerate(runs) if run.name in {one.name for one in runs[:place]}]
    if repeated:
        raise TaskError(f"{path}: the names of 'runs' should all differ (found {repeated[0]!r} twice)")
    return Task(**{key: found[key] for key in expected} | {"runs": runs})


def _read_run(path: Path, position: int, found: object, labels: list[int]) -> Run:
    where = f"'runs'[{position}]"
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise TaskError(f"{path}: {where} should have 'name', 'train' and 'test' (found {str(found)[:60]})")
    for key in ("train", "test"):
        rows = found.get(key)
        if not isinstance(rows, list) or not rows:
            raise TaskError(f"{path}: {key!r} of {where} should be a list of rows (found {str(rows)[:60]})")
        _check_numbers(path, f"{key!r} of {where}", rows, len(labels))
    both = set(found["train"]) & set(found["test"])
    if both:
        raise TaskError(f"{path}: 'train' and 'test' of {where} should differ (both have row {min(both)})")
    if len({labels[row] for row in found["train"]}) < 2:
        raise TaskError(f"{path}: 'train' of {where} should have at least 2 labels (found 1)")
    return Run(found["name"], found["train"], found["test"])


def _check_numbers(path: Path, what: str, numbers: list[object], end: int) -> None:
    for number in numbers:
        if type(number) is not int or not 0 <= number < end:
            raise TaskError(f"{path}: {what} should be whole numbers from 0 to {end - 1} (found {number!r})")


def _do_runs(
    peer: str,
    arguments: argparse.Namespace,
    packages: Iterable[str],
    prepare: Callable[[Task, argparse.Namespace], Fit],
) -> None:
    task = read_task(arguments.task)
    if not arguments.result.parent.is_dir():
        raise TaskError(f"the folder {arguments.result.parent} should be there for the result; make it")
    versions = {"python": platform.python_version()} | {name: _version(name) for name in packages}
    options = {key: value for key, value in vars(arguments).items() if key not in ("task", "result")}
    made_from = {run.name: _digest(task, run, options, versions) for run in task.runs}
    done = _read_done(arguments.result, peer, made_from)
    missing = [run for run in task.runs if run.name not in done]
    print(f"{peer}: {len(task.runs)} runs, {len(done)} of them done before", file=sys.stderr, flush=True)
    if not missing:
        return
    fit = prepare(task, arguments)
    for run in missing:
        done[run.name] = {"name": run.name, "made_from": made_from[run.name], **_measure(task, run, fit)}
        in_order = [done[one.name] for one in task.runs if one.name in done]
        _write_json(arguments.result, {"peer": peer, "versions": versions, "runs": in_order})
        train, predict = done[run.name]["train_seconds"], done[run.name]["predict_seconds"]
        line = f"{peer}: {run.name}: {train:.1f} s to train, {predict:.1f} s to predict"
        print(line, file=sys.stderr, flush=True)


def _measure(task: Task, run: Run, fit: Fit) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        predict = fit(run.train, Path(folder))
        trained = time.perf_counter()
        scores = predict(run.test)
        predicted = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert len(scores) == len(run.test), "a peer owes a row of scores for each test row"
    assert all(len(row) == len(task.names) for row in scores), "a peer owes a score for each label name"
    return {
        "scores": [[float(f"{score:.7g}") for score in row] for row in scores],  # float32 has 7 digits
        "train_seconds": trained - started,
        "predict_seconds": predicted - trained,
        "memory_mb": round(peak / 1e6),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise TaskError(
            f"the package {package!r} is not installed for {sys.executable}; "
            "make an environment from the requirements beside this script"
        ) from None


def _digest(task: Task, run: Run, options: dict[str, object], versions: dict[str, str]) -> str:
    """SHA-256 over all that a run is made from; other runs are not part of it."""
    parts = [asdict(task) | {"runs": asdict(run)}, options, versions]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read_done(path: Path, peer: str, made_from: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The runs in an earlier result that are still right, by name."""
    if not path.exists():
        return {}
    found = _read_json(path)
    if found.get("peer") != peer or not isinstance(found.get("runs"), list):
        raise TaskError(
            f"{path} should be a result of {peer!r} (found one of {found.get('peer')!r}); remove it"
        )
    return {run["name"]: run for run in found["runs"] if made_from.get(run["name"]) == run.get("made_from")}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TaskError(f"{path} cannot be read ({error.strerror})") from error
    except ValueError as error:  # no UTF-8, or no JSON
        raise TaskError(f"{path} should be JSON in UTF-8 ({error})") from error
    if not isinstance(found, dict):
        raise TaskError(f"{path} should be a JSON object (found {type(found).__name__})")
    return found


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `path` in one step: a reader sees the old file or the new one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)

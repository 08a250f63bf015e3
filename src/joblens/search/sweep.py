"""`joblens sweep`: try settings on what the pipeline has prepared, and write the best as an experiment."""

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.config import Config
from joblens.device import choose_device
from joblens.errors import ConfigError, DataError, StorageError
from joblens.paths import Layout
from joblens.search.journal import journal_path, open_study
from joblens.search.space import Space, read_space, settings_of, widened, with_settings
from joblens.search.trials import Tried, best_trials, finished, run_trials
from joblens.search.winner import MARK, check_free, write_experiment
from joblens.storage import content_hash, lock

if TYPE_CHECKING:
    from joblens.search.folds import Known

_NAME = re.compile(r"[A-Za-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to."""

    best: list[Tried]
    """Trials judged on all folds, best first; never empty."""
    finished: int
    """Those and the ones stopped early."""
    ads: int
    """Rows of the folds."""
    experiment: Path
    """The file of the best."""


def sweep(config: Config, layout: Layout, name: str, *, trials: int, minutes: float | None) -> Swept:
    """Search for settings of the classifier and write `configs/experiment/<name>.yaml`.

    Goes on with the sweep of that name when there is one, until it has `trials` finished trials or the time
    is up. Reads the training and validation rows, never those of the test part.

    Args:
        config: What params.yaml says: where the search begins, and everything it leaves alone.
        layout: The project, with vectors and baseline.
        name: Of the sweep and of the experiment.
        trials: Finished trials in all.
        minutes: No trial begins later; None sets no limit.

    Raises:
        ConfigError: The name or a number cannot be, the search space is wrong, or somebody else's experiment
            has the name.
        DataError: Data are missing, or the sweep was begun with other data or settings.
        StorageError: The sweep is running already, or its journal cannot be written.
    """
    _check(name, trials, minutes)
    check_free(layout, name)
    space = read_space(layout, config.classifier)
    from joblens.search.folds import deal_folds, fold_scores, read_known  # slow: training comes along

    device = choose_device(config.compute.device)
    known = read_known(config, layout)
    folds = deal_folds(known, space.folds, config.evaluation.split)
    try:
        with lock(layout.locks / f"sweep-{name}.lock"):
            present = settings_of(config.classifier, space)
            study = open_study(layout, name, _identity(config, space, known), present)
            run_trials(
                study,
                widened(space, study.user_attrs["present"]),
                config.classifier,
                partial(fold_scores, known, folds, device=device),
                trials=trials,
                seconds=None if minutes is None else minutes * 60,
                seed=config.seed,
            )
            best = best_trials(study)
            path = _write(config, layout, name, best, known)
    except OSError as error:
        place = error.filename or journal_path(layout, name)
        advice = "free some space or change its rights"
        raise StorageError(f"cannot write {place}: {error.strerror}; {advice}") from error
    return Swept(best, len(finished(study)), len(known.labels), path)


def _check(name: str, trials: int, minutes: float | None) -> None:
    if _NAME.fullmatch(name) is None:
        raise ConfigError(f"--name is {name!r}, expected letters, digits and _ only, at most 60")
    if trials < 1:
        raise ConfigError(f"--trials is {trials}, expected 1 or more")
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"--minutes is {minutes:g}, expected more than 0")


def _identity(config: Config, space: Space, known: "Known") -> dict[str, str]:
    """Hashes of what all trials of a sweep must share, so that they can be compared."""
    fixed = {
        key: value
        for key, value in config.classifier.model_dump(mode="json").items()
        if key not in {*space.space, "coverage", "target_precision"}
    }
    split = config.evaluation.split
    return {
        "adverts or vectors": known.fingerprint,
        "settings": _hash({"fixed": fixed, "seed": config.seed, "split": [split.validation, split.seed]}),
        "search space": _hash(space.model_dump(mode="json")),
    }


def _hash(value: Any) -> str:
    return content_hash(json.dumps(value, sort_keys=True))


def _write(config: Config, layout: Layout, name: str, best: list[Tried], known: "Known") -> Path:
    if not best:
        raise DataError("no trial was judged on all folds; run the same command again")
    winner = best[0]
    first = next((tried for tried in best if not tried.changed), None)
    before = "" if first is None else f", {first.macro_f1:.3f} with the settings it began with"
    if not winner.changed:
        before = ", with the settings the sweep began with"
    comments = [
        f"{MARK} --name {name}`: trial {winner.number}, the best of {len(best)} that were judged in full.",
        f"# Macro-F1 {winner.macro_f1:.3f} on {len(winner.folds)} grouped folds of {len(known.labels):,} "
        f"training and validation ads{before}.",
    ]
    chosen = config.model_copy(update={"classifier": with_settings(config.classifier, winner.settings)})
    return write_experiment(layout, name, chosen, comments)

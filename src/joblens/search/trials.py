"""The loop of a sweep: ask for settings, judge them fold by fold, write down what came of it."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from time import monotonic
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from joblens.config import Classifier
from joblens.device import track
from joblens.errors import DataError, wrong_value
from joblens.search.space import Space, as_first_trial, suggest, with_settings

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

logger = logging.getLogger(__name__)

Judge = Callable[[Classifier], Iterator[float]]
"""The macro-F1 of each fold in turn; not asked for further folds, it trains no more."""

_DIGITS = 4
"""Trials whose macro-F1 is equal in these digits are as good as each other."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial that was judged on all folds."""

    number: int
    """As in the journal; trials that failed have numbers, too."""
    macro_f1: float
    """Mean over the folds."""
    folds: tuple[float, ...]
    """Macro-F1 of each."""
    settings: dict[str, Any]
    """What was searched, as JSON knows it."""
    changed: dict[str, Any]
    """Those that differ from the settings the sweep began with."""


def run_trials(
    study: "Study",
    space: Space,
    classifier: Classifier,
    judge: Judge,
    *,
    trials: int,
    seconds: float | None,
    seed: int,
) -> None:
    """Try settings until the study has so many finished trials, or no time is left to begin another.

    The first trial has the settings the sweep began with. What a trial tries depends on the seed and on the
    finished trials before it, so a sweep that was killed and goes on tries what it would have tried anyway.

    Args:
        study: Holds the trials so far.
        space: What is tried; the settings the sweep began with are in it.
        classifier: The rest of the settings.
        judge: Trains and judges.
        trials: Finished trials wanted in all; those stopped early count.
        seconds: No trial begins later than this, but the first always does; None sets no limit.
        seed: Of the sampler.

    Raises:
        DataError: The first trial cannot be trained.
    """
    from optuna.pruners import MedianPruner

    study.pruner = MedianPruner(n_startup_trials=space.startup)
    done, started = len(finished(study)), monotonic()
    if done:
        logger.info("%d finished trials are in the journal", done)
    left = max(0, trials - done)
    for number in track(range(done, trials), total=left, description="sweep"):
        if number and seconds is not None and monotonic() - started >= seconds:
            logger.info("no time for another trial after %d; the same command goes on", number)
            return
        trial = _ask(study, space, number, seed)
        _try(study, trial, space, classifier, judge, is_first=number == 0)


def finished(study: "Study") -> list["FrozenTrial"]:
    """Trials that were judged, on all folds or on enough of them to be stopped."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def best_trials(study: "Study") -> list[Tried]:
    """Trials judged on all folds, best first.

    Of equal ones the simpler comes first: less units, then less settings changed, then found earlier.
    """
    from optuna.trial import TrialState

    present = study.user_attrs.get("present", {})
    found = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        settings = trial.user_attrs["settings"]
        changed = {key: value for key, value in settings.items() if value != present.get(key)}
        folds = tuple(trial.user_attrs["folds"])
        found.append(Tried(trial.number, fmean(folds), folds, settings, changed))
    return sorted(found, key=_rank)


def _rank(tried: Tried) -> tuple[float, int, int, int]:
    units = sum(tried.settings.get("hidden", ()))
    return -round(tried.macro_f1, _DIGITS), units, len(tried.changed), tried.number


def _ask(study: "Study", space: Space, number: int, seed: int) -> "Trial":
    """The next trial: the present settings, then what the sampler thinks of the finished trials."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    if number == 0 and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(as_first_trial(space, study.user_attrs["present"]))
    study.sampler = TPESampler(seed=seed + number, n_startup_trials=space.startup)
    return study.ask()


def _try(
    study: "Study", trial: "Trial", space: Space, classifier: Classifier, judge: Judge, *, is_first: bool
) -> None:
    from optuna.trial import TrialState

    settings = suggest(trial, space, study.user_attrs["present"])
    trial.set_user_attr("settings", settings)
    scores: list[float] = []
    tell = partial(study.tell, trial)
    try:
        for score in judge(_checked(classifier, settings)):
            scores.append(score)
            trial.report(fmean(scores), step=len(scores))
            if len(scores) < space.folds and trial.should_prune():
                logger.info(
                    "trial %d: %.3f after %d folds, stopped", trial.number, fmean(scores), len(scores)
                )
                tell(state=TrialState.PRUNED)
                return
    except DataError as error:
        if is_first:
            tell(state=TrialState.FAIL)
            raise
        logger.warning("trial %d: %s", trial.number, error)
        trial.set_user_attr("refused", str(error))
        tell(state=TrialState.PRUNED)
        return
    trial.set_user_attr("folds", scores)
    tell(fmean(scores))
    logger.info("trial %d: macro-F1 %.3f with %s", trial.number, fmean(scores), as_words(settings))


def _checked(classifier: Classifier, settings: Mapping[str, Any]) -> Classifier:
    """The section that a trial trains with; each value may be allowed, and two of them contradict each other.

    Raises:
        DataError: They do.
    """
    try:
        return with_settings(classifier, settings)
    except ValidationError as error:
        reason = wrong_value(error).removeprefix("Value error, ")
        raise DataError(f"{as_words(settings)} cannot be tried: {reason}") from error


def as_words(settings: Mapping[str, Any]) -> str:
    """Settings on one line: `C=0.7, hidden=[512]`."""
    return ", ".join(f"{key}={_as_word(value)}" for key, value in settings.items())


def _as_word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

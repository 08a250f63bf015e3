"""The journal of a sweep: a file of JSON lines that grows with each step, so that a killed sweep goes on."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, one_line
from joblens.paths import Layout

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

logger = logging.getLogger(__name__)


def journal_path(layout: Layout, name: str) -> Path:
    """Where the journal of a sweep is."""
    return layout.sweeps / f"{name}.jsonl"


def open_study(layout: Layout, name: str, identity: Mapping[str, str], present: Mapping[str, Any]) -> "Study":
    """The study of a sweep, to go on with; a new one when there is no journal.

    The file's name is the sweep's: whoever renames or copies a journal renames or copies its sweep.

    Call it under the sweep's lock. What a kill left behind is cleared away: half a line at the end, a
    lock, and trials that were running, which count as failed.

    Args:
        layout: The project.
        name: Of the sweep.
        identity: Hashes of what must not change while a sweep goes on, each under a word for people.
        present: The settings in params.yaml, remembered when the sweep begins.

    Raises:
        DataError: The journal is damaged, or was begun with something else.
    """
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = journal_path(layout, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_away(path)
    storage = _storage(path)
    study = _study_in(path, storage)
    if study is None:
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize")
    if "present" not in study.user_attrs:  # last of all, so that it says that the others are there
        study.set_user_attr("identity", dict(identity))
        study.set_user_attr("present", dict(present))
    begun = study.user_attrs["identity"]
    changed = [word for word in identity if identity[word] != begun.get(word)]
    if changed:
        raise DataError(
            f"sweep {name!r} was begun with other {' and '.join(changed)}; choose another --name, or delete "
            f"{path} to begin anew"
        )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def read_studies(layout: Layout) -> dict[str, "Study"]:
    """The studies of all journals by the files' names, to look at only. A sweep may be writing meanwhile.

    Raises:
        DataError: A journal is damaged.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = {path.stem: _study_in(path, _storage(path)) for path in sorted(layout.sweeps.glob("*.jsonl"))}
    return {name: study for name, study in found.items() if study is not None}


def _study_in(path: Path, storage: "BaseStorage") -> "Study | None":
    """The one study of a journal, whatever it was called when it began; a journal just begun has none."""
    import optuna

    names = [study.study_name for study in storage.get_all_studies()]
    if not names:
        return None
    if len(names) > 1:
        raise _damaged(path, f"it holds {len(names)} studies, expected one")
    study = optuna.load_study(study_name=names[0], storage=storage)
    if "present" not in study.user_attrs and study.get_trials(deepcopy=False):
        raise _damaged(path, "its trials are of another program")
    return study


def _storage(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    _check_lines(path)
    try:
        return JournalStorage(JournalFileBackend(str(path)))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise _damaged(path, one_line(str(error))) from error


def _check_lines(path: Path) -> None:
    """Every line that has an end is a JSON object. The last one may be in the middle of being written."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            return
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise _damaged(path, f"line {number} is not JSON") from error
        if not isinstance(entry, dict):
            raise _damaged(path, f"line {number} is no JSON object")


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is no journal of a sweep ({reason}); delete it, or choose another --name")


def _clear_away(path: Path) -> None:
    """Cut off a last line without an end, and unlink locks of the journal's own; nobody else is writing."""
    for left in path.parent.glob(f"{path.name}.lock*"):
        left.unlink(missing_ok=True)
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        logger.warning("%s: an unfinished last line is cut off", path.name)
        with path.open("rb+") as file:
            file.truncate(whole)

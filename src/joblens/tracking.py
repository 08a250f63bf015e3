"""Send figures to W&B, and nothing but figures: numbers and a short list of files.

W&B by itself copies code, Git state, console output, command line, host name and more. All of that is turned
off, and what is left passes through two narrow doors, `Tracker.log` and `Tracker.log_file`. Without a key a
run stays on this machine until `wandb sync` sends it.
"""

import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from joblens.errors import ConfigError, DataError

if TYPE_CHECKING:
    from joblens.config import Config, NerFlow, TitlesFlow
    from joblens.paths import Layout

    Tracked = Config | NerFlow | TitlesFlow

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[\w./-]{1,100}")

_STAYS_HOME: dict[str, Any] = {
    "data": {"path", "url_env", "table", "query", "taxonomy", "watch", "watch_taxonomy"},
    "cleaning": {"model"},
    "embedding": {"model"},
    "tracking": True,
}
"""Settings that tell where a user's data and models are, or where figures go; they are not sent."""


class Tracker(Protocol):
    """Where figures go while a stage runs."""

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record finite numbers by name.

        Raises:
            DataError: A value is not a finite number, or a name is not a plain name.
        """
        ...

    def log_file(self, path: Path) -> None:
        """Record one of the files that may leave: metrics, training log, model card, plots.

        The report may not: it lists titles of adverts.

        Raises:
            DataError: The file is not on that list.
        """
        ...

    def finish(self) -> None:
        """No more figures will come."""
        ...


class NullTracker:
    """Checks what it is given like every tracker, and keeps nothing."""

    def __init__(self, layout: "Layout") -> None:
        self._layout = layout

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """See `Tracker.log`."""
        _check_numbers(metrics)

    def log_file(self, path: Path) -> None:
        """See `Tracker.log_file`."""
        _check_file(path, self._layout)

    def finish(self) -> None:
        """See `Tracker.finish`."""


class WandbTracker:
    """A W&B run below `layout.root / "wandb"`, with every automatic capture off."""

    def __init__(self, config: "Tracked", layout: "Layout", run_name: str, *, offline: bool) -> None:
        """Start the run.

        Raises:
            ConfigError: wandb is not installed.
        """
        try:
            import wandb
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"tracking.mode is {config.tracking.mode!r} but wandb is not installed; "
                "`pip install wandb` or use `tracking=none`"
            ) from error
        self._layout = layout
        layout.root.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {
            "project": config.tracking.project,
            "entity": config.tracking.entity,
            "name": run_name,
            "dir": str(layout.root),
            "config": dict(_flatten(config.model_dump(mode="json", exclude=_STAYS_HOME))),
        }
        try:
            self._run = wandb.init(**arguments, settings=_settings(offline=offline))
        except wandb.errors.Error as error:
            if offline:
                raise ConfigError(f"W&B cannot start ({error}); use `tracking=none`") from error
            logger.warning("W&B cannot be reached (%s); this run stays on this machine", error)
            offline = True
            self._run = wandb.init(**arguments, settings=_settings(offline=True))
        self._offline = offline

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """See `Tracker.log`."""
        _check_numbers(metrics)
        self._run.log(dict(metrics), step=step)

    def log_file(self, path: Path) -> None:
        """See `Tracker.log_file`."""
        _check_file(path, self._layout)
        copy = Path(self._run.dir) / path.name  # a link would change or vanish with the next run
        shutil.copyfile(path, copy)
        self._run.save(str(copy), base_path=self._run.dir, policy="now", glob=False)

    def finish(self) -> None:
        """See `Tracker.finish`."""
        folder = Path(self._run.dir).parent
        self._run.finish()
        if self._offline:
            logger.info("W&B run kept in %s; `wandb sync %s` sends it", folder, folder)


def build_tracker(config: "Tracked", layout: "Layout", run_name: str) -> Tracker:
    """The tracker that `tracking.mode` names; `wandb` without a key is `offline`, and says so.

    Raises:
        ConfigError: wandb is asked for and not installed.
    """
    mode = config.tracking.mode
    if mode == "none":
        return NullTracker(layout)
    if mode == "wandb" and not _has_key():
        logger.warning(
            "tracking.mode is 'wandb' but there is no WANDB_API_KEY and no `wandb login`; "
            "the run is kept offline"
        )
        mode = "offline"
    return WandbTracker(config, layout, run_name, offline=mode == "offline")


def _settings(*, offline: bool) -> Any:
    """W&B with code, Git, console, machine, packages and command line left out."""
    import wandb

    return wandb.Settings(
        mode="offline" if offline else "online",
        console="off",
        save_code=False,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        x_executable="python",
        program="joblens",
        program_relpath="joblens",
        program_abspath="joblens",
        host="",
        username="",
        email="",
        symlink=False,
        silent=True,
    )


def _check_numbers(metrics: Mapping[str, float]) -> None:
    for name, value in metrics.items():
        if not _NAME.fullmatch(name):
            raise DataError(
                f"metric name {name[:100]!r} should be letters, digits and ._/- only, at most 100"
            )
        if not isinstance(value, int | float) or not isfinite(value):
            raise DataError(f"metric {name} is {str(value)[:100]!r}, expected a finite number")


def _check_file(path: Path, layout: "Layout") -> None:
    named = (
        layout.metrics,
        layout.training_log,
        layout.model_card,
        layout.classifier / "README.md",
    )
    real = path.resolve()
    is_named = real in {file.resolve() for file in named}
    is_plot = real.parent == layout.plots.resolve() and real.suffix == ".png"
    if not (is_named or is_plot):
        raise DataError(
            f"{path} may not be sent to a tracker; it takes {', '.join(f.name for f in named)} and plots"
        )
    if not real.is_file():
        raise DataError(f"there is no file {path} to send to the tracker; run its stage first")


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested sections as dotted names with numbers and strings; None is left out."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{prefix}{name}", value
        elif value is not None:
            yield f"{prefix}{name}", ", ".join(str(part) for part in value)


def _has_key() -> bool:
    """Whether WANDB_API_KEY is set or `wandb login` has left a key for the server in use."""
    from netrc import NetrcParseError, netrc

    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return host is not None and netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, NetrcParseError):
        return False

"""The stages of `dvc.yaml`, one module each, every one `run(config, layout)`."""

from importlib import import_module
from typing import TYPE_CHECKING

from joblens.storage import lock

if TYPE_CHECKING:
    from joblens.config import Config
    from joblens.paths import Layout

STAGES = ("ingest", "clean", "split", "embed", "baseline", "train", "evaluate", "audit")


def run_stage(name: str, config: "Config", layout: "Layout") -> None:
    """Run one stage while holding the project's pipeline lock.

    Raises:
        StorageError: Another process is running a stage here, such as the child of a killed `dvc repro`.
        JoblensError: Whatever the stage itself refuses.
    """
    with lock(layout.locks / "pipeline.lock"):
        import_module(f"joblens.pipeline.{name}").run(config, layout)

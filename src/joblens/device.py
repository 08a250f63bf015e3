"""Where the arithmetic runs, and how long work shows its progress."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from joblens.errors import DeviceError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 15.0


def choose_device(wanted: str) -> "torch.device":
    """The torch device for `auto`, `cpu` or `gpu`.

    Args:
        wanted: `auto` takes a GPU when there is one; `gpu` is an assertion; `cpu` never looks.

    Raises:
        DeviceError: `gpu` was asked for and torch sees none, or the word is none of the three.
    """
    import torch

    if wanted not in {"auto", "cpu", "gpu"}:
        raise DeviceError(f"compute.device is {wanted!r}; expected 'auto', 'cpu' or 'gpu'")
    if wanted != "cpu" and torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "gpu":
        raise DeviceError(
            "compute=gpu was asked for but torch sees no GPU; "
            "use `compute=auto` or `compute=cpu`, or install a CUDA build of torch"
        )
    return torch.device("cpu")


def track(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield `items` while showing progress: a bar on a terminal, a plain line now and then in a log."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        bar = rich_track(items, description, total=total, console=Console(stderr=True), transient=True)
        yield from bar
        return
    started = last = monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES and done < total:
            last = now
            left = (now - started) / done * (total - done)
            logger.info("%s: %d of %d, about %.0f s left", description, done, total, left)

"""Where the arithmetic runs, what is done beside it, and how long work shows its progress."""

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

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


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the block torch adds up on one thread of the CPU, so that equal input gives equal bytes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def spared_from_collections() -> Iterator[None]:
    """Inside the block the garbage collector leaves alone what was there before it, such as a loaded model.

    Else each of its full rounds goes through all of torch as well: tenths of a second, in which nothing is
    freed.
    """
    is_outermost = not gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if is_outermost:
            gc.unfreeze()


class _AbandonedError(Exception):
    """Nobody waits for the work any more."""


class _Worker(threading.Thread, Generic[T]):
    """Does one piece of work, whose result or failure is in `answer`."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="joblens-beside")
        self.answer: Future[T] = Future()
        self.is_abandoned = False
        self._work = work

    def run(self) -> None:
        try:
            self.answer.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            self.answer.set_exception(error)


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Do work on a thread of its own, while the block does what leaves the processor free for it.

    A block that ends early, by an error or Ctrl-C, abandons the work, which ends where it next shows its
    progress by `track`; that is waited for.

    Yields:
        Its result, or what it raised.
    """
    worker = _Worker(work)
    worker.start()
    try:
        yield worker.answer
    finally:
        worker.is_abandoned = True
        worker.join()


def _until_abandoned(items: Iterable[T]) -> Iterator[T]:
    """The items, as long as somebody waits for the work of this thread."""
    thread = threading.current_thread()
    for item in items:
        if isinstance(thread, _Worker) and thread.is_abandoned:
            raise _AbandonedError
        yield item


def track(
    items: Iterable[T],
    total: int,
    description: str,
    *,
    unit: str = "",
    sizes: Sequence[int] | None = None,
    costs: Sequence[int] | None = None,
) -> Iterator[T]:
    """Yield `items` while showing progress: a bar on a terminal, a plain line now and then in a log.

    A terminal has room for the bar of one thread, the program's first.

    Args:
        items: What is worked on, in order.
        total: How many there are.
        description: What is done with them.
        unit: What is counted, such as `sentences`; with it the rate per second is shown as well.
        sizes: How many units each item holds; None counts the items themselves.
        costs: What the time of each item goes with, such as its characters; None takes its size.
    """
    sizes = [1] * total if sizes is None else sizes
    costs = sizes if costs is None else costs
    items = _until_abandoned(items)
    if sys.stderr.isatty() and threading.current_thread() is not threading.main_thread():
        yield from items
        return
    if sys.stderr.isatty():
        yield from _with_a_bar(items, description, unit, sizes, costs)
        return
    started = last = monotonic()
    done = spent = 0
    for item, size, cost in zip(items, sizes, costs, strict=False):
        yield item
        done, spent, now = done + size, spent + cost, monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES and done < sum(sizes):
            last = now
            left = (now - started) / max(spent, 1) * (sum(costs) - spent)
            counted = _counted(done, sum(sizes), unit, now - started)
            logger.info("%s: %s, about %.0f s left", description, counted, left)


def _with_a_bar(
    items: Iterable[T], description: str, unit: str, sizes: Sequence[int], costs: Sequence[int]
) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    started, done = monotonic(), 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[counted]}"))
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True, expand=False
    ) as bar:
        task = bar.add_task(description, total=sum(costs), counted=_counted(0, sum(sizes), unit, 0.0))
        for item, size, cost in zip(items, sizes, costs, strict=False):
            yield item
            done += size
            counted = _counted(done, sum(sizes), unit, monotonic() - started)
            bar.update(task, advance=cost, counted=counted)


def _counted(done: int, total: int, unit: str, seconds: float) -> str:
    """`3 of 9`, or `3 of 9 sentences, 480/s`."""
    if not unit:
        return f"{done} of {total}"
    rate = f", {done / seconds:.0f}/s" if seconds and done else ""
    return f"{done} of {total} {unit}{rate}"

"""Whether the adverts that come in are still like those of the training, over a sliding window.

Measuring takes a tenth of a second or a few and runs in a thread of its own, so no request waits for it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from joblens.errors import DataError
from joblens.serving.faults import type_and_place
from joblens.shift import domain_classifier_auc, population_stability_index, psi_by_chance

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.models.bundle import Snapshot
    from joblens.records import Guess

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """How many adverts are compared, and how often."""

    adverts: int = 1000
    """The latest so many are compared with the snapshot."""
    fewest: int = 100
    """With fewer nothing is said."""
    every: int = 100
    """New adverts between two measurements, at least."""
    seconds: float = 30.0
    """Time between two measurements, at least."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What one measurement found."""

    label_psi: float
    """Population stability index of the guessed labels."""
    label_psi_by_chance: float
    """What it stays below 99 % of the time when nothing moved."""
    auc: float
    """How well a classifier tells these adverts from those of the training: 0.5 to 1; NaN when too few of
    them differ from each other."""
    adverts: int
    """How many adverts were compared."""


class DriftWatch:
    """Remembers the latest adverts as labels and vectors, never as text, and measures them now and then.

    Use it as a context, or call `close`, to end its thread.
    """

    def __init__(
        self,
        snapshot: "Snapshot",
        labels: Sequence[str],
        when_measured: Callable[[Drift], None],
        window: Window | None = None,
    ) -> None:
        """Start watching.

        Args:
            snapshot: The training's.
            labels: The model's, in the order of its classes.
            when_measured: Called in the watching thread after each measurement.
            window: How many and how often; None takes the defaults.
        """
        self._snapshot = snapshot
        self._index = {label: row for row, label in enumerate(labels)}
        self._when_measured = when_measured
        self._window = window or Window()
        self._seen: deque[tuple[int, Tensor]] = deque(maxlen=self._window.adverts)
        self._new = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="joblens-drift", daemon=True)
        self._thread.start()

    def saw(self, guesses: "Sequence[Guess]", vectors: "Tensor") -> None:
        """Remember adverts; takes microseconds.

        Args:
            guesses: Those without a label (an advert without words) are passed over.
            vectors: (n, D), one for each guess with a label, in their order.
        """
        import torch

        classes = [self._index[guess.label] for guess in guesses if guess.label]
        rows = vectors.detach().to("cpu", torch.float16, copy=True).unbind()  # the caller may free its own
        with self._changed:
            self._seen.extend(zip(classes, rows, strict=True))
            self._new += len(classes)
            self._changed.notify()

    def measure(self) -> Drift | None:
        """Compare what is remembered with the snapshot; None when it is too little."""
        import torch

        with self._changed:
            seen = list(self._seen)
            self._new = 0
        if len(seen) < self._window.fewest:
            return None
        classes, rows = zip(*seen, strict=True)
        before: list[int] = self._snapshot.label_counts.tolist()
        now: list[int] = torch.bincount(torch.tensor(classes), minlength=len(before)).tolist()
        try:
            auc = domain_classifier_auc(self._snapshot.vectors, torch.stack(rows))
        except DataError:  # nearly all of them are the same advert
            auc = nan
        return Drift(
            label_psi=population_stability_index(before, now),
            label_psi_by_chance=psi_by_chance(before, now),
            auc=auc,
            adverts=len(seen),
        )

    def close(self) -> None:
        """End the thread; a measurement at hand is waited for, but not for long: the server is ending."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout=1)

    def __enter__(self) -> "DriftWatch":
        """Nothing to do: it watches already."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self.close()

    def _is_due(self) -> bool:
        return self._new >= self._window.every and len(self._seen) >= self._window.fewest

    def _watch(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._closing.is_set() or self._is_due())
            if self._closing.is_set():
                return
            try:
                found = self.measure()
                if found is not None:
                    self._when_measured(found)
            except Exception as error:  # noqa: BLE001 - one measurement less, and not the end of all
                logger.error("drift was not measured: %s", type_and_place(error))
            self._closing.wait(self._window.seconds)

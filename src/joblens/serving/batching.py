"""Micro-batching across requests: one bounded queue, one thread that works for all of them.

Whenever the thread is free it takes what waits, of one kind, and answers each request. Nothing lingers for
company: a request that comes alone is worked on alone. A large request is taken in pieces, each request that
waits having one of them in turn, so that a small one never waits for the whole of it.

What would wait too long is refused when it comes. How long that is follows from what is ahead and from the
seconds that a unit of work took lately. The unit is a character of text: adverts differ a thousandfold in
length, and work goes by length.
"""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from time import monotonic
from typing import Any, TypeVar

from joblens.serving.faults import type_and_place
from joblens.serving.freeing import give_back

logger = logging.getLogger(__name__)

Row = TypeVar("Row")
Done = TypeVar("Done")
Work = Callable[[Sequence[Row]], Sequence[Done]]
"""Answers rows, one for each, in their order. Requests whose work is equal share a batch."""

PIECE = 16
"""Rows of one request in a batch at most while others wait."""
_FIRST_PACE = 1e-4  # seconds for a character until one was measured: a tenth of a second for an advert
_HALF_LIVES = (3.0, 30.0)  # seconds of work after which what was measured before counts half
_TIDY_EVERY = 10.0  # seconds between two times that free memory is given back: other threads wait meanwhile
_LONGEST_BATCH = 0.25  # of the longest wait: what a batch should take at most, for nobody can interrupt it


class Overloaded(Exception):
    """More waits than can be answered soon."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests wait; try again in {retry_after} s")
        self.retry_after = retry_after
        """Seconds until most of them are answered, at least 1."""


class Expired(Exception):
    """A request waited longer than it may; no work was spent on it."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Work[Any, Any]
    rows: Sequence[Any]
    weights: Sequence[int]
    deadline: float
    """On the monotonic clock."""
    future: "Future[list[Any]]" = field(default_factory=Future)
    taken: int = 0
    """Rows that are answered or worked on."""
    done: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Pace:
    """A mean of the seconds that a character takes, in which what was measured before fades."""

    half_life: float
    spent: float = _FIRST_PACE * 1_000
    weighed: float = 1_000.0

    @property
    def mean(self) -> float:
        return self.spent / self.weighed

    def after(self, seconds: float, weight: int) -> "_Pace":
        """With one more batch."""
        kept = 0.5 ** (seconds / self.half_life)
        return _Pace(self.half_life, kept * self.spent + seconds, kept * self.weighed + weight)


_Piece = tuple[_Job, int, int]
"""Rows of a job: from, to."""
_Answer = list[Any] | Exception


class Batcher:
    """Takes requests of several rows from any thread, and works for all of them in one thread of its own.

    Args:
        name: Of the thread.
        waiting: Requests that may wait while it works; with 0 a request finds it idle or is refused.
        wait_seconds: A request that would wait longer is refused.
        deadline_seconds: A request that has waited so long all the same is dropped.
        most_rows: Rows of a batch at most.
        clock: Seconds, never running backwards.
    """

    def __init__(
        self,
        name: str,
        *,
        waiting: int,
        wait_seconds: float,
        deadline_seconds: float = 30.0,
        most_rows: int = 64,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._name = name
        self._waiting = waiting
        self._wait_seconds = wait_seconds
        self._deadline_seconds = deadline_seconds
        self._most_rows = most_rows
        self._clock = clock
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._at_hand = 0  # weight of the running batch
        self._began = 0.0
        self._tidied = 0.0
        self._paces = [_Pace(half_life) for half_life in _HALF_LIVES]

    def __len__(self) -> int:
        """How many requests wait or are worked on."""
        return len(self._jobs)

    @property
    def rows_waiting(self) -> int:
        """How many rows wait; those of the running batch do not count."""
        with self._changed:
            return sum(len(job.rows) - job.taken for job in self._jobs)

    def submit(
        self, work: "Work[Row, Done]", rows: Sequence[Row], weights: Sequence[int]
    ) -> "Future[list[Done]]":
        """Queue the rows of a request; cancelling the future drops what is not begun.

        Args:
            work: Answers rows of several requests at once.
            rows: At least one.
            weights: Characters of each.

        Raises:
            Overloaded: Too many requests wait, or this one would wait too long. Nothing was queued.
        """
        job = _Job(work, rows, [weight + 100 for weight in weights], self._clock() + self._deadline_seconds)
        with self._changed:
            self._drop_cancelled()
            seconds = self._seconds_until(job)
            queued = sum(not other.taken for other in self._jobs)
            places = self._waiting if self._at_hand else self._waiting + 1
            if self._jobs and (queued >= places or seconds > self._wait_seconds):
                raise Overloaded(max(1, math.ceil(seconds)))
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        return job.future

    def seconds_to_wait(self) -> float:
        """How long a request of one row would wait, as reckoned from the work ahead."""
        with self._changed:
            return self._seconds_until(None)

    def close(self, seconds: float = 2.0) -> None:
        """End the thread once nothing waits any more, or after so long."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _seconds_until(self, job: _Job | None) -> float:
        """Until the last piece of a new job is begun: the rest of the batch at hand, and what goes before."""
        turns = 1 if job is None else math.ceil(len(job.rows) / PIECE)
        ahead = sum(sum(other.weights[other.taken : other.taken + turns * PIECE]) for other in self._jobs)
        if not self._at_hand:
            return ahead * _slowest(self._paces)
        elapsed = self._clock() - self._began
        overdue = [pace.after(elapsed, self._at_hand) for pace in self._paces]
        pace = _slowest([*self._paces, *overdue])
        return ahead * pace + max(0.0, self._at_hand * pace - elapsed)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (pieces := self._take()):
                    if self._closed:
                        return
                    self._changed.wait()
                self._at_hand = sum(sum(job.weights[start:end]) for job, start, end in pieces)
                self._began = self._clock()
            answers = _answered(pieces)
            with self._changed:
                took = self._clock() - self._began
                self._paces = [pace.after(took, self._at_hand) for pace in self._paces]
                self._at_hand = 0
                finished = self._settle(pieces, answers)
            for job, answer in finished:
                _resolve(job, answer)
            if self._clock() > self._tidied + _TIDY_EVERY:
                give_back()
                self._tidied = self._clock()

    def _take(self) -> list[_Piece]:
        """The next batch, from the requests whose work is that of the first; the lock is held.

        Each of them gives `PIECE` rows in turn, until the batch is full or nothing is left.
        """
        self._drop_cancelled()
        self._drop_expired()
        if not self._jobs:
            return []
        alike = [job for job in self._jobs if job.work == self._jobs[0].work]
        ends = _dealt(alike, self._most_rows, _LONGEST_BATCH * self._wait_seconds / _slowest(self._paces))
        pieces = [(job, job.taken, end) for job, end in zip(alike, ends, strict=True) if end > job.taken]
        for job, _, end in pieces:
            job.taken = end
        return pieces

    def _settle(self, pieces: Sequence[_Piece], answers: Sequence[_Answer]) -> list[tuple[_Job, _Answer]]:
        """Keep the answers of a batch, and give those requests that are finished; the lock is held.

        The others go to the end of the queue, so that another kind of work has its turn.
        """
        finished: list[tuple[_Job, _Answer]] = []
        for (job, _, _), answer in zip(pieces, answers, strict=True):
            self._jobs.remove(job)
            if isinstance(answer, Exception):
                finished.append((job, answer))
                continue
            job.done += answer
            if len(job.done) == len(job.rows):
                finished.append((job, job.done))
            else:
                self._jobs.append(job)
        return finished

    def _drop_cancelled(self) -> None:
        self._jobs = deque(job for job in self._jobs if not job.future.cancelled() or _is_at_hand(job))

    def _drop_expired(self) -> None:
        now = self._clock()
        for job in [job for job in self._jobs if not job.taken and job.deadline < now]:
            self._jobs.remove(job)
            _resolve(job, Expired(f"the request waited {self._deadline_seconds:g} s; try again later"))


def _slowest(paces: Sequence[_Pace]) -> float:
    """The slower of the means: a short stretch of cheap work does not make all that waits seem cheap."""
    return max(pace.mean for pace in paces)


def _is_at_hand(job: _Job) -> bool:
    return job.taken > len(job.done)


def _dealt(jobs: Sequence[_Job], most_rows: int, most_weight: float) -> list[int]:
    """Up to which row each job is in the next batch; the first row of all is, whatever its weight."""
    ends = [job.taken for job in jobs]
    rows, weight = 0, 0
    has_more = True
    while has_more:
        has_more = False
        for place, job in enumerate(jobs):
            for row in range(ends[place], min(ends[place] + PIECE, len(job.rows))):
                if rows == most_rows or (rows and weight + job.weights[row] > most_weight):
                    return ends
                ends[place] = row + 1
                rows += 1
                weight += job.weights[row]
                has_more = True
    return ends


def _answered(pieces: Sequence[_Piece]) -> list[_Answer]:
    """What each piece gets: its answers or its error. When a batch fails, its requests are tried alone."""
    work = pieces[0][0].work
    try:
        rows = [row for job, start, end in pieces for row in job.rows[start:end]]
        answers = list(work(rows))
        if len(answers) != len(rows):
            raise RuntimeError(f"the work gave {len(answers)} answers for {len(rows)} rows")
        ends = list(accumulate(end - start for _, start, end in pieces))
        return [answers[start:end] for start, end in pairwise([0, *ends])]
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on, and the route is told
        if len(pieces) == 1:
            return [error]
        logger.warning(
            "a batch of %d requests failed (%s); trying each alone", len(pieces), type_and_place(error)
        )
    return [answer for piece in pieces for answer in _answered([piece])]


def _resolve(job: _Job, answer: _Answer) -> None:
    """Hand the answer over; a client that has gone in the meantime does not mind."""
    with suppress(InvalidStateError):
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)

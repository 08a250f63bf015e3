"""The queue before the model: work that waits for `go`, and says of what its batches consisted."""

import logging
import threading
import time
from concurrent.futures import Future

import pytest

from joblens.serving.batching import Batcher, Expired, Overloaded

SECRET = "Anna Hansen"


class Upper:
    """Upper case for rows; waits for `go`, and fails on the row `bad`."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self.batches: list[list[str]] = []

    def work(self, rows):
        self.batches.append(list(rows))
        self.begun.release()
        assert self.go.wait(timeout=30)
        if "bad" in rows:
            raise ValueError(SECRET)
        return [row.upper() for row in rows]

    def other(self, rows):
        return self.work(rows)


@pytest.fixture
def upper():
    upper = Upper()
    yield upper
    upper.go.set()


def batcher(**settings) -> Batcher:
    return Batcher("test", **{"waiting": 128, "wait_seconds": 60.0, **settings})


def submit(queue: Batcher, work, *rows: str, weight: int = 0) -> Future:
    return queue.submit(work, rows, [weight] * len(rows))


def hold(queue: Batcher, upper: Upper) -> Future:
    """A first request that the thread works on until `go`."""
    first = submit(queue, upper.work, "first")
    assert upper.begun.acquire(timeout=30)
    return first


def test_what_waits_while_the_thread_works_becomes_one_batch(upper):
    queue = batcher()
    futures = [hold(queue, upper), submit(queue, upper.work, "a", "b"), submit(queue, upper.work, "c")]
    upper.go.set()
    assert [future.result(30) for future in futures] == [["FIRST"], ["A", "B"], ["C"]]
    assert upper.batches == [["first"], ["a", "b", "c"]]
    assert (len(queue), queue.rows_waiting) == (0, 0)


def test_different_kinds_of_work_do_not_share_a_batch(upper):
    queue = batcher()
    hold(queue, upper)
    futures = [
        submit(queue, work, row)
        for work, row in ((upper.work, "a"), (upper.other, "x"), (upper.work, "b"), (upper.other, "y"))
    ]
    upper.go.set()
    assert [future.result(30) for future in futures] == [["A"], ["X"], ["B"], ["Y"]]
    assert upper.batches[1:] == [["a", "b"], ["x", "y"]]


def test_a_small_request_behind_a_large_one_waits_for_a_piece_of_it_only(upper):
    queue = batcher(most_rows=20)
    hold(queue, upper)
    large = submit(queue, upper.work, *(str(row) for row in range(40)))
    small = submit(queue, upper.work, "small")
    upper.go.set()
    assert small.result(30) == ["SMALL"]
    assert large.result(30) == [str(row) for row in range(40)]
    # 16 of the large one, the small one, and 3 more; then the other 21 by twenties
    assert [len(batch) for batch in upper.batches] == [1, 20, 20, 1]
    assert "small" in upper.batches[1]


def test_another_kind_of_work_has_its_turn_between_the_pieces_of_a_large_request(upper):
    queue = batcher(most_rows=16)
    hold(queue, upper)
    large = submit(queue, upper.work, *["a"] * 32)
    other = submit(queue, upper.other, "x")
    upper.go.set()
    large.result(30)
    assert other.result(30) == ["X"]
    assert [batch[0] for batch in upper.batches] == ["first", "a", "x", "a"]


def test_a_batch_takes_at_most_a_quarter_of_the_longest_wait(upper):
    """A character takes 1e-4 s until one was measured: 0.4 s are 4,000, two rows of 1,900, not three."""
    queue = batcher(wait_seconds=1.6)
    upper.go.set()
    submit(queue, upper.work, *["a"] * 5, weight=1_800).result(30)  # and 100 for each row itself
    assert len(upper.batches[0]) == 2


def test_one_request_that_fails_leaves_those_of_its_batch_alone(upper, caplog):
    queue = batcher()
    hold(queue, upper)
    futures = [submit(queue, upper.work, row) for row in ("a", "bad", "b")]
    upper.go.set()
    assert futures[0].result(30) == ["A"]
    with pytest.raises(ValueError, match=SECRET):
        futures[1].result(30)
    assert futures[2].result(30) == ["B"]
    assert upper.batches[1:] == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.startswith("a batch of 3 requests failed (ValueError at ")
    assert SECRET not in caplog.text


def test_work_that_answers_too_few_rows_is_a_fault_and_not_a_wait(upper):
    queue = batcher()
    with pytest.raises(RuntimeError, match="0 answers for 1 rows"):
        queue.submit(lambda rows: [], ["a"], [1]).result(30)
    upper.go.set()
    assert submit(queue, upper.work, "a").result(30) == ["A"]


def test_more_requests_than_may_wait_are_refused_at_once(upper):
    queue = batcher(waiting=1)
    hold(queue, upper)
    second = submit(queue, upper.work, "second")
    with pytest.raises(Overloaded) as refusal:
        submit(queue, upper.work, "third")
    assert refusal.value.retry_after >= 1
    upper.go.set()
    assert second.result(30) == ["SECOND"]
    assert submit(queue, upper.work, "fourth").result(30) == ["FOURTH"]


def test_with_no_place_to_wait_the_second_is_refused(upper):
    queue = batcher(waiting=0)
    hold(queue, upper)
    with pytest.raises(Overloaded):
        submit(queue, upper.work, "second")


def test_what_would_wait_too_long_is_refused_and_told_for_how_long(upper):
    """With 1e-4 s a character, 40,000 characters ahead are 4 s."""
    queue = batcher(wait_seconds=3.0, clock=lambda: 0.0)
    hold(queue, upper)
    submit(queue, upper.work, "long", weight=40_000)
    with pytest.raises(Overloaded, match="try again in 5 s") as refusal:
        submit(queue, upper.work, "second")
    assert refusal.value.retry_after == 5  # rounded up from 4.01


def test_a_batch_that_takes_too_long_lengthens_the_wait_for_all_behind_it(upper):
    """Reckoned at 0.01 s, it has taken 6 s: two half-lives, so 1,000 characters in 0.1 s count a quarter."""
    now = 0.0
    queue = batcher(wait_seconds=3.0, clock=lambda: now)
    hold(queue, upper)
    submit(queue, upper.work, "second")
    assert queue.seconds_to_wait() == pytest.approx(0.02)
    now = 6.0
    assert queue.seconds_to_wait() == pytest.approx(100 * (0.1 / 4 + 6) / (1_000 / 4 + 100))
    submit(queue, upper.work, "third", weight=100)
    with pytest.raises(Overloaded, match="try again in 6 s"):
        submit(queue, upper.work, "fourth")


def test_work_that_grows_cheaper_is_trusted_slowly(upper):
    """After a batch of 30 s, ten that took 3 s for 10,000 characters each: the first is not forgotten."""
    now = 0.0

    def work(rows):
        nonlocal now
        now += float(rows[0])
        return rows

    queue = batcher(clock=lambda: now)
    submit(queue, work, "30").result(30)
    for _ in range(10):
        submit(queue, work, "3", weight=9_900).result(30)
    spent, weighed = 0.1 / 2 + 30, 1_000 / 2 + 100
    for _ in range(10):
        spent, weighed = 0.5**0.1 * spent + 3, 0.5**0.1 * weighed + 10_000
    hold(queue, upper)
    assert queue.seconds_to_wait() == pytest.approx(100 * spent / weighed)
    assert spent / weighed > 1.5 * 3 / 10_000


def test_a_request_of_any_size_is_taken_when_nothing_waits(upper):
    upper.go.set()
    assert submit(batcher(wait_seconds=0.01), upper.work, "long", weight=10**7).result(30) == ["LONG"]


def test_a_request_that_waited_longer_than_its_deadline_is_dropped_without_work(upper):
    queue = batcher(deadline_seconds=0.05)
    hold(queue, upper)
    late = submit(queue, upper.work, "late")
    time.sleep(0.1)
    upper.go.set()
    with pytest.raises(Expired, match=r"waited 0\.05 s"):
        late.result(30)
    assert upper.batches == [["first"]]


def test_a_cancelled_request_is_dropped_without_work(upper):
    queue = batcher(waiting=1)
    hold(queue, upper)
    gone = submit(queue, upper.work, "gone")
    assert gone.cancel()
    stays = submit(queue, upper.work, "stays")  # the place is free again
    upper.go.set()
    assert stays.result(30) == ["STAYS"]
    assert upper.batches == [["first"], ["stays"]]


def test_a_request_cancelled_at_work_ends_with_the_batch(upper):
    queue = batcher()
    first = hold(queue, upper)
    assert first.cancel()
    upper.go.set()
    assert submit(queue, upper.work, "next").result(30) == ["NEXT"]
    assert len(queue) == 0


def test_closing_answers_what_waits_first(upper):
    queue = batcher()
    futures = [hold(queue, upper), submit(queue, upper.work, "a")]
    upper.go.set()
    queue.close(30)
    assert [future.done() for future in futures] == [True, True]


def test_a_hundred_threads_get_their_own_answers(upper):
    queue = batcher(waiting=1_000)
    upper.go.set()
    answers = {}

    def ask(number):
        answers[number] = [submit(queue, upper.work, f"n{number}-{turn}").result(30) for turn in range(5)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {number: [[f"N{number}-{turn}"] for turn in range(5)] for number in range(100)}

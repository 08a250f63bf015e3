"""Devices are chosen or refused, never silently swapped."""

import gc
import logging
import threading
import weakref
from time import sleep

import pytest
import torch

from joblens import device
from joblens.errors import DeviceError


def test_asking_for_a_gpu_without_one_fails_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="torch sees no GPU; use `compute=auto` or `compute=cpu`"):
        device.choose_device("gpu")


@pytest.mark.parametrize(
    ("wanted", "has_gpu", "expected"), [("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", True, "cpu")]
)
def test_auto_takes_a_gpu_when_there_is_one(monkeypatch, wanted, has_gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert device.choose_device(wanted).type == expected


def test_one_thread_is_a_matter_of_the_block():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with device.one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_unknown_word_is_refused():
    with pytest.raises(DeviceError, match="expected 'auto', 'cpu' or 'gpu'"):
        device.choose_device("tpu")


def test_tracking_changes_no_item_and_writes_lines_to_a_log(monkeypatch, caplog):
    monkeypatch.setattr(device, "_SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO):
        assert list(device.track([1, 2, 3], total=3, description="counting")) == [1, 2, 3]
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "counting: 1 of 3",
        "counting: 2 of 3",
    ]


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(device.track("ab", total=2, description="counting")) == ["a", "b"]


def test_a_log_line_says_units_rate_and_the_time_left_by_cost(monkeypatch, caplog):
    monkeypatch.setattr(device, "_SECONDS_BETWEEN_LINES", 0.0)
    ticks = iter([0.0, 2.0, 3.0])  # the first item takes two seconds, the second one
    monkeypatch.setattr(device, "monotonic", lambda: next(ticks))
    with caplog.at_level(logging.INFO):
        done = device.track("ab", 2, "clean", unit="sentences", sizes=[10, 30], costs=[200, 100])
        assert list(done) == ["a", "b"]
    # 10 sentences in 2 s; 200 of 300 characters took 2 s, so the rest takes 1 s
    assert [record.message for record in caplog.records] == ["clean: 10 of 40 sentences, 5/s, about 1 s left"]


def test_a_bar_counts_units_too(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(device.track("ab", 2, "clean", unit="sentences", sizes=[10, 30])) == ["a", "b"]


def test_two_threads_do_not_draw_bars_over_each_other(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    drawn = []
    monkeypatch.setattr(device, "_with_a_bar", lambda items, *_: drawn.append("bar") or items)
    with device.beside(lambda: list(device.track("ab", 2, "searching"))) as other:
        assert other.result(timeout=60) == ["a", "b"]
    assert drawn == []
    assert list(device.track("cd", 2, "reading")) == ["c", "d"]
    assert drawn == ["bar"]


def test_what_is_done_beside_goes_on_while_the_caller_works_and_hands_over_its_result():
    may_end = threading.Event()
    with device.beside(lambda: may_end.wait(60) and "found") as answer:
        assert not answer.done()
        may_end.set()
        assert answer.result(timeout=60) == "found"


def test_what_fails_beside_fails_where_its_result_is_taken():
    def fail():
        raise DeviceError("the disk is full")

    with pytest.raises(DeviceError, match="the disk is full"), device.beside(fail) as answer:
        answer.result(timeout=60)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_work_that_nobody_waits_for_ends_and_leaves_no_thread(monkeypatch, is_terminal):
    def search():
        for _ in device.track(range(20_000), 20_000, "searching"):
            began.set()
            sleep(0.001)

    def be_interrupted():
        assert began.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    began, threads = threading.Event(), threading.active_count()
    with pytest.raises(KeyboardInterrupt), device.beside(search) as answer:
        be_interrupted()
    assert type(answer.exception(timeout=0)) is device._AbandonedError
    assert threading.active_count() == threads


class Ring:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self):
        self.itself = self


def test_what_was_there_is_left_alone_inside_the_block_and_what_came_is_not():
    there, before = Ring(), gc.get_freeze_count()
    old = weakref.ref(there)
    with device.spared_from_collections():
        assert gc.get_freeze_count() > before
        came = Ring()
        new = weakref.ref(came)
        del there, came
        gc.collect()
        assert (old() is None, new() is None) == (False, True)
    gc.collect()
    assert (old(), gc.get_freeze_count()) == (None, before)


def test_an_inner_block_leaves_what_the_outer_one_spares():
    with device.spared_from_collections():
        spared = gc.get_freeze_count()
        with device.spared_from_collections():
            pass
        assert gc.get_freeze_count() >= spared > 0

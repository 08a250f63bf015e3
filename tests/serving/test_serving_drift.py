"""The window of adverts that is compared with the training: same adverts leave it calm, others do not."""

import threading

import pytest
import torch
from torch.nn.functional import normalize

from joblens.models.bundle import Snapshot
from joblens.records import Guess
from joblens.serving.drift import DriftWatch, Window

LABELS = ("Byggeri", "Køkken", "Sundhed")
NEVER = Window(adverts=300, fewest=100, every=10**9, seconds=0.0)
"""Measures only when asked to."""


def vectors(rows, seed, shift=0.0):
    dice = torch.Generator().manual_seed(seed)
    found = torch.randn(rows, 16, generator=dice)
    found[:, 0] += shift
    return normalize(found, dim=1)


def guesses(counts):
    """So many guesses of each label."""
    return [
        Guess(label, 0.9, ((label, 0.9),), (label,), abstained=False)
        for label, count in zip(LABELS, counts, strict=True)
        for _ in range(count)
    ]


SNAPSHOT = Snapshot(vectors(400, seed=0).half(), torch.tensor([50, 30, 20]), abstained=0)


@pytest.fixture
def watch():
    with DriftWatch(SNAPSHOT, LABELS, lambda found: None, NEVER) as found:
        yield found


def test_adverts_like_those_of_the_training_leave_both_numbers_low(watch):
    watch.saw(guesses([150, 90, 60]), vectors(300, seed=1))
    found = watch.measure()
    assert found.adverts == 300
    assert found.label_psi == pytest.approx(0, abs=1e-3)
    assert found.label_psi < found.label_psi_by_chance
    assert found.auc == pytest.approx(0.5, abs=0.07)


def test_adverts_about_other_things_raise_the_classifier_and_not_the_labels(watch):
    watch.saw(guesses([150, 90, 60]), vectors(300, seed=1, shift=3))
    found = watch.measure()
    assert found.auc > 0.9
    assert found.label_psi < found.label_psi_by_chance


def test_other_labels_raise_the_index_and_not_the_classifier(watch):
    watch.saw(guesses([30, 30, 240]), vectors(300, seed=1))
    found = watch.measure()
    assert found.label_psi > 0.25 > found.label_psi_by_chance
    assert found.auc < 0.6


def test_only_the_latest_adverts_count(watch):
    watch.saw(guesses([0, 0, 300]), vectors(300, seed=1, shift=3))
    watch.saw(guesses([150, 90, 60]), vectors(300, seed=2))
    found = watch.measure()
    assert found.adverts == 300
    assert found.label_psi < found.label_psi_by_chance
    assert found.auc < 0.6


def test_nothing_is_said_of_too_few_adverts(watch):
    watch.saw(guesses([33, 33, 33]), vectors(99, seed=1))
    assert watch.measure() is None
    watch.saw(guesses([1, 0, 0]), vectors(1, seed=2))
    assert watch.measure().adverts == 100


def test_adverts_without_words_are_passed_over(watch):
    empty = Guess("", 0.0, (), LABELS, abstained=True, reason="no text")
    watch.saw([empty, *guesses([60, 40, 20]), empty], vectors(120, seed=1))
    assert watch.measure().adverts == 120


def test_one_advert_sent_all_the_time_shows_in_the_labels_alone(watch):
    watch.saw(guesses([0, 0, 300]), vectors(1, seed=1).repeat(300, 1))
    found = watch.measure()
    assert found.label_psi > 1
    assert found.auc != found.auc  # NaN


def test_it_measures_by_itself_and_says_so():
    measured, found = threading.Event(), []

    def remember(drift):
        found.append(drift)
        measured.set()

    with DriftWatch(SNAPSHOT, LABELS, remember, Window(300, fewest=100, every=50, seconds=0.0)) as watch:
        watch.saw(guesses([40, 30, 29]), vectors(99, seed=1))
        watch.saw(guesses([1, 0, 0]), vectors(1, seed=2))
        assert measured.wait(timeout=20)
    assert [drift.adverts for drift in found] == [100]


def test_two_measurements_are_apart_in_time():
    found = []
    window = Window(300, fewest=10, every=1, seconds=3600)
    with DriftWatch(SNAPSHOT, LABELS, found.append, window) as watch:
        watch.saw(guesses([40, 30, 30]), vectors(100, seed=1))
        for _ in range(200):
            if found:
                break
            threading.Event().wait(0.05)
        watch.saw(guesses([40, 30, 30]), vectors(100, seed=2))
        threading.Event().wait(0.3)
        assert len(found) == 1


def test_a_measurement_that_fails_is_logged_without_its_words_and_the_next_one_is_made(caplog):
    tried, measured = [], threading.Event()

    def fail_once(drift):
        tried.append(drift)
        if len(tried) == 1:
            raise RuntimeError("kanariefugl")
        measured.set()

    window = Window(300, fewest=50, every=50, seconds=0.0)
    with DriftWatch(SNAPSHOT, LABELS, fail_once, window) as watch:
        for turn in range(100):
            watch.saw(guesses([20, 20, 10]), vectors(50, seed=turn))
            if measured.wait(timeout=0.2):
                break
    assert measured.is_set()
    assert "drift was not measured: RuntimeError" in caplog.text
    assert "kanariefugl" not in caplog.text


def test_closing_ends_the_thread():
    before = threading.active_count()
    watch = DriftWatch(SNAPSHOT, LABELS, lambda found: None)
    assert threading.active_count() == before + 1
    watch.close()
    assert threading.active_count() == before


def test_what_is_remembered_does_not_hold_the_memory_of_a_batch(watch):
    """Half-precision copies: 300 rows of 16 numbers are 9,600 bytes, whatever the batch was cut from."""
    large = torch.zeros(10_000, 16)
    watch.saw(guesses([1, 0, 0]), large[:1])
    ((_, row),) = watch._seen
    assert row.untyped_storage().nbytes() == 32


def test_a_guess_more_than_vectors_is_a_fault(watch):
    with pytest.raises(ValueError, match="zip"):
        watch.saw(guesses([2, 0, 0]), vectors(1, seed=1))

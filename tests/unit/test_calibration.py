"""Scaling, prediction sets and abstention on rows whose answer is worked out by hand."""

from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import _SigmoidCalibration

from joblens.errors import DataError
from joblens.metrics import best_class, expected_calibration_error
from joblens.models.calibration import (
    COLDEST,
    HOTTEST,
    Calibration,
    abstains,
    accuracy_at_coverage,
    calibrate,
    fit_abstain_threshold,
    fit_scaling,
    fit_set_threshold,
    fit_temperature,
    log_odds,
    prediction_sets,
    probabilities,
    scaled,
)


def two_class(confidences):
    """Rows (p, 1 - p): class 0 is guessed with probability p."""
    first = torch.tensor(confidences, dtype=torch.float64)
    return torch.stack([first, 1 - first], dim=1)


def test_the_temperature_makes_the_confidence_equal_the_accuracy():
    # Three of four rows are right, so the best confidence is 3/4: log(3) / 1 apart. The logits are log(3) * 2
    # apart, hence T = 2.
    logits = torch.tensor([[2 * log(3), 0.0]] * 4)
    labels = torch.tensor([0, 0, 0, 1])
    assert fit_temperature(logits, labels) == pytest.approx(2.0, abs=1e-6)


def test_scaling_the_logits_scales_the_temperature():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 5, generator=generator)
    labels = torch.multinomial((logits * 0.7).softmax(dim=1), 1, generator=generator).squeeze(1)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3 * fit_temperature(logits, labels), rel=1e-6)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 0], COLDEST),  # always right: ever surer is ever better, down to the bound
        ([1, 1], HOTTEST),  # always wrong: never sure enough of the opposite
    ],
)
def test_rows_without_a_best_temperature_get_a_bound(labels, expected):
    logits = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    assert fit_temperature(logits, torch.tensor(labels)) == pytest.approx(expected)


def test_probabilities_are_the_softmax_of_logits_over_temperature():
    calibration = Calibration(temperature=2.0, set_threshold=0.0, abstain_below=0.0)
    found = probabilities(torch.tensor([[2 * log(3), 0.0]]), calibration)
    assert found.tolist() == [[pytest.approx(0.75), pytest.approx(0.25)]]


def test_the_set_threshold_is_the_conformal_order_statistic():
    # N = 9, coverage 0.7: k = ceil(10 * 0.7) = 7, the 7th highest of 0.1 ... 0.9 is 0.3.
    true_probabilities = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    labels = torch.zeros(9, dtype=torch.int64)
    assert fit_set_threshold(two_class(true_probabilities), labels, coverage=0.7) == pytest.approx(0.3)


def test_too_few_rows_put_every_label_in_the_set():
    # N = 8, coverage 0.9: k = ceil(9 * 0.9) = 9 > 8.
    assert fit_set_threshold(two_class([0.9] * 8), torch.zeros(8, dtype=torch.int64), coverage=0.9) == 0.0


@pytest.mark.parametrize("coverage", [0.7, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("rows", [9, 19, 20, 99])
def test_sets_hold_the_true_label_as_often_as_asked_on_the_rows_that_set_them(rows, coverage):
    generator = torch.Generator().manual_seed(rows)
    scores = torch.randn(rows, 4, generator=generator, dtype=torch.float64).softmax(dim=1)
    labels = torch.randint(4, (rows,), generator=generator)
    threshold = fit_set_threshold(scores, labels, coverage)
    sets = prediction_sets(scores, Calibration(1.0, threshold, 0.0))
    held = sum(label in inside for label, inside in zip(labels.tolist(), sets, strict=True))
    assert held / rows >= coverage


def test_our_sets_are_those_of_mapie():
    """A second implementation: MAPIE's own split-conformal classifier over the same probabilities."""
    import numpy as np
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Passes(ClassifierMixin, BaseEstimator):
        """A fitted classifier whose input already is probabilities."""

        classes_ = np.arange(3)

        def __sklearn_is_fitted__(self):
            return True

        def fit(self, x, y):
            return self

        def predict_proba(self, x):
            return x

        def predict(self, x):
            return x.argmax(axis=1)

    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(120, 3, generator=generator, dtype=torch.float64).softmax(dim=1)
    labels = torch.multinomial(scores, 1, generator=generator).squeeze(1)
    fitted, new = scores[:80], scores[80:]
    peer = SplitConformalClassifier(Passes(), confidence_level=0.8).conformalize(
        fitted.numpy(), labels[:80].numpy()
    )
    expected = peer.predict_set(new.numpy())[1][:, :, 0]  # (40, 3) bool
    threshold = fit_set_threshold(fitted, labels[:80], coverage=0.8)
    found = prediction_sets(new, Calibration(1.0, threshold, 0.0))
    assert [sorted(inside) for inside in found if inside] == [
        row.nonzero()[0].tolist() or [int(new[place].argmax())] for place, row in enumerate(expected)
    ]


def test_a_set_lists_labels_from_likely_to_unlikely():
    scores = torch.tensor([[0.2, 0.5, 0.3]])
    assert prediction_sets(scores, Calibration(1.0, 0.25, 0.0)) == [[1, 2]]


def test_a_set_without_any_likely_label_holds_the_best_guess():
    scores = torch.tensor([[0.2, 0.5, 0.3]])
    assert prediction_sets(scores, Calibration(1.0, 0.9, 0.0)) == [[1]]


@pytest.mark.parametrize(
    ("target", "threshold", "precision", "answered"),
    [
        (1.00, 0.9, 1.0, 1 / 5),  # only the surest row
        (0.75, 0.6, 3 / 4, 4 / 5),  # right, wrong, right, right
        (0.60, 0.0, 3 / 5, 1.0),  # all five rows reach it, so nothing is refused
    ],
)
def test_the_abstain_threshold_is_the_lowest_that_reaches_the_precision(
    target, threshold, precision, answered
):
    scores = two_class([0.9, 0.8, 0.7, 0.6, 0.55])
    labels = torch.tensor([0, 1, 0, 0, 1])  # right, wrong, right, right, wrong
    assert fit_abstain_threshold(scores, labels, target) == pytest.approx((threshold, precision, answered))


def test_rows_of_one_confidence_are_answered_together():
    scores = two_class([0.9, 0.8, 0.8])
    labels = torch.tensor([0, 0, 1])  # answering only one of the two at 0.8 would be 100 % right
    assert fit_abstain_threshold(scores, labels, 1.0) == pytest.approx((0.9, 1.0, 1 / 3))


def test_an_unreachable_precision_gives_the_best_one_and_says_so():
    scores = two_class([0.9, 0.8, 0.7])
    labels = torch.tensor([1, 0, 0])  # the surest row is wrong: 0/1, 1/2, 2/3
    assert fit_abstain_threshold(scores, labels, 0.95) == pytest.approx((0.0, 2 / 3, 1.0))


def test_a_row_abstains_when_its_best_probability_is_below_the_threshold():
    calibration = Calibration(1.0, 0.0, abstain_below=0.8)
    assert abstains(two_class([0.9, 0.8, 0.79]), calibration).tolist() == [False, False, True]


def test_a_threshold_of_zero_never_abstains():
    assert abstains(two_class([0.5, 0.9]), Calibration(1.0, 0.0, 0.0)).tolist() == [False, False]


def test_calibrate_fits_all_three_on_calibrated_probabilities():
    logits = torch.tensor([[2 * log(3), 0.0]] * 4)
    found = calibrate(logits, torch.tensor([0, 0, 0, 1]), coverage=0.5, target_precision=0.7)
    assert found.temperature == pytest.approx(2.0, abs=1e-6)
    # Three hits and a miss of equal odds: 3 x 4/5 and 1/3, of 4.
    assert probabilities(logits, found)[0, 0] == pytest.approx(0.68333, abs=1e-4)
    # k = ceil(5 * 0.5) = 3, the third highest of three such.
    assert found.set_threshold == pytest.approx(0.68333, abs=1e-4)
    assert (found.abstain_below, found.precision, found.answered) == (0.0, 0.75, 1.0)
    assert (found.coverage, found.target_precision) == (0.5, 0.7)


def too_sure_at_the_top(rows=4000, seed=0):
    """Logits that are calibrated but for a tenth of the labels, which are wrong."""
    generator = torch.Generator().manual_seed(seed)
    logits = 6 * torch.randn(rows, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator).squeeze(1)
    is_wrong = torch.rand(rows, generator=generator) < 0.1
    return logits, torch.where(is_wrong, torch.randint(5, (rows,), generator=generator), labels)


def test_wrong_labels_leave_one_temperature_too_sure_at_the_top_and_platt_mends_it():
    logits, labels = too_sure_at_the_top()
    fresh, answers = too_sure_at_the_top(seed=1)
    temperature, slope, shift = fit_scaling(logits, labels)
    plain, found = scaled(fresh, temperature), scaled(fresh, temperature, slope, shift)
    assert slope < 0.9
    before, after = (expected_calibration_error(values, answers, 15) for values in (plain, found))
    assert after < before / 2


def test_fitting_the_odds_of_right_guesses_agrees_with_scikit_learn():
    logits, labels = too_sure_at_the_top(300)
    temperature, slope, shift = fit_scaling(logits, labels)
    likely, guesses = scaled(logits, temperature).max(dim=1)
    reference = _SigmoidCalibration().fit(likely.logit().numpy(), (guesses == labels).numpy())
    assert (slope, shift) == pytest.approx((-reference.a_, -reference.b_), rel=1e-3, abs=1e-3)


@settings(deadline=None)
@given(
    logits=arrays(float, (7, 4), elements=st.integers(-5000, 5000).map(lambda hundredths: hundredths / 100)),
    temperature=st.floats(0.05, 20),
    slope=st.floats(0.05, 20),
    shift=st.floats(-20, 20),
)
def test_scaling_keeps_the_guess_and_the_order_of_the_others(logits, temperature, slope, shift):
    rows = torch.from_numpy(logits)
    found = scaled(rows, temperature, slope, shift)
    assert found.sum(dim=1).tolist() == pytest.approx([1.0] * 7)
    assert torch.equal(best_class(found), best_class(rows))
    for before, after, guess in zip(rows, found, best_class(rows).tolist(), strict=True):
        others = [place for place in before.argsort(stable=True).tolist() if place != guess]
        assert bool((after[others].diff() >= 0).all())


def test_odds_are_those_of_one_class_against_all_others():
    probabilities = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], dtype=torch.float64)
    found = log_odds(probabilities.log(), torch.tensor([1, 2])).tolist()
    assert found == pytest.approx([log(0.3 / 0.7), log(0.7 / 0.3)])
    assert log_odds(torch.tensor([[400.0, 0.0]]), torch.tensor([0])).tolist() == [400.0]


def test_slope_one_and_no_shift_change_nothing():
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(scaled(logits, 2.0, 1.0, 0.0), (logits.double() / 2).softmax(dim=1))
    torch.testing.assert_close(scaled(logits, 2.0, 1.0, 1e-12), scaled(logits, 2.0), atol=1e-9, rtol=0)


def test_calibrate_gives_the_same_numbers_twice():
    logits = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    labels = torch.randint(3, (50,), generator=torch.Generator().manual_seed(2))
    assert calibrate(logits, labels, 0.9, 0.9) == calibrate(logits, labels, 0.9, 0.9)


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (torch.zeros(2, 3), torch.zeros(1), "2 rows of logits for 1 validation labels"),
        (torch.zeros(0, 3), torch.zeros(0), "at least one"),
        (torch.tensor([[float("nan"), 0.0]]), torch.zeros(1), "not finite"),
    ],
)
def test_rows_that_cannot_calibrate_are_refused(logits, labels, words):
    with pytest.raises(DataError, match=words):
        calibrate(logits, labels, 0.9, 0.9)


def test_accuracy_at_coverage_counts_the_surest_rows():
    # 20 rows, sure of 0.99, 0.98, ...; the 3rd and the 11th are wrong. 5 % is the first row; 15 % the first
    # three, two of them right; 50 % the first ten, nine right; all: 18 of 20.
    confidences = [0.99 - 0.01 * row for row in range(20)]
    labels = torch.tensor([int(row in (2, 10)) for row in range(20)])
    shuffled = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    found = accuracy_at_coverage(two_class(confidences)[shuffled], labels[shuffled])
    assert len(found) == 20
    assert [found[share] for share in ("0.05", "0.15", "0.50", "1.00")] == pytest.approx(
        [1, 2 / 3, 9 / 10, 18 / 20]
    )


def test_of_rows_as_sure_as_each_other_none_comes_first():
    # Of 4 rows, one is surer than the others, and right; of the other three, one is right. 50 % is 2 rows:
    # the first, and a third of a right one.
    found = accuracy_at_coverage(two_class([0.6, 0.6, 0.6, 0.9]), torch.tensor([1, 1, 0, 0]))
    assert found["0.25"] == 1
    assert found["0.50"] == pytest.approx((1 + 1 / 3) / 2)
    assert found["1.00"] == 0.5


def test_there_is_no_accuracy_of_no_rows():
    with pytest.raises(DataError, match="0 rows of probabilities for 0 labels"):
        accuracy_at_coverage(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))

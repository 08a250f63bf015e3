import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    label_ranking_average_precision_score,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)
from torch import Tensor

from joblens.errors import DataError
from joblens.metrics import (
    accuracy,
    best_class,
    bootstrap_interval,
    confusion_accuracy,
    confusion_macro_f1,
    confusion_matrix,
    expected_calibration_error,
    hit_rate,
    macro_f1,
    mean_average_precision,
    mean_reciprocal_rank,
    paired_difference,
    per_class,
    precision_recall_f1,
    reliability_table,
    top_k_accuracy,
)

# Six rows of three classes. Class 0: 2 of 3 found, once guessed wrongly. Class 1: both found. Class 2: lost.
LABELS = torch.tensor([0, 0, 0, 1, 1, 2])
GUESSES = torch.tensor([0, 0, 1, 1, 1, 0])
# precision: 2/3, 2/3, 0      recall: 2/3, 1, 0      F1: 2/3, 4/5, 0      support: 3, 2, 1

SCORES = torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2]])
TRUTH = torch.tensor([0, 1, 2])


def test_accuracy_is_the_share_of_rows_guessed_right():
    assert accuracy(GUESSES, LABELS) == pytest.approx(4 / 6)


def test_confusion_rows_are_the_truth_and_columns_the_guess():
    assert confusion_matrix(GUESSES, LABELS, 3).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_macro_averages_weigh_each_class_alike():
    averages = precision_recall_f1(GUESSES, LABELS, 3, "macro")
    assert averages.precision == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert averages.recall == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert averages.f1 == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert macro_f1(GUESSES, LABELS, 3) == pytest.approx(averages.f1)


def test_weighted_averages_weigh_a_class_by_its_rows():
    averages = precision_recall_f1(GUESSES, LABELS, 3, "weighted")
    assert averages.precision == pytest.approx((3 * 2 / 3 + 2 * 2 / 3 + 0) / 6)
    assert averages.recall == pytest.approx(4 / 6)  # weighted recall is accuracy
    assert averages.f1 == pytest.approx((3 * 2 / 3 + 2 * 4 / 5 + 0) / 6)


def test_a_class_without_rows_lowers_the_macro_average_and_leaves_the_weighted_one():
    assert macro_f1(GUESSES, LABELS, 4) == pytest.approx((2 / 3 + 4 / 5) / 4)
    assert precision_recall_f1(GUESSES, LABELS, 4, "weighted").recall == pytest.approx(4 / 6)


def test_the_class_table_counts_the_true_rows_of_each_class():
    table = per_class(GUESSES, LABELS, 3)
    assert [row.support for row in table] == [3, 2, 1]
    assert [row.f1 for row in table] == pytest.approx([2 / 3, 4 / 5, 0])
    assert [row.label for row in table] == [0, 1, 2]


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, 1 / 3),  # only row 0 is right at the first guess
        (2, 2 / 3),  # row 1 is right at the second
        (3, 3 / 3),  # with as many guesses as classes, always right
    ],
)
def test_a_label_counts_as_found_anywhere_in_the_first_k(k, expected):
    assert top_k_accuracy(SCORES, TRUTH, k) == pytest.approx(expected)


def test_ties_go_to_the_lower_class_index():
    tied = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    assert best_class(tied).tolist() == [0, 0]
    assert top_k_accuracy(tied, torch.tensor([0, 1]), 1) == 0.5


def test_calibration_error_is_the_gap_between_promise_and_truth_weighted_by_rows():
    # Bin (0.5, 1]: promises 0.9 and 0.7, mean 0.8, one of two right: gap 0.3.
    # Bin (0, 0.5]: promises 0.5, and is right: gap 0.5.
    probabilities = torch.tensor([[0.9, 0.1], [0.7, 0.3], [0.5, 0.5]])
    labels = torch.tensor([0, 1, 0])
    assert expected_calibration_error(probabilities, labels, 2) == pytest.approx((2 * 0.3 + 1 * 0.5) / 3)


def test_reliability_bins_are_closed_on_the_right_and_empty_ones_promise_nothing():
    probabilities = torch.tensor([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
    table = reliability_table(probabilities, torch.tensor([0, 1, 0]), 4)
    assert [row.count for row in table] == [0, 1, 1, 1]
    assert (table[0].confidence, table[0].accuracy) == (None, None)
    assert [(row.confidence, row.accuracy) for row in table[1:]] == [(0.5, 1), (0.75, 0), (1, 1)]
    assert [(row.low, row.high) for row in table] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]


@pytest.mark.parametrize("always_right", [True, False])
def test_an_interval_has_no_width_when_every_redraw_is_the_same(always_right):
    guesses = LABELS if always_right else (LABELS + 1) % 3
    interval = bootstrap_interval(confusion_accuracy, guesses, LABELS, 3, draws=50, seed=0)
    assert interval == (float(always_right), float(always_right))


def test_the_interval_of_a_share_agrees_with_the_normal_approximation():
    # 400 rows, 80 % right: standard error sqrt(0.8 * 0.2 / 400) = 0.02, so 0.8 -+ 1.96 * 0.02
    labels = torch.zeros(400, dtype=torch.int64)
    guesses = (torch.arange(400) >= 320).long()
    low, high = bootstrap_interval(confusion_accuracy, guesses, labels, 2, draws=4000, seed=1)
    assert (low, high) == (pytest.approx(0.7608, abs=0.004), pytest.approx(0.8392, abs=0.004))


def test_the_interval_equals_a_bootstrap_over_rows_drawn_one_by_one():
    generator = np.random.default_rng(0)
    labels = torch.from_numpy(generator.integers(0, 4, 300))
    guesses = torch.where(torch.from_numpy(generator.random(300) < 0.7), labels, (labels + 1) % 4)
    fast = bootstrap_interval(confusion_macro_f1, guesses, labels, 4, draws=2000, seed=3)
    places = [(labels == label).nonzero().squeeze(1).numpy() for label in range(4)]
    values = []
    for _ in range(2000):
        rows = np.concatenate([generator.choice(place, len(place)) for place in places])
        values.append(macro_f1(guesses[rows], labels[rows], 4))
    assert fast == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.01)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    def interval(seed: int) -> tuple[float, float]:
        return bootstrap_interval(confusion_macro_f1, GUESSES, LABELS, 3, draws=300, seed=seed)

    assert interval(1) == interval(1)
    labels, guesses = LABELS.repeat(50), GUESSES.repeat(50)
    first, second = (
        bootstrap_interval(confusion_accuracy, guesses, labels, 3, draws=300, seed=seed) for seed in (1, 2)
    )
    assert first != second


def test_a_model_never_differs_from_itself():
    result = paired_difference(confusion_macro_f1, GUESSES, GUESSES, LABELS, 3, draws=100, seed=0)
    assert (result.difference, result.low, result.high, result.share_above) == (0, 0, 0, 0)


def test_the_paired_difference_is_first_minus_second():
    worse = (LABELS + 1) % 3
    result = paired_difference(confusion_accuracy, LABELS, worse, LABELS, 3, draws=100, seed=0)
    assert (result.difference, result.low, result.high, result.share_above) == (1, 1, 1, 1)
    result = paired_difference(confusion_accuracy, worse, LABELS, LABELS, 3, draws=100, seed=0)
    assert (result.difference, result.low, result.high, result.share_above) == (-1, -1, -1, 0)


def test_a_paired_interval_is_narrower_than_two_separate_ones_when_models_agree():
    # 200 rows: both wrong on the same 60, the second also on 10 more. Difference 0.05, discordant rows 10:
    # its standard error is sqrt(0.05 * 0.95 / 200) = 0.0154, against sqrt(0.7 * 0.3 / 200) = 0.0324 for one.
    labels = torch.zeros(200, dtype=torch.int64)
    first = (torch.arange(200) < 60).long()
    second = (torch.arange(200) < 70).long()
    result = paired_difference(confusion_accuracy, first, second, labels, 2, draws=2000, seed=0)
    assert result.difference == pytest.approx(0.05)
    assert result.high - result.low == pytest.approx(2 * 1.96 * 0.0154, abs=0.01)


def test_a_thousand_redraws_of_four_models_on_two_thousand_rows_take_under_three_seconds():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 22, (2000,), generator=generator)
    models = [torch.randint(0, 22, (2000,), generator=generator) for _ in range(4)]
    start = time.perf_counter()
    for guesses in models:
        for statistic in (confusion_accuracy, confusion_macro_f1):
            bootstrap_interval(statistic, guesses, labels, 22, draws=1000, seed=0)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: accuracy(GUESSES[:5], LABELS), "5 rows of guesses for 6 labels"),
        (lambda: accuracy(GUESSES[:0], LABELS[:0]), "no rows to measure"),
        (lambda: macro_f1(GUESSES, LABELS, 2), r"labels run from 0 to 2, expected 0 to 1"),
        (lambda: confusion_matrix(GUESSES - 1, LABELS, 3), r"guesses run from -1 to 0, expected 0 to 2"),
        (lambda: top_k_accuracy(SCORES, TRUTH, 0), r"k=0 for 3 classes; choose k from 1 to 3"),
        (lambda: top_k_accuracy(SCORES, TRUTH, 4), r"k=4 for 3 classes"),
        (lambda: expected_calibration_error(SCORES, TRUTH, 0), "0 reliability bins"),
        (
            lambda: bootstrap_interval(confusion_accuracy, GUESSES, LABELS, 2, draws=9, seed=0),
            "labels run from 0 to 2",
        ),
    ],
)
def test_rows_that_cannot_be_measured_are_refused(measure, message):
    with pytest.raises(DataError, match=message):
        measure()


# --- against scikit-learn, and for any input -------------------------------------------------------------


@st.composite
def guessed_rows(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, int]:
    """Scores (N, C) on a coarse grid so that ties happen, guesses (N,), labels (N,), C."""
    classes = draw(st.integers(2, 6))
    rows = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**16))
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 5, (rows, classes), generator=generator) / 4
    return scores, best_class(scores), torch.randint(0, classes, (rows,), generator=generator), classes


@given(guessed_rows(), st.sampled_from(["macro", "weighted"]))
def test_precision_recall_and_f1_equal_those_of_sklearn(rows, average):
    _, guesses, labels, classes = rows
    ours = precision_recall_f1(guesses, labels, classes, average)
    theirs = precision_recall_fscore_support(
        labels, guesses, labels=list(range(classes)), average=average, zero_division=0
    )
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs[:3])


@given(guessed_rows())
def test_the_class_table_equals_that_of_sklearn(rows):
    _, guesses, labels, classes = rows
    table = per_class(guesses, labels, classes)
    theirs = precision_recall_fscore_support(labels, guesses, labels=list(range(classes)), zero_division=0)
    for name, column in zip(("precision", "recall", "f1", "support"), theirs, strict=True):
        assert [getattr(row, name) for row in table] == pytest.approx(column.tolist())


def test_accuracy_and_top_k_equal_those_of_sklearn_when_nothing_ties():
    generator = torch.Generator().manual_seed(0)
    scores, labels = torch.rand(200, 5, generator=generator), torch.arange(200) % 5
    assert accuracy(best_class(scores), labels) == accuracy_score(labels, best_class(scores))
    for k in (1, 2, 3):
        assert top_k_accuracy(scores, labels, k) == pytest.approx(
            top_k_accuracy_score(labels, scores, k=k, labels=range(5))
        )


@given(guessed_rows())
def test_more_guesses_never_find_fewer_labels(rows):
    scores, guesses, labels, classes = rows
    shares = [top_k_accuracy(scores, labels, k) for k in range(1, classes + 1)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(accuracy(guesses, labels))
    assert shares[-1] == 1


@given(guessed_rows(), st.integers(1, 20))
def test_reliability_bins_hold_every_row_once_and_the_error_is_a_fraction(rows, bins):
    scores, _, labels, _ = rows
    probabilities = scores.softmax(dim=1)
    table = reliability_table(probabilities, labels, bins)
    assert sum(row.count for row in table) == len(labels)
    assert all(
        row.low - 1e-6 <= row.confidence <= row.high + 1e-6 for row in table if row.confidence is not None
    )
    assert 0 <= expected_calibration_error(probabilities, labels, bins) <= 1


@settings(max_examples=30)
@given(guessed_rows())
def test_macro_f1_does_not_care_how_classes_are_numbered_or_rows_are_ordered(rows):
    _, guesses, labels, classes = rows
    expected = macro_f1(guesses, labels, classes)
    assert macro_f1(classes - 1 - guesses, classes - 1 - labels, classes) == pytest.approx(expected)
    assert macro_f1(guesses.flip(0), labels.flip(0), classes) == pytest.approx(expected)


@settings(max_examples=30)
@given(guessed_rows())
def test_an_interval_is_ordered_and_lies_within_zero_and_one(rows):
    _, guesses, labels, classes = rows
    low, high = bootstrap_interval(confusion_macro_f1, guesses, labels, classes, draws=20, seed=0)
    assert 0 <= low <= high <= 1
    assert math.isfinite(low)


# --- rankings --------------------------------------------------------------------------------------------

# Three queries, the first four answers of each, best first.
HITS = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=torch.bool)
# precision at each right answer: 1/1 and 2/3, 1/4, none


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([1, 1], 1),
        ([1, 2, 4], (1 + 1 / 2 + 1 / 4) / 3),
        ([2, 0], (1 / 2 + 0) / 2),  # 0 stands for not found
        ([0, 0], 0),
    ],
)
def test_a_reciprocal_rank_is_one_over_the_place_of_the_first_right_answer(ranks, expected):
    assert mean_reciprocal_rank(torch.tensor(ranks)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("relevant", "expected"),
    [
        ([2, 1, 1], ((1 + 2 / 3) / 2 + 1 / 4 + 0) / 3),  # all that there is was found, or nothing
        ([4, 1, 9], ((1 + 2 / 3) / 4 + 1 / 4 + 0) / 3),  # two of the first query's four were not found
    ],
)
def test_average_precision_counts_right_answers_that_were_not_found_as_zero(relevant, expected):
    assert mean_average_precision(HITS, torch.tensor(relevant)) == pytest.approx(expected)


def test_average_precision_is_one_when_every_right_answer_comes_first():
    hits = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_average_precision(hits, torch.tensor([2, 1])) == 1


def test_average_precision_with_one_right_answer_is_its_reciprocal_rank():
    ranks = torch.tensor([3, 1, 4, 2])
    hits = torch.arange(1, 5) == ranks.unsqueeze(1)
    found = mean_average_precision(hits, torch.ones(4))
    assert found == pytest.approx((1 / 3 + 1 + 1 / 4 + 1 / 2) / 4)
    assert found == pytest.approx(mean_reciprocal_rank(ranks))


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, 1 / 3),  # the first query alone
        (3, 1 / 3),  # its second right answer does not count again
        (4, 2 / 3),  # the second query's is the fourth
        (9, 2 / 3),  # more than there are answers
    ],
)
def test_a_query_is_hit_by_any_right_answer_among_the_first_k(k, expected):
    assert hit_rate(HITS, k) == pytest.approx(expected)


def test_rankings_of_no_queries_are_refused():
    with pytest.raises(DataError, match="no ranks to average"):
        mean_reciprocal_rank(torch.tensor([]))
    with pytest.raises(DataError, match="no answers to average"):
        mean_average_precision(HITS[:0], torch.tensor([]))


@given(st.integers(0, 2**16), st.integers(1, 20), st.integers(1, 12))
def test_average_precision_of_a_whole_ranking_equals_that_of_sklearn(seed, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    hits = torch.rand(rows, columns, generator=generator) < 0.3
    hits[torch.arange(rows), torch.arange(rows) % columns] = True  # sklearn gives a query without answers 1
    scores = torch.arange(columns, 0, -1).repeat(rows, 1)
    theirs = label_ranking_average_precision_score(hits, scores)
    assert mean_average_precision(hits, hits.sum(dim=1)) == pytest.approx(theirs)

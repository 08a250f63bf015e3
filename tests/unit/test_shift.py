"""Population stability and the domain classifier, on numbers that can be checked by hand."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from joblens.errors import DataError
from joblens.shift import domain_classifier_auc, population_stability_index, psi_by_chance


def test_equal_shares_have_index_zero():
    assert population_stability_index([4, 4], [4, 4]) == 0


def test_the_index_is_the_sum_of_differences_times_log_ratios():
    """With one half on each count: (49.5, 49.5) of 99 and (79.5, 19.5) of 99, so 30/99 · ln(79.5/19.5)."""
    found = population_stability_index([49, 49], [79, 19])
    assert found == pytest.approx(30 / 99 * (math.log(79.5 / 49.5) - math.log(19.5 / 49.5)))
    assert found == pytest.approx(0.4258, abs=1e-4)


def test_the_index_is_the_same_in_both_directions():
    assert population_stability_index([9, 1], [3, 7]) == pytest.approx(
        population_stability_index([3, 7], [9, 1])
    )


def test_a_label_nobody_got_gives_a_number():
    """Shares (10.5, 0.5)/11 and (0.5, 10.5)/11: 2 · 10/11 · ln 21."""
    assert population_stability_index([10, 0], [0, 10]) == pytest.approx(20 / 11 * math.log(21))


def test_chance_is_the_quantile_of_chi_squared_over_the_numbers_of_adverts():
    """One degree of freedom, 95 %: 3.8415 · (1/100 + 1/50) = 0.1152."""
    assert psi_by_chance([50, 50], [25, 25], level=0.95) == pytest.approx(0.1152, abs=1e-4)
    # A third label that neither has changes nothing.
    assert psi_by_chance([50, 50, 0], [25, 25, 0], level=0.95) == pytest.approx(0.1152, abs=1e-4)
    assert psi_by_chance([50, 0], [25, 0]) == 0


def test_chance_holds_for_shares_that_did_not_move():
    """1,000 pairs of samples of one distribution: about ten are above the 99 % mark."""
    dice = torch.Generator().manual_seed(0)
    shares = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05]).expand(1000, 5)

    def counts(ads):
        drawn = torch.multinomial(shares, ads, replacement=True, generator=dice)
        return [torch.bincount(row, minlength=5).tolist() for row in drawn]

    above = sum(
        population_stability_index(one, other) > psi_by_chance(one, other)
        for one, other in zip(counts(200), counts(1000), strict=True)
    )
    assert 2 <= above <= 25


@pytest.mark.parametrize(
    ("reference", "current", "words"),
    [
        ([1], [1, 2], "counts of 1 and 2 labels"),
        ([], [], "0 and 0"),
        ([0, 0], [1, 1], "reference"),
        ([1, 1], [2, -1], "current"),
    ],
)
def test_counts_that_cannot_be_compared_are_refused(reference, current, words):
    for function in (population_stability_index, psi_by_chance):
        with pytest.raises(DataError, match=words):
            function(reference, current)


def vectors(rows, shift=0.0, seed=0, dimensions=16):
    dice = torch.Generator().manual_seed(seed)
    found = torch.randn(rows, dimensions, generator=dice)
    found[:, 0] += shift
    return normalize(found, dim=1)


def test_vectors_of_one_distribution_are_not_told_apart():
    assert domain_classifier_auc(vectors(400), vectors(400, seed=1)) == pytest.approx(0.5, abs=0.06)


def test_vectors_that_moved_far_are_always_told_apart():
    assert domain_classifier_auc(vectors(100), vectors(100, shift=30.0, seed=1)) == 1.0


def test_the_further_they_moved_the_better_they_are_told_apart():
    little, much = (domain_classifier_auc(vectors(300), vectors(300, shift, seed=1)) for shift in (0.5, 2))
    assert 0.55 < little < 0.75 < 0.85 < much


def test_an_advert_sent_many_times_counts_once():
    """Ten adverts sent forty times: a copy in another fold would give each of them away."""
    sent_often = vectors(10, seed=1).repeat(40, 1)
    assert domain_classifier_auc(vectors(100), sent_often) == domain_classifier_auc(
        vectors(100), vectors(10, seed=1)
    )


def test_half_precision_of_one_side_does_not_give_it_away():
    reference = vectors(300)
    assert domain_classifier_auc(reference.half(), vectors(300, seed=1)) == domain_classifier_auc(
        reference, vectors(300, seed=1).half()
    )


def test_the_same_seed_gives_the_same_number():
    reference, current = vectors(60), vectors(60, 1.0, seed=1)
    assert domain_classifier_auc(reference, current, seed=3) == domain_classifier_auc(
        reference, current, seed=3
    )


def test_too_few_or_other_vectors_are_refused():
    with pytest.raises(DataError, match="1 distinct vectors"):
        domain_classifier_auc(vectors(100), vectors(1).repeat(50, 1))
    with pytest.raises(DataError, match=r"\(16,\) and \(8,\)"):
        domain_classifier_auc(vectors(100), vectors(100, dimensions=8))

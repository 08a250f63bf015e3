"""Groups of occupations at right angles, so that every probability is a small fraction."""

import math

import numpy as np
import pytest
import torch

from joblens.inference.code import Level, group_probabilities
from joblens.models import occupation_groups
from joblens.models.occupation_groups import UNLIKELY, OccupationGroups

TIMES_THREE = 1 / math.log(3)
"""A temperature at which a cosine of 1 weighs three times as much as one of 0, for exp(ln 3) is 3."""


def make_groups(vectors, *levels):
    """Each level is how many groups it has, the group of each occupation, and its temperature."""
    vectors = torch.as_tensor(vectors)
    groups = OccupationGroups(*vectors.shape, [size for size, _, _ in levels])
    groups.vectors.copy_(vectors)
    for row, (_, members, temperature) in enumerate(levels):
        groups.members[row] = torch.as_tensor(members)
        groups.temperatures[row] = temperature
    return groups


NURSE, DOCTOR, COOK = torch.eye(3)
WORKERS = make_groups(torch.eye(3), (2, [0, 0, 1], TIMES_THREE), (3, [0, 1, 2], TIMES_THREE))
"""Health and kitchen; then each of the three alone."""


def test_a_group_is_as_likely_as_its_occupations_together():
    # The weights are 3, 1 and 1: health has 4 of 5, and the nurse alone 3 of 5.
    (found,) = WORKERS(NURSE.unsqueeze(0))
    assert found.square().tolist() == pytest.approx([4 / 5, 1 / 5, 3 / 5, 1 / 5, 1 / 5])


def test_features_are_square_roots():
    (found,) = WORKERS(COOK.unsqueeze(0))
    assert found.tolist() == pytest.approx([(2 / 5) ** 0.5, (3 / 5) ** 0.5, 0.2**0.5, 0.2**0.5, 0.6**0.5])


def test_each_level_has_its_own_temperature():
    # At half the temperature the cosine of 1 weighs 3²: the nurse has 9 of 11.
    groups = make_groups(torch.eye(3), (3, [0, 1, 2], TIMES_THREE), (3, [0, 1, 2], TIMES_THREE / 2))
    (found,) = groups(NURSE.unsqueeze(0))
    assert found[[0, 3]].square().tolist() == pytest.approx([3 / 5, 9 / 11], abs=1e-6)


def test_the_product_of_two_adverts_is_the_overlap_of_their_distributions():
    # Health and kitchen: 4/5 and 1/5 in both. Each alone: √(3/5 · 1/5) twice, and 1/5.
    one, other = WORKERS(torch.stack([NURSE, DOCTOR]))
    assert float(one @ other) == pytest.approx(4 / 5 + 1 / 5 + 2 * 3**0.5 / 5 + 1 / 5)
    assert float(one @ one) == pytest.approx(2)  # one for each level


@pytest.mark.parametrize(("times", "other"), [(998, 1e-3), (9998, 0)])
def test_a_group_that_is_hardly_possible_counts_as_impossible(times, other):
    # The nurse weighs `times` as much as each of the other two: they have a thousandth, or a tenth of it.
    groups = make_groups(torch.eye(3), (3, [0, 1, 2], 1 / math.log(times)))
    (found,) = groups(NURSE.unsqueeze(0))
    assert found.square().tolist() == pytest.approx([times / (times + 2), other, other], abs=1e-6)
    assert (found[1] == 0) == (other < UNLIKELY)


def test_an_advert_without_a_title_has_no_groups():
    found = WORKERS(torch.stack([NURSE, torch.zeros(3), COOK]))
    assert found[1].tolist() == [0] * 5
    assert (found[[0, 2]] > 0).all()


def test_no_adverts_give_no_features():
    assert WORKERS(torch.zeros(0, 3)).shape == (0, 5)


def test_the_width_is_the_number_of_all_groups():
    assert WORKERS.width == WORKERS(NURSE.unsqueeze(0)).shape[1] == 5


def test_probabilities_are_those_that_titles_are_coded_with():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(40, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors.astype(np.float16).astype(np.float32)  # as they are kept
    titles = generator.normal(size=(9, 8)).astype(np.float32)
    titles /= np.linalg.norm(titles, axis=1, keepdims=True)
    levels = []
    for size, temperature in ((2, 0.2), (5, 0.1), (11, 0.05)):
        members = np.concatenate([np.arange(size), generator.integers(0, size, 40 - size)])
        levels.append(Level(tuple(str(group) for group in range(size)), members, temperature))
    ours = make_groups(vectors, *((len(level.groups), level.members, level.temperature) for level in levels))
    expected = np.hstack([group_probabilities(titles @ vectors.T, level) for level in levels])
    found = ours(torch.from_numpy(titles)).square().numpy()
    assert ((expected > UNLIKELY) == (found > 0)).all()
    np.testing.assert_allclose(found, np.where(expected > UNLIKELY, expected, 0), atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_how_many_are_compared_at_once_changes_nothing(monkeypatch, at_once):
    titles = torch.stack([NURSE, DOCTOR, COOK, torch.zeros(3), NURSE])
    expected = WORKERS(titles)
    monkeypatch.setattr(occupation_groups, "_AT_ONCE", at_once)
    torch.testing.assert_close(WORKERS(titles), expected)


def test_nothing_in_it_is_learned_and_everything_is_stored():
    assert list(WORKERS.parameters()) == []
    assert {name: tensor.dtype for name, tensor in WORKERS.state_dict().items()} == {
        "vectors": torch.float16,
        "members": torch.int32,
        "temperatures": torch.float32,
    }

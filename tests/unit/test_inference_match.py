"""Matches of vectors whose cosines can be read off."""

import pytest
import torch

from joblens.inference.match import Match, match

RIGHT, UP, NOTHING = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
BETWEEN = [0.6, 0.8]


def found(ads, profiles, cut_off=0.5, top=10):
    return match(torch.tensor(ads), torch.tensor(profiles), cut_off=cut_off, top=top)


def test_matches_come_advert_by_advert_and_most_alike_first():
    assert found([RIGHT, UP], [BETWEEN, RIGHT, UP]) == [
        Match(0, 1, 1.0),
        Match(0, 0, pytest.approx(0.6)),
        Match(1, 2, 1.0),
        Match(1, 0, pytest.approx(0.8)),
    ]


@pytest.mark.parametrize(
    ("cut_off", "profiles"), [(0.7, [1]), (1.0, [1]), (-1.0, [1, 0, 2]), (0.0, [1, 0, 2])]
)
def test_the_cut_off_itself_is_a_match(cut_off, profiles):
    assert [one.profile for one in found([RIGHT], [BETWEEN, RIGHT, UP], cut_off)] == profiles


def test_at_most_top_are_named_and_ties_go_to_the_first_profile():
    assert [one.profile for one in found([RIGHT], [RIGHT, BETWEEN, RIGHT, RIGHT], top=2)] == [0, 2]


def test_what_has_no_words_matches_nothing_whatever_the_cut_off():
    assert found([NOTHING, RIGHT], [NOTHING, UP], cut_off=-1.0) == [Match(1, 1, 0.0)]

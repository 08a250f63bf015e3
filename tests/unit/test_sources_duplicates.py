"""Near-duplicate groups: the arithmetic of shingles by hand, against brute force, and at scale."""

import os
import random
import subprocess
import sys
import time

import pytest

from joblens.sources.duplicates import near_duplicate_groups


def numbered(*numbers: int) -> str:
    return " ".join(f"word{number}" for number in numbers)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[place : place + 3]) for place in range(len(words) - 2)}


TEN = numbered(*range(10))  # 8 trigrams
ELEVEN = numbered(*range(11))  # 9 trigrams, 8 of them shared: Jaccard 8 / 9 = 0.889
OTHER = numbered(*range(100, 110))


@pytest.mark.parametrize(
    ("threshold", "groups"),
    [
        (0.88, [0, 0, 2]),
        (0.90, [0, 1, 2]),
        (1.0, [0, 1, 2]),
    ],
)
def test_two_ads_share_a_group_from_their_similarity_on(threshold: float, groups: list[int]) -> None:
    assert near_duplicate_groups([TEN, ELEVEN, OTHER], threshold, seed=1) == groups


def test_case_and_punctuation_do_not_matter() -> None:
    assert near_duplicate_groups(["Kok søges, straks!", OTHER, "kok SØGES straks"], 1.0, seed=1) == [0, 1, 0]


def test_similarity_is_passed_on_and_a_group_is_named_by_its_first_row() -> None:
    """Rows 1 and 3 share 8 of 10 trigrams (0.8), each shares more than 0.88 with row 2."""
    texts = [OTHER, numbered(*range(10)), numbered(*range(11)), numbered(*range(1, 11))]
    assert near_duplicate_groups(texts, 0.88, seed=1) == [0, 1, 1, 1]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["a", "b", "a"], ["a b", "a b c"]])
def test_texts_shorter_than_a_shingle_are_compared_whole(texts: list[str]) -> None:
    assert near_duplicate_groups(texts, 0.8, seed=1) == [texts.index(text) for text in texts]


def edited(chance: random.Random, count: int) -> list[str]:
    """Ads of 80 words; every second one is an edited copy of the one before."""
    texts: list[str] = []
    for number in range(count):
        words = [str(chance.randrange(5_000)) for _ in range(80)] if number % 2 == 0 else texts[-1].split()
        if number % 2:
            for _ in range(chance.randrange(8)):
                words[chance.randrange(80)] = "x"
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_the_groups_are_those_of_comparing_every_pair(threshold: float) -> None:
    texts = edited(random.Random(3), 300)
    sets = [shingles(text) for text in texts]
    expected = list(range(len(texts)))
    for row in range(1, len(texts), 2):
        shared = len(sets[row] & sets[row - 1])
        if shared / (len(sets[row]) + len(sets[row - 1]) - shared) >= threshold:
            expected[row] = row - 1
    assert len(set(expected)) < len(texts)
    assert near_duplicate_groups(texts, threshold, seed=1) == expected


def test_another_process_gives_the_same_groups() -> None:
    program = (
        "import random; from joblens.sources.duplicates import near_duplicate_groups as groups\n"
        "chance = random.Random(5)\n"
        "texts = [' '.join(str(chance.randrange(12)) for _ in range(9)) for _ in range(300)]\n"
        "print(groups(texts, 0.3, 7))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_thousands_of_the_same_boilerplate_take_seconds() -> None:
    """One body and a running number: all alike, no two equal, and 12.5 million pairs that nobody compares."""
    body = numbered(*range(100))
    texts = [f"{body} reference {number}" for number in range(5_000)]
    started = time.perf_counter()
    groups = near_duplicate_groups(texts, 0.8, seed=1)
    assert set(groups) == {0}
    assert time.perf_counter() - started < 15


def test_thousands_that_share_half_of_their_words_take_seconds_and_stay_apart() -> None:
    chance = random.Random(2)
    body = numbered(*range(100))
    texts = [f"{body} {numbered(*(chance.randrange(10**9) for _ in range(60)))}" for _ in range(3_000)]
    started = time.perf_counter()
    assert near_duplicate_groups(texts, 0.8, seed=1) == list(range(3_000))
    assert time.perf_counter() - started < 30

"""Titles into words, and words into rows of the table: counted by hand, and against a slow second way."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.encoders.title_features import feature_ids, has_words, title_words

MANY = 2**40
"""So many rows that no two of the features in these tests meet by chance."""

GAMMA = 0x9E3779B97F4A7C15
"""SplitMix64's constant, the golden ratio as a fraction of 2**64."""


def features(words: Sequence[str], buckets: int = MANY, sizes: tuple[int, int] = (3, 5)) -> list[list[int]]:
    """The row numbers of each word, sorted."""
    ids, lengths = feature_ids(words, buckets=buckets, shortest=sizes[0], longest=sizes[1])
    return [sorted(part.tolist()) for part in np.split(ids, np.cumsum(lengths)[:-1])]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Kok (m/k), Ærø", ["kok", "m", "k", "aero"]),
        ("SYGEPLEJERSKE", ["sygeplejerske"]),
        ("infirmière", ["infirmiere"]),
        ("infirmie\u0300re", ["infirmiere"]),  # the accent as a character of its own
        ("Straßenbauer", ["strassenbauer"]),
        ("Kørelærer", ["korelaerer"]),
        ("robotnik Łódź", ["robotnik", "lodz"]),
        ("œnologue đak", ["oenologue", "dak"]),
        ("C++ / C# developer", ["c++", "c#", "developer"]),
        ("C ++", ["c"]),  # plus signs alone are no word
        ("snake_case", ["snake", "case"]),
        ("3D-designer", ["3d", "designer"]),
        ("ｋｏｋ", ["kok"]),  # letters of full width
        ("Leiter Lager/Leiterin LAGER", ["leiter", "lager", "leiterin"]),  # each word once
        ("Cook™ for 𝐍ursing № 5", ["cooktm", "for", "nursing", "no", "5"]),  # capitals that NFKD brings
    ],
)
def test_case_and_diacritics_are_folded_and_words_cut_at_everything_but_letters_and_digits(
    title: str, words: list[str]
) -> None:
    assert title_words(title) == words


@pytest.mark.parametrize("title", ["", " \n", "!?", "___", "++", "\u0301", "\ud800"])
def test_a_text_without_words_has_one_empty_word(title: str) -> None:
    assert title_words(title) == [""]


def test_a_title_in_capitals_has_the_same_words() -> None:
    for title in ("Ærøskøbing købmand", "größter Fußpfleger", "żołnierz zawodowy", "ingénieur œnologue"):
        assert title_words(title.upper()) == title_words(title)


@given(st.text())
def test_words_are_letters_and_digits_and_never_none(title: str) -> None:
    words = title_words(title)
    assert words
    assert words == [""] or all(word.rstrip("#+").isalnum() for word in words)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("", 1),  # <> is too short for an n-gram: the word alone
        ("k", 1 + 1),  # <k> is one trigram
        ("it", 1 + 2 + 1),  # <it> has 4 characters: 2 trigrams, 1 fourgram
        ("kok", 1 + 3 + 2 + 1),  # <kok> has 5
        ("pædagog", 1 + 7 + 6 + 5),  # <pædagog> has 9
    ],
)
def test_a_word_has_itself_and_its_n_grams_as_features(word: str, count: int) -> None:
    (found,) = features([word])
    assert len(set(found)) == len(found) == count


def test_only_n_grams_of_the_sizes_asked_for_are_counted() -> None:
    assert [len(found) for found in features(["kok"], sizes=(2, 2))] == [1 + 4]  # <k ko ok k>
    assert [len(found) for found in features(["kok"], sizes=(6, 9))] == [1]


def test_the_same_letters_twice_are_the_same_feature_twice() -> None:
    (found,) = features(["aaaa"], sizes=(3, 3))  # <aa aaa aaa aa> and the word
    assert (len(found), len(set(found))) == (5, 4)


def test_the_ends_of_a_word_are_other_features_than_its_middle() -> None:
    # <aa and aa> belong to "aa" alone, and in "baab" stand <ba baa aab ab>: nothing in common.
    short, long = features(["aa", "baab"], sizes=(3, 3))
    assert not set(short) & set(long)


def test_a_compound_shares_n_grams_with_its_end() -> None:
    # køkkenchef and chef end alike: che hef ef> chef hef> chef> are in both, <ch and the like are not.
    compound, end = features(["køkkenchef", "chef"])
    assert len(set(compound) & set(end)) == 6


def test_two_letters_in_another_order_are_another_feature() -> None:
    one, two = features(["ab", "ba"], sizes=(9, 9))
    assert one != two


def test_features_of_a_word_do_not_depend_on_the_other_words() -> None:
    words = ["kok", "", "sygeplejerske", "c++", "kok"]
    together = features(words)
    assert together == [features([word])[0] for word in words]
    assert together[0] == together[4]


def test_row_numbers_stay_below_the_number_of_rows() -> None:
    ids, lengths = feature_ids(["sygeplejerske", "kok"], buckets=7, shortest=3, longest=5)
    assert len(ids) == lengths.sum() == (1 + 13 + 12 + 11) + 7  # <sygeplejerske> has 15 characters
    assert set(ids.tolist()) == set(range(7))  # 44 features leave none of 7 rows empty
    assert ids.dtype == lengths.dtype == np.int64


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_finds_the_same_rows_whatever_its_hash_seed(seed: str) -> None:
    words = ["kok", "sygeplejerske", "c++", ""]
    script = (
        "import json\n"
        "from joblens.encoders.title_features import feature_ids\n"
        f"ids, _ = feature_ids({words!r}, buckets=1000, shortest=3, longest=5)\n"
        "print(json.dumps(ids.tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == feature_ids(words, buckets=1000, shortest=3, longest=5)[0].tolist()


# --- a second implementation, letter by letter -----------------------------------------------------------


def spread(state: int) -> int:
    """The output function of SplitMix64."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
    return state ^ (state >> 31)


def hashed(letters: str, kind: int) -> int:
    """A polynomial of the letters' code points, told apart by its kind: an n-gram's size, 255 for a word."""
    polynomial = sum(ord(letter) * GAMMA**place for place, letter in enumerate(letters))
    return spread((polynomial + GAMMA * kind) % 2**64)


def slow_features(word: str, buckets: int, shortest: int, longest: int) -> list[int]:
    """What `feature_ids` gives for one word, sorted."""
    closed = f"<{word}>"
    grams = [
        hashed(closed[start : start + size], size)
        for size in range(shortest, longest + 1)
        for start in range(len(closed) - size + 1)
    ]
    return sorted(number % buckets for number in [hashed(closed, 255), *grams])


def test_the_second_implementation_spreads_bits_as_splitmix64_does() -> None:
    # The first two numbers of Vigna's reference, https://prng.di.unimi.it/splitmix64.c, from the state 0.
    assert spread(GAMMA) == 0xE220A8397B1DCDAF
    assert spread(2 * GAMMA % 2**64) == 0x6E789E6AA1B965F4


def test_every_character_has_words_when_it_gives_one() -> None:
    letters = [chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000] + ["™", "ﬁ", "東"]
    assert [letter for letter in letters if has_words(letter) != (title_words(letter) != [""])] == []


@given(st.text(), st.integers(1, 2**20), st.integers(1, 4), st.integers(0, 3))
def test_the_features_of_any_text_equal_those_counted_letter_by_letter(
    text: str, buckets: int, shortest: int, more: int
) -> None:
    words = title_words(text)
    assert features(words, buckets, (shortest, shortest + more)) == [
        slow_features(word, buckets, shortest, shortest + more) for word in words
    ]

"""Hashed n-grams weigh what scikit-learn's do, keep no word, and mean the same in every process."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer
from torch import nn

from joblens.models.ngrams import CHARACTERS, WORDS, NgramBlock, SparseLinear, ngram_counts

MANY = 2**20
"""So many buckets that no two n-grams of these few texts share one."""

LEARNED = [
    "Tømrer søges til nyt tag",
    "Tømrer og murer søges",
    "Kok søges til restaurant, kok til kantine",
    "Sygeplejerske til afdeling for børn",
    "Sygeplejerske søges, sygeplejerske, sygeplejerske",
]
ASKED = [*LEARNED, "Murer til nyt tag på restaurant", "Raketforsker", "", "x"]


def fitted(texts, buckets=MANY, min_df=1):
    return NgramBlock.fit(ngram_counts(texts, buckets), min_df)


def weighed(block, texts, buckets=MANY):
    return block.weigh(ngram_counts(texts, buckets)).toarray()


# --- counts ----------------------------------------------------------------------------------------------


def test_words_are_counted_in_the_first_half_and_letters_in_the_second():
    counts = ngram_counts(["kok"], MANY)
    words, letters = counts[:, :MANY].toarray(), counts[:, MANY:].toarray()
    # " kok " has five letters with its ends: 4 pairs, 3 threes, 2 fours and itself.
    assert (counts.shape, counts.dtype) == ((1, 2 * MANY), np.float32)
    assert (words.sum(), letters.sum()) == (1, 4 + 3 + 2 + 1)


def test_a_word_is_counted_as_often_as_it_comes_with_its_neighbour():
    # kok, kok, tjener; kok kok, kok tjener.
    counts = ngram_counts(["kok kok tjener"], MANY)[:, :MANY]
    assert sorted(counts.data.tolist()) == [1, 1, 1, 2]


def test_upper_case_changes_nothing():
    one, other = ngram_counts(["TØMRER Søges"], MANY), ngram_counts(["tømrer søges"], MANY)
    assert (one != other).nnz == 0


def test_ngrams_that_share_a_bucket_are_counted_together():
    text = "kok tjener sygeplejerske"
    few, many = ngram_counts([text], 16), ngram_counts([text], MANY)
    assert few.shape == (1, 32)
    assert few[:, :16].sum() == many[:, :MANY].sum() == 3 + 2
    assert few[:, 16:].sum() == many[:, MANY:].sum()
    assert few.nnz < many.nnz


COUNT_AND_PRINT = """
from joblens.models.ngrams import ngram_counts
counts = ngram_counts(["Tømrer søges til nyt tag"], 2**17)
print(counts.indices.tolist(), counts.data.tolist())
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_buckets_are_the_same_in_another_process(seed):
    counts = ngram_counts(["Tømrer søges til nyt tag"], 2**17)
    done = subprocess.run(
        [sys.executable, "-c", COUNT_AND_PRINT],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        check=True,
        text=True,
        capture_output=True,
    )
    assert done.stdout.strip() == f"{counts.indices.tolist()} {counts.data.tolist()}"


def test_buckets_are_those_of_bundles_that_were_written_before():
    # MurmurHash3 of "kok", then of its letters; with another hash a bundle would read other words.
    words, letters = [19013], [132177, 150085, 150134, 153423, 170170]
    letters += [176524, 205665, 207777, 236291, 252405]
    assert ngram_counts(["kok"], 2**17).indices.tolist() == words + letters


# --- weights ---------------------------------------------------------------------------------------------


def of_scikit_learn(analyzer, ngrams, min_df):
    """Buckets of the vocabulary in order, and the TF-IDF of `ASKED` in that order."""
    counts = CountVectorizer(analyzer=analyzer, ngram_range=ngrams, min_df=min_df).fit(LEARNED)
    tfidf = TfidfTransformer(sublinear_tf=True).fit(counts.transform(LEARNED))
    whole = HashingVectorizer(analyzer=lambda ngram: [ngram], n_features=MANY)
    buckets = whole.transform(counts.get_feature_names_out()).indices
    assert len(set(buckets)) == len(buckets), "two n-grams share a bucket, so this test cannot compare"
    order = np.argsort(buckets)
    return buckets[order], tfidf.transform(counts.transform(ASKED)).toarray()[:, order]


@pytest.mark.parametrize("min_df", [1, 2])
def test_weights_equal_those_of_scikit_learn_in_each_half(min_df):
    block = fitted(LEARNED, min_df=min_df)
    words, expected_words = of_scikit_learn("word", WORDS, min_df)
    letters, expected_letters = of_scikit_learn("char_wb", CHARACTERS, min_df)
    assert block.buckets.tolist() == [*words, *(MANY + letters)]
    found = weighed(block, ASKED)
    np.testing.assert_allclose(found, np.hstack([expected_words, expected_letters]), atol=1e-6)


def test_a_common_word_weighs_less_than_a_rare_one():
    # Of two texts both have "fælles", one has "træ" and "fælles træ".
    # The idf of the first is ln(3 / 3) + 1 = 1, that of the others ln(3 / 2) + 1.
    rare = math.log(3 / 2) + 1
    words = weighed(fitted(["fælles træ", "fælles"]), ["fælles træ"])[0, :3]
    length = math.sqrt(1 + 2 * rare**2)
    assert sorted(words) == pytest.approx([1 / length, rare / length, rare / length])


def test_a_word_that_comes_three_times_weighs_one_plus_the_logarithm_of_three():
    # Both words come in the one text there is, so their idf is 1; "kok kok" comes twice, "kok ko" never.
    words = weighed(fitted(["kok kok kok"]), ["kok kok kok"])[0, :2]
    three, two = 1 + math.log(3), 1 + math.log(2)
    length = math.hypot(three, two)
    assert sorted(words) == pytest.approx([two / length, three / length])


@pytest.mark.parametrize(
    ("min_df", "kept"),
    [
        (1, 1 + 10 + 1 + 1 + 14),  # "kok kok" as well; " smed " has 5 pairs, 4 threes, 3 fours and 2 fives
        (2, 1 + 10),  # "kok" is in two texts, and " kok " has 4 pairs, 3 threes, 2 fours and 1 five
        (3, 0),  # three times, but twice in one text
    ],
)
def test_ngrams_of_fewer_texts_than_min_df_are_left_out(min_df, kept):
    block = fitted(["kok", "kok Kok", "smed"], min_df=min_df)
    assert len(block.buckets) == len(block.idf) == kept


@pytest.mark.parametrize(
    ("text", "words", "letters"),
    [
        ("Tømrer søges", 1, 1),
        ("Kok og raketforsker", 1, 1),  # one word is known
        ("x til", 1, 1),
        ("søg", 0, 1),  # the word is unknown, its letters are not
        ("www", 0, 0),
        ("", 0, 0),
    ],
)
def test_each_half_has_length_one_or_none(text, words, letters):
    block = fitted(LEARNED)
    (row,) = weighed(block, [text])
    middle = int((block.buckets < MANY).sum())
    assert np.linalg.norm(row[:middle]) == pytest.approx(words, abs=1e-6)
    assert np.linalg.norm(row[middle:]) == pytest.approx(letters, abs=1e-6)


def test_other_texts_change_no_weight():
    block = fitted(LEARNED)
    alone, beside = weighed(block, ["Kok søges"]), weighed(block, ["Kok søges", "Murer", ""])
    assert np.array_equal(alone[0], beside[0])


def test_texts_that_are_weighed_are_not_counted_anew():
    counts = ngram_counts(["kok kok", "smed"], MANY)
    before = counts.copy()
    fitted(["kok"]).weigh(counts)
    assert (counts != before).nnz == 0


@pytest.mark.parametrize(
    "texts",
    [["", "  "], ["kok", "smed"]],
    ids=["no words", "nothing in two texts"],
)
def test_a_block_without_ngrams_gives_no_columns_and_no_scores(texts):
    block = fitted(texts, min_df=2)
    assert block.buckets.shape == block.idf.shape == (0,)
    matrix = block.weigh(ngram_counts(["kok", "", "smed"], MANY))
    assert matrix.shape == (3, 0)
    assert torch.equal(SparseLinear(0, 2)(matrix), torch.zeros(3, 2))


def test_a_block_may_have_letters_only():
    block = fitted(["x y", "x z"])  # one letter is no word
    assert block.buckets.min() >= MANY
    lengths = np.linalg.norm(weighed(block, ["x", "y z", "kok"]), axis=1)
    assert lengths.tolist() == pytest.approx([1, 1, 0], abs=1e-6)


# --- no vocabulary ---------------------------------------------------------------------------------------


def test_what_is_stored_is_numbers_and_no_word():
    block = fitted(LEARNED)
    layer = SparseLinear.of(np.ones((len(block.buckets), 3)))
    state = block.state_dict() | layer.state_dict()
    assert {name: tensor.dtype for name, tensor in state.items()} == {
        "buckets": torch.int32,
        "idf": torch.float32,
        "codes": torch.int8,
        "scales": torch.float32,
    }
    data = save(state)
    assert [word for text in LEARNED for word in text.split() if word.encode() in data] == []


# --- the linear layer ------------------------------------------------------------------------------------


def test_weights_are_rounded_to_a_127th_of_the_largest_of_their_bucket():
    # Largest 1.27, so steps of 0.01: 127, -63.4 and 0.4 of them.
    layer = SparseLinear.of(np.array([[1.27, -0.634, 0.004]]))
    assert layer.codes.tolist() == [[127, -63, 0]]
    assert layer.table[0].tolist() == pytest.approx([1.27, -0.63, 0])


def test_no_weight_is_off_by_more_than_half_a_step():
    weights = np.random.default_rng(0).normal(size=(200, 7)) * np.geomspace(1e-6, 1e3, 200)[:, None]
    steps = np.abs(weights).max(axis=1, keepdims=True) / 127
    off = np.abs(SparseLinear.of(weights).table - weights) / steps
    assert off.max() <= 0.5 + 1e-4
    assert off.max() > 0.4, "the weights must need rounding, or this test shows nothing"


def test_a_bucket_without_weights_stays_without():
    layer = SparseLinear.of(np.array([[0.0, 0.0], [1.0, -1.0]]))
    assert layer.table.tolist() == [[0, 0], pytest.approx([1, -1])]


def test_scores_are_sums_of_weights_of_what_is_there():
    from scipy.sparse import csr_matrix

    layer = SparseLinear.of(np.array([[127.0, 0.0], [64.0, -127.0]]))
    scores = layer(csr_matrix(np.array([[1, 0], [0.5, 2], [0, 0]], np.float32)))
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, torch.tensor([[127.0, 0], [0.5 * 127 + 2 * 64, -254], [0, 0]]))


def test_a_layer_without_content_says_nothing():
    from scipy.sparse import csr_matrix

    assert torch.equal(SparseLinear(2, 3)(csr_matrix(np.ones((1, 2), np.float32))), torch.zeros(1, 3))


def test_a_layer_comes_back_from_its_numbers():
    layer = SparseLinear.of(np.random.default_rng(0).normal(size=(5, 3)))
    again = SparseLinear(5, 3)
    again.load_state_dict(layer.state_dict())
    assert np.array_equal(again.table, layer.table)


def test_no_texts_have_no_counts_and_no_weights():
    counts = ngram_counts([], 64)
    assert (counts.shape, counts.dtype) == ((0, 128), np.float32)
    block = fitted(LEARNED, buckets=64)
    found = block.weigh(counts)
    assert (found.shape, found.dtype) == ((0, len(block.buckets)), np.float32)
    assert SparseLinear(len(block.buckets), 3)(found).shape == (0, 3)


@pytest.mark.parametrize("assign", [False, True])
def test_a_layer_that_was_used_takes_the_weights_that_are_loaded_afterwards(assign):
    old, new = SparseLinear.of(np.ones((2, 3))), SparseLinear.of(np.full((2, 3), 2.0))
    block = nn.Sequential(old)  # as a part of a network
    assert old.table.tolist() == np.ones((2, 3)).tolist()
    block.load_state_dict({f"0.{name}": tensor for name, tensor in new.state_dict().items()}, assign=assign)
    assert old.table == pytest.approx(np.full((2, 3), 2.0))

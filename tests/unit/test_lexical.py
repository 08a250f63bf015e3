"""The lexical peer equals the scikit-learn pipeline it stands for, and learns from training rows alone."""

import random

import numpy as np
import pytest
import torch

from joblens.config import Lexical
from joblens.errors import DataError
from joblens.models.lexical import TOLERANCE, LexicalFeatures, lexical_scores

LEXICAL = Lexical(word_ngrams=(1, 2), char_ngrams=(2, 5), min_df=2, C=1.0)
WORDS = {
    0: "sygeplejerske patient hospital omsorg vagt medicin læge".split(),
    1: "snedker træ møbel værksted sav høvl værktøj".split(),
    2: "kasserer butik kunde salg varer kasse service".split(),
}
SHARED = "vi søger en kollega til vores team med erfaring og godt humør".split()


def adverts(rows: int, seed: int) -> tuple[list[str], torch.Tensor]:
    dice = random.Random(seed)
    labels = [row % 3 for row in range(rows)]
    texts = [
        " ".join(dice.choices(WORDS[label], k=2) + dice.choices(WORDS[dice.randrange(3)] + SHARED, k=10))
        for label in labels
    ]
    return texts, torch.tensor(labels)


def scores_of_scikit_learn(texts, labels, train_rows, lexical, seed):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    common = {"min_df": lexical.min_df, "sublinear_tf": True}
    pipeline = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=lexical.word_ngrams, **common),
            TfidfVectorizer(analyzer="char_wb", ngram_range=lexical.char_ngrams, **common),
        ),
        LinearSVC(C=lexical.C, tol=TOLERANCE, random_state=seed),
    )
    pipeline.fit([texts[row] for row in train_rows], labels[train_rows].numpy())
    return pipeline.decision_function(texts)


@pytest.mark.parametrize("min_df", [1, 2, 3])
def test_scores_equal_those_of_a_plain_scikit_learn_pipeline(min_df):
    texts, labels = adverts(60, seed=1)
    lexical = LEXICAL.model_copy(update={"min_df": min_df})
    features = LexicalFeatures(texts, lexical)
    for first in (0, 20):  # two folds from one count
        train_rows = torch.tensor([row for row in range(60) if not first <= row < first + 20])
        expected = scores_of_scikit_learn(texts, labels, train_rows.tolist(), lexical, seed=4)
        found = lexical_scores(features, labels, train_rows, 3, C=lexical.C, seed=4)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
        assert found.argmax(1).tolist() == expected.argmax(1).tolist()


def test_two_classes_get_two_columns_of_opposite_sign():
    texts, labels = adverts(30, seed=2)
    rows = (labels < 2).nonzero().flatten()
    scores = lexical_scores(LexicalFeatures(texts, LEXICAL), labels, rows, 2, C=1.0, seed=0)
    assert scores.shape == (30, 2)
    assert torch.equal(scores[:, 0], -scores[:, 1])
    assert scores[rows].argmax(1).tolist() == labels[rows].tolist()


def test_rows_outside_the_training_part_change_no_score_inside_it():
    texts, labels = adverts(30, seed=3)
    train_rows = torch.arange(24)
    others = [*texts[:24], *["sygeplejerske helt nye ord om raketter"] * 6]
    one = lexical_scores(LexicalFeatures(texts, LEXICAL), labels, train_rows, 3, C=1.0, seed=0)
    two = lexical_scores(LexicalFeatures(others, LEXICAL), labels, train_rows, 3, C=1.0, seed=0)
    assert torch.equal(one[:24], two[:24])


def test_a_common_word_weighs_less_than_a_rare_one():
    texts = ["fælles træ", "fælles træ", "fælles sav", "fælles sav"]
    lexical = Lexical(word_ngrams=(1, 1), char_ngrams=(2, 5), min_df=1, C=1.0)
    matrix = LexicalFeatures(texts, lexical).weigh(torch.arange(4)).toarray()
    # smoothed idf: "fælles" ln(5/5) + 1 = 1; "træ" and "sav" ln(5/3) + 1 = 1.5108; then length 1
    length = (1 + 1.5108256**2) ** 0.5
    np.testing.assert_allclose(matrix[0, :3], [1 / length, 0, 1.5108256 / length], atol=1e-6)


def test_a_class_without_training_rows_is_refused():
    texts, labels = adverts(12, seed=0)
    with pytest.raises(DataError, match=r"classes \[2\] of 3 have no training advert"):
        lexical_scores(
            LexicalFeatures(texts, LEXICAL), labels, (labels < 2).nonzero().flatten(), 3, C=1.0, seed=0
        )


def test_adverts_without_words_are_refused():
    with pytest.raises(DataError, match="the 3 adverts have no words to count"):
        LexicalFeatures(["", " ", "\n"], LEXICAL)


def test_adverts_that_share_nothing_are_refused():
    features = LexicalFeatures(["aa", "bb", "cc"], LEXICAL)
    with pytest.raises(DataError, match="no n-gram is in 2 or more of the 3 training adverts; lower"):
        features.weigh(torch.arange(3))

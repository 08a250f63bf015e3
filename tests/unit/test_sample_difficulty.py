"""The sample is neither a toy nor a riddle: the lexical peer finds most labels and misses many."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from joblens.sources.sample import generate


@pytest.mark.slow
def test_words_and_characters_reach_a_macro_f1_between_070_and_092():
    """Five stratified folds, an advert and its reposts always in the same one; 0.83 when last measured."""
    ads = generate(ads=900, seed=7)
    texts = np.array([f"{ad.title}\n{ad.text}" for ad in ads], dtype=object)  # (N,)
    labels = np.array([ad.label for ad in ads])
    groups = np.array([ad.repost_of or ad.id for ad in ads])
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    model = make_pipeline(make_union(words, characters), LinearSVC())
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    guesses = cross_val_predict(model, texts, labels, groups=groups, cv=folds)
    assert 0.70 < f1_score(labels, guesses, average="macro") < 0.92
    for language in ("da", "en"):
        rows = np.array([ad.language == language for ad in ads])
        assert f1_score(labels[rows], guesses[rows], average="macro") > 0.60

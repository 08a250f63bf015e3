"""The peer to beat: TF-IDF of words and characters, and a linear support vector machine.

Counting n-grams does not depend on the labels or the split, so it is done once. What is learned from rows,
the choice of n-grams and their weights, is learned from the training rows alone: the result is that of a
scikit-learn pipeline of two `TfidfVectorizer` and a `LinearSVC` fitted on them.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from joblens.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Lexical

logger = logging.getLogger(__name__)

# liblinear's own default is 0.1, scikit-learn's 0.0001; 0.01 guesses the same in two thirds of the time.
TOLERANCE = 0.01


class LexicalFeatures:
    """The n-gram counts of N adverts: words, and characters within words.

    Within words (`char_wb`) is faster than across them, and on Polish adverts it was more accurate too.
    """

    def __init__(self, texts: Sequence[str], lexical: "Lexical") -> None:
        """Count.

        Args:
            texts: N texts, title and clean text as one string.
            lexical: Which n-grams, and how rare they may be.

        Raises:
            DataError: No text has a single word.
        """
        import numpy as np
        from sklearn.feature_extraction.text import CountVectorizer

        self._lexical = lexical
        self._counts: list[Any] = []  # scipy CSR matrices (N, n-grams)
        for analyzer, ngrams in (("word", lexical.word_ngrams), ("char_wb", lexical.char_ngrams)):
            vectorizer = CountVectorizer(analyzer=analyzer, ngram_range=ngrams, dtype=np.float64)
            try:
                counts = vectorizer.fit_transform(texts)
            except ValueError:  # scikit-learn's word for an empty vocabulary
                continue
            # What is rare among all rows is rare among any of them.
            self._counts.append(counts[:, _documents(counts) >= lexical.min_df])
        if not self._counts:
            raise DataError(
                f"the {len(texts)} adverts have no words to count; "
                "check data.text and what `clean` left of it"
            )

    def weigh(self, train_rows: "Tensor") -> Any:
        """TF-IDF features of all N rows, learned from some of them.

        Args:
            train_rows: (n,) row numbers. Only n-grams that `min_df` of these rows have become features.

        Returns:
            A scipy CSR matrix (N, F) float64; words and characters each have length 1.

        Raises:
            DataError: No n-gram is in enough training rows.
        """
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfTransformer

        rows = train_rows.numpy()
        blocks = []
        for counts in self._counts:
            known = counts[:, _documents(counts[rows]) >= self._lexical.min_df]
            if known.shape[1] == 0:
                continue
            weights = TfidfTransformer(sublinear_tf=True).fit(known[rows])
            blocks.append(weights.transform(known))
        if not blocks:
            raise DataError(
                f"no n-gram is in {self._lexical.min_df} or more of the {len(rows)} training adverts; "
                "lower baseline.lexical.min_df or check the texts"
            )
        return hstack(blocks, format="csr")


def lexical_scores(
    features: LexicalFeatures, labels: "Tensor", train_rows: "Tensor", classes: int, *, C: float, seed: int
) -> "Tensor":
    """Train on some rows, score all of them.

    Args:
        features: Of N adverts.
        labels: (N,) class indices in [0, C); those of rows outside `train_rows` are not looked at.
        train_rows: (n,) row numbers.
        classes: The number of classes, at least 2.
        C: Inverse strength of the regularisation, `baseline.lexical.C`.
        seed: Order in which the solver visits rows.

    Returns:
        (N, classes) float32: distance from each class's separating plane, higher is better.

    Raises:
        DataError: A class has no training row, or no n-gram is in enough of them.
    """
    from sklearn.svm import LinearSVC

    targets = labels[train_rows]
    missing = sorted(set(range(classes)) - set(targets.tolist()))
    if missing or classes < 2:
        raise DataError(
            f"classes {missing} of {classes} have no training advert; at least two classes need some: "
            "run `dvc repro split` again"
        )
    matrix = features.weigh(train_rows)
    machine = LinearSVC(C=C, tol=TOLERANCE, random_state=seed)
    machine.fit(matrix[train_rows.numpy()], targets.numpy())
    logger.info("lexical: %d rows, %d n-grams, %d classes", len(train_rows), matrix.shape[1], classes)
    scores = torch.from_numpy(machine.decision_function(matrix)).float()
    return torch.stack([-scores, scores], dim=1) if scores.ndim == 1 else scores


def _documents(counts: Any) -> Any:
    """How many rows have each n-gram: numpy (n-grams,)."""
    import numpy as np

    return np.bincount(counts.indices, minlength=counts.shape[1])

"""Hashed n-grams: words and characters of a text, each counted in one of a fixed number of buckets.

No vocabulary is kept, so a model made of them carries no name and no sentence of the adverts it learned from.
Weights are those of `sklearn.feature_extraction.text.TfidfTransformer(sublinear_tf=True)`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WORDS = (1, 2)
"""Shortest and longest word n-gram."""
CHARACTERS = (2, 5)
"""Shortest and longest character n-gram, within words."""


def ngram_counts(texts: Sequence[str], buckets: int) -> "csr_matrix":
    """How often each bucket is hit: the words of a text, then its characters.

    Args:
        texts: N texts.
        buckets: Buckets of each of the two halves. N-grams that share one are counted together.

    Returns:
        (N, 2 * buckets) float32, indices sorted.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    if len(texts) == 0:
        return csr_matrix((0, 2 * buckets), dtype=np.float32)
    halves = [
        HashingVectorizer(
            analyzer=analyzer,
            ngram_range=ngrams,
            n_features=buckets,
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        ).transform(texts)
        for analyzer, ngrams in (("word", WORDS), ("char_wb", CHARACTERS))
    ]
    counts = csr_matrix(hstack(halves, format="csr"))
    counts.sort_indices()
    return counts


class NgramBlock(nn.Module):
    """Which buckets count, and how much: fitted to training adverts, the same afterwards."""

    buckets: Tensor
    idf: Tensor

    def __init__(self, size: int) -> None:
        """An empty block.

        Args:
            size: K, how many buckets count.
        """
        super().__init__()
        self.register_buffer("buckets", torch.zeros(size, dtype=torch.int32))
        self.register_buffer("idf", torch.zeros(size))

    @classmethod
    def fit(cls, counts: "csr_matrix", min_df: int) -> "NgramBlock":
        """Keep buckets that are hit by at least `min_df` of n training adverts (n, 2 * buckets)."""
        rows = counts.shape[0]
        documents = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = np.flatnonzero(documents >= min_df)
        block = cls(len(kept))
        block.buckets.copy_(torch.from_numpy(kept.astype(np.int32)))
        block.idf.copy_(torch.from_numpy(np.log((1 + rows) / (1 + documents[kept])) + 1))
        return block

    def weigh(self, counts: "csr_matrix") -> "csr_matrix":
        """Sublinear TF-IDF: (N, 2 * buckets) counts to (N, K) float32, each half of length 1 or 0."""
        from scipy.sparse import csr_matrix, hstack
        from sklearn.preprocessing import normalize

        if counts.shape[0] == 0:
            return csr_matrix((0, len(self.buckets)), dtype=np.float32)
        kept = self.buckets.numpy()
        middle = int(np.searchsorted(kept, counts.shape[1] // 2))
        idf = self.idf.numpy()
        weighed: Any = counts[:, kept]
        weighed.data = (1 + np.log(weighed.data)) * idf[weighed.indices]
        halves = [normalize(half) for half in (weighed[:, :middle], weighed[:, middle:]) if half.shape[1]]
        return csr_matrix(hstack(halves, format="csr")) if halves else csr_matrix(weighed)


class SparseLinear(nn.Module):
    """A linear layer on weighed n-grams, one byte per weight: (N, K) sparse to (N, C)."""

    codes: Tensor
    scales: Tensor

    def __init__(self, size: int, classes: int) -> None:
        """All weights 0.

        Args:
            size: K, how many buckets count.
            classes: C.
        """
        super().__init__()
        self.register_buffer("codes", torch.zeros(size, classes, dtype=torch.int8))
        self.register_buffer("scales", torch.zeros(size))
        self._table: NDArray[np.float32] | None = None
        self.register_load_state_dict_post_hook(_forget_table)  # type: ignore[no-untyped-call]

    @classmethod
    def of(cls, weights: NDArray[np.floating[Any]]) -> "SparseLinear":
        """A layer with these weights (K, C), rounded to 1/127 of the largest of their bucket."""
        layer = cls(*weights.shape)
        scales = np.abs(weights).max(axis=1, initial=0) / 127
        codes = np.rint(weights / np.where(scales > 0, scales, 1)[:, None])
        layer.codes.copy_(torch.from_numpy(codes.astype(np.int8)))
        layer.scales.copy_(torch.from_numpy(scales))
        return layer

    @property
    def table(self) -> NDArray[np.float32]:
        """The weights, (K, C)."""
        if self._table is None:
            self._table = self.codes.numpy() * self.scales.numpy()[:, None].astype(np.float32)
        return self._table

    def forward(self, weighed: "csr_matrix") -> Tensor:
        """(N, K) to (N, C)."""
        return torch.from_numpy(np.asarray(weighed @ self.table, dtype=np.float32))


def _forget_table(layer: nn.Module, _: object) -> None:
    """Weights were loaded: the table of the old ones is void."""
    assert isinstance(layer, SparseLinear)
    layer._table = None

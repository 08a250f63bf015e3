"""The table while it is trained: what `joblens.encoders.titles` adds up, in torch and with gradients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from joblens.encoders.title_features import feature_ids, title_words
from joblens.encoders.titles import Shape


class TitleNetwork(nn.Module):
    """Titles to vectors (N, D), L2-normalised; the same arithmetic as `TitleEncoder.vectors`."""

    def __init__(self, shape: Shape, table: Tensor) -> None:
        """Begin with a table, such as `first_table`.

        Args:
        shape: What the table is made for.
        table: (buckets, D) to begin with.
        """
        super().__init__()
        self.shape = shape
        self.table = nn.Parameter(table)

    def forward(self, titles: Sequence[str]) -> Tensor:
        """Vectors (N, D) of N titles."""
        vocabulary: dict[str, int] = {}
        places: list[int] = []
        starts: list[int] = []
        for title in titles:
            starts.append(len(places))
            places += [vocabulary.setdefault(word, len(vocabulary)) for word in title_words(title)]
        ids, lengths = features(list(vocabulary), self.shape)
        device = self.table.device
        offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)[:-1]]))
        words = functional.embedding_bag(
            torch.from_numpy(ids).to(device), self.table, offsets.to(device), mode="sum"
        )  # (W, D)
        sums = functional.embedding_bag(
            torch.tensor(places, device=device), words, torch.tensor(starts, device=device), mode="sum"
        )  # (N, D)
        vectors: Tensor = functional.normalize(sums, dim=1)
        return vectors


def features(words: Sequence[str], shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """The rows of each word: see `feature_ids`."""
    return feature_ids(words, buckets=shape.buckets, shortest=shape.shortest, longest=shape.longest)


def first_table(titles: Iterable[str], shape: Shape, seed: int) -> Tensor:
    """Random directions, as long as the feature is rare: the cosine of two titles begins as that of TF-IDF.

    A random projection keeps inner products (Johnson and Lindenstrauss, 1984), so before any training two
    titles are about as alike as their words and n-grams, weighted by the inverse document frequency.

    Args:
        titles: The documents that features are counted in.
        shape: What the table is made for.
        seed: Of the directions.

    Returns:
        (buckets, D) float32.
    """
    documents = 0
    count_of: Counter[str] = Counter()
    for title in titles:
        documents += 1
        count_of.update(title_words(title))
    words = list(count_of)
    ids, lengths = features(words, shape)
    counts = np.bincount(
        ids, weights=np.repeat([count_of[word] for word in words], lengths), minlength=shape.buckets
    )
    rarity = np.log((1 + documents) / (1 + np.minimum(counts, documents))) + 1
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(shape.buckets, shape.dimensions, generator=generator) / shape.dimensions**0.5
    table: Tensor = directions * torch.from_numpy(rarity / rarity.mean()).float().unsqueeze(1)
    return table

"""Vectors side by side: of the whole advert, of its title, and of its words, read by the title encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from joblens.encoders.title_features import has_words
from joblens.storage import content_hash

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.encoders import Encoder
    from joblens.encoders.titles import TitleEncoder

_METHOD = "text beside title, L2-normalised, 1"
_METHOD_OF_THREE = "text beside title beside words, L2-normalised, 1"


class TitledEncoder:
    """An encoder of texts with a title side; see `joblens.encoders.Encoder`.

    A vector is `[√(1-w-v) · text, √w · title, √v · words]`, so that the cosine of two adverts is the weighted
    mean of the cosines of their texts, of their titles and of their words: title and text again, read by the
    title encoder, which knows more languages than most text encoders. With v = 0 there is no third side. An
    advert without a title has zeros on that side, and one without words on the sides of title and words.
    """

    def __init__(self, text: Encoder, title: TitleEncoder, weight: float, words_weight: float = 0.0) -> None:
        """Put the two together.

        Args:
            text: Encodes title and text, read as one.
            title: Encodes the title alone, and the words.
            weight: w, how much of a cosine comes from the title, in (0, 1).
            words_weight: v, how much comes from the words; 0 for no such side.
        """
        self.text = text
        self._title = title
        self._weights = (1 - weight - words_weight, weight, words_weight)
        self.dimensions = text.dimensions + title.dimensions * (2 if words_weight else 1)
        parts = (text.fingerprint, title.fingerprint, repr(weight))
        self.fingerprint = (
            content_hash(_METHOD_OF_THREE, *parts, repr(words_weight))
            if words_weight
            else content_hash(_METHOD, *parts)
        )

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors (N, D) of texts that are titles as well, such as the names of labels."""
        return self.beside(self.text.encode(texts), texts, texts)

    def beside(self, vectors: Tensor, titles: Sequence[str], texts: Sequence[str]) -> Tensor:
        """Put the vectors of titles and words beside those of their texts.

        Args:
            vectors: (N, D of the text side).
            titles: N titles; those without a word give zeros.
            texts: Title and text of each as one string.

        Returns:
            (N, D) float32, L2-normalised.
        """
        import torch

        def side(read: Sequence[str]) -> Tensor:
            known = torch.tensor([has_words(text) for text in read], dtype=torch.bool)
            return self._title.encode(read) * known.unsqueeze(1)

        parts = [vectors, side(titles), *([side(texts)] if self._weights[2] else [])]
        scaled = [part * weight**0.5 for part, weight in zip(parts, self._weights, strict=False)]
        return torch.nn.functional.normalize(torch.cat(scaled, dim=1), dim=1)

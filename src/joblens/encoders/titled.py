"""Two vectors side by side: one of the whole advert, one of its title."""

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


class TitledEncoder:
    """An encoder of texts with a title side; see `joblens.encoders.Encoder`.

    A vector is `[√(1-w) · text, √w · title]`, so that the cosine of two adverts is the weighted mean of the
    cosines of their texts and of their titles. An advert without a title has zeros on that side.
    """

    def __init__(self, text: Encoder, title: TitleEncoder, weight: float) -> None:
        """Put the two together.

        Args:
            text: Encodes title and text, read as one.
            title: Encodes the title alone.
            weight: w, how much of a cosine comes from the title, in (0, 1).
        """
        self.text = text
        self._title = title
        self._weight = weight
        self.dimensions = text.dimensions + title.dimensions
        self.fingerprint = content_hash(_METHOD, text.fingerprint, title.fingerprint, repr(weight))

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors (N, D) of texts that are titles as well, such as the names of labels."""
        return self.beside(self.text.encode(texts), texts)

    def beside(self, vectors: Tensor, titles: Sequence[str]) -> Tensor:
        """Put the titles' vectors beside those of their texts.

        Args:
            vectors: (N, D of the text side).
            titles: N titles; those without a word give zeros.

        Returns:
            (N, D) float32, L2-normalised.
        """
        import torch

        sides = self._title.encode(titles)
        known = torch.tensor([has_words(title) for title in titles], dtype=torch.bool)
        sides = sides * known.unsqueeze(1)
        both = torch.cat([vectors * (1 - self._weight) ** 0.5, sides * self._weight**0.5], dim=1)
        return torch.nn.functional.normalize(both, dim=1)

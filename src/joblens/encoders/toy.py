"""The toy encoder: hashed words and letters. No weights, no downloads, and good enough to learn from."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from joblens.storage import content_hash
from joblens.text import words

if TYPE_CHECKING:
    from torch import Tensor

_METHOD = "hashed words and letters, 1"
_PLACES = 4  # how many of the D numbers one feature adds to or takes from
_LETTERS = 4  # length of the character n-grams


class ToyEncoder:
    """A sparse random projection of word and letter counts; see `joblens.encoders.Encoder`.

    Each word, and each run of four letters in it, adds or takes 1 at four places that its hash names
    (Achlioptas, "Database-friendly random projections", 2003). A word counts 1 + log(times it occurs).
    """

    def __init__(self, *, dimensions: int, seed: int) -> None:
        self.dimensions = dimensions
        self._seed = seed
        self.fingerprint = content_hash(_METHOD, str(dimensions), str(seed))

    def encode(self, texts: Sequence[str]) -> "Tensor":
        """Vectors (N, D) float32 on the CPU, L2-normalised; a text without words gets one of its own."""
        import torch

        counts = [Counter(_tokens(text)) for text in texts]
        known = {word: row for row, word in enumerate(sorted({word for count in counts for word in count}))}
        table = torch.zeros((len(known), self.dimensions))
        for word, row in known.items():
            for place, sign in self._places(word):
                table[row, place] += sign
        vectors = torch.zeros((len(texts), self.dimensions))
        for row, count in enumerate(counts):
            times = torch.tensor([float(number) for number in count.values()])
            vectors[row] = (1 + times.log()) @ table[[known[word] for word in count]]
        flat = vectors.norm(dim=1) == 0  # all cancelled out: rare, but a vector must have a length
        vectors[flat, 0] = 1.0
        return torch.nn.functional.normalize(vectors, dim=1)

    def _places(self, word: str) -> list[tuple[int, float]]:
        """Where a word lands in the vector, and with which sign."""
        padded = f"<{word}>"
        features = [padded, *(padded[at : at + _LETTERS] for at in range(len(padded) - _LETTERS + 1))]
        found = []
        for feature in features:
            digest = hashlib.blake2b(f"{self._seed}/{feature}".encode(), digest_size=4 * _PLACES).digest()
            for start in range(0, len(digest), 4):
                number = int.from_bytes(digest[start : start + 4], "little")
                found.append((number // 2 % self.dimensions, 1.0 if number % 2 else -1.0))
        return found


def _tokens(text: str) -> list[str]:
    """Lower-case words; the empty word stands for a text without any."""
    return [text[start:end].lower() for start, end in words(text)] or [""]

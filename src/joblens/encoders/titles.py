"""The title encoder: words and character n-grams with learned vectors, added up. NumPy and SciPy, no network.

Its table is trained by `joblens finetune titles` and shipped in `models/titles`. A title's vector is the sum
of the vectors of its distinct words, a word's vector is the sum over its features, and the length is 1. So
order does not count, a word nobody has seen still has its letters, and a title costs a few microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from joblens.encoders.title_features import feature_ids, title_words
from joblens.errors import DataError, ModelError, short
from joblens.storage import content_hash, read_strict_json, write_json, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Embedding

WEIGHTS = "model.safetensors"
SETTINGS = "config.json"
FORMAT = 2
"""Of the folder; raised when the features or the arithmetic change."""

MODULE = "joblens.encoders.title_module.TitleModule"
"""What `SentenceTransformer` loads the folder with."""

_MOST_BYTES = 2**30
_MOST_HEADER = 2**16  # bytes
_LONGEST_NGRAM = 64  # letters
_AT_ONCE = 8192  # titles: enough to share words, little enough for the memory


@dataclass(frozen=True, slots=True)
class Shape:
    """What has to be known to read a table: `config.json` of the folder."""

    buckets: int
    """Rows of the table."""
    dimensions: int
    """D, the width of a vector."""
    shortest: int
    """Least letters of an n-gram."""
    longest: int
    """Most letters of an n-gram."""
    format: int = FORMAT


class TitleEncoder:
    """Vectors of job titles in any of the languages it was trained on; see `joblens.encoders.Encoder`."""

    def __init__(self, shape: Shape, codes: NDArray[np.int8], scales: NDArray[np.floating[Any]]) -> None:
        """Keep the arrays as they are; `load` reads them from a folder.

        Args:
            shape: What the table is made for.
            codes: (buckets, D), whole numbers; a row's vector is its codes times its scale.
            scales: (buckets,).
        """
        self.shape = shape
        self.codes = codes
        self.scales = scales.astype(np.float32)

    @classmethod
    def load(cls, folder: Path) -> TitleEncoder:
        """Read a folder that `joblens finetune titles` wrote.

        Raises:
            ModelError: A file is missing or damaged, or belongs to another release.
        """
        shape = read_shape(folder)
        _check_size(folder / WEIGHTS, shape)
        tensors = read_arrays(folder / WEIGHTS)
        expected = {
            "codes": ((shape.buckets, shape.dimensions), np.dtype(np.int8)),
            "scales": ((shape.buckets,), np.dtype(np.float16)),
        }
        for name, (size, kind) in expected.items():
            found = (tensors[name].shape, tensors[name].dtype) if name in tensors else (None, None)
            if found != (size, kind):
                raise ModelError(
                    f"{folder / WEIGHTS} has {name} of shape {found[0]} and type {found[1]}, expected {size} "
                    f"as {SETTINGS} says and {kind}; get the model's files again, or train them with "
                    "`joblens finetune titles`"
                )
        if not np.isfinite(tensors["scales"]).all():
            raise ModelError(f"{folder / WEIGHTS} has scales that are no numbers; get it again")
        return cls(shape, tensors["codes"], tensors["scales"])

    @property
    def dimensions(self) -> int:
        """D, the width of the vectors."""
        return self.shape.dimensions

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the table and the settings."""
        arrays = (self.codes, self.scales)
        return content_hash(
            str(self.shape), *(hashlib.sha256(array.tobytes()).hexdigest() for array in arrays)
        )

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (N, D) float32, L2-normalised, in the order of `texts`; equal words give equal vectors."""
        found = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            found[start : start + _AT_ONCE] = self._vectors(texts[start : start + _AT_ONCE])
        return found

    def encode(self, texts: Sequence[str]) -> Tensor:
        """The same as a tensor on the CPU."""
        import torch

        return torch.from_numpy(self.vectors(texts))

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        from scipy.sparse import csr_array

        vocabulary: dict[str, int] = {}
        places: list[int] = []
        ends = [0]
        for text in texts:
            places += [vocabulary.setdefault(word, len(vocabulary)) for word in title_words(text)]
            ends.append(len(places))
        ones = np.ones(len(places), np.float32)
        counts = csr_array((ones, np.array(places), np.array(ends)), shape=(len(texts), len(vocabulary)))
        sums: NDArray[np.float32] = counts @ self.word_vectors(list(vocabulary))
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        return sums

    def word_vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The sum of each word's features: (W, D) float32, not normalised; words of `title_words`."""
        from scipy.sparse import csr_array

        shape = self.shape
        ids, lengths = feature_ids(
            words, buckets=shape.buckets, shortest=shape.shortest, longest=shape.longest
        )
        rows, columns = np.unique(ids, return_inverse=True)
        table = self.codes[rows].astype(np.float32) * self.scales[rows, None]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        counts = csr_array((np.ones(len(ids), np.float32), columns, ends), shape=(len(words), len(rows)))
        found: NDArray[np.float32] = counts @ table
        return found


def read_shape(folder: Path) -> Shape:
    """The settings of a title encoder's folder.

    Raises:
        ModelError: There is none, or it is of another format.
    """
    if not (folder / SETTINGS).is_file():
        raise ModelError(
            f"{folder} holds no title encoder ({SETTINGS} is missing); name a folder that has one, such as "
            "models/titles, or train it with `joblens finetune titles`"
        )
    try:
        settings: Any = read_strict_json(folder / SETTINGS)
    except DataError as error:
        raise ModelError(f"{error}; get the model's files again") from error
    found = settings.get("format") if isinstance(settings, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"{folder / SETTINGS} has format {short(found)}, expected {FORMAT}; "
            "train it again with `joblens finetune titles`, or install the release it belongs to"
        )
    expected = [field.name for field in fields(Shape)]
    wrong = sorted(settings.keys() ^ set(expected)) or [
        name for name in expected if type(settings[name]) is not int or settings[name] < 1
    ]
    if wrong or not settings["shortest"] <= settings["longest"] <= _LONGEST_NGRAM:
        raise ModelError(
            f"{folder / SETTINGS} is not of a title encoder (found {short(settings)}, "
            f"expected positive whole numbers {', '.join(expected)}, n-grams of at most {_LONGEST_NGRAM} "
            "letters); get the model's files again"
        )
    return Shape(**settings)


def _check_size(path: Path, shape: Shape) -> None:
    """Compare the file's size with that of the table before memory is taken for it."""
    expected = shape.buckets * (shape.dimensions + 2)  # bytes: one for each code, two for a scale
    if path.is_file() and path.stat().st_size > min(_MOST_BYTES, expected + _MOST_HEADER):
        raise ModelError(
            f"{path} has {path.stat().st_size:,} bytes, expected about {expected:,} as {SETTINGS} says, "
            f"at most {_MOST_BYTES:,}; get the model's files again"
        )


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file, without importing torch.

    Raises:
        ModelError: The file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise ModelError(f"{path} is missing; get the model's files again")
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read ({error}); get the model's files again") from error
    return arrays


def title_files(embedding: Embedding) -> dict[str, Path]:
    """The files of the title encoder that an embedding uses, by name; none when it uses none.

    Raises:
        ModelError: One is missing.
    """
    folder = Path(embedding.model) if embedding.encoder == "titles" else Path(embedding.titles or "")
    if embedding.encoder != "titles" and embedding.titles is None:
        return {}
    read_shape(folder)
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder / WEIGHTS} is missing; get the model's files again")
    return {name: folder / name for name in (SETTINGS, WEIGHTS)}


def quantised(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """A table as whole numbers from -127 to 127 and one scale per row, a quarter of its size.

    Args:
        table: (buckets, D) float32.

    Returns:
        Codes (buckets, D) and scales (buckets,); a row of zeros has the scale 0.
    """
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float16)
    divisors = np.where(scales > 0, scales, 1).astype(np.float32)
    codes = np.clip(np.rint(table / divisors[:, None]), -127, 127).astype(np.int8)
    return codes, scales


def write_encoder(folder: Path, encoder: TitleEncoder) -> None:
    """Write the table and its settings; equal encoders give equal bytes."""
    import torch

    write_json(folder / SETTINGS, asdict(encoder.shape))
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": MODULE}])
    tensors = {"codes": encoder.codes, "scales": encoder.scales.astype(np.float16)}
    write_tensors(folder / WEIGHTS, {name: torch.from_numpy(array) for name, array in tensors.items()})

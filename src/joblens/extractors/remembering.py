"""What an extractor has read, kept on disk by content, so that no sentence is read twice.

A folder per fingerprint holds append-only shards. A shard is a safetensors file with, for some texts, the
hash of each, how many spans it has, and where each span starts and ends, its label and its score. No text of
an advert is in it. Every shard carries a checksum; one that is torn, damaged or does not fit is left out with
a line in the log, and its texts are read again.

New texts are dealt into shards in an order of their own, so a run that was killed finds whole shards and goes
on to the same result.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.device import track
from joblens.errors import DataError
from joblens.records import Entity
from joblens.storage import content_hash, read_tensor_metadata, read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from joblens.extractors import Extractor

    Keys = np.ndarray[Any, np.dtype[np.bytes_]]
    Numbers = np.ndarray[Any, np.dtype[Any]]

logger = logging.getLogger(__name__)

SHARD_SIZE = 1024
"""Texts in a shard: what a killed run may have to read again."""

KEY_BYTES = 16
"""Bytes of a text's hash; with a thousand million texts two of them share one with a chance below 1e-20."""


def key_of(text: str) -> bytes:
    """The first 16 bytes of a text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]


def keys_of(texts: Sequence[str]) -> Keys:
    """(N,) keys of the texts."""
    import numpy as np

    return np.array([key_of(text) for text in texts], dtype=f"S{KEY_BYTES}")


@dataclass(frozen=True, slots=True, eq=False)
class _Shard:
    """Spans of N texts: keys (N,), where the spans of each text end (N,), and columns of the M spans (M,)."""

    keys: Keys
    ends: Numbers
    columns: tuple[Numbers, Numbers, Numbers, Numbers]
    """Start, end, label as its place in `names`, score."""
    names: Sequence[str]

    def entities(self, row: int, text: str) -> list[Entity]:
        """The spans of text number `row`, which is `text`."""
        first, end = int(self.ends[row - 1]) if row else 0, int(self.ends[row])
        columns = (column[first:end].tolist() for column in self.columns)
        return [
            Entity(start, stop, self.names[label], text[start:stop], score)
            for start, stop, label, score in zip(*columns, strict=True)
        ]


class SpanStore:
    """The shards of one extractor, found by the hash of a text.

    Args:
        folder: Where the shards are; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self.folder = folder
        self._keys: Keys = np.array([], dtype=f"S{KEY_BYTES}")
        self._places: Numbers = np.empty((0, 2), dtype=np.int64)
        self._shards: list[_Shard] = []
        self._indexed = 0
        for path in sorted(folder.glob("*.safetensors")):
            self._read(path)

    def get(self, texts: Sequence[str]) -> list[list[Entity] | None]:
        """The entities of each text, or None where it was never read."""
        import numpy as np

        found: list[list[Entity] | None] = [None] * len(texts)
        self._index()
        if not len(self._keys) or not texts:
            return found
        keys = keys_of(texts)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        for row in np.flatnonzero(self._keys[at] == keys).tolist():
            shard, place = self._places[at[row]].tolist()
            found[row] = self._shards[shard].entities(place, texts[row])
        return found

    def put(self, texts: Sequence[str], entities: Sequence[Sequence[Entity]]) -> None:
        """Write a shard with the entities of each text.

        Raises:
            StorageError: The disk is full or refuses.
        """
        import torch

        flat = [entity for spans in entities for entity in spans]
        names = sorted({entity.label for entity in flat})
        numbers = {name: number for number, name in enumerate(names)}
        keys = keys_of(texts).tobytes()
        tensors = {
            "keys": torch.frombuffer(bytearray(keys), dtype=torch.uint8).reshape(-1, KEY_BYTES),
            "counts": torch.tensor([len(spans) for spans in entities], dtype=torch.int32),
            "starts": torch.tensor([entity.start for entity in flat], dtype=torch.int32),
            "ends": torch.tensor([entity.end for entity in flat], dtype=torch.int32),
            "labels": torch.tensor([numbers[entity.label] for entity in flat], dtype=torch.int16),
            "scores": torch.tensor([entity.score for entity in flat], dtype=torch.float64),
        }
        labels = json.dumps(names)
        path = self.folder / f"{hashlib.sha256(keys).hexdigest()[:32]}.safetensors"
        write_tensors(path, tensors, {"labels": labels, "checksum": _checksum(tensors, labels)})
        self._shards.append(_shard(tensors, names))

    def _read(self, path: Path) -> None:
        try:
            tensors, metadata = read_tensors(path), read_tensor_metadata(path)
            if metadata["checksum"] != _checksum(tensors, metadata["labels"]):
                raise DataError(f"{path} has another checksum than it says")
            self._shards.append(_shard(tensors, json.loads(metadata["labels"])))
        except (DataError, KeyError, ValueError):
            logger.warning("damaged shard %s is left out, its texts are read again", path.name)
            path.unlink(missing_ok=True)

    def _index(self) -> None:
        """Sort in the keys of shards that came since the last time."""
        import numpy as np

        new = list(enumerate(self._shards))[self._indexed :]
        if not new:
            return
        places = [
            np.stack((np.full(len(shard.keys), number), np.arange(len(shard.keys))), axis=1)
            for number, shard in new
        ]
        keys = np.concatenate([self._keys, *(shard.keys for _, shard in new)])
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._places = np.concatenate([self._places, *places])[order]
        self._indexed = len(self._shards)


def _shard(tensors: Mapping[str, Tensor], names: Sequence[str]) -> _Shard:
    import numpy as np

    start, end, label, score = (tensors[name].numpy() for name in ("starts", "ends", "labels", "scores"))
    keys = np.frombuffer(tensors["keys"].numpy().tobytes(), dtype=f"S{KEY_BYTES}")
    return _Shard(keys, tensors["counts"].numpy().cumsum(), (start, end, label, score), names)


def _checksum(tensors: Mapping[str, Tensor], labels: str) -> str:
    """SHA-256 over label names and over name, type, shape and bytes of each tensor."""
    digest = hashlib.sha256(labels.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


class RememberingExtractor:
    """An extractor that keeps what it has read below a folder, and reads only what is new.

    Args:
        extractor: Reads what is not remembered.
        folder: Holds a folder per fingerprint.
        unit: What its texts are, for the progress line.
    """

    def __init__(self, extractor: Extractor, folder: Path, *, unit: str = "sentences") -> None:
        self.name = extractor.name
        self.fingerprint = extractor.fingerprint
        self._extractor = extractor
        self._store = SpanStore(folder / content_hash(extractor.fingerprint)[:32])
        self._unit = unit

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """As the extractor inside; a text that is remembered is not read again, nor is one that comes twice.

        Raises:
            ModelError: The model cannot read a text whole.
            StorageError: A shard cannot be written.
        """
        rows: dict[str, int] = {}
        for text in texts:
            rows.setdefault(text, len(rows))
        distinct = list(rows)
        found = self._store.get(distinct)
        new = sorted(
            (text for text, entities in zip(distinct, found, strict=True) if entities is None),
            key=lambda text: (-len(text), text),
        )
        if new:
            logger.info(
                "%s: %d of %d distinct %s to read, the others are remembered",
                self.name, len(new), len(distinct), self._unit,
            )  # fmt: skip
        shards = [new[first : first + SHARD_SIZE] for first in range(0, len(new), SHARD_SIZE)]
        for shard in track(
            shards,
            len(shards),
            f"clean by {self.name}",
            unit=self._unit,
            sizes=[len(shard) for shard in shards],
            costs=[sum(map(len, shard)) for shard in shards],
        ):
            entities = self._extractor.extract(shard)
            self._store.put(shard, entities)
            for text, read in zip(shard, entities, strict=True):
                found[rows[text]] = read
        return [list(found[rows[text]] or ()) for text in texts]

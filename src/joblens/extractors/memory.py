"""What an extractor has just read, kept in memory by content, for a server whose adverts repeat themselves.

The memory holds no text: a hash of each sentence and where its spans start and end. It forgets what was not
asked for the longest.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from joblens.extractors.remembering import key_of
from joblens.records import Entity

if TYPE_CHECKING:
    from joblens.extractors import Extractor

MOST_SPANS = 64
"""A text with more of them is read each time: what is remembered stays small, whatever is sent."""

_SPAN = struct.Struct("<IIHd")  # start, end, label, score


class MemoryExtractor:
    """An extractor that reads a text again only when it has forgotten it.

    Not for several threads at once.

    Args:
        extractor: Reads what is not remembered.
        size: How many texts are remembered; one takes about 0.3 kB, and 1.5 kB at most.
    """

    def __init__(self, extractor: Extractor, size: int) -> None:
        self.name = extractor.name
        self.fingerprint = extractor.fingerprint
        self._extractor = extractor
        self._size = size
        self._spans: OrderedDict[bytes, bytes] = OrderedDict()
        self._labels: dict[str, int] = {}
        self._names: list[str] = []

    def __len__(self) -> int:
        """How many texts are remembered."""
        return len(self._spans)

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """As the extractor inside; a text that is remembered is not read again, nor is one that comes twice.

        Raises:
            ModelError: The model cannot read a text whole.
        """
        keys = [key_of(text) for text in texts]
        found: dict[bytes, list[Entity]] = {}
        new: dict[bytes, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if key in found or key in new:
                continue
            packed = self._spans.get(key)
            if packed is None:
                new[key] = text
            else:
                self._spans.move_to_end(key)
                found[key] = self._unpack(packed, text)
        if new:
            read = self._extractor.extract(list(new.values()))
            for (key, _), entities in zip(new.items(), read, strict=True):
                found[key] = entities
                if len(entities) <= MOST_SPANS:
                    self._spans[key] = self._pack(entities)
        while len(self._spans) > self._size:
            self._spans.popitem(last=False)
        return [list(found[key]) for key in keys]

    def _pack(self, entities: Sequence[Entity]) -> bytes:
        for entity in entities:
            if entity.label not in self._labels:
                self._labels[entity.label] = len(self._names)
                self._names.append(entity.label)
        return b"".join(
            _SPAN.pack(entity.start, entity.end, self._labels[entity.label], entity.score)
            for entity in entities
        )

    def _unpack(self, packed: bytes, text: str) -> list[Entity]:
        return [
            Entity(start, end, self._names[label], text[start:end], score)
            for start, end, label, score in _SPAN.iter_unpack(packed)
        ]

"""The extractor of `cleaning=none`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joblens.records import Entity


class NoExtractor:
    """Finds nothing: the text stays as it is, personal data included."""

    name = "none"
    fingerprint = "none"

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """No entities for each text."""
        return [[] for _ in texts]

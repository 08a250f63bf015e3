"""From text to entities: personal-data patterns, a GLiNER or GLiNER2 model, and a toy twin of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from joblens.config import Cleaning, Compute
    from joblens.records import Entity


class Extractor(Protocol):
    """Finds the spans of a text that mean something."""

    name: str
    """The config word: `none`, `patterns`, `gliner`, `gliner2` or `toy`."""
    fingerprint: str
    """Changes whenever the entities of some text may change: model weights, labels, thresholds, windows."""

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, in order of their start, offsets into that text.

        Every word of every text is read, however long it is. Equal texts cost once.

        Raises:
            ModelError: The model cannot read a text whole.
        """
        ...


def in_project(cleaning: Cleaning, root: Path) -> Cleaning:
    """The same cleaning, its model's folder looked for in the project folder `root` first."""
    folder = root / (cleaning.model or "")
    if not cleaning.model or not folder.is_dir():
        return cleaning
    return cleaning.model_copy(update={"model": str(folder)})


def build_extractor(cleaning: Cleaning, compute: Compute) -> Extractor:
    """The extractor that `cleaning.extractor` names.

    Args:
        cleaning: What to look for, with which model.
        compute: Where.

    Raises:
        ModelError: The model's files are missing or damaged, or the hub cannot be reached.
        DeviceError: `compute.device` is `gpu` and there is none.
    """
    if cleaning.extractor == "gliner":
        from joblens.extractors.gliner import load_gliner

        return load_gliner(cleaning, compute)
    if cleaning.extractor == "gliner2":
        from joblens.extractors.gliner2 import load_gliner2

        return load_gliner2(cleaning, compute)
    if cleaning.extractor == "toy":
        from joblens.extractors.toy import ToyExtractor

        return ToyExtractor(cleaning.keep, cleaning.drop)
    if cleaning.extractor == "patterns":
        from joblens.extractors.patterns import PatternExtractor

        return PatternExtractor()
    from joblens.extractors.nothing import NoExtractor

    return NoExtractor()

"""The network a flow trains: over a packaged encoder, an earlier cleaner, or a GLiNER checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import ConfigError
from joblens.extractors.gliner_bundle import (
    Shape,
    fingerprint,
    is_bundle,
    load_bundle,
    new_model,
    read_words_by,
    save_bundle,
)
from joblens.extractors.gliner_files import files_hash, load_weights, locate, save_thresholds
from joblens.storage import content_hash

if TYPE_CHECKING:
    from joblens.config import NerFlow
    from joblens.extractors.glossary import WordList


@dataclass(frozen=True, slots=True)
class Network:
    """A GLiNER in training, and how it is kept."""

    model: Any
    """A loaded `gliner.GLiNER` on the CPU."""
    shape: Shape | None
    """Of a network over a packaged encoder; None for a GLiNER checkpoint, which is kept whole."""
    base: Mapping[str, str]
    """What it began from, for the card: a package and its SHA-256, or a folder's name and its hash."""

    def save(self, folder: Path, thresholds: Mapping[str, float]) -> None:
        """Write what `cleaning=gliner` loads into an existing folder.

        Raises:
            ModelError: A weight is not finite, or too large for half precision.
        """
        if self.shape is None:
            self.model.save_pretrained(folder, safe_serialization=True)
            save_thresholds(folder, thresholds)
        else:
            save_bundle(folder, self.model, shape=self.shape, thresholds=thresholds)

    @property
    def words(self) -> int:
        """How many words of another language it reads as English ones."""
        return 0 if self.shape is None or self.shape.glossary is None else len(self.shape.glossary.english)


def identity(flow: NerFlow, project: Path) -> str:
    """A hash that changes with the files of the folder a flow starts from, or with its package."""
    folder = project / flow.base
    if not folder.is_dir():
        return content_hash(flow.base, str(flow.sha256))
    return fingerprint(folder) if is_bundle(folder) else files_hash(folder)


def start(flow: NerFlow, words: WordList | None, project: Path) -> Network:
    """What a flow begins from.

    Args:
        flow: Names the base.
        words: Are read as English ones from now on; None reads every word as it is.
        project: What the path of a folder is relative to.

    Raises:
        ConfigError: The base is neither a folder nor a package with a hash, or a checkpoint is to read words
            by a list, which it cannot keep.
        ModelError: The base is damaged, missing, or not the expected one.
    """
    folder = project / flow.base
    if not folder.is_dir():
        return _over_package(flow, words)
    if is_bundle(folder):
        bundle = load_bundle(folder)
        read_words_by(bundle.model, words)
        shape = replace(bundle.shape, glossary=words)
        return Network(bundle.model, shape, {"package": shape.package, "sha256": shape.sha256})
    if words is not None:
        raise ConfigError(
            f"base is {flow.base!r}, a GLiNER checkpoint, and glossary is {flow.glossary!r}; such a "
            "checkpoint cannot keep a list of words: set glossary=null"
        )
    model = load_weights(locate(str(folder), None))
    return Network(model, None, {"checkpoint": flow.base, "files": files_hash(folder)})


def _over_package(flow: NerFlow, words: WordList | None) -> Network:
    """The packaged encoder with a new head."""
    if flow.sha256 is None:
        raise ConfigError(
            f"base is {flow.base!r}, which is no folder, and sha256 is not set; give the folder of a "
            "cleaner or of a GLiNER checkpoint, or the package of an encoder with the hash of its weights"
        )
    shape = Shape(
        package=flow.base,
        sha256=flow.sha256,
        hidden_size=flow.hidden_size,
        max_words=flow.max_words,
        mark_capitals=flow.mark_capitals,
        dropout=flow.dropout,
        glossary=words,
    )
    return Network(new_model(shape), shape, {"package": shape.package, "sha256": shape.sha256})

"""Entities by a GLiNER2 model and its package `gliner2`.

The model is that of Zaratiana et al., 2025, "GLiNER2: An Efficient Multi-Task Information Extraction System
with Schema-Driven Interface". It cuts nothing by itself, but its encoder was made for so many subwords and no
more. So sentences are measured first, those that are too long are read in overlapping pieces, and each batch
is made tensors and checked before it runs: the model sees every word, or there is a `ModelError`.

The package comes with a client for its makers' servers, which its `__init__` imports. It is never imported
here: no advert can leave the machine by it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import ModelError
from joblens.extractors.gliner import longest_input
from joblens.extractors.gliner_files import check_files, files_hash, find_folder
from joblens.extractors.gliner_words import Window, WindowCutter, WordPieces
from joblens.extractors.patterns import RULES
from joblens.extractors.spans import by_sentence, longest_by_label
from joblens.records import Entity
from joblens.storage import content_hash

if TYPE_CHECKING:
    from joblens.config import Cleaning, Compute

logger = logging.getLogger(__name__)

PACKAGE = "gliner2"

READING = 1
"""Raised whenever this module makes other entities of the same scores."""

THRESHOLD = 0.5
"""Least score of an entity where the configuration names none; gliner2's default."""

FILES = ("config.json", "model.safetensors", "encoder_config/config.json")
"""What `save_pretrained` of gliner2 writes beside the tokenizer."""

STOP = "."
"""gliner2 puts one after a text without a final stop, where it is a word like others."""


def load_gliner2(cleaning: Cleaning, compute: Compute) -> Gliner2Extractor:
    """The extractor for `cleaning.model`: a GLiNER2 folder, or a hub id at a pinned commit.

    The weights are in float32 on a CPU; code that comes with a model is never run.

    Args:
        cleaning: Model, labels, threshold and window.
        compute: Where, and how many windows at once.

    Raises:
        ModelError: The package `gliner2` is missing, files are missing, damaged or unsafe, the hub cannot be
            reached, or the labels leave no room for text.
        DeviceError: `compute.device` is `gpu` and there is none.
    """
    from joblens.device import choose_device

    without_its_client()
    chosen = choose_device(compute.device)
    folder = locate(cleaning.model or "", cleaning.revision)
    model = open_model(folder)
    if chosen.type != "cpu":
        import torch

        model = model.to(device=chosen, dtype=getattr(torch, cleaning.precision))
    logger.info("gliner2: %s on %s", cleaning.model, chosen)
    threshold = THRESHOLD if cleaning.threshold is None else cleaning.threshold
    labels = tuple(dict.fromkeys((*cleaning.keep, *cleaning.drop)))
    return Gliner2Extractor(
        model=model,
        labels=labels,
        threshold=threshold,
        max_words=cleaning.max_tokens,
        batch_size=compute.encode_batch_size,
        fingerprint=content_hash(
            PACKAGE, version(PACKAGE), f"patterns {RULES}", f"reading {READING}", files_hash(folder),
            *labels, repr(threshold), repr(cleaning.max_tokens), cleaning.precision,
        ),
    )  # fmt: skip


def without_its_client() -> None:
    """Make the modules of `gliner2` importable without its `__init__`, and so without its client.

    A module of that name with the package's search path, and nothing in it, stands in `sys.modules`; Python
    then looks for `gliner2.models` and the others below that path, as it does for any package. Where the
    package was imported before, by other code, nothing changes.

    Raises:
        ModelError: The package is not installed.
    """
    if PACKAGE in sys.modules:
        return
    spec = find_spec(PACKAGE)
    if spec is None:
        raise ModelError("cleaning=gliner2 needs the package gliner2; run `pip install 'joblens[gliner2]'`")
    sys.modules[PACKAGE] = module_from_spec(spec)  # made, not run


def locate(model: str, revision: str | None) -> Path:
    """The folder of the model: itself when it is one, otherwise the hub's snapshot at a pinned commit.

    Raises:
        ModelError: There is no such folder, the revision is not a commit, the hub cannot be reached, or the
            folder lacks a file or asks to run code.
    """
    folder = find_folder(model, revision)
    check_files(folder, FILES, "a folder that gliner2 has saved")
    return folder


def open_model(folder: Path) -> Any:
    """The model in the folder, in float32 and in evaluation mode, on the CPU.

    Raises:
        ModelError: The files are damaged or do not fit each other.
    """
    from gliner2.auto import AutoExtractor

    # It logs a word that has no subwords, and no word of an advert may be in a log.
    logging.getLogger("gliner2.processor").setLevel(logging.ERROR)
    try:
        model = AutoExtractor.from_pretrained(str(folder), map_location="cpu")
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"the GLiNER2 model in {folder} cannot be loaded ({reason}); copy it again whole"
        ) from error
    return model.float().eval()


class LowerPieces(WordPieces):
    """The subwords of words as gliner2 makes them: each word by itself, in lower case."""

    def learn(self, words: Iterable[str]) -> None:
        """Ask the tokenizer for all words that are new."""
        for word in dict.fromkeys(words):
            if word not in self._known:
                pieces = self._tokenizer.tokenize(word.lower())
                self._known[word] = tuple(self._tokenizer.convert_tokens_to_ids(pieces))


class Gliner2Extractor:
    """A GLiNER2 model that reads texts of any length whole.

    Args:
        model: A loaded `gliner2` extractor, of the span or the boundary kind.
        labels: What to look for, in order, each once.
        threshold: Least score of an entity, in [0, 1].
        max_words: Longest window, in words of gliner2's splitter; None asks the model, which may set none.
        batch_size: Windows read at once.
        fingerprint: Hash of the weights and of all that changes the entities.

    Raises:
        ModelError: The labels alone leave no room for text.
    """

    name = "gliner2"

    def __init__(
        self,
        *,
        model: Any,
        labels: Sequence[str],
        threshold: float,
        max_words: int | None,
        batch_size: int,
        fingerprint: str,
    ) -> None:
        self.fingerprint = fingerprint
        self._model = model
        self._labels = list(labels)
        self._threshold = threshold
        self._batch_size = batch_size
        processor = model.processor
        self._longest = longest_input(model.encoder.config, processor.tokenizer)
        self._most_words = min(
            words for words in (max_words, model.config.max_len, self._longest) if words is not None
        )
        room = self._longest - self._collate([STOP]).original_lengths[0]
        if room < 2 or self._most_words < 2:
            raise ModelError(
                f"{len(labels)} labels leave {room} of the extractor's {self._longest} subwords for text; "
                "ask for fewer or shorter labels in cleaning.keep and cleaning.drop"
            )
        self._cutter = WindowCutter(
            split=processor.word_splitter,
            pieces=LowerPieces(processor.tokenizer),
            room=room,
            max_words=self._most_words - 1,  # the stop that gliner2 adds is a word
            overlap=int(getattr(model.config, "max_width", None) or 8),
        )

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text in order; every distinct sentence is read once per call.

        Raises:
            ModelError: A window would be longer than the model takes, or has other words than were counted.
        """
        return by_sentence(texts, self._read)

    def _read(self, distinct: Sequence[str]) -> list[list[Entity]]:
        """The entities of each sentence, those of its windows put together."""
        found: list[list[Entity]] = [[] for _ in distinct]
        windows = sorted(self._cutter.windows(distinct), key=lambda window: -window.cost)
        for first in range(0, len(windows), self._batch_size):
            batch = windows[first : first + self._batch_size]
            for window, entities in zip(batch, self._predict(batch, distinct), strict=True):
                found[window.sentence] += entities
        return [longest_by_label(entities) for entities in found]

    def _predict(self, batch: Sequence[Window], distinct: Sequence[str]) -> list[list[Entity]]:
        """The entities of each window, where they are in its sentence."""
        places = [(window.words[0][0], window.words[-1][1]) for window in batch]
        texts = [
            distinct[window.sentence][start:end] for window, (start, end) in zip(batch, places, strict=True)
        ]
        self._check(texts)
        results = self._model.batch_extract(
            texts,
            {"entities": self._labels},
            batch_size=len(texts),
            threshold=self._threshold,
            include_confidence=True,
            include_spans=True,
        )
        return [
            self._moved(result.get("entities") or {}, distinct[window.sentence], place)
            for result, window, place in zip(results, batch, places, strict=True)
        ]

    def _moved(self, result: Any, sentence: str, place: tuple[int, int]) -> list[Entity]:
        """What gliner2 found in a window, in its sentence; without the stop that it put after the window."""
        first, last = place
        entities: list[Entity] = []
        for label in self._labels:
            for span in result.get(label) or ():
                start, end = first + span["start"], min(first + span["end"], last)
                if start < end:
                    entities.append(Entity(start, end, label, sentence[start:end], float(span["confidence"])))
        return entities

    def _collate(self, texts: Sequence[str]) -> Any:
        """gliner2's own tensors of a batch; what it cannot make raises, and is not replaced by a dummy."""
        rows = [(text, {"entities": dict.fromkeys(self._labels, "")}) for text in texts]
        return self._model.processor.collate_fn_inference(
            rows, error_policy="raise", architecture=self._model.architecture
        )

    def _check(self, texts: Sequence[str]) -> None:
        """Every text is read to its end, and is no longer than the encoder takes."""
        collated = self._collate(texts)
        for text, length, ends in zip(texts, collated.original_lengths, collated.end_mappings, strict=True):
            if length > self._longest or len(ends) > self._most_words or ends[-1] < len(text):
                raise ModelError(
                    f"a window has {len(ends)} words and {length} subwords, and the extractor reads at most "
                    f"{self._most_words} and {self._longest}; set cleaning.max_tokens lower"
                )

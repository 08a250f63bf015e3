"""Entities by a GLiNER model (Zaratiana et al., 2024, "GLiNER: Generalist Model for NER").

GLiNER cuts what is longer than its window without an error, both in its own words and in the subwords of its
encoder. So sentences are measured first in both, those that are too long are read in overlapping pieces, and
each batch is checked before it runs: the model sees every word, or there is a `ModelError`.

What takes gliner's own `inference` most of its time beside the network is done once here: words are made
subwords once per distinct word, label names are read once per model where it has an encoder of its own for
them, and sentences of like length share a batch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from joblens.errors import ModelError
from joblens.extractors.gliner_batches import Frame, batches, frame_of
from joblens.extractors.gliner_bundle import is_bundle, load_bundle
from joblens.extractors.gliner_chain import from_chain, is_chain
from joblens.extractors.gliner_decoding import Found, from_proposals, from_spans, from_tokens
from joblens.extractors.gliner_exported import READS_ALONE, open_exported
from joblens.extractors.gliner_files import files_hash, load_thresholds, load_weights, locate
from joblens.extractors.gliner_networks import Network, Scores, TorchNetwork
from joblens.extractors.gliner_words import Window, WindowCutter, WordPieces
from joblens.extractors.glossary import RULES as WORD_RULES
from joblens.extractors.patterns import RULES
from joblens.extractors.spans import by_sentence, longest_by_label
from joblens.records import Entity
from joblens.storage import content_hash

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Cleaning, Compute

logger = logging.getLogger(__name__)

READING = 3
"""Raised whenever this module makes other entities of the same scores."""

THRESHOLD = 0.5
"""Least score of an entity where neither the configuration nor the model names one; gliner's default."""

SUBWORDS_PER_ROW = 64
"""A batch holds `compute.encode_batch_size` times as many subwords, padding included."""


def load_gliner(cleaning: Cleaning, compute: Compute) -> GlinerExtractor:
    """The extractor for `cleaning.model`: a joblens cleaner, a GLiNER folder, or a hub id at a pinned commit.

    The weights are in float32 on a CPU; code that comes with a model is never run.

    Args:
        cleaning: Model, backend, labels, thresholds and window.
        compute: Where, and how much at once.

    Raises:
        ModelError: Files are missing, damaged or unsafe, the hub cannot be reached, or the model was not
            exported for `cleaning.backend`.
        DeviceError: `compute.device` is `gpu` and there is none, or the backend cannot use it.
    """
    from joblens.device import choose_device

    device = choose_device(compute.device)
    if cleaning.backend != "torch":
        folder = locate(cleaning.model or "", cleaning.revision)
        network, identity = open_exported(folder, cleaning.backend, labels_of(cleaning), compute.device)
        model, thresholds, fingerprint = open_model(cleaning)
        logger.info("gliner: %s by %s", cleaning.model, cleaning.backend)
        return build(model, thresholds, content_hash(fingerprint, identity), cleaning, compute, network)
    model, thresholds, fingerprint = open_model(cleaning)
    if device.type != "cpu":
        import torch

        model = model.to(device=device, dtype=getattr(torch, cleaning.precision))
    logger.info("gliner: %s on %s", cleaning.model, device)
    return build(model, thresholds, fingerprint, cleaning, compute)


def labels_of(cleaning: Cleaning) -> tuple[str, ...]:
    """The labels that are asked for, each once, in order."""
    return tuple(dict.fromkeys((*cleaning.keep, *cleaning.drop)))


def open_model(cleaning: Cleaning) -> tuple[Any, dict[str, float], str]:
    """The model on the CPU, the threshold of each label asked for, in order, and a hash of all that decides.

    Raises:
        ModelError: Files are missing, damaged or unsafe, or the hub cannot be reached.
    """
    labels = labels_of(cleaning)
    folder = locate(cleaning.model or "", cleaning.revision)
    stored: Mapping[str, float] = {}
    if is_bundle(folder):
        bundle = load_bundle(folder)
        model, stored, weights = bundle.model, bundle.thresholds, bundle.fingerprint
        unknown = [label for label in labels if label not in stored]
        if unknown:
            logger.warning("%s was not trained for %s", folder, ", ".join(unknown))
    else:
        model, stored, weights = load_weights(folder), load_thresholds(folder), files_hash(folder)
    thresholds = {
        label: stored.get(label, THRESHOLD) if cleaning.threshold is None else cleaning.threshold
        for label in labels
    }
    return model, thresholds, _fingerprint(weights, thresholds, cleaning)


def _fingerprint(weights: str, thresholds: Mapping[str, float], cleaning: Cleaning) -> str:
    """Hash of the weights, the settings, and the versions of gliner, of all rules and of this module."""
    settings = [f"{label}={threshold!r}" for label, threshold in thresholds.items()]
    return content_hash(
        "gliner", version("gliner"), f"patterns {RULES}", f"words {WORD_RULES}", f"reading {READING}",
        weights, *settings, repr(cleaning.max_tokens), cleaning.precision,
    )  # fmt: skip


def build(
    model: Any,
    thresholds: Mapping[str, float],
    fingerprint: str,
    cleaning: Cleaning,
    compute: Compute,
    network: Network | None = None,
) -> GlinerExtractor:
    """The extractor over a model, and over the network of `cleaning.backend`; None takes the model in torch.

    Raises:
        ModelError: The labels leave no room for text, or the model is of an unknown kind.
    """
    most = int(model.config.max_len)
    least = min(thresholds.values(), default=THRESHOLD)
    batch = compute.encode_batch_size * SUBWORDS_PER_ROW
    return GlinerExtractor(
        model=model,
        network=TorchNetwork(model, list(thresholds), least) if network is None else network,
        thresholds=thresholds,
        max_words=min(cleaning.max_tokens or most, most),
        budget=1 if cleaning.backend in READS_ALONE else batch,
        fingerprint=fingerprint,
    )


class GlinerExtractor:
    """A GLiNER model that reads texts of any length whole.

    Args:
        model: A loaded `gliner.GLiNER`.
        network: Scores its batches.
        thresholds: Least score of an entity by label, in [0, 1], in the order of the network's labels.
        max_words: Longest window, in words of the model's own splitter.
        budget: Subwords in a batch, padding included.
        fingerprint: Hash of the weights and of all that changes the entities.

    Raises:
        ModelError: The labels alone leave no room for text, or the model is of an unknown kind.
    """

    name = "gliner"

    def __init__(
        self,
        *,
        model: Any,
        network: Network,
        thresholds: Mapping[str, float],
        max_words: int,
        budget: int,
        fingerprint: str,
    ) -> None:
        import numpy as np

        self.fingerprint = fingerprint
        self._is_chain = is_chain(model)
        self._network = network
        self._labels = list(thresholds)
        self._thresholds = np.array(list(thresholds.values()), dtype=np.float32)
        self._max_words = max_words
        self._budget = budget
        tokenizer = model.data_processor.transformer_tokenizer
        pieces = WordPieces(tokenizer)
        self._longest = longest_input(encoder_settings(model), tokenizer)
        self._most_words = int(model.config.max_len)
        self._frame: Frame = frame_of(model, self._labels, pieces, self._longest)
        self._cutter = WindowCutter(
            split=model.data_processor.words_splitter,
            pieces=pieces,
            room=self._longest - self._frame.cost,
            max_words=max_words,
            overlap=int(getattr(model.config, "max_width", None) or 0),
        )

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text in order; every distinct sentence is read once per call.

        Raises:
            ModelError: A window would be cut by the model.
        """
        return by_sentence(texts, self._read)

    def _read(self, distinct: Sequence[str]) -> list[list[Entity]]:
        """The entities of each sentence, those of its windows put together."""
        found: list[list[Entity]] = [[] for _ in distinct]
        planned = list(batches(self._cutter.windows(distinct), self._frame, self._budget))
        scored = self._network(map(self._tensors, planned))
        for batch, scores in zip(planned, scored, strict=True):
            for window, spans in zip(batch, self._decoded(batch, scores), strict=True):
                sentence = distinct[window.sentence]
                for first, last, label, score in spans:
                    start, end = window.words[first][0], window.words[last][1]
                    found[window.sentence].append(
                        Entity(start, end, self._labels[label], sentence[start:end], score)
                    )
        return [longest_by_label(entities) for entities in found]

    def _tensors(self, batch: Sequence[Window]) -> Mapping[str, Tensor]:
        self._check(batch)
        return self._frame.tensors(batch)

    def _decoded(self, batch: Sequence[Window], scores: Scores) -> list[list[Found]]:
        """The entities of each window, their words counted from its first."""
        from scipy.special import expit

        lengths = [len(window.words) for window in batch]
        if self._is_chain:
            return from_chain(scores.values, lengths, self._thresholds)
        chances = expit(scores.values)
        if scores.spans is not None and scores.exists is not None:
            return from_proposals(chances, scores.spans, scores.exists, self._thresholds)
        decode = from_tokens if self._frame.width is None else from_spans
        return decode(chances, lengths, self._thresholds)

    def _check(self, batch: Sequence[Window]) -> None:
        """Every word of every window is within what the model was made for, and so are its subwords."""
        for window in batch:
            words, subwords = len(window.words), window.cost + self._frame.cost
            if words > self._most_words or subwords > self._longest:
                raise ModelError(
                    f"a window has {words} words and {subwords} subwords, and the extractor reads at most "
                    f"{self._most_words} and {self._longest}; set cleaning.max_tokens below {self._max_words}"
                )


def encoder_settings(model: Any) -> Any:
    """The configuration of the transformer inside, also where GLiNER looked it up elsewhere."""
    from transformers import PreTrainedModel

    return next(part.config for part in model.modules() if isinstance(part, PreTrainedModel))


def longest_input(encoder: Any, tokenizer: Any) -> int:
    """Most subwords the encoder takes: where its tokenizer cuts, or how many positions it has."""
    positions = getattr(encoder, "max_position_embeddings", None) or tokenizer.model_max_length
    if "roberta" in str(getattr(encoder, "model_type", "")):
        positions -= 2  # RoBERTa counts positions from its padding index on
    return int(min(tokenizer.model_max_length, positions))

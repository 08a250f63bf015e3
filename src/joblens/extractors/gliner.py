"""Entities by a GLiNER model (Zaratiana et al., 2024, "GLiNER: Generalist Model for NER").

GLiNER cuts what is longer than its window without an error, both in its own words and in the subwords of its
encoder. So sentences are measured first in both, those that are too long are read in overlapping pieces, and
each batch is checked before it runs: the model has seen every word, or there is a `ModelError`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joblens.errors import ModelError
from joblens.extractors.gliner_files import fingerprint, load_weights, locate
from joblens.extractors.spans import longest_by_label
from joblens.records import Entity
from joblens.text import Span, chunks, sentences

if TYPE_CHECKING:
    from pathlib import Path

    from joblens.config import Cleaning, Compute

logger = logging.getLogger(__name__)


def load_gliner(cleaning: Cleaning, compute: Compute, cache: Path | None = None) -> GlinerExtractor:
    """The extractor for `cleaning.model`, a local folder or a hub id at the pinned `cleaning.revision`.

    The weights are in float32 on every device; code that comes with a model is never run.

    Raises:
        ModelError: Files are missing, damaged or unsafe, or the hub cannot be reached.
        DeviceError: `compute.device` is `gpu` and there is none.
    """
    from joblens.device import choose_device

    device = choose_device(compute.device)
    folder = locate(cleaning.model or "", cleaning.revision)
    model = load_weights(folder).to(device)
    labels = (*cleaning.keep, *cleaning.drop)
    logger.info("gliner: %s on %s", folder, device)
    return GlinerExtractor(
        model=model,
        labels=labels,
        threshold=0.5 if cleaning.threshold is None else cleaning.threshold,
        max_words=min(cleaning.max_tokens or model.config.max_len, model.config.max_len),
        batch_size=compute.encode_batch_size,
        fingerprint=fingerprint(folder, labels, cleaning.threshold, cleaning.max_tokens),
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """A piece of a sentence that fits the model: where it starts, what it says, what it costs in subwords."""

    sentence: int
    start: int
    text: str
    cost: int


class GlinerExtractor:
    """A GLiNER model that reads texts of any length whole.

    Args:
        model: A loaded `gliner.GLiNER`, on its device.
        labels: The entity labels asked for, in order.
        threshold: Least score of an entity, in [0, 1].
        max_words: Longest window, in words of the model's own splitter.
        batch_size: Windows read at once.
        fingerprint: Hash of the weights and of all that changes the entities.

    Raises:
        ModelError: The labels alone leave no room for text.
    """

    name = "gliner"

    def __init__(
        self,
        *,
        model: Any,
        labels: Sequence[str],
        threshold: float,
        max_words: int,
        batch_size: int,
        fingerprint: str,
    ) -> None:
        self.fingerprint = fingerprint
        self._model = model
        self._labels = list(dict.fromkeys(labels))
        self._threshold = threshold
        self._max_words = max_words
        self._batch_size = batch_size
        self._tokenizer = model.data_processor.transformer_tokenizer
        self._split: Callable[[str], Any] = model.data_processor.words_splitter
        self._room = self._subwords_for_text()

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text in order; every distinct sentence is read once per call.

        Raises:
            ModelError: A window would be cut by the model.
        """
        spans = [sentences(text) for text in texts]
        rows: dict[str, int] = {}
        for text, cuts in zip(texts, spans, strict=True):
            for start, end in cuts:
                rows.setdefault(text[start:end], len(rows))
        found = self._read(list(rows))
        return [
            [
                Entity(start + entity.start, start + entity.end, entity.label, entity.text, entity.score)
                for start, end in cuts
                for entity in found[rows[text[start:end]]]
            ]
            for text, cuts in zip(texts, spans, strict=True)
        ]

    def _read(self, distinct: Sequence[str]) -> list[list[Entity]]:
        """The entities of each sentence. Windows of like length share a batch, so that little is padding."""
        cut = [window for row, sentence in enumerate(distinct) for window in self._windows(row, sentence)]
        cut.sort(key=lambda window: -window.cost)
        found: list[list[Entity]] = [[] for _ in distinct]
        for first in range(0, len(cut), self._batch_size):
            batch = cut[first : first + self._batch_size]
            for window, entities in zip(batch, self._predict([piece.text for piece in batch]), strict=True):
                found[window.sentence] += (
                    Entity(
                        window.start + entity["start"],
                        window.start + entity["end"],
                        str(entity["label"]),
                        str(entity["text"]),
                        float(entity["score"]),
                    )
                    for entity in entities
                )
        return [longest_by_label(entities) for entities in found]

    def _windows(self, row: int, sentence: str) -> list[_Window]:
        """The sentence, or overlapping pieces of it that fit; an entity is never longer than the overlap."""
        spans, costs = self._measure(sentence)
        overlap = max(0, min(self._model.config.max_width, (min(self._max_words, self._room) - 1) // 2))
        return [
            _Window(
                sentence=row,
                start=spans[first][0],
                text=sentence[spans[first][0] : spans[end - 1][1]],
                cost=sum(costs[first:end]),
            )
            for first, end in chunks(costs, self._room, overlap=overlap, most=self._max_words)
        ]

    def _measure(self, sentence: str) -> tuple[list[Span], list[int]]:
        """The model's words and what each costs in subwords; a word that never fits is cut in halves."""
        spans = [(start, end) for _, start, end in self._split(sentence)]
        costs = self._subwords([sentence[start:end] for start, end in spans])
        while any(
            cost > self._room and end - start > 1 for (start, end), cost in zip(spans, costs, strict=True)
        ):
            halves: list[Span] = []
            for (start, end), cost in zip(spans, costs, strict=True):
                middle = (start + end) // 2 if cost > self._room and end - start > 1 else end
                halves += [(start, middle), (middle, end)] if middle < end else [(start, end)]
            spans, costs = halves, self._subwords([sentence[start:end] for start, end in halves])
        return spans, costs

    def _subwords(self, words: Sequence[str]) -> list[int]:
        """How many subwords the encoder's tokenizer makes of each word."""
        if not words:
            return []
        costs = [0] * len(words)
        encoded = self._tokenizer(
            list(words), is_split_into_words=True, add_special_tokens=False, verbose=False
        )
        for word in encoded.word_ids():
            costs[word] += 1
        return costs

    def _subwords_for_text(self) -> int:
        """What labels, markers and special tokens leave of the encoder's longest input."""
        collated, _ = self._collate(["a"])
        taken = int(collated["input_ids"].shape[1]) - self._subwords(["a"])[0]
        room = _longest_input(_encoder_settings(self._model), self._tokenizer) - taken
        if room < 2:
            raise ModelError(
                f"{len(self._labels)} labels take {taken} of the extractor's {room + taken} subwords; "
                "ask for fewer or shorter labels in cleaning.keep and cleaning.drop"
            )
        return room

    def _collate(self, texts: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        prepared = self._model.prepare_batch(list(texts), self._labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a cut window warns; `_check` makes it an error
            collated = self._model.collate_batch(
                prepared["input_x"], prepared["entity_types"], label_names=prepared["label_names"]
            )
        return collated, prepared

    def _predict(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        collated, prepared = self._collate(texts)
        self._check(texts, collated, prepared)
        output = self._model.run_batch(collated, threshold=self._threshold)
        decoded = self._model.decode_batch(output, collated, threshold=self._threshold)
        entities: list[list[dict[str, Any]]] = self._model.map_entities_to_text(
            decoded,
            prepared["valid_texts"],
            prepared["valid_to_orig_idx"],
            prepared["start_token_map"],
            prepared["end_token_map"],
            prepared["num_original"],
        )
        return entities

    def _check(self, texts: Sequence[str], collated: dict[str, Any], prepared: dict[str, Any]) -> None:
        """Every word of every window is in the batch, and its subwords are in the encoder's input."""
        rows = zip(texts, prepared["tokens"], collated["tokens"], collated["words_mask"], strict=True)
        for text, wanted, taken, mask in rows:
            seen = int(mask.unique().count_nonzero())
            visible = sum(cost > 0 for cost in self._subwords(wanted))
            if len(taken) < len(wanted) or seen < visible:
                raise ModelError(
                    f"the extractor would read {min(len(taken), seen)} of the {len(wanted)} words in a "
                    f"window of {len(text):,} characters; set cleaning.max_tokens below {self._max_words}"
                )


def _encoder_settings(model: Any) -> Any:
    """The configuration of the transformer inside, also where GLiNER looked it up elsewhere."""
    from transformers import PreTrainedModel

    return next(part.config for part in model.modules() if isinstance(part, PreTrainedModel))


def _longest_input(encoder: Any, tokenizer: Any) -> int:
    """Most subwords the encoder takes: where its tokenizer cuts, or how many positions it has."""
    positions = getattr(encoder, "max_position_embeddings", None) or tokenizer.model_max_length
    if "roberta" in str(getattr(encoder, "model_type", "")):
        positions -= 2  # RoBERTa counts positions from its padding index on
    return int(min(tokenizer.model_max_length, positions))

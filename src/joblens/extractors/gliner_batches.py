"""Windows as the tensors that a GLiNER network takes, in batches of like length and bounded size."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joblens.errors import ModelError
from joblens.extractors.gliner_words import Window, WordPieces

if TYPE_CHECKING:
    from torch import Tensor

PROBE = ("a", "Kok-assistent søges, 25 % i CAFÉ Å.")
"""Texts on which our tensors are compared with gliner's own."""

COMPARED = ("input_ids", "attention_mask", "words_mask", "text_lengths", "span_idx", "span_mask")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the words of a window: special tokens, and labels where the text carries them."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    padding: int
    pooling: str
    """Which subwords stand for a word: `first`, `last`, or all of them."""
    width: int | None
    """Longest entity in words, for networks that score every span; None for those that score tokens."""

    @property
    def cost(self) -> int:
        """Subwords of a window without words."""
        return len(self.before) + len(self.after)

    def tensors(self, windows: Sequence[Window]) -> dict[str, Tensor]:
        """The batch as gliner's collators make it; nothing is cut.

        Returns:
            input_ids, attention_mask and words_mask (B, L) int64, text_lengths (B, 1) int64; for networks
            over spans also span_idx (B, W * width, 2) int64 and span_mask (B, W * width) bool.
        """
        import numpy as np
        import torch

        longest = self.cost + max(window.cost for window in windows)
        shape = (len(windows), longest)
        ids = np.full(shape, self.padding, dtype=np.int64)
        seen, words = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, window in enumerate(windows):
            flat = [piece for pieces in window.pieces for piece in pieces]
            end = len(self.before) + len(flat)
            ids[row, : end + len(self.after)] = [*self.before, *flat, *self.after]
            seen[row, : end + len(self.after)] = 1
            words[row, len(self.before) : end] = self._word_numbers(window)
        lengths = np.array([[len(window.words)] for window in windows], dtype=np.int64)
        arrays = {"input_ids": ids, "attention_mask": seen, "words_mask": words, "text_lengths": lengths}
        if self.width is not None:
            arrays["span_idx"], arrays["span_mask"] = _spans(lengths, self.width)
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _word_numbers(self, window: Window) -> list[int]:
        """For each subword the number of its word, from 1, where it stands for the word, else 0."""
        numbers: list[int] = []
        for number, pieces in enumerate(window.pieces, start=1):
            marked = [number] * len(pieces)
            if self.pooling == "first":
                marked[1:] = [0] * (len(marked) - 1)
            elif self.pooling == "last":
                marked[:-1] = [0] * (len(marked) - 1)
            numbers += marked
        return numbers


def _spans(lengths: Any, width: int) -> tuple[Any, Any]:
    """First and last word of every span of at most `width` words, and which of them lie in each text."""
    import numpy as np

    starts = np.repeat(np.arange(lengths.max()), width)
    ends = starts + np.tile(np.arange(width), lengths.max())
    inside = starts[None, :] < lengths  # (B, S): gliner pads shorter texts with spans (0, 0)
    spans = np.stack((starts, ends), axis=-1)[None] * inside[..., None]
    return np.ascontiguousarray(spans), (ends[None, :] < lengths) & inside


def batches(windows: Sequence[Window], frame: Frame, budget: int) -> Iterator[list[Window]]:
    """The windows, longest first, in batches of at most `budget` subwords, padding included.

    A window that alone is longer gets a batch of its own.
    """
    batch: list[Window] = []
    longest = 0
    for window in sorted(windows, key=lambda window: -window.cost):
        longest = longest or frame.cost + window.cost
        if batch and (len(batch) + 1) * longest > budget:
            yield batch
            batch, longest = [], frame.cost + window.cost
        batch.append(window)
    if batch:
        yield batch


def frame_of(model: Any, labels: Sequence[str], pieces: WordPieces, longest: int) -> Frame:
    """What gliner puts around the words of a text for these labels.

    It is read off gliner's own tensors for one letter, and checked: what we build for the texts of `PROBE`
    that the model can hold is what gliner builds.

    Args:
        model: A loaded `gliner.GLiNER`.
        labels: What to look for, in order.
        pieces: Subwords of words by the model's tokenizer.
        longest: Most subwords the encoder takes.

    Raises:
        ModelError: The labels leave no room for text, or the network is of a kind that reads it another way.
    """
    collated = _collated(model, ["a"], labels)
    [letter] = pieces(["a"])
    row, marked = collated["input_ids"][0].tolist(), collated["words_mask"][0].tolist()
    if 1 not in marked or len(row) - len(letter) > longest - 2:
        raise ModelError(
            f"{len(labels)} labels take {len(row) - marked.count(1)} of the extractor's {longest} subwords; "
            "ask for fewer or shorter labels in cleaning.keep and cleaning.drop"
        )
    pooling = getattr(model.config, "subtoken_pooling", "first")
    place = marked.index(1) - (len(letter) - 1 if pooling == "last" else 0)
    frame = Frame(
        before=tuple(row[:place]),
        after=tuple(row[place + len(letter) :]),
        padding=int(model.data_processor.transformer_tokenizer.pad_token_id or 0),
        pooling=pooling,
        width=int(model.config.max_width) if "span_idx" in collated else None,
    )
    if not _is_true(frame, model, labels, pieces, longest):
        raise ModelError(
            f"{type(model).__name__} reads text in a way that joblens does not know; "
            "use a GLiNER model of the span or token kind, with one or two encoders"
        )
    return frame


def _is_true(frame: Frame, model: Any, labels: Sequence[str], pieces: WordPieces, longest: int) -> bool:
    """Whether our tensors are gliner's, and its classes are the labels in their order."""
    texts: list[str] = []
    windows: list[Window] = []
    for text in PROBE:
        words, starts, ends = zip(*model.data_processor.words_splitter(text), strict=True)
        spans = list(zip(starts, ends, strict=True))
        window = Window(0, spans, pieces(words))
        if len(spans) <= model.config.max_len and window.cost + frame.cost <= longest:
            texts.append(text)
            windows.append(window)
    collated = _collated(model, texts, labels)
    classes = collated["id_to_classes"]
    known = classes[0] if isinstance(classes, list) else classes
    return list(known.values()) == list(labels) and _same(frame.tensors(windows), collated)


def _same(ours: Mapping[str, Tensor], theirs: Mapping[str, Any]) -> bool:
    """Whether both name the same tensors, with equal values."""
    expected = {name: theirs[name] for name in COMPARED if name in theirs}
    return ours.keys() == expected.keys() and all(
        ours[name].shape == tensor.shape and bool((ours[name] == tensor).all())
        for name, tensor in expected.items()
    )


def _collated(model: Any, texts: list[str], labels: Sequence[str]) -> dict[str, Any]:
    """The batch as gliner makes it."""
    prepared = model.prepare_batch(texts, list(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cut text warns; the probe is compared anyway
        collated: dict[str, Any] = model.collate_batch(
            prepared["input_x"], prepared["entity_types"], label_names=prepared["label_names"]
        )
    return collated

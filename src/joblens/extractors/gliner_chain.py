"""Spans by the scores of words, all words of a sentence weighed together.

A token network of gliner says for each word and label whether an entity starts there, ends there or goes on,
each by itself: a start with no good end, or an end in the wrong place, costs it nothing. Here the same three
numbers are the parts of a span's weight, w(i, j) = start_i + inside_i + ... + inside_j + end_j, and a
sentence is cut into spans and words between them with a probability proportional to exp(sum of w). This is a
semi-Markov conditional random field (Sarawagi and Cohen, 2004), one per label. The weights are sums over
words, so that the forward-backward algorithm (Rabiner, 1989) takes two numbers per word and a span may have
any length. A network is trained by the likelihood of what is marked; a span's score is its probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from joblens.extractors.gliner_decoding import surest

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from joblens.extractors.gliner_decoding import Found

    Array = np.ndarray[Any, np.dtype[Any]]

_NOTHING = 1e-6
"""Spans less probable than this are none, whatever the threshold; there is one for every two words."""
_NEVER = -1e9
"""A weight whose exponential is 0, and with which sums stay finite."""


def use_chain(model: Any) -> None:
    """Let a token network of gliner be trained, and read, by whole sentences.

    Args:
        model: A `gliner.model.BiEncoderTokenGLiNER`, changed in place.
    """
    model.config.is_chain = True
    model.model.loss = chain_loss


def is_chain(model: Any) -> bool:
    """Whether the scores of a GLiNER are weights of a chain, and not logits of their own."""
    return bool(getattr(model.config, "is_chain", False))


def chain_loss(
    scores: Tensor, labels: Tensor, prompts_embedding_mask: Tensor, word_mask: Tensor, **_: Any
) -> Tensor:
    """Negative log-likelihood of the marked spans, summed over texts and labels.

    The signature is that of `loss` in gliner's token models.

    Args:
        scores: (B, W, C, 3) weights: start, end, inside.
        labels: (B, W, C, 3) ones where a marked span starts, ends and is; spans of a label do not overlap.
        prompts_embedding_mask: (B, C) false where a row has fewer labels.
        word_mask: (B, W) false beyond a text's last word.

    Returns:
        One number.
    """
    scores = scores.float()
    exists = word_mask.bool()
    marked = (scores * labels * exists[:, :, None, None]).sum((1, 3))  # (B, C)
    each = log_partition(scores, exists) - marked
    return (each * prompts_embedding_mask).sum()


def log_partition(scores: Tensor, exists: Tensor) -> Tensor:
    """(B, C) logarithm of the summed weight of all ways to cut each text into spans.

    Args:
        scores: (B, W, C, 3) weights: start, end, inside.
        exists: (B, W) false beyond a text's last word.
    """
    import torch

    start, end, inside = scores.unbind(-1)
    free = torch.zeros_like(start[:, 0])  # (B, C) all ways up to here, in which no span is open
    within = torch.full_like(free, _NEVER)  # (B, C) those in which one is
    for word in range(scores.shape[1]):
        on = exists[:, word, None]
        opened = inside[:, word] + torch.logaddexp(free + start[:, word], within)
        free = torch.where(on, torch.logaddexp(free, opened + end[:, word]), free)
        within = torch.where(on, opened, within)
    return free


def from_chain(scores: Array, lengths: Sequence[int], thresholds: Array) -> list[list[Found]]:
    """Spans whose probability is above their label's threshold.

    Args:
        scores: (B, W, C, 3) weights: start, end, inside.
        lengths: Words of each text; what lies beyond is padding.
        thresholds: (C,) least probability.

    Returns:
        For each text its spans, in order of their first word; those of one label do not overlap.
    """
    import numpy as np

    found: list[list[Found]] = [[] for _ in lengths]
    if not scores.size:
        return found
    exists = np.arange(scores.shape[1])[None, :, None] < np.asarray(lengths)[:, None, None]  # (B, W, 1)
    least = np.maximum(thresholds, _NOTHING)
    start, end, inside = np.moveaxis(scores.astype(np.float64), -1, 0)  # (B, W, C) each
    inside = np.where(exists, inside, _NEVER)
    before, after, within = _around(start, end, inside)
    everything = after[:, 0]  # (B, C)
    begins = np.exp(before[:, :-1] + start + inside + within - everything[:, None])  # (B, W, C)
    for row, first, label in np.argwhere(begins > least).tolist():
        stop = lengths[row]
        weights = np.cumsum(inside[row, first:stop, label]) + end[row, first:stop, label]
        weights += before[row, first, label] + start[row, first, label] - everything[row, label]
        chances = np.minimum(np.exp(weights + after[row, first + 1 : stop + 1, label]), 1.0)
        for more in np.flatnonzero(chances > least[label]).tolist():
            found[row].append((first, first + more, label, float(chances[more])))
    return [surest(spans) for spans in found]


def _around(start: Array, end: Array, inside: Array) -> tuple[Array, Array, Array]:
    """What the words before and after a place weigh, in all ways together.

    Args:
        start: (B, W, C) weight of a span that starts at the word.
        end: (B, W, C) of one that ends there.
        inside: (B, W, C) of one that covers it.

    Returns:
        (B, W + 1, C) the words before each place, (B, W + 1, C) those from there on, no span open; and
        (B, W, C) what follows a word that a span covers.
    """
    import numpy as np

    rows, words, labels = start.shape
    before = np.zeros((rows, words + 1, labels))
    after = np.zeros((rows, words + 1, labels))
    follows = np.empty((rows, words, labels))
    opened = np.full((rows, labels), _NEVER)
    for word in range(words):
        opened = inside[:, word] + np.logaddexp(before[:, word] + start[:, word], opened)
        before[:, word + 1] = np.logaddexp(before[:, word], opened + end[:, word])
    going_on = np.full((rows, labels), _NEVER)
    for word in reversed(range(words)):
        follows[:, word] = np.logaddexp(end[:, word] + after[:, word + 1], going_on)
        going_on = inside[:, word] + follows[:, word]
        after[:, word] = np.logaddexp(after[:, word + 1], start[:, word] + going_on)
    return before, after, follows

"""The scorer of a token bi-encoder for labels that are known: one linear map instead of word-label pairs.

gliner's `Scorer` joins, for each word and label, a projection of the word, one of the label and a product of
two more, and gives all three to a network of two layers: 3h numbers for each pair. With the label's part
fixed, everything before the activation is linear in the word. With the word's vector t, the label's parts
l0 and l1, the word's projections P0 and P1, and the first layer [A B C] with bias d:

    A P0 t + B l0 + C (l1 * P1 t) + d  =  (A P0 + C diag(l1) P1) t + (B l0 + d)

(biases of the projections go along). The scores are the same but for rounding, for a third of the work and
without the large arrays in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


class FoldedScorer:
    """The scores of words for fixed labels.

    Args:
        scorer: A `gliner.modeling.scorers.Scorer` in evaluation mode.
        labels: (C, h) label vectors, of the scorer's type and on its device.
    """

    def __init__(self, scorer: Any, labels: Tensor) -> None:
        import torch

        first, last = scorer.out_mlp[0], scorer.out_mlp[3]
        with torch.no_grad():
            of_label, times_label = scorer.proj_label(labels).float().chunk(2, dim=-1)  # (C, h) each
            projection, bias = scorer.proj_token.weight.float(), scorer.proj_token.bias.float()
            alone, times = projection.chunk(2)  # (h, h) each
            alone_bias, times_bias = bias.chunk(2)
            by_word, by_label, by_both = first.weight.float().chunk(3, dim=1)  # (4h, h) each
            scaled = by_both[None] * times_label[:, None]  # (C, 4h, h)
            weight = by_word @ alone + scaled @ times  # (C, 4h, h)
            shift = (
                by_word @ alone_bias + scaled @ times_bias + of_label @ by_label.T + first.bias.float()
            )  # (C, 4h)
            self.weight = weight.flatten(0, 1).to(labels.dtype)
            self.bias = shift.flatten().to(labels.dtype)
        self.classes = len(labels)
        self.last = last

    def __call__(self, words: Tensor) -> Tensor:
        """(B, W, h) word vectors to (B, W, C, 3) logits: start, end, inside."""
        from torch.nn.functional import linear

        hidden = linear(words, self.weight, self.bias).relu_()
        logits: Tensor = self.last(hidden.view(*words.shape[:-1], self.classes, -1))
        return logits

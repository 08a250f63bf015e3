"""The network on top of frozen vectors. It needs torch alone: serving does not import what training needs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_FLAT = 1e-6
"""A dimension whose standard deviation is below this never varies."""


class Standardise(nn.Module):
    """Give every input dimension mean 0 and variance 1, as measured on training rows.

    The entries of vectors of length 1 are tiny; without this the first layer learns slowly at any common step
    size. Both buffers are saved with the weights, so new vectors are treated as training vectors were.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("scale", torch.ones(dimensions))

    def fit(self, vectors: Tensor) -> None:
        """Measure (N, D) training rows. A dimension that never varies is only centred."""
        variance, mean = torch.var_mean(vectors, dim=0, correction=0)  # (D,), (D,)
        spread = variance.sqrt()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(spread > _FLAT, 1 / spread.clamp(min=_FLAT), torch.ones_like(spread)))

    def forward(self, vectors: Tensor) -> Tensor:
        """Shift and scale: (B, D) to (B, D)."""
        return (vectors - self.mean) * self.scale


def build_network(dimensions: int, classes: int, hidden: Sequence[int], dropout: float) -> nn.Sequential:
    """Vectors to logits: (B, D) to (B, C).

    Args:
        dimensions: D, the width of the vectors.
        classes: C.
        hidden: Widths of hidden layers; empty makes it multinomial logistic regression.
        dropout: Share of activations dropped while training, in front of every linear layer.
    """
    layers: list[nn.Module] = [Standardise(dimensions)]
    width = dimensions
    for wanted in hidden:
        layers += [nn.Dropout(dropout), nn.Linear(width, wanted), nn.GELU()]
        width = wanted
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(width, classes))

"""What training minimises: cross-entropy or focal loss, with class weights and label smoothing."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, one_hot


def balanced_weights(labels: Tensor, classes: int) -> Tensor:
    """Weigh each class by the inverse of its size: N / (K * rows of the class), as scikit-learn's 'balanced'.

    Args:
        labels: (N,) class indices.
        classes: C; K of them have rows.

    Returns:
        (C,) float32, 0 for a class without rows; over all rows their mean is 1.
    """
    sizes = torch.bincount(labels.long(), minlength=classes).double()  # (C,)
    present = sizes > 0
    weights = len(labels) / (present.sum() * sizes.clamp(min=1))  # (C,)
    return torch.where(present, weights, torch.zeros_like(weights)).float()


def focal_loss(
    logits: Tensor, labels: Tensor, gamma: float, weights: Tensor | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """The focal loss of Lin et al. (2017), equation 5, averaged over rows.

    A row's loss is the sum over classes of `target * weight * (1 - p)^gamma * -log p`, where `target` is 1
    for the true class and 0 elsewhere, or its smoothed form. The sum over rows is divided by the sum of the
    true classes' weights, as torch's `cross_entropy` does, so that gamma 0 gives exactly that.

    Args:
        logits: (B, C).
        labels: (B,) class indices.
        gamma: How much less well-classified rows count; at least 0.
        weights: (C,) or None for equal weights.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1).

    Returns:
        A scalar.
    """
    classes = logits.shape[1]
    log_p = log_softmax(logits, dim=1)  # (B, C)
    targets = one_hot(labels, classes).to(logits.dtype) * (1 - label_smoothing) + label_smoothing / classes
    each = (
        weights if weights is not None else torch.ones(classes, dtype=logits.dtype, device=logits.device)
    )  # (C,)
    focus = (-log_p.expm1()).clamp(min=1e-12) ** gamma if gamma > 0 else torch.ones_like(log_p)  # (B, C)
    return -(targets * each * focus * log_p).sum() / each[labels].sum()


class ClassificationLoss(nn.Module):
    """The loss a configuration names, with its class weights kept where the network is."""

    weights: Tensor | None

    def __init__(
        self,
        *,
        kind: Literal["cross_entropy", "focal"],
        gamma: float,
        weights: Tensor | None,
        label_smoothing: float,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.gamma = gamma
        self.label_smoothing = label_smoothing
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B, C) logits and (B,) labels to a scalar."""
        if self.kind == "focal":
            return focal_loss(logits, labels, self.gamma, self.weights, self.label_smoothing)
        return cross_entropy(logits, labels, weight=self.weights, label_smoothing=self.label_smoothing)

"""The Lightning module that trains the network: it owns network, loss and optimiser, and nothing else."""

from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from joblens.metrics import accuracy, best_class, macro_f1
from joblens.models.losses import ClassificationLoss


def draw_mixture(rows: int, alpha: float) -> tuple[float, Tensor]:
    """How a batch is mixed with itself: mixup (Zhang et al. 2018, "Beyond Empirical Risk Minimization").

    A row becomes `share * row + (1 - share) * partner`, and so does its target. Losses are linear in the
    target, so the loss of the mixed target is the same mixture of two losses. Drawn from torch's random state
    on the CPU, so that every device mixes alike.

    Args:
        rows: B, rows of the batch.
        alpha: Of the Beta distribution; above 0. Small ones mix little, 1 mixes evenly.

    Returns:
        The share, in [0, 1], and (B,) row numbers of the partners.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    return share, torch.randperm(rows)


class ClassifierModule(pl.LightningModule):
    """Learns (B, D) vectors to (B, C) logits.

    Logs train/loss, val/loss, val/macro_f1 and val/accuracy once per epoch.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        classes: int,
        learning_rate: float,
        weight_decay: float,
        loss: Literal["cross_entropy", "focal"],
        focal_gamma: float,
        class_weights: tuple[float, ...] | None,
        label_smoothing: float,
        mixup: float,
    ) -> None:
        """All other arguments are plain numbers, so that a checkpoint carries no code.

        Args:
            network: (B, D) to (B, C).
            classes: C.
            learning_rate: AdamW step size.
            weight_decay: AdamW weight decay; biases are not decayed.
            loss: What is minimised.
            focal_gamma: Focusing strength when `loss` is focal.
            class_weights: C numbers, or None for equal weights.
            label_smoothing: Share of the target spread evenly over all classes.
            mixup: Alpha of the Beta distribution by which rows are mixed while training; 0 mixes nothing.
        """
        super().__init__()
        self.save_hyperparameters(ignore=["network"])
        self.classes = classes
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.mixup = mixup
        self.network = network
        weights = None if class_weights is None else torch.tensor(class_weights)
        self.loss = ClassificationLoss(
            kind=loss, gamma=focal_gamma, weights=weights, label_smoothing=label_smoothing
        )
        self._seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, D) to (B, C) logits."""
        logits: Tensor = self.network(vectors)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The loss of one batch of (B, D) vectors and (B,) labels."""
        vectors, labels = batch
        loss: Tensor
        if self.mixup > 0:
            share, partners = draw_mixture(len(labels), self.mixup)
            logits = self(share * vectors + (1 - share) * vectors[partners])
            loss = share * self.loss(logits, labels) + (1 - share) * self.loss(logits, labels[partners])
        else:
            loss = self.loss(self(vectors), labels)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Remember one batch; figures are computed over all rows at the end."""
        vectors, labels = batch
        self._seen.append((self(vectors), labels))

    def on_validation_epoch_end(self) -> None:
        """Log loss, macro-F1 and accuracy over all validation rows."""
        logits = torch.cat([logits for logits, _ in self._seen])  # (N, C)
        labels = torch.cat([labels for _, labels in self._seen])  # (N,)
        self._seen.clear()
        self.log("val/loss", self.loss(logits, labels))
        guesses, labels = best_class(logits).cpu(), labels.cpu()
        self.log("val/macro_f1", macro_f1(guesses, labels, self.classes))
        self.log("val/accuracy", accuracy(guesses, labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW (Loshchilov & Hutter 2019); weight matrices decay, biases do not."""
        matrices = [parameter for parameter in self.parameters() if parameter.ndim > 1]
        biases = [parameter for parameter in self.parameters() if parameter.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": self.weight_decay},
            {"params": biases, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.learning_rate)

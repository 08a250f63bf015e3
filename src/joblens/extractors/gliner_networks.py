"""What turns the tensors of a batch into scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from joblens.extractors.gliner_scorer import FoldedScorer

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Logits of a batch, float32, on the CPU."""

    values: Array
    """(B, W, C, 3) of words, (B, W, K, C) of spans, or (B, S, C) of spans that the network proposed."""
    spans: Array | None = None
    """(B, S, 2) first and last word of each proposed span."""
    exists: Array | None = None
    """(B, S) false where a proposal is padding."""


class Network(Protocol):
    """Scores batches for labels that it knows in their order."""

    def __call__(self, batches: Iterable[Mapping[str, Tensor]]) -> Iterator[Scores]:
        """The scores of batches that `Frame.tensors` made, in their order.

        A network may take the next batches before it gives the scores of one.
        """
        ...


class TorchNetwork:
    """The network in torch, where the model is.

    Args:
        model: A loaded GLiNER on its device, in evaluation mode.
        labels: What to look for, in order. A bi-encoder reads them here, once.
        threshold: The least score of any entity; for networks that propose spans.
    """

    def __init__(self, model: Any, labels: Sequence[str], threshold: float) -> None:
        self._model = model
        self._threshold = threshold
        self._fixed = fixed_inputs(model, labels)
        self._scorer = (
            FoldedScorer(model.model.scorer, self._fixed["labels_embeds"]) if _is_foldable(model) else None
        )

    def __call__(self, batches: Iterable[Mapping[str, Tensor]]) -> Iterator[Scores]:
        """The scores of batches, one after the other."""
        return map(self._scores, batches)

    def _scores(self, tensors: Mapping[str, Tensor]) -> Scores:
        import torch

        device = self._model.device
        with torch.inference_mode():
            inputs = {name: tensor.to(device) for name, tensor in tensors.items()} | self._fixed
            if self._scorer is not None:
                words = self._model.model.get_representations(**inputs).words_embedding  # (B, W, h)
                return Scores(_logits(self._scorer(words)))
            output = self._model.model(**inputs, threshold=self._threshold)
            if output.span_logits is None:
                return Scores(_logits(output.logits))
            spans, exists = (tensor.cpu().numpy() for tensor in (output.span_idx, output.span_mask))
            return Scores(_logits(output.span_logits), spans, exists)


def _is_foldable(model: Any) -> bool:
    """Whether the label vectors reach only the scorer, and the scorer decides alone."""
    from gliner.model import BiEncoderTokenGLiNER

    return (
        isinstance(model, BiEncoderTokenGLiNER)
        and not hasattr(model.model, "cross_fuser")
        and not getattr(model.config, "represent_spans", False)
    )


def _logits(tensor: Tensor) -> Array:
    return tensor.float().cpu().numpy()


def fixed_inputs(model: Any, labels: Sequence[str]) -> dict[str, Tensor]:
    """Inputs that are the same for every batch: the label vectors (C, D) of a bi-encoder, else none."""
    if getattr(model.config, "labels_encoder", None) is None:
        return {}
    import torch

    tokens = model.data_processor.labels_tokenizer(
        list(labels), return_tensors="pt", truncation=True, padding="longest"
    ).to(model.device)
    with torch.inference_mode():
        vectors = model.model.token_rep_layer.encode_labels(tokens["input_ids"], tokens["attention_mask"])
    return {"labels_embeds": vectors}

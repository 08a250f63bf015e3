"""Writes joblens' own cleaner as a network for ONNX Runtime or OpenVINO.

Only this module and the ones that call it need the package onnx. It is imported when something is exported.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from joblens.errors import ModelError
from joblens.extractors.gliner_exported import BACKENDS, INPUTS, ONNX_FILE
from joblens.extractors.gliner_networks import fixed_inputs
from joblens.extractors.gliner_scorer import FoldedScorer

OPSET = 17
"""The first with layer normalisation as one operation."""

FIRST_LAYER = "/encoder/layer.0/"
"""Part of the names of the operations in the encoder's first layer."""


class WordScores(nn.Module):
    """A token bi-encoder for fixed labels: subwords in, logits of words out.

    gliner (0.2.29) has an export with label vectors as an input, and it fails: its wrapper hands the vectors
    on under the name of the label encoder's token ids. Here they are part of the network, in the folded
    scorer.

    Args:
        model: A `gliner.model.BiEncoderTokenGLiNER` in float32 on the CPU whose words are the mean of their
            marked subwords.
        labels: What to look for, in order.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, model: Any, labels: Sequence[str]) -> None:
        super().__init__()
        self.encoder = model.model.token_rep_layer
        scorer = FoldedScorer(model.model.scorer, fixed_inputs(model, labels)["labels_embeds"])
        self.classes = scorer.classes
        self.last = scorer.last
        self.register_buffer("weight", scorer.weight)
        self.register_buffer("bias", scorer.bias)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, words_mask: Tensor, text_lengths: Tensor
    ) -> Tensor:
        """Logits of an entity that starts, ends and goes on.

        Args:
            input_ids: (B, L) int64.
            attention_mask: (B, L) int64, 0 where it is padding.
            words_mask: (B, L) int64, the number of the word from 1 that a subword stands for, or 0.
            text_lengths: (B, 1) int64, words of each text.

        Returns:
            (B, W, C, 3) float32, W the largest of `text_lengths`.
        """
        subwords = self.encoder.encode_text(input_ids, attention_mask)  # (B, L, h)
        longest: Any = text_lengths.max()  # kept a tensor: as a number it would be fixed in what is exported
        numbers = torch.arange(1, longest + 1)  # (W,)
        marks = (words_mask[:, None, :] == numbers[None, :, None]).to(subwords.dtype)  # (B, W, L)
        words = (marks @ subwords) / marks.sum(dim=-1, keepdim=True).clamp_min(1)  # (B, W, h)
        hidden = torch.relu(nn.functional.linear(words, self.weight, self.bias))
        logits: Tensor = self.last(hidden.view(words.shape[0], words.shape[1], self.classes, -1))
        return logits


def write_network(model: Any, labels: Sequence[str], backend: str, folder: Path) -> None:
    """Write the files of `gliner_exported.BACKENDS` for a backend into an existing folder.

    Raises:
        ModelError: The words of the model are no mean of subwords, or what came out is no valid network.
    """
    if getattr(model.config, "subtoken_pooling", "first") == "max":
        raise ModelError("a cleaner with subtoken_pooling 'max' cannot be exported; use torch")
    written = folder / ONNX_FILE
    _write_onnx(WordScores(model, labels).eval(), written)
    if backend == "onnx_int8":
        quantise(written)
    if BACKENDS[backend].package == "openvino":
        import openvino

        # read_model and not convert_model: that one reports its use over the network
        network = openvino.Core().read_model(str(written))
        openvino.save_model(network, str(folder / "model.xml"), compress_to_fp16=False)
        del network  # it may hold the file open
        written.unlink()


def _write_onnx(network: WordScores, path: Path) -> None:
    import onnx

    ids = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 0, 0]])
    words = torch.tensor([[0, 1, 1, 2, 0], [0, 1, 0, 0, 0]])
    example = (ids, (ids > 0).long(), words, torch.tensor([[2], [1]]))
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter by tracing is deprecated; the other one needs one more package and knows no axis whose
        # length follows from values, as the number of words does. What it warns of is compared afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            str(path),
            input_names=list(INPUTS),
            output_names=["scores"],
            dynamic_axes={
                "input_ids": {0: "B", 1: "L"},
                "attention_mask": {0: "B", 1: "L"},
                "words_mask": {0: "B", 1: "L"},
                "text_lengths": {0: "B"},
                "scores": {0: "B", 1: "W"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the exported network is no valid ONNX ({reason}); update onnx and torch"
        ) from error


def quantise(path: Path) -> None:
    """Make the weights of an ONNX file whole numbers of eight bits, a scale per column.

    Only multiplications with weights: they take most of the time. The word vectors stay as they are, a table
    look-up gains nothing but room on disk. The first layer stays too: what it rounds away, all others lack.
    With it in eight bits a cleaner agreed with torch on 0.981 of the entities in 600 sentences of the sample,
    without on 0.994, for a sixth more time.

    Activations are scaled when it runs. Weights keep to seven of the eight bits: x86 processors without VNNI
    add products in sixteen bits, which eight would overflow, and the agreement that was measured on one
    machine has to hold on others.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    network = onnx.shape_inference.infer_shapes(onnx.load(str(path)))
    add_pre_process_metadata(network)  # shapes are known and constants folded, which is all it would ask for
    first_layer = [node.name for node in network.graph.node if FIRST_LAYER in node.name]
    quantize_dynamic(
        network,
        str(path),
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        nodes_to_exclude=first_layer,
        weight_type=QuantType.QInt8,
    )

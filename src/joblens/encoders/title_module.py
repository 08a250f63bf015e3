"""The title encoder as a module of sentence-transformers.

That library wants to be told that it may run joblens' code, or to get the module itself:

SentenceTransformer("models/titles", trust_remote_code=True)
SentenceTransformer(modules=[TitleModule.load("models/titles")])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sentence_transformers.base.modules import InputModule
from torch import Tensor
from torch.nn import functional

from joblens.encoders.title_features import feature_ids, title_words
from joblens.encoders.titles import TitleEncoder, write_encoder


class TitleModule(InputModule):
    """Texts to L2-normalised sums of the vectors of their words and n-grams, on any device.

    The same vectors as `TitleEncoder.vectors`, up to the last digits. The table is fixed: it is trained by
    `joblens finetune titles`.
    """

    def __init__(self, encoder: TitleEncoder) -> None:
        """Hold the table of an encoder."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.encoder = encoder
        self.tokenizer = title_words  # type: ignore[assignment]
        self.codes: Tensor
        self.scales: Tensor
        self.register_buffer("codes", torch.from_numpy(encoder.codes))
        self.register_buffer("scales", torch.from_numpy(encoder.scales))

    def preprocess(  # type: ignore[override]  # texts only
        self, inputs: Sequence[str], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Row numbers of all texts' features, and where each text's begin."""
        shape = self.encoder.shape
        texts = [title_words(prompt + text if prompt else text) for text in inputs]
        ids, lengths = feature_ids(
            [word for words in texts for word in words],
            buckets=shape.buckets,
            shortest=shape.shortest,
            longest=shape.longest,
        )
        ends = np.cumsum([len(words) for words in texts])
        counts = np.add.reduceat(lengths, np.concatenate([[0], ends[:-1]]))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return {"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(starts)}

    def forward(self, features: dict[str, Tensor], **kwargs: Any) -> dict[str, Tensor]:
        """Add `sentence_embedding` (B, D)."""
        rows, places = torch.unique(features["input_ids"], return_inverse=True)
        table = self.codes[rows].float() * self.scales[rows].unsqueeze(1)
        sums = functional.embedding_bag(places, table, features["offsets"], mode="sum")
        features["sentence_embedding"] = functional.normalize(sums, dim=1)
        return features

    @property
    def max_seq_length(self) -> float:
        """No limit."""
        return float("inf")

    def get_embedding_dimension(self) -> int:
        """D."""
        return self.encoder.dimensions

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Write `config.json` and `model.safetensors`, whatever `safe_serialization` says."""
        write_encoder(Path(output_path), self.encoder)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> Self:  # type: ignore[override]
        """Read a local folder.

        Raises:
            ModelError: It is missing, damaged, or of another release.
        """
        return cls(TitleEncoder.load(Path(model_name_or_path) / subfolder))

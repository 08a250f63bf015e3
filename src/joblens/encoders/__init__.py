"""Text into vectors: the protocol, and the one place where a configuration word becomes an encoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Compute, Embedding

__all__ = ["Encoder", "build_encoder"]


class Encoder(Protocol):
    """One vector per text, whatever the length of the text."""

    @property
    def dimensions(self) -> int:
        """D, the width of the vectors."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the weights and every setting that changes a vector.

        Two encoders with one fingerprint give the same vectors, up to the last digits of another device.
        """
        ...

    def encode(self, texts: Sequence[str]) -> "Tensor":
        """Vectors (N, D) float32 on the CPU, L2-normalised, in the order of `texts`; empty texts are allowed.

        Neither the batch size nor the other texts change a vector by more than 1e-5.
        """
        ...


def build_encoder(embedding: "Embedding", compute: "Compute") -> Encoder:
    """The encoder that the configuration names, ready on the device that `compute` names.

    Raises:
        ModelError: The weights are missing, are not the expected ones, or do not fit the configuration.
        DeviceError: `compute.device` is `gpu` and there is none.
    """
    if embedding.encoder == "toy":
        from joblens.encoders.toy import ToyEncoder

        return ToyEncoder(dimensions=embedding.dimensions, seed=embedding.seed)
    from joblens.device import choose_device
    from joblens.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(
        embedding, device=choose_device(compute.device), batch_size=compute.encode_batch_size
    )

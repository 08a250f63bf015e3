"""Text into vectors: the protocol, and the one place where a configuration word becomes an encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from joblens.errors import ModelError
from joblens.text import join_title

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.config import Compute, Embedding
    from joblens.encoders.titles import TitleEncoder

__all__ = ["Encoder", "build_encoder", "encode_ads", "in_project"]


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
    encoder = _text_encoder(embedding, compute)
    if embedding.titles is None:
        return encoder
    from joblens.encoders.titled import TitledEncoder

    title = _title_encoder(embedding.titles, embedding.title_dimensions, "embedding.title_dimensions")
    return TitledEncoder(encoder, title, embedding.title_weight, embedding.words_weight)


def in_project(embedding: "Embedding", root: Path) -> "Embedding":
    """The same embedding, its local folders looked for in the project folder `root` first."""
    found = {
        key: str(root / folder)
        for key, folder in (("model", embedding.model), ("titles", embedding.titles))
        if folder and (root / folder).is_dir()
    }
    return embedding.model_copy(update=found)


def encode_ads(
    encoder: Encoder,
    titles: Sequence[str],
    texts: Sequence[str],
    encode: "Callable[[Encoder, Sequence[str]], Tensor] | None" = None,
) -> "Tensor":
    """Vectors (N, D) of adverts: title and text read as one, and other sides beside if the encoder has them.

    Args:
        encoder: From `build_encoder`.
        titles: N titles, empty where there is none.
        texts: N cleaned texts.
        encode: How texts are encoded, such as with a memory; None: all at once.
    """
    from joblens.encoders.titled import TitledEncoder

    joined = [join_title(title, text) for title, text in zip(titles, texts, strict=True)]
    side = encoder.text if isinstance(encoder, TitledEncoder) else encoder
    vectors = encode(side, joined) if encode else side.encode(joined)
    return encoder.beside(vectors, titles, joined) if isinstance(encoder, TitledEncoder) else vectors


def _title_encoder(folder: str, dimensions: int, key: str) -> "TitleEncoder":
    from joblens.encoders.titles import TitleEncoder

    encoder = TitleEncoder.load(Path(folder))
    if encoder.dimensions != dimensions:
        raise ModelError(
            f"{key} is {dimensions}, but {folder} gives {encoder.dimensions}; set {key}={encoder.dimensions}"
        )
    return encoder


def _text_encoder(embedding: "Embedding", compute: "Compute") -> Encoder:
    if embedding.encoder == "titles":
        return _title_encoder(embedding.model, embedding.dimensions, "embedding.dimensions")
    if embedding.encoder == "toy":
        from joblens.encoders.toy import ToyEncoder

        return ToyEncoder(dimensions=embedding.dimensions, seed=embedding.seed)
    from joblens.device import choose_device
    from joblens.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(
        embedding, device=choose_device(compute.device), batch_size=compute.encode_batch_size
    )

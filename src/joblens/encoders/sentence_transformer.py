"""The sentence-transformers encoder: long texts are read whole, in windows."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.device import track
from joblens.encoders.weights import find_files, hash_files
from joblens.errors import ModelError
from joblens.storage import content_hash

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

    from joblens.config import Embedding

logger = logging.getLogger(__name__)

_METHOD = "token-weighted mean of windows, L2-normalised, 1"
_BATCHES_WORTH_A_BAR = 64  # below that, whoever calls often shows the progress


class SentenceTransformerEncoder:
    """Vectors of a sentence-transformers model; see `joblens.encoders.Encoder`.

    A text is tokenised once and cut into windows of at most `embedding.max_tokens` tokens, the special tokens
    and the prefix included in each. Its vector is the mean of its windows' vectors, weighted by their number
    of text tokens, L2-normalised. Prefix and text are tokenised apart: a prefix should end in white space.
    """

    def __init__(self, embedding: "Embedding", *, device: "torch.device", batch_size: int) -> None:
        import torch
        from tokenizers import Tokenizer

        folder = find_files(embedding)
        model = _load(folder, device)
        precision = getattr(torch, embedding.precision) if device.type != "cpu" else torch.float32
        self._model = model.to(device=device, dtype=precision).eval()
        self._device = device
        self._batch_size = batch_size
        self._windows = embedding.windows
        # A copy, so that nobody else's padding and truncation settings reach it.
        self._tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._padding = int(model.tokenizer.pad_token_id or 0)
        self._before, self._after = self._frame(embedding.prefix)
        self._room = embedding.max_tokens - len(self._before) - len(self._after)
        self._check_lengths(embedding, int(model.tokenizer.model_max_length))
        self.dimensions = embedding.dimensions
        self._check_width(embedding)
        self.fingerprint = content_hash(
            _METHOD, hash_files(folder), json.dumps(_settings(embedding), sort_keys=True)
        )

    def encode(self, texts: Sequence[str]) -> "Tensor":
        """Vectors (N, D) float32 on the CPU, L2-normalised, in the order of `texts`."""
        import torch

        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = self._encode_distinct(list(rows))
        return vectors[torch.tensor([rows[text] for text in texts], dtype=torch.int64)]

    def _encode_distinct(self, texts: Sequence[str]) -> "Tensor":
        import torch

        pieces: list[list[int]] = []  # token ids of each window, without frame
        owners: list[int] = []  # the text that each window belongs to
        left_out = cut_texts = 0
        for row, encoding in enumerate(
            self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ):
            windows, lost = cut(encoding.ids, self._room, self._windows)
            pieces += windows
            owners += [row] * len(windows)
            left_out += lost
            cut_texts += lost > 0
        if left_out:
            logger.warning(
                "%d tokens of %d long texts left out: embedding.windows is %d; null reads all",
                left_out,
                cut_texts,
                self._windows,
            )
        vectors = self._encode_windows(pieces)
        weights = torch.tensor([max(1, len(piece)) for piece in pieces], dtype=torch.float32)
        return pool(vectors, weights, torch.tensor(owners, dtype=torch.int64), len(texts))

    def _encode_windows(self, pieces: Sequence[list[int]]) -> "Tensor":
        """Vectors (W, D) float32 of W windows, longest first so that a batch holds little padding."""
        import torch

        order = sorted(range(len(pieces)), key=lambda number: -len(pieces[number]))
        batches = [
            order[start : start + self._batch_size] for start in range(0, len(order), self._batch_size)
        ]
        shown: Iterable[list[int]] = batches
        if len(batches) >= _BATCHES_WORTH_A_BAR:
            shown = track(batches, len(batches), "encoding")
        vectors = torch.empty((len(pieces), self.dimensions), dtype=torch.float32)
        for batch in shown:
            vectors[batch] = self._forward([pieces[number] for number in batch])
        return vectors

    def _forward(self, pieces: Sequence[list[int]]) -> "Tensor":
        """One batch of windows through the network: (B, D) float32 on the CPU."""
        import torch

        framed = [self._before + piece + self._after for piece in pieces]
        longest = max(map(len, framed))
        ids = torch.tensor([line + [self._padding] * (longest - len(line)) for line in framed])
        mask = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in framed])
        with torch.inference_mode():
            features = self._model(
                {"input_ids": ids.to(self._device), "attention_mask": mask.to(self._device)}
            )
        found: Tensor = features["sentence_embedding"]
        return found.float().cpu()

    def _frame(self, prefix: str) -> tuple[list[int], list[int]]:
        """The token ids that stand before and after the text in every window."""
        sample = self._tokenizer.encode("a", add_special_tokens=True)
        inside = [place for place, special in enumerate(sample.special_tokens_mask) if not special]
        opening = (
            self._tokenizer.encode(prefix.strip(), add_special_tokens=False).ids if prefix.strip() else []
        )
        return sample.ids[: inside[0]] + opening, sample.ids[inside[-1] + 1 :]

    def _check_lengths(self, embedding: "Embedding", longest: int) -> None:
        if embedding.max_tokens > longest:
            raise ModelError(
                f"embedding.max_tokens is {embedding.max_tokens}, but {embedding.model!r} reads at most "
                f"{longest} tokens; set embedding.max_tokens={longest} or less"
            )
        if self._room < 1:
            raise ModelError(
                f"embedding.max_tokens is {embedding.max_tokens}, and embedding.prefix with the special "
                f"tokens fills {embedding.max_tokens - self._room}; raise the one or shorten the other"
            )

    def _check_width(self, embedding: "Embedding") -> None:
        found = self._forward([[]]).shape[1]
        if found != embedding.dimensions:
            raise ModelError(
                f"embedding.dimensions is {embedding.dimensions}, but {embedding.model!r} gives {found}; "
                f"set embedding.dimensions={found}"
            )


def cut(ids: list[int], room: int, windows: int | None) -> tuple[list[list[int]], int]:
    """Consecutive windows of at most `room` tokens, and how many tokens the limit `windows` leaves out.

    A text without tokens has one empty window.
    """
    pieces = [ids[start : start + room] for start in range(0, len(ids), room)] or [[]]
    kept = pieces[:windows]
    return kept, len(ids) - sum(map(len, kept))


def pool(vectors: "Tensor", weights: "Tensor", owners: "Tensor", texts: int) -> "Tensor":
    """The weighted mean of each text's windows, L2-normalised.

    Args:
        vectors: (W, D) one vector per window.
        weights: (W,) positive, the tokens of each window.
        owners: (W,) the text that each window belongs to, in [0, texts).
        texts: N; each text owns at least one window.

    Returns:
        (N, D) float32. The sum of the weights cancels when the mean is normalised.
    """
    import torch

    sums = torch.zeros((texts, vectors.shape[1]), dtype=torch.float64)
    sums.index_add_(0, owners, vectors.double() * weights.double().unsqueeze(1))
    return torch.nn.functional.normalize(sums, dim=1).float()


def _load(folder: Path, device: "torch.device") -> "SentenceTransformer":
    from safetensors import SafetensorError

    with _quiet():
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(
                str(folder),
                device=str(device),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(
                f"the encoder's files in {folder} cannot be loaded ({reason}); get them again"
            ) from error


def _settings(embedding: "Embedding") -> dict[str, object]:
    return {
        "prefix": embedding.prefix,
        "dimensions": embedding.dimensions,
        "max_tokens": embedding.max_tokens,
        "windows": embedding.windows,
        "precision": embedding.precision,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Loading weights without the libraries' progress bars and chatter; errors are still raised.

    transformers prints to standard output while it is imported, which belongs to the answers of a command.
    """
    chatter: Any = import_module("transformers.utils.logging")  # untyped
    verbosity, has_bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    loading = logging.getLogger("sentence_transformers")
    level = loading.level
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    loading.setLevel(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        chatter.set_verbosity(verbosity)
        loading.setLevel(level)
        if has_bars:
            chatter.enable_progress_bar()

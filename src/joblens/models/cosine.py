"""Cosine to anchors: label texts (zero-shot) and class centroids. Nothing here is trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from joblens.errors import DataError
from joblens.storage import (
    read_json,
    read_tensors,
    replace_folder,
    write_json,
    write_tensors,
    write_text,
)

if TYPE_CHECKING:
    from torch import Tensor

_README = """# Cosine baseline

Two models that need no training. `label_vectors` holds one vector per label text (zero-shot), `centroids` the
mean vector of each label's training adverts; both are (C, D), L2-normalised, in the order of `labels.json`.
An advert gets the label whose vector has the highest cosine with its own. The vectors only compare with those
of the encoder whose fingerprint stands in `config.json`.
"""


@dataclass(frozen=True, slots=True)
class CosineBaseline:
    """The anchors of both comparisons, and what made them."""

    label_vectors: "Tensor"
    """(C, D) float32, L2-normalised: one per label text."""
    centroids: "Tensor"
    """(C, D) float32, L2-normalised: one per label, from training rows only."""
    labels: tuple[str, ...]
    """The C label names, in taxonomy order."""
    label_text: str
    """What stood for a label: `name` or `name_and_description`."""
    fingerprint: str
    """The encoder's."""


def cosine_scores(vectors: "Tensor", anchors: "Tensor") -> "Tensor":
    """Cosine of every vector with every anchor.

    Args:
        vectors: (N, D), of any length.
        anchors: (C, D), of any length.

    Returns:
        (N, C) in [-1, 1]; 0 where one of the two has length 0.
    """
    normalize = torch.nn.functional.normalize
    return (normalize(vectors.float(), dim=1) @ normalize(anchors.float(), dim=1).T).clamp(-1, 1)


def centroids(vectors: "Tensor", labels: "Tensor", classes: int) -> "Tensor":
    """The mean vector of each class, L2-normalised.

    Args:
        vectors: (N, D) training rows.
        labels: (N,) class indices in [0, C).
        classes: C.

    Returns:
        (C, D) float32.

    Raises:
        DataError: A class has no row.
    """
    sizes = torch.bincount(labels, minlength=classes)
    empty = (sizes == 0).nonzero().flatten().tolist()
    if empty:
        raise DataError(f"classes {empty} have no training advert; run `dvc repro split` again")
    sums = torch.zeros((classes, vectors.shape[1]), dtype=torch.float64)
    sums.index_add_(0, labels, vectors.double())
    return torch.nn.functional.normalize(sums, dim=1).float()


def write_baseline(folder: Path, baseline: CosineBaseline) -> None:
    """Write the baseline's folder, whole or not at all."""
    with replace_folder(folder) as temporary:
        write_tensors(
            temporary / "model.safetensors",
            {"label_vectors": baseline.label_vectors, "centroids": baseline.centroids},
        )
        write_json(temporary / "labels.json", list(baseline.labels))
        write_json(
            temporary / "config.json",
            {"label_text": baseline.label_text, "encoder_fingerprint": baseline.fingerprint},
        )
        write_text(temporary / "README.md", _README)


def read_baseline(folder: Path) -> CosineBaseline:
    """Read what `write_baseline` wrote.

    Raises:
        DataError: A file is missing or damaged, or the files do not belong together.
    """
    tensors = read_tensors(folder / "model.safetensors")
    labels = read_json(folder / "labels.json")
    config = read_json(folder / "config.json")
    again = "run `dvc repro baseline` again"
    try:
        baseline = CosineBaseline(
            label_vectors=tensors["label_vectors"],
            centroids=tensors["centroids"],
            labels=tuple(labels),
            label_text=config["label_text"],
            fingerprint=config["encoder_fingerprint"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder} lacks {error}; {again}") from error
    shapes = tuple(baseline.label_vectors.shape), tuple(baseline.centroids.shape)
    if shapes[0] != shapes[1] or len(shapes[0]) != 2 or shapes[0][0] != len(baseline.labels):
        raise DataError(
            f"{folder} has {len(baseline.labels)} labels, label vectors {shapes[0]} and centroids "
            f"{shapes[1]}; they should all have one row per label: {again}"
        )
    return baseline

"""snapshot.safetensors: what the training adverts were like, so that new ones can be compared with them.

    vectors        (n, D) float16: a sample of the training adverts, as the encoder gives them
    label_counts   (C,) int64: the labels guessed for adverts that the network had not learned from
    abstained      (1,) int64: how many of these guesses were too unsure to answer

A bundle may lack the file. It holds no words; but what an advert was about can be told from its vector, so it
is personal where the cleaned adverts are (`classifier.snapshot=0` leaves it out).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from joblens.errors import BundleError
from joblens.models.bundle.reading import AGAIN, kind, read_tensors, regular_file, wrong_tensor
from joblens.storage import write_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

SNAPSHOT = "snapshot.safetensors"
MOST_VECTORS = 512

_MOST_HEADER = 2**12  # bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the training adverts were like."""

    vectors: "Tensor"
    """(n, D) float16, 1 <= n <= 512."""
    label_counts: "Tensor"
    """(C,) int64: guesses by class index, of adverts that the network had not learned from."""
    abstained: int
    """How many of these guesses were abstained."""


def write_snapshot(path: Path, snapshot: Snapshot, dimensions: int, classes: int) -> None:
    """Write the file; equal snapshots give equal bytes.

    Raises:
        BundleError: A tensor has another type or shape than the bundle's D and C give, or a wrong value.
        StorageError: The disk is full.
    """
    import torch

    tensors = {
        "vectors": snapshot.vectors,
        "label_counts": snapshot.label_counts,
        "abstained": torch.tensor([snapshot.abstained]),
    }
    names = {torch.float16: "F16", torch.int64: "I64"}
    found = {
        name: kind(names.get(tensor.dtype, str(tensor.dtype)), tensor.shape)
        for name, tensor in tensors.items()
    }
    _check_kinds(found, dimensions, classes, path)
    _check_values(tensors, path)
    write_tensors(path, tensors)


def read_snapshot(folder: Path, dimensions: int, classes: int) -> Snapshot | None:
    """The bundle's snapshot; None when it has none.

    Raises:
        BundleError: It is damaged, too large, a link that leaves the folder, or of other D and C.
    """
    path = folder / SNAPSHOT
    if not path.exists() and not path.is_symlink():
        return None
    path = regular_file(folder, SNAPSHOT)
    most = 2 * MOST_VECTORS * dimensions + 8 * (classes + 1) + _MOST_HEADER
    size = path.stat().st_size
    if size > most:
        raise BundleError(f"{path} has {size:,} bytes, expected at most {most:,}; {AGAIN}")
    tensors = read_tensors(path, lambda found: _check_kinds(found, dimensions, classes, path))
    _check_values(tensors, path)
    return Snapshot(tensors["vectors"], tensors["label_counts"], int(tensors["abstained"]))


def _check_kinds(found: "Mapping[str, str]", dimensions: int, classes: int, path: Path) -> None:
    sizes = range(1, MOST_VECTORS + 1)
    allowed = {
        "vectors": {kind("F16", (rows, dimensions)) for rows in sizes},
        "label_counts": {kind("I64", (classes,))},
        "abstained": {kind("I64", (1,))},
    }
    wanted = {
        "vectors": f"F16 (1 to {MOST_VECTORS}, {dimensions})",
        "label_counts": f"I64 ({classes},)",
        "abstained": "I64 (1,)",
    }
    for name in sorted(found.keys() | allowed.keys()):
        if found.get(name) not in allowed.get(name, ()):
            raise wrong_tensor(path, name, found.get(name), wanted.get(name))


def _check_values(tensors: "Mapping[str, Tensor]", path: Path) -> None:
    counts, abstained = tensors["label_counts"], int(tensors["abstained"])
    if not bool(tensors["vectors"].isfinite().all()):
        raise BundleError(f"{path} holds numbers that are not finite; train the model again")
    low, high = int(counts.min()), int(counts.max())
    if low < 0 or not 0 < high < 2**40 or not 0 <= abstained <= int(counts.sum()):
        raise BundleError(
            f"{path} counts {low} to {high} guesses of a label and {abstained} abstained, expected at least "
            f"one guess and no more abstained than guessed; {AGAIN}"
        )

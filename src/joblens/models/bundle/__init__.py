"""A bundle: the folder that carries a trained model to another machine.

    model.safetensors   the network's weights; those of n-grams in one byte each, by bucket, without words
    config.json         its shape, calibration, and the cleaning and embedding it was trained with
    labels.json         the label of each class index
    card.json           where it comes from: hashes, row counts, metrics
    README.md           the same for people: the model card
    snapshot.safetensors  what the training adverts were like, to compare new ones with; may be missing
    cleaner/            the model that cleans adverts, when it is joblens' own; else config.json names it
    titles/             the title encoder, when the embedding has one

Nothing in it is executed when it is read. Sizes, shapes and values of these files are checked before
memory is taken, so a damaged or hostile folder ends in one line. Equal models give equal bytes: no time
stamps, no commit.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from joblens.config import Classifier, Cleaning, Embedding
from joblens.errors import BundleError, wrong_value
from joblens.models.bundle.contents import FORMAT, LABELS, CalibrationValues, Contents, ShapeValues
from joblens.models.bundle.reading import (
    check_tensors,
    empty_network,
    kinds,
    read_card,
    read_contents,
    read_labels,
    read_network,
    refuse_strangers,
    regular_file,
)
from joblens.models.bundle.snapshot import SNAPSHOT, Snapshot, read_snapshot, write_snapshot
from joblens.models.calibration import Calibration
from joblens.models.card import model_card
from joblens.storage import replace_folder, write_json, write_tensors, write_text

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CLEANER",
    "FILES",
    "SNAPSHOT",
    "TITLES",
    "Bundle",
    "Snapshot",
    "own_folder",
    "read_bundle",
    "write_bundle",
]

FILES = ("model.safetensors", "config.json", "labels.json", "card.json", "README.md")
"""What every bundle has; `snapshot.safetensors`, `cleaner/` and `titles/` may come on top."""
CLEANER = "cleaner"
TITLES = "titles"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained network with all it takes to use it."""

    network: "nn.Module"
    """What gives (N, C) logits, by `joblens.models.wide_deep.logits_of`; in evaluation mode, on the CPU."""
    labels: tuple[str, ...]
    """The label of each class index."""
    cleaning: Cleaning
    """How the training adverts were cleaned; new ones must be cleaned the same way."""
    embedding: Embedding
    """How they were embedded."""
    classifier: Classifier
    """How the network was built and trained."""
    encoder_fingerprint: str
    """What `Encoder.fingerprint` was in training; another encoder's vectors mean nothing to this network."""
    extractor_fingerprint: str
    """What `Extractor.fingerprint` was in cleaning; other cleaning leaves other texts to embed."""
    calibration: Calibration
    """From logits to probabilities, prediction sets and abstentions."""
    uses_title: bool
    """Whether the training adverts had titles."""
    html: bool
    """Whether HTML in the training adverts became plain text."""
    card: Mapping[str, Any]
    """Where the model comes from, as JSON values: hashes, row counts, metrics."""
    crosscutting: tuple[int, ...] = ()
    """Class indices of labels that cut across the others, ascending: an advert may have one of each."""
    snapshot: Snapshot | None = None
    """What the training adverts were like; None when the bundle does not say."""

    @property
    def dimensions(self) -> int:
        """D, the width of the vectors the network takes."""
        return self.embedding.width


def write_bundle(folder: Path, bundle: Bundle, along: Mapping[str, Path] | None = None) -> None:
    """Write the files, and the models that go along; the folder appears whole or stays as it was.

    Args:
        folder: Where.
        bundle: What.
        along: Files to copy into `cleaner/` and `titles/`, by their path in the bundle.

    Raises:
        BundleError: The parts do not fit each other, or the card holds something that is not JSON.
        StorageError: The disk is full.
    """
    try:
        labels = LABELS.validate_python(bundle.labels)
        contents = Contents(
            format=FORMAT,
            classes=len(labels),
            uses_title=bundle.uses_title,
            html=bundle.html,
            crosscutting=bundle.crosscutting,
            encoder_fingerprint=bundle.encoder_fingerprint,
            extractor_fingerprint=bundle.extractor_fingerprint,
            cleaning=bundle.cleaning,
            embedding=bundle.embedding,
            classifier=bundle.classifier,
            shape=_shape(bundle.network),
            calibration=CalibrationValues(**asdict(bundle.calibration)),
        )
        json.dumps(bundle.card, allow_nan=False)
    except ValidationError as error:
        raise BundleError(f"the bundle to write does not fit together: {wrong_value(error)}") from error
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"the bundle's card is not JSON ({error}); put only texts and finite numbers in it"
        ) from error
    check_tensors(kinds(bundle.network), empty_network(contents), folder)
    with replace_folder(folder) as temporary:
        write_tensors(temporary / "model.safetensors", bundle.network.state_dict())
        write_json(temporary / "config.json", contents.model_dump(mode="json"))
        write_json(temporary / "labels.json", list(labels))
        write_json(temporary / "card.json", dict(bundle.card))
        write_text(temporary / "README.md", model_card(bundle))
        if bundle.snapshot is not None:
            write_snapshot(temporary / SNAPSHOT, bundle.snapshot, bundle.dimensions, len(labels))
        for name, source in (along or {}).items():
            copy = temporary / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def _shape(network: "nn.Module") -> ShapeValues | None:
    from joblens.models.wide_deep import WideDeep

    return ShapeValues(**asdict(network.shape)) if isinstance(network, WideDeep) else None


def own_folder(folder: Path, name: str) -> Path | None:
    """The folder of a model that the bundle brings, `cleaner` or `titles`; None when it does not.

    Raises:
        BundleError: It is no folder, or a file in it is a link that leaves the bundle.
    """
    own = folder / name
    if not own.exists() and not own.is_symlink():
        return None
    if not own.is_dir() or own.is_symlink():
        raise BundleError(f"{own} should be a folder of its own; copy the bundle again whole")
    for path in sorted(own.rglob("*")):
        if not path.is_dir() or path.is_symlink():
            regular_file(folder, str(path.relative_to(folder)))
    return own


def read_bundle(folder: Path) -> Bundle:
    """Read and check a bundle. Nothing in it is executed.

    Raises:
        BundleError: A file is missing, damaged, too large, of an unknown format or kind, outside the folder,
            or does not fit the others.
    """
    files = {name: regular_file(folder, name) for name in FILES}
    refuse_strangers(folder)
    contents = read_contents(files["config.json"])
    labels = read_labels(files["labels.json"], contents.classes)
    return Bundle(
        network=read_network(files["model.safetensors"], contents),
        labels=labels,
        cleaning=contents.cleaning,
        embedding=contents.embedding,
        classifier=contents.classifier,
        encoder_fingerprint=contents.encoder_fingerprint,
        extractor_fingerprint=contents.extractor_fingerprint,
        calibration=Calibration(**contents.calibration.model_dump()),
        uses_title=contents.uses_title,
        html=contents.html,
        crosscutting=contents.crosscutting,
        card=read_card(files["card.json"]),
        snapshot=read_snapshot(folder, contents.embedding.width, contents.classes),
    )

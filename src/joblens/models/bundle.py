"""A bundle: the folder that carries a trained model to another machine.

    model.safetensors   the network's weights, float32
    config.json         its shape, calibration, and the cleaning and embedding it was trained with
    labels.json         the label of each class index
    card.json           where it comes from: hashes, row counts, metrics
    README.md           the same for people: the model card

Nothing in it is executed when it is read. Sizes, shapes and values are checked before memory is taken, so a
damaged or hostile folder ends in one line. Equal models give equal bytes: no time stamps, no commit.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from joblens.config import Classifier, Cleaning, Embedding, Section
from joblens.errors import BundleError
from joblens.models.calibration import Calibration
from joblens.models.card import model_card
from joblens.storage import replace_folder, write_json, write_tensors, write_text

if TYPE_CHECKING:
    from torch import nn

FORMAT = 1
"""Number of this layout; a reader refuses numbers it does not know."""

FILES = ("model.safetensors", "config.json", "labels.json", "card.json", "README.md")

_MOST_JSON = 16 * 2**20  # bytes
_MOST_WEIGHTS = 2**30  # bytes
_MOST_HEADER = 2**16  # bytes
_WIDEST = 2**16  # units of a layer, or labels
_DEEPEST = 16  # hidden layers

_AGAIN = "copy the whole folder again, or make it with `dvc repro train`"

Share = Annotated[float, Field(ge=0, le=1)]
Label = Annotated[str, Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained network with all it takes to use it."""

    network: "nn.Module"
    """(B, D) vectors to (B, C) logits; in evaluation mode, on the CPU."""
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
    calibration: Calibration
    """From logits to probabilities, prediction sets and abstentions."""
    uses_title: bool
    """Whether the training adverts had titles."""
    card: Mapping[str, Any]
    """Where the model comes from, as JSON values: hashes, row counts, metrics."""

    @property
    def dimensions(self) -> int:
        """D, the width of the vectors the network takes."""
        return self.embedding.dimensions


class _Calibration(Section):
    temperature: float = Field(gt=0, le=1e6)
    set_threshold: Share
    abstain_below: Share
    coverage: Share
    target_precision: Share
    precision: Share
    answered: Share


class _Contents(Section):
    """config.json."""

    format: Literal[1]
    classes: int = Field(ge=2, le=_WIDEST)
    uses_title: bool
    encoder_fingerprint: str = Field(min_length=1, max_length=1000)
    cleaning: Cleaning
    embedding: Embedding
    classifier: Classifier
    calibration: _Calibration

    @model_validator(mode="after")
    def _network_is_of_this_world(self) -> Self:
        widths = (self.embedding.dimensions, *self.classifier.hidden)
        if len(widths) > _DEEPEST + 1 or not all(1 <= width <= _WIDEST for width in widths):
            raise ValueError(
                f"widths {widths[: _DEEPEST + 1]} should be at most {_DEEPEST} layers of 1 to {_WIDEST}"
            )
        return self


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write the five files; the folder appears whole or stays as it was.

    Raises:
        BundleError: The parts do not fit each other, or the card holds something that is not JSON.
        StorageError: The disk is full.
    """
    try:
        labels = _LABELS.validate_python(bundle.labels)
        contents = _Contents(
            format=FORMAT,
            classes=len(labels),
            uses_title=bundle.uses_title,
            encoder_fingerprint=bundle.encoder_fingerprint,
            cleaning=bundle.cleaning,
            embedding=bundle.embedding,
            classifier=bundle.classifier,
            calibration=_Calibration(**asdict(bundle.calibration)),
        )
        json.dumps(bundle.card, allow_nan=False)
    except ValidationError as error:
        raise BundleError(f"the bundle to write does not fit together: {_wrong_value(error)}") from error
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"the bundle's card is not JSON ({error}); put only texts and finite numbers in it"
        ) from error
    weights = {name: tensor.float() for name, tensor in bundle.network.state_dict().items()}
    found = {name: _kind("F32", tensor.shape) for name, tensor in weights.items()}
    _check_tensors(found, _empty_network(contents), folder)
    with replace_folder(folder) as temporary:
        write_tensors(temporary / "model.safetensors", weights)
        write_json(temporary / "config.json", contents.model_dump(mode="json"))
        write_json(temporary / "labels.json", list(labels))
        write_json(temporary / "card.json", dict(bundle.card))
        write_text(temporary / "README.md", model_card(bundle))


def read_bundle(folder: Path) -> Bundle:
    """Read and check a bundle. Nothing in it is executed.

    Raises:
        BundleError: A file is missing, damaged, too large, of an unknown format, outside the folder, or does
            not fit the others.
    """
    files = {name: _regular_file(folder, name) for name in FILES}
    contents = _read_contents(files["config.json"])
    labels = _read_labels(files["labels.json"], contents.classes)
    card = _read_json(files["card.json"])
    if not isinstance(card, dict):
        raise BundleError(f"{files['card.json']} holds {type(card).__name__}, expected an object; {_AGAIN}")
    return Bundle(
        network=_read_network(files["model.safetensors"], contents),
        labels=labels,
        cleaning=contents.cleaning,
        embedding=contents.embedding,
        classifier=contents.classifier,
        encoder_fingerprint=contents.encoder_fingerprint,
        calibration=Calibration(**contents.calibration.model_dump()),
        uses_title=contents.uses_title,
        card=card,
    )


def _regular_file(folder: Path, name: str) -> Path:
    """The file `name` of the bundle, once it is known to be an ordinary file inside the folder."""
    if not folder.is_dir():
        raise BundleError(
            f"there is no bundle folder {folder}; train one with `dvc repro train` or check the path"
        )
    path = folder / name
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):  # missing, or links that run in a circle
        raise BundleError(f"the bundle {folder} has no file {name}; {_AGAIN}") from None
    if not real.is_relative_to(folder.resolve()):
        raise BundleError(f"{path} is a link that leaves the bundle; put the file itself there")
    if not real.is_file():
        raise BundleError(f"{path} is not an ordinary file; {_AGAIN}")
    return real


def _read_json(path: Path) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    size = path.stat().st_size
    if size > _MOST_JSON:
        raise BundleError(f"{path} has {size:,} bytes, expected at most {_MOST_JSON:,}; {_AGAIN}")
    try:
        return json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON ({_first_line(str(error))}); {_AGAIN}") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); {_AGAIN}") from error


def _read_contents(path: Path) -> _Contents:
    values = _read_json(path)
    found = values.get("format") if isinstance(values, dict) else None
    if type(found) is not int or found != FORMAT:
        raise BundleError(
            f"{path} has format {_short(found)}, this joblens reads {FORMAT}; "
            "use the joblens version that made the bundle, or train again"
        )
    try:
        return _Contents.model_validate(values)
    except ValidationError as error:
        raise BundleError(f"{path} has a wrong value: {_wrong_value(error)}; {_AGAIN}") from error


def _read_labels(path: Path, classes: int) -> tuple[str, ...]:
    try:
        labels = _LABELS.validate_python(_read_json(path))
    except ValidationError as error:
        raise BundleError(f"{path} is not a list of distinct label names; {_AGAIN}") from error
    if len(labels) != classes:
        raise BundleError(f"{path} has {len(labels)} labels, expected {classes} from config.json; {_AGAIN}")
    return labels


def _read_network(path: Path, contents: _Contents) -> "nn.Module":
    from safetensors import SafetensorError, deserialize
    from safetensors.torch import load

    network = _empty_network(contents)
    numbers = sum(prod(tensor.shape) for tensor in network.state_dict().values())
    size = path.stat().st_size
    if size > min(_MOST_WEIGHTS, 4 * numbers + _MOST_HEADER):
        raise BundleError(
            f"{path} has {size:,} bytes, expected about {4 * numbers:,} for its {numbers:,} numbers; {_AGAIN}"
        )
    try:
        data = path.read_bytes()
        tensors: list[tuple[str, dict[str, Any]]] = deserialize(data)  # type: ignore[no-untyped-call]
        _check_tensors(
            {name: _kind(tensor["dtype"], tensor["shape"]) for name, tensor in tensors}, network, path
        )
        weights = load(data)
    except (SafetensorError, KeyError) as error:
        raise BundleError(
            f"{path} is not a whole safetensors file ({_first_line(str(error))}); {_AGAIN}"
        ) from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); {_AGAIN}") from error
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise BundleError(f"{path} holds numbers that are not finite; train the model again")
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def _empty_network(contents: _Contents) -> "nn.Module":
    """The network's shape without memory for its numbers."""
    import torch

    from joblens.models.network import build_network

    with torch.device("meta"):
        return build_network(
            contents.embedding.dimensions,
            contents.classes,
            contents.classifier.hidden,
            contents.classifier.dropout,
        )


def _check_tensors(found: Mapping[str, str], network: "nn.Module", path: Path) -> None:
    expected = {name: _kind("F32", tensor.shape) for name, tensor in network.state_dict().items()}
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise BundleError(
                f"{path}: tensor {_short(name)} is {_short(found.get(name))}, expected "
                f"{_short(expected.get(name))} from config.json and labels.json; {_AGAIN}"
            )


def _kind(dtype: str, shape: Sequence[int]) -> str:
    return f"{dtype} {tuple(shape)}"


def _wrong_value(error: ValidationError) -> str:
    """Where the first wrong value stands and what is wrong with it."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return _first_line(f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")


def _first_line(text: str) -> str:
    """One line of a library's words, not too long, so that a hostile file cannot fill the terminal."""
    return _short(" ".join(text.split()), quote=False)


def _short(value: object, *, quote: bool = True) -> str:
    text = repr(value) if quote else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("labels should be distinct")
    return labels


_LABELS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Annotated[tuple[Label, ...], AfterValidator(_distinct)])

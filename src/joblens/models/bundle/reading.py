"""Read a bundle's files one by one; each is checked before memory is taken, and nothing is executed."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from joblens.errors import BundleError, DataError, one_line, short, wrong_value
from joblens.models.bundle.contents import FORMAT, LABELS, Contents
from joblens.storage import read_strict_json

if TYPE_CHECKING:
    from torch import Tensor, nn

_MOST_WEIGHTS = 2**30  # bytes
_KINDS = (".safetensors", ".json", ".md", ".txt")
_EXPORTED_KINDS = (".onnx", ".xml", ".bin")  # networks in `cleaner/BACKEND/`
_MOST_HEADER = 2**16  # bytes

AGAIN = "copy the whole folder again, or make it with `dvc repro train`"
"""What to do about a damaged bundle."""


def regular_file(folder: Path, name: str) -> Path:
    """The file `name` of the bundle, once it is known to be an ordinary file inside the folder.

    Raises:
        BundleError: There is no folder, no such file, or it is a link that leaves the folder.
    """
    if not folder.is_dir():
        raise BundleError(
            f"there is no bundle folder {folder}; train one with `dvc repro train` or check the path"
        )
    path = folder / name
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):  # missing, or links that run in a circle
        raise BundleError(f"the bundle {folder} has no file {name}; {AGAIN}") from None
    if not real.is_relative_to(folder.resolve()):
        raise BundleError(f"{path} is a link that leaves the bundle; put the file itself there")
    if not real.is_file():
        raise BundleError(f"{path} is not an ordinary file; {AGAIN}")
    return real


def refuse_strangers(folder: Path) -> None:
    """Check that every file below the folder is of a kind that joblens writes, and not too large to be read.

    Hidden files, which file managers leave, and hidden folders are not looked at, nor ever read.

    Raises:
        BundleError: One is not, such as a pickle or a program: nothing would read it, and it is no accident.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or (path.is_dir() and not path.is_symlink()):
            continue
        is_exported = name.parts[0] == "cleaner" and len(name.parts) == 3
        if path.suffix not in ((*_KINDS, *_EXPORTED_KINDS) if is_exported else _KINDS):
            raise BundleError(
                f"{path} is no file of a bundle, which has only {', '.join(_KINDS)}; "
                "take the bundle from whom you trust, or delete the file if it is yours"
            )
        size = path.lstat().st_size
        if size > _MOST_WEIGHTS:
            raise BundleError(f"{path} has {size:,} bytes, expected at most {_MOST_WEIGHTS:,}; {AGAIN}")


def _read_json(path: Path) -> Any:
    try:
        return read_strict_json(path)
    except DataError as error:
        raise BundleError(f"{error}; {AGAIN}") from error


def read_contents(path: Path) -> Contents:
    """config.json.

    Raises:
        BundleError: It is damaged, of an unknown format, or a value is wrong.
    """
    values = _read_json(path)
    found = values.get("format") if isinstance(values, dict) else None
    if type(found) is not int or found != FORMAT:
        raise BundleError(
            f"{path} has format {short(found)}, this joblens reads {FORMAT}; "
            "use the joblens version that made the bundle, or train again"
        )
    try:
        return Contents.model_validate(values)
    except ValidationError as error:
        raise BundleError(f"{path} has a wrong value: {wrong_value(error)}; {AGAIN}") from error


def read_labels(path: Path, classes: int) -> tuple[str, ...]:
    """labels.json: the label of each class index.

    Raises:
        BundleError: It is damaged, a label is there twice, or there are not as many as classes.
    """
    try:
        labels = LABELS.validate_python(_read_json(path))
    except ValidationError as error:
        raise BundleError(f"{path} is not a list of distinct label names; {AGAIN}") from error
    if len(labels) != classes:
        raise BundleError(f"{path} has {len(labels)} labels, expected {classes} from config.json; {AGAIN}")
    return labels


def read_card(path: Path) -> dict[str, Any]:
    """card.json.

    Raises:
        BundleError: It is damaged or not an object.
    """
    card = _read_json(path)
    if not isinstance(card, dict):
        raise BundleError(f"{path} holds {type(card).__name__}, expected an object; {AGAIN}")
    return card


def read_network(path: Path, contents: Contents) -> "nn.Module":
    """The network with the weights of model.safetensors: in evaluation mode, on the CPU, without gradients.

    Raises:
        BundleError: The file is damaged, or its tensors are not those of the network in `contents`.
    """
    from joblens.models.wide_deep import WideDeep

    network = empty_network(contents)
    tensors = network.state_dict().values()
    numbers = sum(prod(tensor.shape) for tensor in tensors)
    expected = sum(prod(tensor.shape) * tensor.element_size() for tensor in tensors)
    size = path.stat().st_size
    if size > min(_MOST_WEIGHTS, expected + _MOST_HEADER):
        raise BundleError(
            f"{path} has {size:,} bytes, expected about {expected:,} for its {numbers:,} numbers; {AGAIN}"
        )
    weights = read_tensors(path, lambda found: check_tensors(found, network, path))
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise BundleError(f"{path} holds numbers that are not finite; train the model again")
    network.load_state_dict(weights, assign=True)
    fault = network.fault() if isinstance(network, WideDeep) else None
    if fault:
        raise BundleError(f"{path}: {fault}; {AGAIN}")
    return network.eval().requires_grad_(False)


def read_tensors(path: Path, check: Callable[[Mapping[str, str]], None]) -> "dict[str, Tensor]":
    """The tensors of a safetensors file.

    Args:
        path: The file; its size is known to be small enough.
        check: Is told the `kind` of each tensor by name, before memory is taken, and raises if one is wrong.

    Raises:
        BundleError: The file is damaged or cannot be read, or `check` refuses.
    """
    from safetensors import SafetensorError, deserialize
    from safetensors.torch import load

    try:
        data = path.read_bytes()
        found: list[tuple[str, dict[str, Any]]] = deserialize(data)  # type: ignore[no-untyped-call]
        check({name: kind(tensor["dtype"], tensor["shape"]) for name, tensor in found})
        return load(data)
    except (SafetensorError, KeyError) as error:
        raise BundleError(
            f"{path} is not a whole safetensors file ({one_line(str(error))}); {AGAIN}"
        ) from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); {AGAIN}") from error


def empty_network(contents: Contents) -> "nn.Module":
    """The network's shape without memory for its numbers."""
    import torch

    from joblens.models.network import build_network
    from joblens.models.wide_deep import Shape, WideDeep

    with torch.device("meta"):
        if contents.shape is not None:
            return WideDeep(Shape(**contents.shape.model_dump()))
        return build_network(
            contents.embedding.width,
            contents.classes,
            contents.classifier.hidden,
            contents.classifier.dropout,
        )


def check_tensors(found: Mapping[str, str], network: "nn.Module", path: Path) -> None:
    """Compare tensors, by name with their `kind`, with those that the network has.

    Raises:
        BundleError: One is missing, unknown, or of another kind; `path` is named as where it was found.
    """
    expected = kinds(network)
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise wrong_tensor(path, name, found.get(name), expected.get(name))


def wrong_tensor(path: Path, name: str, found: str | None, expected: str | None) -> BundleError:
    """What to say of a tensor of another `kind`; None where there is none, or should be none."""
    return BundleError(
        f"{path}: tensor {short(name)} is {short(found)}, expected "
        f"{short(expected)} from config.json and labels.json; {AGAIN}"
    )


def kinds(network: "nn.Module") -> dict[str, str]:
    """The `kind` of each tensor of a network, by name."""
    import torch

    names = {torch.float32: "F32", torch.float16: "F16", torch.int32: "I32", torch.int8: "I8"}
    return {
        name: kind(names.get(tensor.dtype, str(tensor.dtype)), tensor.shape)
        for name, tensor in network.state_dict().items()
    }


def kind(dtype: str, shape: Sequence[int]) -> str:
    """Type and shape of a tensor as one text: `F32 (4, 8)`."""
    return f"{dtype} {tuple(shape)}"

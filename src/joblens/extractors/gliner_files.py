"""Find, check and load the files of a GLiNER model: safetensors only, nothing executable, revision pinned."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, ModelError
from joblens.extractors.gliner_bundle import FILES, is_bundle
from joblens.extractors.gliner_exported import AGREEMENT, BACKENDS
from joblens.storage import content_hash, file_hash, read_strict_json, write_json

if TYPE_CHECKING:
    from joblens.config import Cleaning

WEIGHTS = "model.safetensors"
SETTINGS = "gliner_config.json"
THRESHOLDS = "joblens_thresholds.json"
"""Of a GLiNER folder that joblens trained: the least score of an entity by label. Others have none."""
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def locate(model: str, revision: str | None) -> Path:
    """The folder of the model: itself when it is one, otherwise the hub's snapshot at a pinned commit.

    Raises:
        ModelError: There is no such folder, the revision is not a commit, the hub cannot be reached, or the
            folder lacks a file or asks to run code.
    """
    folder = find_folder(model, revision)
    if is_bundle(folder):
        return folder  # joblens' own format, read and checked by `load_bundle`
    check_files(
        folder,
        (SETTINGS, WEIGHTS),
        "a GLiNER folder saved with save_pretrained(..., safe_serialization=True), or a cleaner of joblens",
    )
    return folder


def find_folder(model: str, revision: str | None) -> Path:
    """The folder of that name, otherwise the hub's snapshot at a pinned commit.

    Raises:
        ModelError: There is no such folder, the revision is not a commit, or the hub cannot be reached.
    """
    folder = Path(model)
    return folder if folder.is_dir() else download(model, revision)


def check_files(folder: Path, names: Sequence[str], expected: str) -> None:
    """Check that the folder has these files, and that none of its settings asks to run code.

    Raises:
        ModelError: A file is missing, which is said with what `cleaning.model` should be, or one asks to.
    """
    for name in names:
        if not (folder / name).is_file():
            raise ModelError(f"{folder} has no {name}; cleaning.model should be {expected}")
    refuse_code(folder)


def own_files(cleaning: Cleaning) -> dict[str, Path]:
    """The files of the cleaner that joblens itself has written, by their path in its folder; else none.

    Raises:
        ModelError: One is missing.
    """
    folder = Path(cleaning.model or "")
    if cleaning.extractor != "gliner" or not is_bundle(folder):
        return {}
    names = list(FILES)
    if cleaning.backend != "torch":
        names += [f"{cleaning.backend}/{name}" for name in (AGREEMENT, *BACKENDS[cleaning.backend].files)]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        again = "copy it again whole"
        if cleaning.backend != "torch":
            again += f", or run `joblens export-cleaner --backend {cleaning.backend} --model {folder}`"
        raise ModelError(f"the cleaner {folder} has no {missing[0]}; {again}")
    return {name: folder / name for name in names}


def refuse_code(folder: Path) -> None:
    """Check that no settings file in the folder names code that came with the model.

    Raises:
        ModelError: One does.
    """
    for settings in sorted(folder.rglob("*.json")):
        if '"auto_map"' in settings.read_text(encoding="utf-8", errors="replace"):
            raise ModelError(
                f"{settings} asks to run code that came with the model (auto_map); joblens never does: "
                "use a model of a standard architecture"
            )


def download(model: str, revision: str | None) -> Path:
    """The hub's snapshot of a model at a pinned commit: settings, tokenizer and safetensors, nothing else.

    Raises:
        ModelError: It is no hub id, the revision is no commit, or the hub cannot be reached.
    """
    if model.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise ModelError(
            f"cleaning.model is {model!r}, which is no folder here; give a GLiNER folder or a hub id"
        )
    if revision is None or not _COMMIT.fullmatch(revision):
        raise ModelError(
            f"cleaning.revision is {revision!r}; expected the 40 hex digits of a commit of {model}, "
            "because a hub id without one can change under you (there is no such folder here either)"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(_WANTED)))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"the hub gave no {model} at {revision[:8]} ({reason}); "
            "go online once, or set cleaning.model to a local folder"
        ) from error


def load_weights(folder: Path) -> Any:
    """The model in the folder, in float32 and in evaluation mode, on the CPU.

    Raises:
        ModelError: The files are damaged, do not fit each other, or lack weights.
    """
    from gliner import GLiNER
    from safetensors import SafetensorError, safe_open

    _refuse_foreign_code(folder)
    try:
        model = GLiNER.from_pretrained(str(folder), map_location="cpu", load_tokenizer=True)
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            stored = {*file.keys(), *(file.metadata() or {})}
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"the GLiNER model in {folder} cannot be loaded ({reason}); copy it again whole"
        ) from error
    missing = sorted({name for name, _ in model.model.named_parameters()} - stored)
    if missing:
        raise ModelError(
            f"{folder / WEIGHTS} lacks {len(missing)} weights, {missing[0]} first; copy it again whole"
        )
    return model.float().eval()


def _refuse_foreign_code(folder: Path) -> None:
    """Check an encoder that GLiNER would look up elsewhere: it builds encoders trusting remote code."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        if settings.get("encoder_config"):
            return
        from transformers import AutoConfig

        base = AutoConfig.from_pretrained(settings["model_name"], trust_remote_code=False)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder / SETTINGS} names no encoder that can be loaded ({reason})") from error
    if getattr(base, "auto_map", None):
        raise ModelError(
            f"{settings['model_name']} asks to run code that came with it; use a standard encoder"
        )


def files_hash(folder: Path) -> str:
    """Hash of the names and contents of the model's files, wherever the folder is."""
    files = sorted(path for pattern in _WANTED for path in folder.rglob(pattern))
    return content_hash(*(f"{path.relative_to(folder).as_posix()}={file_hash(path)}" for path in files))


def save_thresholds(folder: Path, thresholds: Mapping[str, float]) -> None:
    """Write the least score of an entity by label beside the weights of a GLiNER folder."""
    write_json(folder / THRESHOLDS, {label: round(float(value), 4) for label, value in thresholds.items()})


def load_thresholds(folder: Path) -> dict[str, float]:
    """The least score of an entity by label; empty where the folder names none.

    Raises:
        ModelError: The file is no table of numbers in [0, 1].
    """
    path = folder / THRESHOLDS
    if not path.is_file():
        return {}
    try:
        found = read_strict_json(path)
    except DataError as error:
        raise ModelError(f"{error}; copy the model again whole") from error
    if not isinstance(found, dict) or not all(_is_share(value) for value in found.values()):
        raise ModelError(f"{path} is no table of labels with numbers in [0, 1]; copy the model again whole")
    return {label: float(value) for label, value in found.items()}


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1

"""Where an encoder's files are, and whether they are the expected ones. Nothing in them is executed."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from joblens.errors import ModelError, short
from joblens.packaged import WEIGHTS, check_hash, packaged_folder
from joblens.storage import content_hash, file_hash

if TYPE_CHECKING:
    from joblens.config import Embedding

logger = logging.getLogger(__name__)

_OWN_MODULES = "sentence_transformers."
_DOWNLOADED = ["*.json", "*.safetensors", "*.txt", "*.model"]  # weights and vocabularies, no code, no pickles
_NOT_DOWNLOADED = ["onnx/*", "openvino/*"]
_SHAPE_VECTORS = ("config.json", "modules.json", "tokenizer.json", "*/config.json", "*/model.safetensors")


def find_files(embedding: "Embedding") -> Path:
    """The folder with the encoder's files, checked.

    The files come from an installed package (found without importing it), a local folder, or the model hub at
    a pinned revision; the hub's own cache and `HF_HUB_OFFLINE=1` work as usual.

    Raises:
        ModelError: There is no such package, folder or hub model, it has no safetensors weights, they are not
            the ones `embedding.sha256` expects, or the files ask for code of their own.
    """
    folder = _folder(embedding)
    if not _has_weights(folder):
        raise ModelError(
            f"{folder} has no {WEIGHTS}; joblens reads weights as safetensors only, "
            "set embedding.model to a folder that has them"
        )
    if embedding.sha256 is not None:
        check_hash(folder / WEIGHTS, embedding.sha256)
    _refuse_code(folder)
    return folder


def hash_files(folder: Path) -> str:
    """SHA-256 over the weights, the vocabulary and the settings in `folder` that shape a vector."""
    patterns = ("*.safetensors", *_SHAPE_VECTORS)
    found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    return content_hash(
        *(part for path in found for part in (path.relative_to(folder).as_posix(), file_hash(path)))
    )


def _folder(embedding: "Embedding") -> Path:
    if embedding.package is not None:
        return packaged_folder(embedding.package)
    if Path(embedding.model).is_dir():
        return Path(embedding.model)
    return _hub_folder(embedding.model, embedding.revision)


def _hub_folder(model: str, revision: str | None) -> Path:
    if revision is None:
        raise ModelError(
            f"embedding.model is {model!r}, which is no folder here, and embedding.revision is not set; "
            "give the path of a folder, or a hub id with the commit to use"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    for is_cached in (True, False):  # a commit never changes, so the cache is asked before the hub
        try:
            folder = snapshot_download(
                model,
                revision=revision,
                local_files_only=is_cached,
                allow_patterns=_DOWNLOADED,
                ignore_patterns=_NOT_DOWNLOADED,
            )
        except (HFValidationError, OSError) as error:  # the hub's own errors are OSErrors
            logger.debug("%s at %s: %s", model, revision, error)
            continue
        if _has_weights(Path(folder)):
            return Path(folder)
    raise ModelError(
        f"embedding.model {model!r} at revision {revision!r} is neither a folder here, nor in the hub's "
        "local cache, nor to be had from the hub; check the name and the network, "
        "or use `embedding=minilm`, which needs no hub"
    )


def _has_weights(folder: Path) -> bool:
    return (folder / WEIGHTS).is_file() or any(folder.glob("model-*.safetensors"))


def _refuse_code(folder: Path) -> None:
    """Older sentence-transformers import any class that a local `modules.json` names; we do not."""
    path = folder / "modules.json"
    if not path.is_file():
        return
    try:
        kinds = [str(module["type"]) for module in json.loads(path.read_text(encoding="utf-8"))]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not a list of modules ({error}); get the model's files again") from error
    foreign = [kind for kind in kinds if not kind.startswith(_OWN_MODULES)]
    if foreign:
        raise ModelError(
            f"{path} wants to run {short(foreign[0])}; joblens runs no code that comes with a model, "
            f"only modules of {_OWN_MODULES[:-1]}: choose another model"
        )

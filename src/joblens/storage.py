"""Read and check files; write them whole or not at all; let one process write at a time."""

import errno
import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, StorageError, nearest, one_line

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

logger = logging.getLogger(__name__)

_MOST_JSON = 16 * 2**20  # bytes
_DEEPEST_JSON = 64  # levels
_FULL = {errno.ENOSPC, errno.EDQUOT}
# safetensors writes its metadata in random order; one key with sorted JSON keeps equal files equal.
_METADATA = "joblens"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends well, and vanishes when it does not.

    Raises:
        StorageError: The disk is full or refuses. What stood at `path` before is untouched.
    """
    temporary = _temporary_beside(path)
    with _refusals_explained(path, temporary):
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well.

    Raises:
        StorageError: The disk is full or refuses. What stood at `path` before is untouched.
    """
    temporary = _temporary_beside(path)
    old = _temporary_beside(path)
    with _refusals_explained(path, temporary, old):
        try:
            temporary.mkdir()
            yield temporary
            if path.exists():
                path.replace(old)
            temporary.replace(path)
        finally:
            if old.exists() and not path.exists():
                old.replace(path)
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, or refuse at once.

    Raises:
        StorageError: Another process holds it, or it cannot be made.
    """
    from filelock import FileLock, Timeout

    held = FileLock(path, timeout=0)
    try:
        with _refusals_explained(path, *path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            held.acquire()
    except Timeout:
        raise StorageError(
            f"another joblens process is writing here ({path.name} is held); "
            "wait for it or stop it, then run the command again"
        ) from None
    try:
        yield
    finally:
        held.release()


def read_table(path: Path, columns: Collection[str] | None = None) -> "pl.DataFrame":
    """A parquet file as a frame; only `columns` when they are given.

    Raises:
        DataError: The file is missing, is not parquet, or lacks a column.
    """
    import polars as pl

    _must_exist(path)
    try:
        found = pl.read_parquet_schema(path)
        missing = [column for column in sorted(columns or ()) if column not in found]
        if not missing:
            wanted = [name for name in found if columns is None or name in columns]
            return pl.read_parquet(path, columns=wanted)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} is not a readable parquet file; replace it or make it again") from error
    raise DataError(
        f"{path} has no column {missing[0]!r}{nearest(missing[0], found)} (it has {', '.join(found)}); "
        "run the stage that writes it again"
    )


def write_table(path: Path, frame: "pl.DataFrame") -> None:
    """Write a frame as parquet, atomically; equal frames give equal bytes."""
    import polars as pl

    with atomic_write(path) as temporary:
        try:
            frame.write_parquet(temporary, compression="zstd", statistics=True)
        except pl.exceptions.ComputeError as error:
            if "os error 28" in str(error) or "No space left" in str(error):
                raise OSError(errno.ENOSPC, str(error)) from error
            raise


def read_tensors(path: Path) -> "dict[str, Tensor]":
    """The tensors of a safetensors file.

    Raises:
        DataError: The file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _must_exist(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is not a readable safetensors file ({error}); make it again") from error


def read_tensor_metadata(path: Path) -> dict[str, str]:
    """The text beside the tensors of a safetensors file; empty when there is none.

    Raises:
        DataError: The file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    _must_exist(path)
    try:
        with safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is not a readable safetensors file ({error}); make it again") from error
    return {str(key): str(value) for key, value in json.loads(found.get(_METADATA, "{}")).items()}


def write_tensors(
    path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str] | None = None
) -> None:
    """Write named tensors as safetensors, atomically; equal tensors give equal bytes."""
    from safetensors.torch import save_file

    with atomic_write(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())},
            temporary,
            metadata={_METADATA: json.dumps(dict(metadata), sort_keys=True)} if metadata else None,
        )
        temporary.chmod(mode)  # safetensors lets only the owner read


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        DataError: The file is missing or not JSON.
    """
    _must_exist(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not JSON ({error}); run the stage that writes it again") from error


def read_strict_json(path: Path) -> Any:
    """The value of a JSON file that a stranger may have written, read as every reader would read it.

    Raises:
        DataError: It cannot be read, is larger than 16 MiB, is not JSON, has a key twice, is nested too deep,
            or holds a number that is not finite or text that is not Unicode.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_JSON:
            raise DataError(f"{path} has {size:,} bytes, expected at most {_MOST_JSON:,}")
        value = json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=_distinct_keys)
        _check_values(value)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({one_line(str(error))})") from error
    return value


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _check_values(value: Any) -> None:
    """Raise a ValueError for what Python's json reads and others do not, or cannot write again."""
    level = [value]
    for _ in range(_DEEPEST_JSON):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str):
                one.encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
            elif isinstance(one, float) and not isfinite(one):
                raise ValueError(f"{one} is not a JSON number")
        level = inner
        if not level:
            return
    raise ValueError(f"nested deeper than {_DEEPEST_JSON} levels")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON in its own order, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(*strings: str) -> str:
    """SHA-256 of a sequence of strings, in hex; `("ab", "c")` and `("a", "bc")` differ."""
    digest = hashlib.sha256()
    for string in strings:
        data = string.encode("utf-8", errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


class ShardCache:
    """Finished pieces of slow work, each in a file named by the hash of everything that made it.

    A killed run finds what it had finished; a changed input gets another name, so nothing stale is ever read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> "dict[str, Tensor] | None":
        """The tensors stored under `key`, or None when there are none that can be read."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return read_tensors(path)
        except DataError:
            logger.warning("damaged shard %s is made again", path.name)
            path.unlink(missing_ok=True)
            return None

    def put(self, key: str, tensors: "Mapping[str, Tensor]") -> None:
        """Store tensors under `key`."""
        write_tensors(self._path(key), tensors)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def _temporary_beside(path: Path) -> Path:
    with _refusals_explained(path, path.parent, *path.parent.parents):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")


@contextmanager
def _refusals_explained(path: Path, *places: Path) -> Iterator[None]:
    """What the file system refuses at `places` becomes one line about `path`; other errors pass as they are.

    An error without a file name comes from writing to an open file, unless a connection raised it.
    """
    try:
        yield
    except OSError as error:
        if _says_disk_full(error):
            raise StorageError(_disk_full(path)) from error
        if error.filename is None:
            is_ours = error.errno is not None and not isinstance(error, ConnectionError | TimeoutError)
        else:
            name = Path(os.fsdecode(error.filename))
            is_ours = any(name.is_relative_to(place) for place in (path, *places))
        if not is_ours:
            raise
        raise StorageError(
            f"cannot write {path}: {error.strerror}; choose another place or change its rights"
        ) from error


def _must_exist(path: Path) -> None:
    try:
        if path.is_file():
            path.open("rb").close()
            return
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; change its rights") from error
    close = nearest(path.name, siblings)
    raise DataError(f"there is no file {path}{close}; check the path, or make it with `dvc repro`")


def _says_disk_full(error: OSError) -> bool:
    return error.errno in _FULL


def _disk_full(path: Path) -> str:
    return f"the disk is full while writing {path}, the old file is intact; free some space and run again"

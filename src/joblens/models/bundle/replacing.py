"""Put a bundle in the place of the one that is served, so that a kill at any moment leaves one to serve.

    FOLDER                  what servers load
    FOLDER.previous         what stood there before
    .FOLDER.part-*          a copy being made
    .FOLDER.next-VERSION    a whole copy about to change places with FOLDER; once FOLDER is VERSION, what
                            stood there before
    .FOLDER.old-*           a bundle being deleted

Two folders change places in one system call, `renameat2` of Linux with `RENAME_EXCHANGE`: FOLDER is the old
bundle, then the new one, and never missing. Whoever calls these functions holds `turn_of`.
"""

import ctypes
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from joblens.errors import BundleError, StorageError
from joblens.models.bundle.reading import refuse_strangers, regular_file
from joblens.storage import content_hash, file_hash, lock

DECIDING_FILES = ("model.safetensors", "config.json", "labels.json")
"""What a bundle's answers follow from; config.json names the models that go along by their hashes."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def bundle_version(folder: Path) -> str:
    """12 hex digits that follow from the contents: the same version gives the same answers.

    Raises:
        BundleError: A file is missing, or a link that leaves the folder; or one is too large or no file of a
            bundle, which is looked at before anything is read.
    """
    refuse_strangers(folder)
    return content_hash(*(file_hash(regular_file(folder, name)) for name in DECIDING_FILES))[:12]


def previous_of(folder: Path) -> Path:
    """Where the bundle is that stood at `folder` before."""
    return folder.with_name(f"{folder.name}.previous")


@contextmanager
def turn_of(folder: Path) -> Iterator[None]:
    """Be the only one who replaces the bundle at `folder`; what a killed one left is settled first.

    Raises:
        StorageError: Another process is at it.
    """
    with lock(folder.with_name(f".{folder.name}.lock")):
        _settle(folder)
        yield


@contextmanager
def copied(new: Path, folder: Path) -> Iterator[Path]:
    """A copy of the bundle `new` beside `folder`, on the disk for good; gone at the end unless it moved in.

    Raises:
        BundleError: There is no bundle, or a link in it leaves it.
        StorageError: The disk is full or refuses.
    """
    copy = folder.with_name(f".{folder.name}.part-{uuid.uuid4().hex[:8]}")
    bundle_version(new)  # refuses what is no bundle
    try:
        _copy(new, copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy(new: Path, copy: Path) -> None:
    files = [path for path in sorted(new.rglob("*")) if path.is_symlink() or not path.is_dir()]
    try:
        for path in files:
            target = copy / path.relative_to(new)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(regular_file(new, str(path.relative_to(new))), target)
            _flush(target)
    except OSError as error:
        raise StorageError(
            f"cannot copy {new} to {copy.parent}: {error.strerror}; free some space or change its rights"
        ) from error


def move_in(copy: Path, folder: Path) -> None:
    """Make `copy`, which `copied` gave, the bundle at `folder`; the one there becomes `previous_of(folder)`.

    Raises:
        StorageError: The file system cannot exchange two folders; nothing has changed.
    """
    if not folder.exists():
        copy.rename(folder)
        _flush(folder.parent)
        return
    ready = folder.with_name(f"{_next(folder)}{bundle_version(copy)}")
    copy.rename(ready)
    try:
        _exchange(ready, folder)
    except StorageError:
        shutil.rmtree(ready, ignore_errors=True)
        raise
    _keep_as_previous(ready, folder)


def roll_back(folder: Path) -> None:
    """Let the bundle at `folder` and the one before it change places; a second call undoes the first.

    Raises:
        BundleError: There is none before it.
        StorageError: The file system cannot exchange two folders; nothing has changed.
    """
    previous = previous_of(folder)
    if not previous.is_dir():
        raise BundleError(
            f"there is no {previous} to go back to; `joblens promote` makes it when it replaces a bundle"
        )
    if not folder.exists():
        raise BundleError(f"there is no bundle {folder} to replace; move {previous} there by hand")
    _exchange(previous, folder)


def _settle(folder: Path) -> None:
    """Finish a replacement that was killed after the exchange; remove what one killed before it left."""
    name = escape(folder.name)
    for left in sorted(folder.parent.glob(f".{name}.next-*")):
        if folder.exists() and left.name == f"{_next(folder)}{bundle_version(folder)}":
            _keep_as_previous(left, folder)
        else:
            shutil.rmtree(left)
    for kind in ("part", "old"):
        for left in folder.parent.glob(f".{name}.{kind}-*"):
            shutil.rmtree(left)


def _next(folder: Path) -> str:
    return f".{folder.name}.next-"


def _keep_as_previous(before: Path, folder: Path) -> None:
    previous = previous_of(folder)
    old = folder.with_name(f".{folder.name}.old-{uuid.uuid4().hex[:8]}")
    if previous.exists():
        previous.rename(old)
    before.rename(previous)
    _flush(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _exchange(first: Path, second: Path) -> None:
    rename = (
        getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    )
    reason = "this system has no call for it"
    if rename is not None:
        names = os.fsencode(first), os.fsencode(second)
        if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            _flush(second.parent)
            return
        reason = os.strerror(ctypes.get_errno())
    raise StorageError(
        f"cannot let {first} and {second} change places at once ({reason}), and joblens leaves no moment "
        "without a bundle; use a folder on a local Linux disk"
    )


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files are whole or not there, and one process writes at a time."""

import errno
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from joblens.errors import DataError, StorageError
from joblens.storage import (
    ShardCache,
    atomic_write,
    content_hash,
    file_hash,
    lock,
    read_json,
    read_table,
    read_tensor_metadata,
    read_tensors,
    replace_folder,
    write_json,
    write_table,
    write_tensors,
    write_text,
)


def no_space(*_args: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_written_text_is_read_back_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "æ\nø\n")
    assert (tmp_path / "deep" / "a.txt").read_bytes() == "æ\nø\n".encode()


def break_while_writing(path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        raise ValueError("broken")


def test_a_failing_block_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="broken"):
        break_while_writing(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "new"),
        lambda path: write_json(path, {"new": 1}),
        lambda path: write_table(path, pl.DataFrame({"new": [1]})),
        lambda path: write_tensors(path, {"new": torch.ones(1)}),
    ],
)
def test_a_full_disk_is_one_clear_error_and_the_old_file_stays(tmp_path, monkeypatch, write):
    path = tmp_path / "a"
    path.write_text("old")
    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(StorageError, match=r"the disk is full while writing .*the old file is intact"):
        write(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def write_to_a_full_device(path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"x" * 100_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_really_full_device_is_one_clear_error(tmp_path):
    with pytest.raises(StorageError, match="the disk is full"):
        write_to_a_full_device(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").write_text("old")
    with replace_folder(folder) as temporary:
        (temporary / "new").write_text("new")
    assert [entry.name for entry in folder.iterdir()] == ["new"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


def fill_the_disk_while_replacing(folder: Path) -> None:
    with replace_folder(folder) as temporary:
        (temporary / "new").write_text("new")
        no_space()


def test_a_failing_block_leaves_the_old_folder(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").write_text("old")
    with pytest.raises(StorageError, match="the disk is full"):
        fill_the_disk_while_replacing(folder)
    assert [entry.name for entry in folder.iterdir()] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


def forbidden(path: Path, *_args: object, **_options: object) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_a_folder_that_may_not_be_made_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(StorageError, match=r"cannot write .*bundle: Permission denied; choose another place"):
        fill_the_disk_while_replacing(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda folder: write_text(folder / "file" / "a", "new"), "File exists|Not a directory"),
        (lambda folder: write_text(folder / "file" / "deep" / "a", "new"), "File exists|Not a directory"),
        (lambda folder: write_text(folder / "taken", "new"), "Is a directory"),
        (lambda folder: fill_the_disk_while_replacing(folder / "file" / "a"), "File exists|Not a directory"),
        (lambda folder: take(folder / "file" / "x.lock"), "File exists|Not a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path, write, reason):
    (tmp_path / "file").write_text("old")
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError, match=rf"^cannot write .*: ({reason}); choose another place.*rights$"):
        write(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "taken"]


def raise_while_writing(path: Path, error: Exception) -> None:
    with atomic_write(path):
        raise error


def test_a_failed_write_to_an_open_file_is_one_clear_error(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write .*: Input/output error"):
        raise_while_writing(tmp_path / "a", OSError(errno.EIO, "Input/output error"))


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/elsewhere/input.csv"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        OSError("a library's own words"),
    ],
)
def test_what_the_block_fails_to_read_is_not_blamed_on_the_place_it_writes(tmp_path, error):
    with pytest.raises(type(error)) as caught:
        raise_while_writing(tmp_path / "a", error)
    assert caught.value is error


def test_an_interrupted_exchange_leaves_the_old_folder(tmp_path, monkeypatch):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").write_text("old")
    replace = Path.replace

    def interrupt(self: Path, target: Path) -> None:
        if target == folder and not (self / "old").exists():
            raise KeyboardInterrupt
        replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        exchange(folder)
    assert [entry.name for entry in folder.iterdir()] == ["old"]


def exchange(folder: Path) -> None:
    with replace_folder(folder) as temporary:
        (temporary / "new").write_text("new")


@pytest.mark.parametrize("read", [read_table, read_tensors, read_tensor_metadata, read_json])
def test_a_file_that_may_not_be_read_is_one_clear_error(tmp_path, monkeypatch, read):
    (tmp_path / "a").write_text("{}")
    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DataError, match=r"^cannot read .*a: Permission denied; change its rights$"):
        read(tmp_path / "a")


HOLD = """
import sys
from pathlib import Path
from joblens.storage import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def take(path: Path) -> None:
    with lock(path):
        pass


def test_a_lock_held_by_another_process_is_refused_at_once_and_free_afterwards(tmp_path):
    path = tmp_path / "x.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="another joblens process is writing here"):
            take(path)
        holder.communicate("let go\n", timeout=30)
    take(path)
    assert holder.returncode == 0


def test_a_missing_column_names_the_nearest_one(tmp_path):
    write_table(tmp_path / "a.parquet", pl.DataFrame({"title": ["x"], "text": ["y"]}))
    with pytest.raises(DataError, match=r"no column 'titel'; nearest is 'title' \(it has title, text\)"):
        read_table(tmp_path / "a.parquet", columns={"titel"})


def test_only_asked_for_columns_are_read_in_file_order(tmp_path):
    write_table(tmp_path / "a.parquet", pl.DataFrame({"a": [1], "b": [2], "c": [3]}))
    assert read_table(tmp_path / "a.parquet", columns={"c", "a"}).columns == ["a", "c"]


def test_a_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "ads.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"there is no file .*adz\.parquet; nearest is 'ads.parquet'"):
        read_table(tmp_path / "adz.parquet")


@pytest.mark.parametrize(
    ("read", "kind"),
    [(read_table, "parquet"), (read_tensors, "safetensors"), (read_tensor_metadata, "safetensors")],
)
def test_a_file_of_another_kind_is_refused(tmp_path, read, kind):
    (tmp_path / "a").write_bytes(b"not what it says")
    with pytest.raises(DataError, match=f"is not a readable {kind} file"):
        read(tmp_path / "a")


def test_a_text_that_is_not_json_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json is not JSON"):
        read_json(tmp_path / "a.json")


def test_equal_tensors_give_equal_bytes_whatever_their_order(tmp_path):
    one, two = torch.arange(3), torch.ones(2, 2)
    write_tensors(tmp_path / "a", {"one": one, "two": two}, {"x": "1", "y": "2"})
    write_tensors(tmp_path / "b", {"two": two, "one": one}, {"y": "2", "x": "1"})
    assert file_hash(tmp_path / "a") == file_hash(tmp_path / "b")
    assert read_tensor_metadata(tmp_path / "a") == {"x": "1", "y": "2"}
    assert torch.equal(read_tensors(tmp_path / "a")["two"], two)


def test_whoever_may_read_other_new_files_may_read_tensors(tmp_path):
    write_tensors(tmp_path / "a", {"one": torch.ones(1)})
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_hashes_know_where_one_string_ends():
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert (
        content_hash() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )  # SHA-256 of nothing


def test_a_shard_is_found_again_and_a_damaged_one_is_not(tmp_path):
    cache = ShardCache(tmp_path)
    assert cache.get("abc") is None
    cache.put("abc", {"vectors": torch.ones(2)})
    found = cache.get("abc")
    assert found is not None
    assert found["vectors"].tolist() == [1, 1]
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"half")
    assert cache.get("abc") is None

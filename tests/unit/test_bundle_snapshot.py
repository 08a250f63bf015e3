"""The snapshot comes back as it was; a damaged or hostile one ends in one line; a bundle may lack it."""

import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from joblens.config import Classifier, Cleaning, Embedding
from joblens.errors import BundleError
from joblens.models.bundle import SNAPSHOT, Bundle, Snapshot, read_bundle, write_bundle
from joblens.models.calibration import Calibration
from joblens.models.network import build_network

DIMENSIONS, LABELS = 8, ("It og teleteknik", "Undervisning", "Vagt")


def snapshot(rows=4):
    vectors = torch.arange(rows * DIMENSIONS).reshape(rows, DIMENSIONS).half() / 64
    return Snapshot(vectors, label_counts=torch.tensor([7, 0, 3]), abstained=2)


def bundle(found):
    torch.manual_seed(0)
    return Bundle(
        network=build_network(DIMENSIONS, len(LABELS), (), 0.0).eval(),
        labels=LABELS,
        cleaning=Cleaning(extractor="toy"),
        embedding=Embedding(
            encoder="toy", model="hashed-words", dimensions=DIMENSIONS, max_tokens=32, seed=1
        ),
        classifier=Classifier(
            dropout=0.0,
            learning_rate=0.01,
            weight_decay=0.0,
            batch_size=4,
            max_epochs=1,
            patience=1,
            loss="cross_entropy",
            class_weights="none",
            seed=1,
        ),
        encoder_fingerprint="abc123",
        extractor_fingerprint="def456",
        calibration=Calibration(1.0, 0.2, 0.4, 0.9, 0.95, 0.96, 0.5),
        uses_title=True,
        html=False,
        card={},
        snapshot=found,
    )


@pytest.fixture
def folder(tmp_path):
    write_bundle(tmp_path / "bundle", bundle(snapshot()))
    return tmp_path / "bundle"


def tensors(**changes):
    whole = {
        "vectors": snapshot().vectors,
        "label_counts": torch.tensor([7, 0, 3]),
        "abstained": torch.tensor([2]),
    }
    return {name: tensor for name, tensor in (whole | changes).items() if tensor is not None}


def refused(folder, *words):
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1500
    for word in (SNAPSHOT, *words):
        assert word in message


def test_a_snapshot_comes_back_as_it_was(folder):
    found = read_bundle(folder).snapshot
    assert torch.equal(found.vectors, snapshot().vectors)
    assert found.label_counts.tolist() == [7, 0, 3]
    assert found.abstained == 2


def test_a_bundle_from_before_snapshots_has_none(folder):
    (folder / SNAPSHOT).unlink()
    assert read_bundle(folder).snapshot is None


def test_equal_snapshots_have_equal_bytes(folder, tmp_path):
    write_bundle(tmp_path / "again", bundle(snapshot()))
    assert (tmp_path / "again" / SNAPSHOT).read_bytes() == (folder / SNAPSHOT).read_bytes()


def test_the_card_says_how_many_vectors_it_holds_and_how_to_leave_them_out(folder, tmp_path):
    assert "vectors of 4 of the cleaned" in (folder / "README.md").read_text("utf-8")
    assert "classifier.snapshot=0" in (folder / "README.md").read_text("utf-8")
    write_bundle(tmp_path / "without", bundle(None))
    assert "snapshot" not in (tmp_path / "without/README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vectors": None}, ["'vectors'", "None"]),
        ({"more": torch.zeros(1)}, ["'more'"]),
        ({"vectors": torch.zeros(4, 9).half()}, ["F16 (4, 9)", "F16 (1 to 512, 8)"]),
        ({"vectors": torch.zeros(4, 8)}, ["F32 (4, 8)"]),
        ({"vectors": torch.zeros(0, 8).half()}, ["F16 (0, 8)"]),
        ({"vectors": torch.zeros(513, 8).half()}, ["F16 (513, 8)"]),
        ({"vectors": torch.full((4, 8), float("nan")).half()}, ["not finite"]),
        ({"vectors": torch.full((4, 8), float("inf")).half()}, ["not finite"]),
        ({"label_counts": torch.tensor([1, 2])}, ["I64 (2,)", "I64 (3,)"]),
        ({"label_counts": torch.tensor([1, -1, 2])}, ["counts -1 to 2"]),
        ({"label_counts": torch.tensor([0, 0, 0])}, ["counts 0 to 0"]),
        ({"label_counts": torch.tensor([2**62, 2**62, 2**62])}, ["expected at least one guess"]),
        ({"abstained": torch.tensor([11])}, ["11 abstained"]),
        ({"abstained": torch.tensor([-1])}, ["-1 abstained"]),
        ({"abstained": torch.tensor(2)}, ["I64 ()"]),
    ],
)
def test_other_tensors_are_refused(folder, changes, words):
    save_file(tensors(**changes), folder / SNAPSHOT)
    refused(folder, *words)


def test_a_large_file_is_refused_before_it_is_read(folder):
    save_file(tensors(vectors=torch.zeros(100_000, 8).half()), folder / SNAPSHOT)
    refused(folder, "1,600,", "expected at most")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80\x04pickle", struct.pack("<Q", 2**40) + b"{}", struct.pack("<Q", 2) + b"{}"],
    ids=["empty", "pickle", "endless header", "no tensors"],
)
def test_what_is_no_snapshot_is_refused(folder, data):
    (folder / SNAPSHOT).write_bytes(data)
    refused(folder)


def test_a_link_that_leaves_the_bundle_is_refused(folder, tmp_path):
    (folder / SNAPSHOT).replace(tmp_path / "elsewhere")
    (folder / SNAPSHOT).symlink_to(tmp_path / "elsewhere")
    refused(folder, "leaves the bundle")


def test_a_link_to_nothing_is_refused_not_taken_for_no_snapshot(folder):
    (folder / SNAPSHOT).unlink()
    (folder / SNAPSHOT).symlink_to(folder / "nothing")
    refused(folder)


def test_a_snapshot_of_other_labels_is_not_written(tmp_path):
    wrong = replace(snapshot(), label_counts=torch.tensor([1, 2]))
    with pytest.raises(BundleError, match=r"label_counts.*I64 \(3,\)"):
        write_bundle(tmp_path / "bundle", bundle(wrong))
    assert not (tmp_path / "bundle").exists()

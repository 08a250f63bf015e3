"""Cosine to anchors, by hand: vectors along the axes and the 3-4-5 triangle."""

import json

import pytest
import torch

from joblens.errors import DataError
from joblens.models.cosine import CosineBaseline, centroids, cosine_scores, read_baseline, write_baseline

BASELINE = CosineBaseline(
    label_vectors=torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    centroids=torch.tensor([[0.6, 0.8], [0.8, 0.6]]),
    labels=("Pædagogik", "Salg"),
    label_text="name",
    fingerprint="abc",
)


def test_cosine_asks_for_direction_not_length():
    vectors = torch.tensor([[3.0, 4.0], [0.0, -2.0]])
    anchors = torch.tensor([[10.0, 0.0], [0.0, 0.5]])
    torch.testing.assert_close(cosine_scores(vectors, anchors), torch.tensor([[0.6, 0.8], [0.0, -1.0]]))


def test_a_vector_without_length_is_similar_to_nothing():
    assert cosine_scores(torch.zeros(1, 2), torch.eye(2)).tolist() == [[0.0, 0.0]]


def test_a_centroid_is_the_mean_direction_of_its_own_rows():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    labels = torch.tensor([1, 0, 1])
    # class 0: (0, 1). class 1: mean of (1, 0) and (0, 5) = (0.5, 2.5), length sqrt(6.5)
    expected = torch.tensor([[0.0, 1.0], [0.5 / 6.5**0.5, 2.5 / 6.5**0.5]])
    torch.testing.assert_close(centroids(vectors, labels, 2), expected)


def test_a_class_without_rows_has_no_centroid():
    with pytest.raises(DataError, match=r"classes \[0, 2\] have no training advert"):
        centroids(torch.eye(2), torch.tensor([1, 1]), 3)


def test_a_baseline_is_read_back_as_it_was_written(tmp_path):
    write_baseline(tmp_path / "baseline", BASELINE)
    found = read_baseline(tmp_path / "baseline")
    assert (found.labels, found.label_text, found.fingerprint) == (("Pædagogik", "Salg"), "name", "abc")
    assert torch.equal(found.label_vectors, BASELINE.label_vectors)
    assert torch.equal(found.centroids, BASELINE.centroids)
    assert sorted(entry.name for entry in (tmp_path / "baseline").iterdir()) == [
        "README.md",
        "config.json",
        "labels.json",
        "model.safetensors",
    ]


def test_labels_that_do_not_fit_the_vectors_are_refused(tmp_path):
    write_baseline(tmp_path, BASELINE)
    (tmp_path / "labels.json").write_text(json.dumps(["Salg"]))
    with pytest.raises(DataError, match=r"has 1 labels, label vectors \(2, 2\).*dvc repro baseline"):
        read_baseline(tmp_path)


def test_a_baseline_without_its_fingerprint_is_refused(tmp_path):
    write_baseline(tmp_path, BASELINE)
    (tmp_path / "config.json").write_text(json.dumps({"label_text": "name"}))
    with pytest.raises(DataError, match="lacks 'encoder_fingerprint'"):
        read_baseline(tmp_path)


def test_a_missing_baseline_names_the_file(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*model\.safetensors"):
        read_baseline(tmp_path)

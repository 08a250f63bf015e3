"""Anchors come from label texts and from training adverts alone."""

import polars as pl
import pytest
import torch

from joblens.config import compose
from joblens.encoders.toy import ToyEncoder
from joblens.errors import DataError
from joblens.models.cosine import read_baseline
from joblens.paths import Layout
from joblens.pipeline.baseline import label_texts, run
from joblens.storage import read_tensors, write_json, write_table, write_tensors

LABELS = [
    {"label": "Salg", "name": "Salg (Sales)", "description": "Sells.", "text": "Salg (Sales): Sells."},
    {"label": "It", "name": "It", "description": "", "text": "It"},
]


@pytest.fixture
def config(repository):
    return compose(["experiment=toy", "embedding.dimensions=4"], repository / "configs")


@pytest.fixture
def encoder(config):
    return ToyEncoder(dimensions=4, seed=config.embedding.seed)


@pytest.fixture
def layout(tmp_path, encoder):
    layout = Layout(tmp_path)
    vectors = torch.tensor([[1.0, 0, 0, 0], [0, 3, 0, 0], [0, 4, 0, 0], [0, 0, 1, 0], [0, 0, 0, 9]])
    labels = torch.tensor([0, 0, 1, 1, 1])
    ids = [f"ad-{row}" for row in range(5)]
    write_tensors(
        layout.embeddings, {"vectors": vectors, "labels": labels}, {"fingerprint": encoder.fingerprint}
    )
    write_table(layout.ids, pl.DataFrame({"id": ids}))
    splits = ["train", "train", "train", "validation", "test"]
    # The split lists the adverts in another order than the vectors.
    write_table(layout.splits, pl.DataFrame({"id": ids[::-1], "split": splits[::-1]}))
    write_json(layout.labels, LABELS)
    return layout


def test_centroids_are_made_of_training_rows_only(layout, config, encoder):
    run(config, layout)
    baseline = read_baseline(layout.baseline)
    # Salg: mean of (1, 0) and (0, 3) = (0.5, 1.5), length sqrt(2.5). It: only (0, 4) is for training.
    expected = torch.tensor([[0.5 / 2.5**0.5, 1.5 / 2.5**0.5, 0, 0], [0, 1, 0, 0]])
    torch.testing.assert_close(baseline.centroids, expected)
    assert baseline.labels == ("Salg", "It")
    assert baseline.fingerprint == encoder.fingerprint


def test_label_vectors_are_those_of_the_label_texts(layout, config, encoder):
    run(config, layout)
    baseline = read_baseline(layout.baseline)
    assert config.baseline.label_text == baseline.label_text == "name_and_description"
    torch.testing.assert_close(baseline.label_vectors, encoder.encode(["Salg (Sales): Sells.", "It"]))


def test_a_label_is_its_name_or_its_name_and_description():
    assert label_texts(LABELS, "name") == ["Salg (Sales)", "It"]
    assert label_texts(LABELS, "name_and_description") == ["Salg (Sales): Sells.", "It"]
    assert label_texts([{"label": "2"}], "name") == ["2"]


def test_the_same_input_gives_the_same_bytes(layout, config):
    run(config, layout)
    before = {entry.name: entry.read_bytes() for entry in layout.baseline.iterdir()}
    run(config, layout)
    assert {entry.name: entry.read_bytes() for entry in layout.baseline.iterdir()} == before


def test_vectors_of_another_encoder_are_refused(layout, config):
    write_tensors(layout.embeddings, read_tensors(layout.embeddings), {"fingerprint": "another"})
    with pytest.raises(
        DataError, match=r"made by another encoder than params\.yaml names; run `dvc repro embed`"
    ):
        run(config, layout)


def test_a_split_of_other_adverts_is_refused(layout, config):
    write_table(layout.splits, pl.DataFrame({"id": ["ad-0"], "split": ["train"]}))
    with pytest.raises(DataError, match=r"has 5 vectors, splits\.parquet 1 adverts, expected the same ones"):
        run(config, layout)


def test_a_class_without_training_adverts_is_refused(layout, config):
    splits = ["train", "train", "test", "validation", "test"]
    write_table(layout.splits, pl.DataFrame({"id": [f"ad-{row}" for row in range(5)], "split": splits}))
    with pytest.raises(DataError, match=r"classes \[1\] have no training advert"):
        run(config, layout)

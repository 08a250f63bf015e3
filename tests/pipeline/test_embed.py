"""Vectors are in the order of the adverts, made once per text, and a killed run goes on where it stopped."""

import polars as pl
import pytest
import torch

from joblens.config import compose
from joblens.encoders.toy import ToyEncoder
from joblens.errors import DataError
from joblens.paths import Layout
from joblens.pipeline import embed
from joblens.storage import read_table, read_tensor_metadata, read_tensors, write_json, write_table

ROWS = 10


@pytest.fixture
def config(repository):
    return compose(["experiment=toy"], repository / "configs")


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(embed, "SHARD_SIZE", 3)


def make(layout: Layout) -> Layout:
    ids = [f"ad-{row}" for row in range(ROWS)]
    texts = [f"snedker nummer {row % 8}" for row in range(ROWS)]  # rows 8 and 9 repeat rows 0 and 1
    write_table(layout.clean_ads, pl.DataFrame({"id": ids, "title": ["Job"] * ROWS, "clean_text": texts}))
    write_table(layout.ads, pl.DataFrame({"id": ids, "label": ["a", "b"] * 5}))
    write_json(layout.labels, [{"label": "b", "text": "b"}, {"label": "a", "text": "a"}])
    return layout


@pytest.fixture
def layout(tmp_path):
    return make(Layout(tmp_path / "project"))


class Counting(ToyEncoder):
    """Counts the texts it is given, and is killed at call number `killed_at`."""

    def __init__(self, dimensions: int, seed: int, killed_at: int | None = None) -> None:
        super().__init__(dimensions=dimensions, seed=seed)
        self.calls: list[list[str]] = []
        self.killed_at = killed_at

    def encode(self, texts):
        if len(self.calls) == self.killed_at:
            raise KeyboardInterrupt
        self.calls.append(list(texts))
        return super().encode(texts)


def use(monkeypatch, config, killed_at=None) -> Counting:
    encoder = Counting(config.embedding.dimensions, config.embedding.seed, killed_at)
    monkeypatch.setattr(embed, "build_encoder", lambda embedding, compute: encoder)
    return encoder


def test_vectors_labels_and_ids_are_in_the_order_of_the_adverts(layout, config):
    embed.run(config, layout)
    tensors = read_tensors(layout.embeddings)
    encoder = ToyEncoder(dimensions=config.embedding.dimensions, seed=config.embedding.seed)
    expected = encoder.encode([f"Job\nsnedker nummer {row % 8}" for row in range(ROWS)])
    torch.testing.assert_close(tensors["vectors"], expected)
    assert tensors["vectors"].dtype == torch.float32
    assert tensors["labels"].tolist() == [1, 0] * 5  # labels.json lists b first
    assert read_table(layout.ids)["id"].to_list() == [f"ad-{row}" for row in range(ROWS)]
    assert read_tensor_metadata(layout.embeddings) == {"fingerprint": encoder.fingerprint}


def test_each_distinct_text_is_encoded_once(layout, config, monkeypatch):
    encoder = use(monkeypatch, config)
    embed.run(config, layout)
    assert [len(call) for call in encoder.calls] == [3, 3, 2]
    vectors = read_tensors(layout.embeddings)["vectors"]
    assert torch.equal(vectors[:2], vectors[8:])


def test_a_killed_run_goes_on_where_it_stopped_with_the_same_bytes(layout, config, monkeypatch, tmp_path):
    use(monkeypatch, config, killed_at=2)
    with pytest.raises(KeyboardInterrupt):
        embed.run(config, layout)
    assert not layout.embeddings.exists()
    assert not layout.ids.exists()
    second = use(monkeypatch, config)
    embed.run(config, layout)
    assert [len(call) for call in second.calls] == [2]  # two of three shards were there

    untouched = make(Layout(tmp_path / "untouched"))
    use(monkeypatch, config)
    embed.run(config, untouched)
    assert layout.embeddings.read_bytes() == untouched.embeddings.read_bytes()
    assert layout.ids.read_bytes() == untouched.ids.read_bytes()


def test_another_encoder_never_reads_the_shards_of_the_first(layout, config, monkeypatch):
    embed.run(config, layout)
    other = Counting(config.embedding.dimensions, seed=12345)
    monkeypatch.setattr(embed, "build_encoder", lambda embedding, compute: other)
    embed.run(config, layout)
    assert [len(call) for call in other.calls] == [3, 3, 2]


def test_a_label_that_labels_json_does_not_know_is_refused(layout, config):
    write_json(layout.labels, [{"label": "a", "text": "a"}])
    with pytest.raises(DataError, match=r"label 'b' of the adverts is not among the 1 of labels\.json"):
        embed.run(config, layout)


def test_tables_in_another_order_are_refused(layout, config):
    write_table(layout.ads, read_table(layout.ads).reverse())
    with pytest.raises(DataError, match=r"expected the same ones in the same order; run `dvc repro`"):
        embed.run(config, layout)


def test_no_adverts_are_refused(layout, config):
    write_table(layout.clean_ads, read_table(layout.clean_ads).clear())
    with pytest.raises(DataError, match=r"clean_ads\.parquet has no adverts"):
        embed.run(config, layout)

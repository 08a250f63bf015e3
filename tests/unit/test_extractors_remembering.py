"""What was read once is not read again, comes back as it was, and damage is noticed."""

import logging
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joblens.extractors import remembering
from joblens.extractors.remembering import RememberingExtractor, SpanStore
from joblens.records import Entity


class Letters:
    """Every letter is an entity labelled by itself; what was asked is noted."""

    name = "toy"

    def __init__(self, fingerprint="a"):
        self.fingerprint = fingerprint
        self.asked = []

    def extract(self, texts):
        self.asked.append(list(texts))
        return [
            [Entity(row, row + 1, char, char, 0.1 + 0.2) for row, char in enumerate(text) if char.isalpha()]
            for text in texts
        ]


TEXTS = st.lists(st.text(alphabet=st.characters(), max_size=6), max_size=30)


@given(first=TEXTS, second=TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_what_comes_back_is_what_was_read_and_nothing_is_read_twice(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("cache")
    inner = Letters()
    RememberingExtractor(inner, folder).extract(first)
    found = RememberingExtractor(inner, folder).extract(second)
    assert found == Letters().extract(second)
    asked = [text for batch in inner.asked for text in batch]
    assert sorted(asked) == sorted({*first, *second})


def test_one_extractor_remembers_what_it_has_just_read(tmp_path):
    inner = Letters()
    remembering_one = RememberingExtractor(inner, tmp_path)
    assert remembering_one.extract(["ab", "c"]) == remembering_one.extract(["ab", "c"])
    assert inner.asked == [["ab", "c"]]


def test_another_fingerprint_remembers_nothing_of_the_first(tmp_path):
    RememberingExtractor(Letters("a"), tmp_path).extract(["x"])
    other = Letters("b")
    RememberingExtractor(other, tmp_path).extract(["x"])
    assert other.asked == [["x"]]
    assert len(list(tmp_path.iterdir())) == 2


def test_long_texts_come_first_in_shards_of_like_length(tmp_path, monkeypatch):
    monkeypatch.setattr(remembering, "SHARD_SIZE", 2)
    inner = Letters()
    RememberingExtractor(inner, tmp_path).extract(["b", "cccc", "a", "dd", "b"])
    assert inner.asked == [["cccc", "dd"], ["a", "b"]]


def test_the_order_of_the_texts_changes_no_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(remembering, "SHARD_SIZE", 3)
    texts = [f"text {row}" for row in range(10)]
    for folder, given_texts in ((tmp_path / "a", texts), (tmp_path / "b", texts[::-1])):
        RememberingExtractor(Letters(), folder).extract(given_texts)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.safetensors")} for name in "ab"
    )
    assert first == second
    assert len(first) == 4  # 3 + 3 + 3 + 1


def shards_of(folder):
    return sorted(folder.rglob("*.safetensors"))


@pytest.mark.parametrize("place", [0, -1], ids=["header", "last byte"])
def test_a_damaged_shard_is_left_out_and_read_again(tmp_path, monkeypatch, caplog, place):
    monkeypatch.setattr(remembering, "SHARD_SIZE", 5)
    texts = [f"text {row}" for row in range(10)]
    whole = RememberingExtractor(Letters(), tmp_path).extract(texts)
    before = {path.name: path.read_bytes() for path in shards_of(tmp_path)}
    damaged = shards_of(tmp_path)[0]
    content = bytearray(damaged.read_bytes())
    content[place] ^= 1
    damaged.write_bytes(content)
    inner = Letters()
    with caplog.at_level(logging.WARNING):
        assert RememberingExtractor(inner, tmp_path).extract(texts) == whole
    assert [len(batch) for batch in inner.asked] == [5]
    assert f"damaged shard {damaged.name} is left out, its texts are read again" in caplog.text
    assert "text 1" not in caplog.text
    assert {path.name: path.read_bytes() for path in shards_of(tmp_path)} == before


def test_a_torn_shard_is_left_out(tmp_path, caplog):
    RememberingExtractor(Letters(), tmp_path).extract(["abc"])
    [shard] = shards_of(tmp_path)
    shard.write_bytes(shard.read_bytes()[:50])
    inner = Letters()
    RememberingExtractor(inner, tmp_path).extract(["abc"])
    assert inner.asked == [["abc"]]


def test_a_shard_of_something_else_is_left_out(tmp_path):
    from joblens.storage import write_tensors

    RememberingExtractor(Letters(), tmp_path).extract(["abc"])
    [folder] = tmp_path.iterdir()
    write_tensors(folder / "other.safetensors", {}, None)
    assert SpanStore(folder).get(["abc", "new"])[0] == Letters().extract(["abc"])[0]


def test_a_store_that_is_empty_or_gone_knows_nothing(tmp_path):
    assert SpanStore(tmp_path / "nowhere").get(["a"]) == [None]
    assert SpanStore(tmp_path).get([]) == []


def test_a_text_without_entities_is_remembered_too(tmp_path):
    inner = Letters()
    for _ in range(2):
        assert RememberingExtractor(inner, tmp_path).extract(["123", ""]) == [[], []]
    assert inner.asked == [["123", ""]]


def test_a_lone_surrogate_is_a_text_like_any_other(tmp_path):
    inner = Letters()
    for _ in range(2):
        RememberingExtractor(inner, tmp_path).extract(["a\ud800"])
    assert len(inner.asked) == 1


def test_a_shard_may_be_copied_to_another_machine(tmp_path):
    RememberingExtractor(Letters(), tmp_path / "a").extract(["abc"])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    inner = Letters()
    RememberingExtractor(inner, tmp_path / "b").extract(["abc"])
    assert inner.asked == []

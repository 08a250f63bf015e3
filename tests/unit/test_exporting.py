"""A cleaner exported for another runtime: it finds what torch finds, reads all there is, or says why not."""

import importlib
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from joblens.config import Cleaning, Compute
from joblens.errors import DataError, DeviceError, ModelError
from joblens.extractors import build_extractor
from joblens.extractors.gliner_bundle import Shape, fingerprint, new_model, save_bundle, text_encoder
from joblens.extractors.gliner_exported import BACKENDS, has_bfloat16, open_network
from joblens.finetune import exporting
from joblens.finetune.exporting import Agreement, agreement_table, compare, export, sentences_of
from joblens.records import Entity
from joblens.storage import file_hash
from joblens.text import words as word_spans

pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning",
    "ignore:Resizing embeddings:UserWarning",
)

LABELS = ("skill", "task", "person")
COMPUTE = Compute(device="cpu", workers=1, encode_batch_size=4)
SENTENCES = [
    "Kok søges til stort køkken i Nørregade.",
    "Du kan SQL, Excel og Java",
    "Ja",
    "- lave mad til 120 gæster; servere, rydde af",
    "en to tre fire fem seks syv otte ni ti elleve tolv 13 fjorten femten seksten sytten atten nitten tyve",
]
RUNTIMES = list(BACKENDS)
ROUNDED = {"onnx_int8", "openvino_bf16"}
"""Backends whose arithmetic is coarser than that of torch."""


@pytest.fixture(scope="module")
def cleaner(tmp_path_factory, tiny_base):
    """A cleaner with random weights over a tiny base, whose scores lie on both sides of its threshold."""
    folder = tmp_path_factory.mktemp("cleaner")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tiny_base))
        importlib.invalidate_caches()
        weights = tiny_base / "tiny_base" / "model" / "model.safetensors"
        shape = Shape("tiny_base", file_hash(weights), hidden_size=8, max_words=12, mark_capitals=False)
        model = new_model(shape)
        torch.manual_seed(6)
        for part in (model.model.scorer, text_encoder(model).encoder):
            for parameter in part.parameters():
                torch.nn.init.normal_(parameter, std=0.5)
        save_bundle(folder, model, shape=shape, thresholds=dict.fromkeys(LABELS, 0.5))
    return folder


@pytest.fixture(autouse=True)
def _base_is_installed(monkeypatch, tiny_base):
    monkeypatch.syspath_prepend(str(tiny_base))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("tiny_base", None)


def cleaning(folder, **changes):
    values = {"extractor": "gliner", "model": str(folder), "keep": LABELS[:2], "drop": LABELS[2:]}
    return Cleaning.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def exported(cleaner, tiny_base, tmp_path_factory):
    """The cleaner with what was exported for ONNX Runtime, in float32."""
    folder = tmp_path_factory.mktemp("exported") / "cleaner"
    shutil.copytree(cleaner, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tiny_base))
        export(cleaning(folder, backend="onnx"), SENTENCES)
    return folder


@pytest.fixture
def copy(exported, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(exported, tmp_path / "cleaner")
    return tmp_path / "cleaner"


def spans(extractor, texts):
    return [[(e.start, e.end, e.label) for e in found] for found in extractor.extract(texts)]


@pytest.mark.parametrize("backend", RUNTIMES)
def test_an_exported_cleaner_finds_what_torch_finds(cleaner, tmp_path, monkeypatch, backend):
    pytest.importorskip(BACKENDS[backend].package)
    if backend == "openvino_bf16" and not has_bfloat16():
        pytest.skip("this processor does not multiply in bfloat16")
    for coarse in ROUNDED:  # random weights know no margin between entities and the rest
        monkeypatch.setitem(exporting.SMALLEST, coarse, 0.7)
    folder = tmp_path / "cleaner"
    shutil.copytree(cleaner, folder)
    found = export(cleaning(folder, backend=backend), SENTENCES)
    assert found.torch.total() > 5
    assert sorted(path.name for path in (folder / backend).iterdir()) == sorted(
        ["agreement.json", *BACKENDS[backend].files]
    )
    in_torch = spans(build_extractor(cleaning(folder), COMPUTE), SENTENCES)
    other = spans(build_extractor(cleaning(folder, backend=backend), COMPUTE), SENTENCES)
    if backend in ROUNDED:
        assert found.f1() >= 0.7
        assert found.other.total() == sum(map(len, other))
    else:
        assert found.f1() == 1
        assert other == in_torch


def test_the_report_names_the_cleaner_and_counts_what_was_compared(exported):
    report = json.loads((exported / "onnx" / "agreement.json").read_text())
    assert report["fingerprint"] == fingerprint(exported)
    assert report["labels"] == list(LABELS)
    assert report["backend"] == "onnx"
    assert report["sentences"] == len(SENTENCES)
    assert report["agreement"] == 1.0
    assert report["smallest_accepted"] == 0.999
    assert report["entities"]["torch"] == report["entities"]["onnx"] == report["entities"]["both"] > 0


def test_a_text_longer_than_the_window_is_read_to_its_last_word(exported, monkeypatch):
    text = " ".join([SENTENCES[4]] * 40)  # 800 words; the window takes 12
    built = build_extractor(cleaning(exported, backend="onnx"), COMPUTE)
    read, decoded = [], built._decoded
    monkeypatch.setattr(built, "_decoded", lambda batch, scores: read.extend(batch) or decoded(batch, scores))
    found = spans(built, [text])
    assert {span for window in read for span in window.words} == set(word_spans(text))
    assert max(len(window.words) for window in read) == 12
    assert found == spans(build_extractor(cleaning(exported), COMPUTE), [text])


def test_a_word_without_subwords_at_the_end_of_a_sentence_is_scored_as_in_torch(exported):
    texts = ["kok i \u4e16", "mad \u200d", "\u4e16\u754c"]  # signs that no tokenizer of letters knows
    in_torch, other = (cleaning(exported, backend=backend, threshold=0.3) for backend in ("torch", "onnx"))
    assert spans(build_extractor(other, COMPUTE), texts) == spans(build_extractor(in_torch, COMPUTE), texts)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_batches_read_at_a_time_keep_their_order_and_their_scores(cleaner, tmp_path, backend):
    pytest.importorskip(BACKENDS[backend].package)
    export(cleaning(cleaner, backend=backend), SENTENCES, tmp_path / "out")
    network = open_network(tmp_path / "out", backend)
    ids = torch.randint(5, 60, (9, 40), generator=torch.Generator().manual_seed(1))
    batches = [tensors_of(ids[:, : 40 - 3 * number]) for number in range(12)]  # the first take the longest
    alone = [next(network([tensors])).values for tensors in batches]
    assert len({scores.shape for scores in alone}) == len(batches)
    begun = network(iter(batches))
    first = next(begun)  # while it is left there, others are read
    together = [scores.values for scores in network(batches)]
    went_on = [scores.values for scores in (first, *begun)]
    for read in (together, went_on):
        assert all(np.array_equal(one, scores) for one, scores in zip(alone, read, strict=True))


def test_openvino_takes_the_next_batches_before_it_gives_a_score(cleaner, tmp_path):
    pytest.importorskip("openvino")
    export(cleaning(cleaner, backend="openvino"), SENTENCES, tmp_path / "out")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        network = open_network(tmp_path / "out", "openvino")
    finally:
        torch.set_num_threads(before)
    taken = []
    scores = network(taken.append(number) or tensors_of(torch.tensor([[5, 6]])) for number in range(9))
    next(scores)
    assert taken == [0, 1, 2, 3]  # two are being read, one waits, and one is at hand
    assert len(list(scores)) == 8


def test_in_eight_bits_no_sentence_depends_on_those_beside_it(cleaner, tmp_path, monkeypatch):
    monkeypatch.setitem(exporting.SMALLEST, "onnx_int8", 0.0)
    folder = tmp_path / "cleaner"
    shutil.copytree(cleaner, folder)
    export(cleaning(folder, backend="onnx_int8"), SENTENCES)
    built = build_extractor(cleaning(folder, backend="onnx_int8", threshold=0.2), COMPUTE)
    together = built.extract(SENTENCES)
    assert together == [built.extract([text])[0] for text in SENTENCES]  # scores and all


def test_in_eight_bits_the_first_layer_and_the_word_vectors_stay_in_float(cleaner, tmp_path, monkeypatch):
    import onnx

    monkeypatch.setitem(exporting.SMALLEST, "onnx_int8", 0.0)
    export(cleaning(cleaner, backend="onnx_int8"), SENTENCES, tmp_path / "out")
    graph = onnx.load(str(tmp_path / "out" / "model.onnx")).graph
    names = {node.op_type: [] for node in graph.node}
    for node in graph.node:
        names[node.op_type].append(node.name)
    assert [name for name in names["MatMulInteger"] if "layer.0" in name] == []
    assert len(names["MatMulInteger"]) == 3  # the projection and the two maps of the scorer
    assert len([name for name in names["MatMul"] if "/encoder/layer.0/" in name]) >= 6
    whole = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    assert [name for name in whole if "word_embeddings" in name]
    assert not (cleaner / "onnx_int8").exists()


def tensors_of(ids):
    """A batch of texts in which every subword but the first is a word."""
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "words_mask": torch.arange(ids.shape[1]).repeat(len(ids), 1),
        "text_lengths": torch.full((len(ids), 1), ids.shape[1] - 1),
    }


SCORES = """
import sys
from pathlib import Path
import numpy as np, torch
from joblens.errors import DeviceError
from joblens.extractors.gliner_exported import has_bfloat16, open_network

torch.set_num_threads(1)
ids = torch.randint(5, 60, (8, 10), generator=torch.Generator().manual_seed(1))
words = torch.arange(10).repeat(8, 1)
tensors = {
    "input_ids": ids, "attention_mask": torch.ones_like(ids), "words_mask": words,
    "text_lengths": torch.full((8, 1), 9),
}
folder = Path(sys.argv[1])
whole = next(open_network(folder, "openvino")([tensors])).values
assert whole.shape == (8, 9, 3, 3) and np.abs(whole).max() > 0.01
print(has_bfloat16())
try:
    rounded = next(open_network(folder, "openvino_bf16")([tensors])).values
    print("same" if (whole == rounded).all() else "other")
except DeviceError as error:
    print(error)
"""


@pytest.mark.parametrize("instructions", ["AVX512_CORE", "DEFAULT"])
def test_bfloat16_is_used_only_where_the_processor_multiplies_in_it(cleaner, tmp_path, instructions):
    """OpenVINO asked for it elsewhere would imitate it, or do without and find other entities."""
    pytest.importorskip("openvino")
    export(cleaning(cleaner, backend="openvino"), SENTENCES, tmp_path / "out")
    ran = subprocess.run(
        [sys.executable, "-c", SCORES, str(tmp_path / "out")],
        env={**os.environ, "OV_CPU_MAX_ISA": instructions},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    has_it, outcome = ran.stdout.splitlines()
    if instructions != "DEFAULT":
        assert has_it == "False"
    assert outcome == (
        "other"
        if has_it == "True"
        else "cleaning.backend is 'openvino_bf16', and this processor does not multiply in bfloat16 (AVX-512 "
        "BF16 or AMX); set cleaning.backend=openvino"
    )


def test_too_little_agreement_is_refused_and_what_was_there_stays(copy, monkeypatch):
    before = {path.name: path.read_bytes() for path in (copy / "onnx").iterdir()}
    monkeypatch.setitem(exporting.SMALLEST, "onnx", 1.1)
    with pytest.raises(ModelError, match=r"agrees with torch on 1\.0000 of the entities \(F1\), expected"):
        export(cleaning(copy, backend="onnx"), SENTENCES)
    assert {path.name: path.read_bytes() for path in (copy / "onnx").iterdir()} == before
    shutil.rmtree(copy / "onnx")
    with pytest.raises(ModelError, match="nothing was written"):
        export(cleaning(copy, backend="onnx"), SENTENCES)
    names = ["config.json", "glossary.json", "model.safetensors"]
    assert sorted(path.name for path in copy.iterdir()) == names


def test_a_cleaner_that_finds_nothing_cannot_be_compared(copy):
    with pytest.raises(ModelError, match="finds no entity in 2 sentences, so nothing can be compared; train"):
        export(cleaning(copy, backend="onnx", threshold=1.0), SENTENCES[:2])


def refused(folder, **changes):
    with pytest.raises(ModelError) as caught:
        build_extractor(cleaning(folder, backend="onnx", **changes), COMPUTE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_cleaner_that_was_not_exported_names_the_command(cleaner):
    assert refused(cleaner) == (
        f"there is no {cleaner}/onnx/agreement.json; run `joblens export-cleaner --backend onnx --model "
        f"{cleaner}`, or set cleaning.backend=torch"
    )


def test_other_weights_or_thresholds_than_it_was_exported_from_are_refused(copy):
    settings = json.loads((copy / "config.json").read_text())
    settings["thresholds"]["skill"] = 0.6
    (copy / "config.json").write_text(json.dumps(settings))
    message = refused(copy)
    assert "was exported from other weights or thresholds" in message
    assert "run `joblens export-cleaner --backend onnx --model" in message


def test_other_labels_than_it_was_exported_for_are_refused(exported):
    message = refused(exported, keep=("task", "skill"))
    assert "for the labels skill, task, person, and task, skill, person are asked for; run" in message
    assert "skill are asked for" in refused(exported, keep=("skill",), drop=())


def test_a_network_that_was_compared_for_another_backend_is_refused(copy):
    report = json.loads((copy / "onnx" / "agreement.json").read_text())
    (copy / "onnx" / "agreement.json").write_text(json.dumps({**report, "backend": "onnx_int8"}))
    assert "was compared with torch as onnx_int8, not as onnx; run `joblens export-cl" in refused(copy)


@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_a_damaged_or_missing_network_is_refused(copy, damage):
    network = copy / "onnx" / "model.onnx"
    network.unlink() if damage is None else network.write_bytes(damage)
    assert "is damaged or incomplete; run `joblens export-cleaner" in refused(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_a_damaged_report_is_refused(copy, text):
    (copy / "onnx" / "agreement.json").write_text(text)
    assert "cannot be read; run `joblens export-cleaner" in refused(copy)


@pytest.mark.parametrize("backend", RUNTIMES)
def test_a_missing_package_is_named_with_what_installs_it(exported, monkeypatch, backend):
    package = BACKENDS[backend].package
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest)
    )
    expected = (
        f"cleaning.backend={backend} needs the package {package}, which is not installed; "
        f'run `pip install "joblens[{BACKENDS[backend].extra}]"`, or set cleaning.backend=torch'
    )
    for use in (
        lambda: build_extractor(cleaning(exported, backend=backend), COMPUTE),
        lambda: export(cleaning(exported, backend=backend), SENTENCES),
    ):
        with pytest.raises(ModelError) as caught:
            use()
        assert str(caught.value) == expected


def test_a_gpu_that_was_asked_for_is_not_forgotten(exported, monkeypatch):
    monkeypatch.setattr("joblens.device.choose_device", lambda wanted: torch.device("cuda"))
    asked = Compute(device="gpu", workers=1, encode_batch_size=4)
    with pytest.raises(DeviceError, match="'onnx', which runs on the CPU, and compute=gpu was asked for"):
        build_extractor(cleaning(exported, backend="onnx"), asked)


def test_a_model_that_is_no_cleaner_of_joblens_is_refused(exported, tmp_path):
    for name in ("gliner_config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match=r"is no cleaner of joblens, and cleaning\.backend=onnx"):
        build_extractor(cleaning(tmp_path, backend="onnx"), COMPUTE)
    with pytest.raises(ModelError, match="is no cleaner of joblens; export one that"):
        export(cleaning(tmp_path, backend="onnx"), SENTENCES)


def test_only_a_backend_can_be_exported_to(exported):
    with pytest.raises(ModelError, match="there is no backend 'torch'; export to one of onnx, onnx_int8"):
        export(cleaning(exported), SENTENCES)


def test_the_fingerprint_follows_the_backend_and_its_files(copy):
    in_torch = build_extractor(cleaning(copy), COMPUTE).fingerprint
    in_onnx = build_extractor(cleaning(copy, backend="onnx"), COMPUTE).fingerprint
    assert in_onnx != in_torch
    report = json.loads((copy / "onnx" / "agreement.json").read_text())
    network = copy / "onnx" / "model.onnx"
    network.write_bytes(network.read_bytes() + b"\x7a\x00")  # an empty field that no reader knows
    report["files"] = {"model.onnx": file_hash(network)}
    (copy / "onnx" / "agreement.json").write_text(json.dumps(report))
    assert build_extractor(cleaning(copy, backend="onnx"), COMPUTE).fingerprint not in {in_onnx, in_torch}


class Fixed:
    """An extractor that finds in every text what it was told."""

    name = "fixed"
    fingerprint = "fixed"

    def __init__(self, *labels):
        self._found = [Entity(row, row + 1, label, "x", 1.0) for row, label in enumerate(labels)]

    def extract(self, texts):
        return [list(self._found) for _ in texts]


def test_agreement_counts_spans_with_their_label():
    found = compare("onnx", Fixed("skill", "task", "task"), Fixed("skill", "task"), ["a", "b"])
    assert (found.torch.total(), found.other.total(), found.both.total()) == (6, 4, 4)
    assert found.f1() == 2 * 4 / (6 + 4)
    assert found.f1("skill") == 1
    assert found.f1("task") == 2 * 2 / (4 + 2)
    assert found.f1("person") == 1  # neither finds one


def test_every_sentence_is_compared_once(monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 2)
    assert compare("onnx", Fixed("skill"), Fixed("skill"), list("abcde")).both.total() == 5


def test_the_table_has_a_row_per_label_and_states_the_rates():
    from collections import Counter

    from rich.console import Console

    found = Agreement("onnx", 30, Counter(skill=4), Counter(skill=4, task=2), Counter(skill=4), 3.0, 1.5)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(agreement_table(found))
    table = console.export_text()
    assert "0.8000" in table  # 2 * 4 / (4 + 6)
    assert "torch 10.0 sentences/s, onnx 20.0 sentences/s, 2.00 times as fast" in " ".join(table.split())


def test_sentences_are_distinct_and_taken_evenly(tmp_path):
    file = tmp_path / "ads.jsonl"
    row = {"id": "1", "language": "en", "entities": []}
    texts = ["One a.\nTwo b.\nOne a.", "Three c.\nFour d."]
    file.write_text("\n".join(json.dumps({**row, "text": text}) for text in texts))
    assert sentences_of(file) == ["One a.", "Two b.", "Three c.", "Four d."]
    assert sentences_of(file, most=2) == ["One a.", "Three c."]
    file.write_text("")
    with pytest.raises(DataError, match="has no sentences to compare on; make the sample with"):
        sentences_of(file)

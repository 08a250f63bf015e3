"""The GLiNER2 extractor on a tiny model with random weights: it reads all there is, and calls nobody."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

import pytest
import torch

from joblens.config import Cleaning, Compute
from joblens.errors import ModelError
from joblens.extractors import build_extractor, gliner2
from joblens.text import words as word_spans

pytestmark = [
    pytest.mark.skipif(find_spec("gliner2") is None, reason="the extra gliner2 is not installed"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]

COMPUTE = Compute(device="cpu", workers=1, encode_batch_size=4)
LONGEST = 160
LONG = "en to tre fire fem seks syv otte ni ti elleve tolv 13 fjorten femten seksten sytten atten nitten tyve"

READ_IN_A_PROCESS = """
import sys
from joblens.config import Cleaning, Compute
from joblens.extractors import build_extractor

cleaning = Cleaning(extractor="gliner2", model=sys.argv[1], threshold=0.0)
extractor = build_extractor(cleaning, Compute(device="cpu", workers=1, encode_batch_size=4))
assert extractor.extract(["Kok"])[0]
loaded = [name for name in sys.modules if name.startswith("gliner2")]
assert "gliner2.inference.runtime" in loaded
assert "gliner2.api_client" not in loaded, loaded
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_tokenizer, make_bert):
    """A one-layer BERT of width 16 that spells words letter by letter, under GLiNER2's span head."""
    gliner2.without_its_client()
    from gliner2.configuration import ExtractorConfig
    from gliner2.inference.engine import SpanExtractor

    torch.manual_seed(0)
    tokenizer = make_tokenizer(LONGEST)
    encoder = make_bert(tokenizer, LONGEST)
    model = SpanExtractor(
        ExtractorConfig(model_name="bert", max_width=3), encoder_config=encoder, tokenizer=tokenizer
    )
    with torch.no_grad():
        model.count_pred[-1].bias[1] = 1000.0  # it always expects one set of entities
    place = tmp_path_factory.mktemp("gliner2")
    model.save_pretrained(place)
    return place


def cleaning(folder, **changes):
    values = {"extractor": "gliner2", "model": str(folder), "threshold": 0.0, "keep": ("skill", "task")}
    return Cleaning.model_validate({**values, "drop": ("person",), **changes})


@pytest.fixture(scope="module")
def extractor(folder):
    return build_extractor(cleaning(folder), COMPUTE)


def texts_read(extractor, monkeypatch):
    """A list that fills with the texts that gliner2 is given."""
    read = []
    check = extractor._check
    monkeypatch.setattr(extractor, "_check", lambda texts: read.extend(texts) or check(texts))
    return read


def words_touched(text, entities):
    """The words of `text` that some entity covers. At threshold 0 a model names every word it has seen."""
    return [
        text[start:end]
        for start, end in word_spans(text)
        if any(entity.start <= start and end <= entity.end for entity in entities)
    ]


def test_reading_never_imports_the_client_of_its_makers(folder):
    done = subprocess.run(
        [sys.executable, "-c", READ_IN_A_PROCESS, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_sentence_longer_than_the_encoder_is_read_to_its_last_word(extractor, monkeypatch):
    text = f"{LONG} {LONG} {LONG}"
    read = texts_read(extractor, monkeypatch)
    [entities] = extractor.extract([text])
    assert len(read) > 1
    assert words_touched(text, entities) == text.split()


def test_a_text_of_many_sentences_is_read_to_its_last_word(extractor):
    text = "Du skal lave mad. Vi har det sjovt.\n- Kom i dag! " * 5
    [entities] = extractor.extract([text])
    assert words_touched(text, entities) == [text[start:end] for start, end in word_spans(text)]


def test_a_word_longer_than_the_encoder_is_read_in_pieces(extractor):
    word = "abcdefghij" * 50  # 500 letters, each a subword; the encoder takes 160
    text = f"Se {word} her"
    [entities] = extractor.extract([text])
    read = sorted((entity.start, entity.end) for entity in entities)
    assert read[0][0] == 0
    assert read[-1][1] == len(text)
    assert all(later[0] - earlier[1] <= 1 for earlier, later in pairwise(read))  # no hole but a space


def test_every_entity_points_at_its_text_and_none_overlaps_its_own_label(extractor):
    texts = [LONG, "Kok søges. " + LONG, "", "Kok"]
    for text, entities in zip(texts, extractor.extract(texts), strict=True):
        assert all(text[entity.start : entity.end] == entity.text for entity in entities)
        assert all(0 <= entity.score <= 1 for entity in entities)
        for label in ("skill", "task", "person"):
            same = [entity for entity in entities if entity.label == label]
            assert all(earlier.end <= later.start for earlier, later in pairwise(same))


def test_the_stop_that_gliner2_adds_is_in_no_entity(extractor):
    [entities] = extractor.extract(["kok søges"])
    assert words_touched("kok søges", entities) == ["kok", "søges"]
    assert max(entity.end for entity in entities) == len("kok søges")


def test_a_sentence_shared_by_many_texts_is_read_once(extractor, monkeypatch):
    read = texts_read(extractor, monkeypatch)
    first, second = extractor.extract(["Vi har kantine. Kom nu.", "Ring i dag. Vi har kantine."])
    assert sorted(read) == ["Kom nu.", "Ring i dag.", "Vi har kantine."]
    shared = [(entity.start, entity.label) for entity in first if entity.end <= 15]
    assert shared == [(entity.start - 12, entity.label) for entity in second if entity.start >= 12]


def test_a_threshold_above_all_scores_leaves_nothing(folder):
    assert build_extractor(cleaning(folder, threshold=1.0), COMPUTE).extract([LONG]) == [[]]


def test_a_smaller_window_is_kept_to(folder, monkeypatch):
    small = build_extractor(cleaning(folder, max_tokens=8), COMPUTE)
    read = texts_read(small, monkeypatch)
    small.extract([LONG])
    assert max(len(text.split()) for text in read) == 7  # and the stop


def test_a_window_the_encoder_was_not_made_for_is_an_error(extractor, monkeypatch):
    monkeypatch.setattr(extractor._cutter, "_room", 10_000)
    text = " ".join("abcdefghijklmnopqrst" for _ in range(10))
    message = r"a window has 11 words and \d+ subwords, and the extractor reads at most 160 and 160; set"
    with pytest.raises(ModelError, match=message) as caught:
        extractor.extract([text])
    assert "abcdefghijklmnopqrst" not in str(caught.value)  # nothing of the advert


def test_labels_that_fill_the_encoder_are_an_error(folder):
    labels = tuple(f"a rather long label number {number}" for number in range(8))
    with pytest.raises(
        ModelError, match=r"8 labels leave -\d+ of the extractor's 160 subwords for text; ask"
    ):
        build_extractor(cleaning(folder, keep=labels, drop=()), COMPUTE)


def test_the_fingerprint_follows_the_files_and_settings_but_not_the_place(folder, extractor, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert build_extractor(cleaning(tmp_path), COMPUTE).fingerprint == extractor.fingerprint
    changes = ({"keep": ("skill",)}, {"threshold": 0.6}, {"max_tokens": 8})
    others = {build_extractor(cleaning(folder, **change), COMPUTE).fingerprint for change in changes}
    assert len({extractor.fingerprint, *others}) == 1 + len(changes)


def test_a_missing_package_says_how_to_install_it(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "gliner2", raising=False)
    monkeypatch.setattr(gliner2, "find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=r"needs the package gliner2; run `pip install 'joblens\[gliner2\]'`"
    ):
        build_extractor(cleaning(folder), COMPUTE)


def test_a_hub_id_needs_a_pinned_commit():
    with pytest.raises(
        ModelError, match=r"cleaning.revision is None; expected the 40 hex digits of a commit"
    ):
        build_extractor(cleaning("someone/model"), COMPUTE)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "encoder_config/config.json"])
def test_a_folder_without_a_file_is_named(folder, tmp_path, name):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=rf"has no {name}; cleaning.model should be a folder that gliner2"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_damaged_weights_are_an_error(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cannot be loaded \(.*\); copy it again whole"):
        build_extractor(cleaning(tmp_path), COMPUTE)


def test_a_model_that_brings_code_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = tmp_path / "encoder_config/config.json"
    content = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({**content, "auto_map": {"AutoModel": "evil.Model"}}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"asks to run code that came with the model \(auto_map\)"):
        build_extractor(cleaning(tmp_path), COMPUTE)

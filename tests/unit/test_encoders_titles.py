"""The title encoder on tables small enough to add up by hand, on disk, and inside sentence-transformers."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from joblens.config import Embedding
from joblens.encoders.title_features import feature_ids
from joblens.encoders.titles import (
    SETTINGS,
    WEIGHTS,
    Shape,
    TitleEncoder,
    quantised,
    read_arrays,
    read_shape,
    title_files,
    write_encoder,
)
from joblens.errors import JoblensError, ModelError
from joblens.storage import write_tensors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TITLES = ["Kok", "chef de cuisine", "Sygeplejerske (vikar)", "C++ developer", "", "it", "Ærøskøbing!"]

WORDS = {"kok": (3, 0), "chef": (0, 4), "nurse": (-3, 4)}
"""Times a scale of 0.5: the vectors of three words."""


def words_only() -> TitleEncoder:
    """An encoder in two dimensions that knows `WORDS` as wholes; any other word counts nothing."""
    buckets = 1000
    rows, _ = feature_ids(list(WORDS), buckets=buckets, shortest=20, longest=20)
    codes, scales = np.zeros((buckets, 2), np.int8), np.zeros(buckets, np.float32)
    codes[rows], scales[rows] = list(WORDS.values()), 0.5
    assert len(set(rows.tolist())) == len(WORDS)
    return TitleEncoder(Shape(buckets=buckets, dimensions=2, shortest=20, longest=20), codes, scales)


def random_encoder(seed: int = 0, dimensions: int = 8) -> TitleEncoder:
    """An encoder with words and n-grams, and another vector for each feature."""
    generator = np.random.default_rng(seed)
    codes, scales = quantised(generator.normal(size=(256, dimensions)).astype(np.float32))
    return TitleEncoder(Shape(buckets=256, dimensions=dimensions, shortest=3, longest=5), codes, scales)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the random encoder."""
    write_encoder(tmp_path / "titles", random_encoder())
    return tmp_path / "titles"


def refused(read: Callable[[], object], *words: str) -> None:
    """It ends in one line that names what it should."""
    with pytest.raises(ModelError) as caught:
        read()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def change(folder: Path, **settings: object) -> None:
    path = folder / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


# --- the arithmetic --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("kok", (1, 0)),  # (3, 0) times 0.5, then length 1
        ("nurse", (-0.6, 0.8)),  # (-1.5, 2) has length 2.5
        ("kok chef", (0.6, 0.8)),  # (1.5, 0) + (0, 2) = (1.5, 2)
        ("kok nurse", (0, 1)),  # (1.5, 0) + (-1.5, 2) = (0, 2)
        ("kok, KOK & chef", (0.6, 0.8)),  # a word twice counts once
        ("kok hos os", (1, 0)),  # words that are not in the table add nothing
    ],
)
def test_a_title_is_the_sum_of_its_words_with_length_one(title: str, expected: tuple[float, float]) -> None:
    assert words_only().vectors([title])[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_word_is_the_sum_of_its_features() -> None:
    # One row, (3, 4) times 0.5, for whatever there is: <kok> has 1 + 3 + 2 + 1 features, <it> 1 + 2 + 1.
    codes, scales = np.array([[3, 4]], np.int8), np.array([0.5], np.float32)
    encoder = TitleEncoder(Shape(buckets=1, dimensions=2, shortest=3, longest=5), codes, scales)
    assert encoder.word_vectors(["kok", "it"]).tolist() == [[7 * 1.5, 7 * 2], [4 * 1.5, 4 * 2]]
    assert encoder.vectors(["kok it"])[0].tolist() == pytest.approx([0.6, 0.8])


def test_words_nobody_has_seen_are_nearer_when_they_share_letters() -> None:
    one, two, other = random_encoder(dimensions=64).vectors(["sygeplejerske", "sygeplejersken", "murer"])
    assert one @ two > 0.7 > 0.4 > one @ other


@pytest.mark.parametrize("title", ["", "hos os"])
def test_a_title_the_table_knows_nothing_of_is_zero(title: str) -> None:
    assert words_only().vectors([title]).tolist() == [[0, 0]]


@pytest.mark.parametrize("title", ["it", "k", "", "hr"])
def test_a_title_of_short_words_alone_has_a_vector(title: str) -> None:
    # Shorter than the longest n-gram; its neighbours must not be what makes it work.
    alone, beside = random_encoder().vectors([title])[0], random_encoder().vectors([title, "kok"])[0]
    assert alone.tolist() == pytest.approx(beside.tolist(), abs=1e-6)
    assert np.linalg.norm(alone) == pytest.approx(1)


def test_vectors_are_float32_of_length_one_in_the_order_of_the_titles() -> None:
    encoder = random_encoder()
    vectors = encoder.vectors(TITLES)
    assert (vectors.dtype, vectors.shape) == (np.float32, (7, 8))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(encoder.vectors(TITLES[::-1]), vectors[::-1], atol=1e-6)
    assert len({tuple(vector) for vector in vectors.round(3).tolist()}) == 7


def test_no_titles_give_no_vectors() -> None:
    assert random_encoder().vectors([]).shape == (0, 8)
    assert random_encoder().encode([]).shape == (0, 8)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kok til café", "café til kok"),
        ("Sygeplejerske", "SYGEPLEJERSKE"),
        ("Købmand på Ærø", "kobmand pa aero"),
        ("kok (m/k)", "kok m k"),
        ("", "!?"),
    ],
)
def test_order_case_diacritics_and_signs_do_not_count(one: str, other: str) -> None:
    first, second = random_encoder().vectors([one, other])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_more_titles_than_are_read_at_once_keep_their_vectors() -> None:
    encoder = random_encoder()
    many = [TITLES[number % 7] + f" {number % 3}" for number in range(8192 + 7)]
    vectors = encoder.vectors(many)
    np.testing.assert_allclose(vectors[-10:], encoder.vectors(many[-10:]), atol=1e-6)
    np.testing.assert_allclose(vectors[21], vectors[0], atol=1e-6)  # 21 is a multiple of 7 and of 3
    assert vectors.shape == (8199, 8)


def test_a_tensor_holds_the_same_vectors() -> None:
    tensor = random_encoder().encode(TITLES)
    assert (tensor.dtype, tensor.device.type) == (torch.float32, "cpu")
    assert torch.equal(tensor, torch.from_numpy(random_encoder().vectors(TITLES)))


# --- whole numbers instead of fractions ------------------------------------------------------------------


def test_a_row_is_its_codes_times_its_scale() -> None:
    # The largest number of a row becomes 127 or -127: 254 / 127 = 2 and 63.5 / 127 = 0.5.
    codes, scales = quantised(np.array([[254, -10, 1], [-63.5, 10, 0]], np.float32))
    assert scales.tolist() == [2, 0.5]
    assert codes.tolist() == [[127, -5, 0], [-127, 20, 0]]  # 1 / 2 is rounded to the even 0
    assert (codes.dtype, scales.dtype) == (np.int8, np.float16)


def test_a_row_of_zeros_stays_a_row_of_zeros() -> None:
    codes, scales = quantised(np.zeros((2, 3), np.float32))
    assert (codes.tolist(), scales.tolist()) == ([[0, 0, 0], [0, 0, 0]], [0, 0])


@given(st.integers(0, 2**16), st.integers(1, 20), st.sampled_from([0.01, 1.0, 100.0]))
def test_no_number_is_off_by_more_than_half_a_scale(seed: int, rows: int, size: float) -> None:
    table = np.random.default_rng(seed).normal(0, size, (rows, 16)).astype(np.float32)
    codes, scales = quantised(table)
    errors = np.abs(codes * scales[:, None].astype(np.float32) - table)
    assert (errors <= 0.501 * scales[:, None]).all()  # the thousandth is for the arithmetic
    assert np.abs(codes).max(axis=1).tolist() == [127] * rows


# --- on disk ---------------------------------------------------------------------------------------------


def test_an_encoder_comes_back_as_it_was(folder: Path) -> None:
    written, found = random_encoder(), TitleEncoder.load(folder)
    assert found.shape == written.shape
    assert found.dimensions == 8
    assert np.array_equal(found.vectors(TITLES), written.vectors(TITLES))


def test_equal_encoders_have_equal_bytes_even_read_and_written_again(folder: Path, tmp_path: Path) -> None:
    write_encoder(tmp_path / "twice", random_encoder())
    write_encoder(tmp_path / "again", TitleEncoder.load(folder))
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["config.json", "model.safetensors", "modules.json"]
    for name in names:
        assert (tmp_path / "twice" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_the_table_on_disk_takes_a_byte_per_number_and_two_per_scale(folder: Path) -> None:
    arrays = read_arrays(folder / WEIGHTS)
    assert {name: array.nbytes for name, array in arrays.items()} == {"codes": 256 * 8, "scales": 256 * 2}


def test_the_fingerprint_is_that_of_the_table_and_the_settings(folder: Path, tmp_path: Path) -> None:
    before = TitleEncoder.load(folder).fingerprint
    write_encoder(tmp_path / "same", random_encoder())
    write_encoder(tmp_path / "other", random_encoder(seed=1))
    assert TitleEncoder.load(tmp_path / "same").fingerprint == before
    assert TitleEncoder.load(tmp_path / "other").fingerprint != before
    change(folder, longest=4)
    assert TitleEncoder.load(folder).fingerprint != before


def test_the_fingerprint_of_a_table_in_memory_changes_with_each_of_its_parts() -> None:
    encoder = random_encoder()
    codes, scales = encoder.codes.copy(), encoder.scales.copy()
    codes[3, 2] += 1
    scales[3] *= 2
    shape = Shape(buckets=256, dimensions=8, shortest=2, longest=5)
    variants = [
        encoder,
        TitleEncoder(encoder.shape, codes, encoder.scales),
        TitleEncoder(encoder.shape, encoder.codes, scales),
        TitleEncoder(shape, encoder.codes, encoder.scales),
    ]
    assert len({variant.fingerprint for variant in variants}) == 4
    assert random_encoder().fingerprint == encoder.fingerprint


def test_reading_a_title_costs_no_torch(folder: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from joblens.encoders.titles import TitleEncoder\n"
        "found = TitleEncoder.load(Path(sys.argv[1])).vectors(['kok', 'chef de cuisine'])\n"
        "assert found.shape == (2, 8), found.shape\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(lambda: TitleEncoder.load(tmp_path / "nowhere"), "nowhere", "config.json is missing")


def test_a_folder_of_another_format_is_refused(folder: Path) -> None:
    change(folder, format=1)
    refused(lambda: TitleEncoder.load(folder), "format 1, expected 2", "install the release")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('{"model_type": "bert"}', "format None, expected 2"),
        ('{"format": 2}', "is not of a title encoder"),
        ('{"format": 2, "buckets": 1, "dimensions": 2, "shortest": 3, "longest": 5, "more": 1}', "'more'"),
    ],
)
def test_settings_of_something_else_are_refused(folder: Path, settings: str, words: str) -> None:
    (folder / SETTINGS).write_text(settings)
    refused(lambda: read_shape(folder), "config.json", words)


@pytest.mark.parametrize("settings", ["[1]", "1"])
def test_settings_that_are_no_object_are_refused(folder: Path, settings: str) -> None:
    (folder / SETTINGS).write_text(settings)
    refused(lambda: read_shape(folder), "config.json")


def test_settings_that_are_no_json_are_refused_in_one_line(folder: Path) -> None:
    (folder / SETTINGS).write_text("{")
    with pytest.raises(JoblensError, match=r"^\S+config\.json is not JSON .*$"):
        read_shape(folder)


def test_a_folder_without_its_table_is_refused(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    refused(lambda: TitleEncoder.load(folder), "model.safetensors is missing")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"buckets": 255}, "codes of shape (256, 8) and type int8, expected (255, 8)"),
        ({"dimensions": 9}, "codes of shape (256, 8) and type int8, expected (256, 9)"),
    ],
)
def test_a_table_of_another_shape_than_the_settings_say_is_refused(
    folder: Path, settings: dict[str, int], words: str
) -> None:
    change(folder, **settings)
    refused(lambda: TitleEncoder.load(folder), words)


def test_a_table_without_scales_is_refused(folder: Path) -> None:
    write_tensors(folder / WEIGHTS, {"codes": torch.zeros(256, 8, dtype=torch.int8)})
    refused(lambda: TitleEncoder.load(folder), "scales of shape None and type None, expected (256,)")


def test_scales_for_another_number_of_rows_are_refused(folder: Path) -> None:
    tensors = {"codes": torch.zeros(256, 8, dtype=torch.int8), "scales": torch.zeros(8, dtype=torch.float16)}
    write_tensors(folder / WEIGHTS, tensors)
    refused(lambda: TitleEncoder.load(folder), "scales of shape (8,) and type float16, expected (256,)")


def test_a_table_of_another_type_is_refused(folder: Path) -> None:
    write_tensors(folder / WEIGHTS, {"codes": torch.zeros(256, 8), "scales": torch.zeros(256).half()})
    refused(lambda: TitleEncoder.load(folder), "codes of shape (256, 8) and type float32", "and int8")


def test_scales_that_are_no_numbers_are_refused(folder: Path) -> None:
    codes, scales = torch.zeros(256, 8, dtype=torch.int8), torch.full((256,), torch.nan).half()
    write_tensors(folder / WEIGHTS, {"codes": codes, "scales": scales})
    refused(lambda: TitleEncoder.load(folder), "scales that are no numbers")


@pytest.mark.parametrize(
    "settings",
    [
        {"buckets": 0},
        {"buckets": "256"},
        {"dimensions": 8.0},
        {"shortest": 6},
        {"longest": None},
        {"more": 1},
    ],
)
def test_settings_that_are_of_no_encoder_are_refused(folder: Path, settings: dict[str, object]) -> None:
    change(folder, **settings)
    refused(lambda: TitleEncoder.load(folder), "config.json is not of a title encoder", "expected positive")


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 99]
)
def test_a_damaged_table_is_refused(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    path = folder / WEIGHTS
    path.write_bytes(damage(path.read_bytes()))
    refused(lambda: TitleEncoder.load(folder), "model.safetensors cannot be read")


# --- the files that go along with a bundle ---------------------------------------------------------------


def embedding(**changes: object) -> Embedding:
    settings: dict[str, object] = {"encoder": "toy", "model": "hashed-words", "dimensions": 8, "seed": 0}
    return Embedding.model_validate({"max_tokens": 32, **settings, **changes})


def test_an_embedding_names_its_title_encoders_files_wherever_it_uses_one(folder: Path) -> None:
    files = {"config.json": folder / "config.json", "model.safetensors": folder / "model.safetensors"}
    assert title_files(embedding(encoder="titles", model=str(folder))) == files
    assert title_files(embedding(titles=str(folder), title_dimensions=8)) == files
    assert title_files(embedding()) == {}


@pytest.mark.parametrize("name", [SETTINGS, WEIGHTS])
def test_a_missing_file_of_a_title_encoder_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(lambda: title_files(embedding(titles=str(folder), title_dimensions=8)), f"{name}", "is missing")


# --- inside sentence-transformers ------------------------------------------------------------------------


def sentence_transformer(folder: Path) -> "SentenceTransformer":
    """Release 6 asks for trust before it imports any module that is not its own."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)


def same(found: NDArray[np.float32], titles: Sequence[str], atol: float = 1e-5) -> None:
    np.testing.assert_allclose(found, random_encoder().vectors(titles), atol=atol, rtol=0)


def test_sentence_transformers_gives_the_same_vectors(folder: Path) -> None:
    same(sentence_transformer(folder).encode(TITLES), TITLES)


def test_sentence_transformers_gives_the_same_vectors_whatever_the_batch(folder: Path) -> None:
    same(sentence_transformer(folder).encode(TITLES, batch_size=2), TITLES)


def test_sentence_transformers_knows_the_width_and_no_limit_of_length(folder: Path) -> None:
    model = sentence_transformer(folder)
    assert model.get_embedding_dimension() == 8
    assert model.max_seq_length == float("inf")
    words = [f"{word}{number}" for word in ("kok", "chef") for number in range(300)]
    long = " ".join(words)  # cut anywhere before, it would be a kok
    same(model.encode([long]), [long], atol=1e-3)  # thousands of numbers, added in another order


def test_a_prompt_is_read_before_the_title(folder: Path) -> None:
    same(sentence_transformer(folder).encode(["kok"], prompt="chef "), ["chef kok"])


def test_sentence_transformers_saves_a_folder_that_is_read_back_the_same(
    folder: Path, tmp_path: Path
) -> None:
    sentence_transformer(folder).save(str(tmp_path / "again"))
    again = TitleEncoder.load(tmp_path / "again")
    assert again.fingerprint == TitleEncoder.load(folder).fingerprint
    same(sentence_transformer(tmp_path / "again").encode(TITLES), TITLES)

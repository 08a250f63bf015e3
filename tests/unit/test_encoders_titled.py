"""An advert and its title side by side, and how a configuration becomes an encoder that does that."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from joblens.config import Compute, Embedding
from joblens.encoders import Encoder, build_encoder, encode_ads, in_project
from joblens.encoders.title_features import feature_ids
from joblens.encoders.titled import TitledEncoder
from joblens.encoders.titles import Shape, TitleEncoder, quantised, write_encoder
from joblens.encoders.toy import ToyEncoder
from joblens.errors import ModelError

CPU = Compute(device="cpu", workers=1, encode_batch_size=8)
TEXT = ToyEncoder(dimensions=16, seed=0)
TITLES = ["Kok", "Sygeplejerske", "Kok og tjener"]
TEXTS = ["Lav mad i vores køkken", "Pleje på hospitalet", "Server mad i en restaurant"]

UNREAD = ["Chef", "Kok"]
"""Texts of adverts whose encoder has no side for words."""
WORDS = {"kok": (10, 0), "chef": (8, 6)}
"""The cosine of the two is 0.8."""


def words_only() -> TitleEncoder:
    """A title encoder in two dimensions that knows `WORDS` as wholes."""
    rows, _ = feature_ids(list(WORDS), buckets=1000, shortest=20, longest=20)
    codes, scales = np.zeros((1000, 2), np.int8), np.zeros(1000, np.float32)
    codes[rows], scales[rows] = list(WORDS.values()), 1
    assert len(set(rows.tolist())) == len(WORDS)
    return TitleEncoder(Shape(buckets=1000, dimensions=2, shortest=20, longest=20), codes, scales)


def random_encoder(seed: int = 0) -> TitleEncoder:
    """A title encoder of width 4 with words and n-grams."""
    table = np.random.default_rng(seed).normal(size=(256, 4)).astype(np.float32)
    return TitleEncoder(Shape(buckets=256, dimensions=4, shortest=3, longest=5), *quantised(table))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder `models/titles` with the random encoder."""
    write_encoder(tmp_path / "models/titles", random_encoder())
    return tmp_path / "models/titles"


def embedding(**changes: object) -> Embedding:
    settings: dict[str, object] = {"encoder": "toy", "model": "hashed-words", "dimensions": 16, "seed": 0}
    return Embedding.model_validate({"max_tokens": 32, **settings, **changes})


# --- two sides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "cosine"),
    [
        (0.0, 0.6),  # the texts' alone
        (0.25, 0.75 * 0.6 + 0.25 * 0.8),
        (0.5, 0.7),
        (1.0, 0.8),  # the titles' alone
    ],
)
def test_the_cosine_of_two_adverts_is_the_weighted_mean_of_both_sides(weight: float, cosine: float) -> None:
    texts = torch.tensor([[1, 0, 0], [0.6, 0.8, 0]])
    one, other = TitledEncoder(TEXT, words_only(), weight).beside(texts, ["Kok", "Chef"], UNREAD)
    assert float(one @ other) == pytest.approx(cosine)


def test_each_side_has_its_own_columns() -> None:
    # w = 0.64: the text times 0.6, the title times 0.8.
    (vector,) = TitledEncoder(TEXT, words_only(), 0.64).beside(torch.tensor([[0, 1.0]]), ["chef"], ["kok"])
    assert vector.tolist() == pytest.approx([0, 0.6, 0.8 * 0.8, 0.8 * 0.6])


@pytest.mark.parametrize("title", ["", "  ", "!?"])
def test_an_advert_without_a_title_has_zeros_on_that_side(title: str) -> None:
    texts = torch.tensor([[0.6, 0.8]])
    (vector,) = TitledEncoder(TEXT, random_encoder(), 0.5).beside(texts, [title], ["Kok"])
    assert vector.tolist() == pytest.approx([0.6, 0.8, 0, 0, 0, 0])


@pytest.mark.parametrize("text", ["", "?!", "(–)"])
def test_an_advert_without_words_has_zeros_on_the_side_of_words(text: str) -> None:
    texts = torch.tensor([[0.6, 0.8], [0.6, 0.8]])
    encoder = TitledEncoder(TEXT, random_encoder(), 0.25, 0.25)
    silent, read = encoder.beside(texts, ["", ""], [text, "Kok"])
    assert silent.tolist() == pytest.approx([0.6, 0.8, *[0] * 8])
    assert float(read[6:].norm()) == pytest.approx((0.25 / 0.75) ** 0.5)  # no title: 0.5 text, 0.25 words


def test_vectors_are_as_wide_as_both_sides_and_have_length_one() -> None:
    encoder = TitledEncoder(TEXT, random_encoder(), 0.3)
    vectors = encoder.encode(["Kok", "", "Sygeplejerske (vikar)", "it"])
    assert encoder.dimensions == 16 + 4
    assert (vectors.dtype, vectors.shape) == (torch.float32, (4, 20))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))


def test_no_adverts_give_no_vectors() -> None:
    encoder = TitledEncoder(TEXT, random_encoder(), 0.3)
    assert encoder.encode([]).shape == (0, 20)
    assert encode_ads(encoder, [], []).shape == (0, 20)


def test_a_label_is_read_as_a_text_and_as_a_title() -> None:
    title = random_encoder()
    expected = TitledEncoder(TEXT, title, 0.5).beside(TEXT.encode(TITLES), TITLES, TITLES)
    assert torch.equal(TitledEncoder(TEXT, title, 0.5).encode(TITLES), expected)


def test_the_fingerprint_is_that_of_both_sides_and_the_weight() -> None:
    other_text = ToyEncoder(dimensions=16, seed=1)
    variants = [
        TitledEncoder(TEXT, random_encoder(), 0.5),
        TitledEncoder(other_text, random_encoder(), 0.5),
        TitledEncoder(TEXT, random_encoder(seed=1), 0.5),
        TitledEncoder(TEXT, random_encoder(), 0.4),
    ]
    assert len({variant.fingerprint for variant in variants} | {TEXT.fingerprint}) == 5
    assert TitledEncoder(TEXT, random_encoder(), 0.5).fingerprint == variants[0].fingerprint


# --- three sides -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "cosine"),
    [
        (["Kok", "Kok"], 0.25 * 0.6 + 0.5 * 0.8 + 0.25 * 1),
        (["Kok", "Chef"], 0.25 * 0.6 + 0.5 * 0.8 + 0.25 * 0.8),
    ],
)
def test_the_cosine_of_two_adverts_is_the_weighted_mean_of_three_sides(
    texts: list[str], cosine: float
) -> None:
    vectors = torch.tensor([[1, 0, 0], [0.6, 0.8, 0]])
    encoder = TitledEncoder(TEXT, words_only(), 0.5, 0.25)
    one, other = encoder.beside(vectors, ["Kok", "Chef"], texts)
    assert float(one @ other) == pytest.approx(cosine)


def test_the_words_stand_behind_the_title() -> None:
    # w = 0.48 and v = 0.36 leave 0.16 to the text: times 0.4, the root of 0.48, and 0.6.
    encoder = TitledEncoder(TEXT, words_only(), 0.48, 0.36)
    (vector,) = encoder.beside(torch.tensor([[0, 1.0]]), ["kok"], ["chef"])
    assert vector.tolist() == pytest.approx([0, 0.4, 0.48**0.5, 0, 0.6 * 0.8, 0.6 * 0.6])


def test_an_advert_without_a_title_keeps_its_words() -> None:
    # The text times √0.25, no title, the words times √0.25; then length 1.
    encoder = TitledEncoder(TEXT, words_only(), 0.5, 0.25)
    (vector,) = encoder.beside(torch.tensor([[0.6, 0.8]]), [""], ["Kok"])
    assert vector.tolist() == pytest.approx([0.6 / 2**0.5, 0.8 / 2**0.5, 0, 0, 1 / 2**0.5, 0])


def test_words_are_those_of_title_and_text_read_as_one() -> None:
    title = random_encoder()
    vectors = encode_ads(TitledEncoder(TEXT, title, 0.5, 0.25), TITLES[:1], TEXTS[:1])
    torch.testing.assert_close(vectors[:, 20:], 0.5 * title.encode(["Kok\nLav mad i vores køkken"]))


def test_a_label_is_its_words_as_well() -> None:
    title = random_encoder()
    encoder = TitledEncoder(TEXT, title, 0.5, 0.25)
    assert torch.equal(encoder.encode(TITLES), encoder.beside(TEXT.encode(TITLES), TITLES, TITLES))
    torch.testing.assert_close(encoder.encode(TITLES)[:, 20:], 0.5 * title.encode(TITLES))


def test_a_third_side_makes_vectors_wider_and_they_still_have_length_one() -> None:
    encoder = TitledEncoder(TEXT, random_encoder(), 0.5, 0.25)
    vectors = encode_ads(encoder, [*TITLES, ""], [*TEXTS, "Kok"])
    assert encoder.dimensions == 16 + 4 + 4
    assert (vectors.dtype, vectors.shape) == (torch.float32, (4, 24))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    assert encode_ads(encoder, [], []).shape == (0, 24)


def test_the_fingerprint_knows_how_much_the_words_weigh() -> None:
    weights = (0.0, 0.2, 0.25)
    found = [TitledEncoder(TEXT, random_encoder(), 0.5, weight).fingerprint for weight in weights]
    assert len(set(found)) == 3
    assert found[0] == TitledEncoder(TEXT, random_encoder(), 0.5).fingerprint


# --- adverts ---------------------------------------------------------------------------------------------


def test_adverts_are_read_whole_on_one_side_and_by_title_on_the_other() -> None:
    encoder = TitledEncoder(TEXT, words_only(), 0.64)
    (vector,) = encode_ads(encoder, ["Chef"], ["Lav mad"])
    torch.testing.assert_close(vector[:16], 0.6 * TEXT.encode(["Chef\nLav mad"])[0])
    assert vector[16:].tolist() == pytest.approx([0.8 * 0.8, 0.8 * 0.6])


def test_the_text_does_not_change_the_title_side() -> None:
    encoder = TitledEncoder(TEXT, random_encoder(), 0.5)
    ours, others = encode_ads(encoder, TITLES, TEXTS), encode_ads(encoder, TITLES, TEXTS[::-1])
    torch.testing.assert_close(ours[:, 16:], others[:, 16:])
    assert not torch.allclose(ours[0, :16], others[0, :16])


@pytest.mark.parametrize("encoder", [TEXT, random_encoder()], ids=["toy", "titles"])
def test_an_encoder_without_a_title_side_reads_title_and_text_as_one(
    encoder: ToyEncoder | TitleEncoder,
) -> None:
    joined = ["Kok\nLav mad i vores køkken", "Pleje på hospitalet"]  # the second has no title
    assert torch.equal(encode_ads(encoder, ["Kok", ""], TEXTS[:2]), encoder.encode(joined))


def test_titles_and_texts_of_different_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        encode_ads(TEXT, TITLES, TEXTS[:2])


@pytest.mark.parametrize(
    "encoder", [TEXT, TitledEncoder(TEXT, random_encoder(), 0.5)], ids=["text", "titled"]
)
def test_texts_may_be_encoded_in_a_way_of_ones_own(encoder: Encoder) -> None:
    asked = []

    def encode(side: Encoder, texts: Sequence[str]) -> Tensor:
        asked.append(side)
        return side.encode(texts)

    found = encode_ads(encoder, TITLES, TEXTS, encode)
    assert asked == [TEXT]  # the side that reads title and text as one
    assert torch.equal(found, encode_ads(encoder, TITLES, TEXTS))


# --- from the configuration ------------------------------------------------------------------------------


def test_titles_in_the_configuration_put_a_title_side_beside_the_text(folder: Path) -> None:
    settings = embedding(titles=str(folder), title_dimensions=4, title_weight=0.2)
    encoder = build_encoder(settings, CPU)
    expected = TitledEncoder(TEXT, TitleEncoder.load(folder), 0.2)
    assert encoder.dimensions == settings.width == 20
    assert encoder.fingerprint == expected.fingerprint
    assert torch.equal(encode_ads(encoder, TITLES, TEXTS), encode_ads(expected, TITLES, TEXTS))


def test_a_weight_of_words_in_the_configuration_adds_a_third_side(folder: Path) -> None:
    settings = embedding(titles=str(folder), title_dimensions=4, title_weight=0.5, words_weight=0.25)
    encoder = build_encoder(settings, CPU)
    assert settings.sides == (16, 4, 4)
    assert encoder.dimensions == settings.width == 24
    assert encoder.fingerprint == TitledEncoder(TEXT, TitleEncoder.load(folder), 0.5, 0.25).fingerprint


@pytest.mark.parametrize(
    ("changes", "sides"),
    [({}, (16,)), ({"titles": "models/titles", "title_dimensions": 4}, (16, 4))],
)
def test_the_configuration_knows_how_wide_each_side_is(
    changes: dict[str, object], sides: tuple[int, ...]
) -> None:
    assert embedding(**changes).sides == sides
    assert embedding(**changes).width == sum(sides)


def test_the_word_titles_builds_the_title_encoder(folder: Path) -> None:
    encoder = build_encoder(embedding(encoder="titles", model=str(folder), dimensions=4), CPU)
    assert encoder.dimensions == 4
    assert encoder.fingerprint == TitleEncoder.load(folder).fingerprint


def test_a_configuration_without_titles_has_no_title_side() -> None:
    assert embedding().width == 16
    assert build_encoder(embedding(), CPU).fingerprint == TEXT.fingerprint


def test_another_width_of_the_title_side_than_the_folder_has_is_refused(folder: Path) -> None:
    settings = embedding(titles=str(folder), title_dimensions=5)
    with pytest.raises(ModelError) as caught:
        build_encoder(settings, CPU)
    assert str(caught.value) == (
        f"embedding.title_dimensions is 5, but {folder} gives 4; set embedding.title_dimensions=4"
    )


def test_another_width_of_a_title_encoder_alone_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"embedding\.dimensions is 16, but .* set embedding\.dimensions=4"):
        build_encoder(embedding(encoder="titles", model=str(folder)), CPU)


def test_a_missing_title_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere holds no title encoder"):
        build_encoder(embedding(titles=str(tmp_path / "nowhere"), title_dimensions=4), CPU)


ADVICE = "give both titles and title_dimensions, or neither and words_weight 0"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"titles": "models/titles"}, "titles is 'models/titles', title_dimensions 0, words_weight 0"),
        ({"title_dimensions": 4}, "titles is None, title_dimensions 4, words_weight 0"),
        ({"words_weight": 0.25}, "titles is None, title_dimensions 0, words_weight 0.25"),
    ],
)
def test_a_title_side_needs_a_folder_and_a_width(changes: dict[str, object], found: str) -> None:
    with pytest.raises(ValidationError, match=f"{found}; {ADVICE}"):
        embedding(**changes)


@pytest.mark.parametrize(("title", "words", "total"), [(0.5, 0.5, "1"), (0.75, 0.5, "1.25")])
def test_sides_that_leave_nothing_to_the_text_are_refused(title: float, words: float, total: str) -> None:
    message = f"title_weight \\+ words_weight is {total}; leave some of 1 to the text"
    with pytest.raises(ValidationError, match=message):
        embedding(titles="models/titles", title_dimensions=4, title_weight=title, words_weight=words)


def test_an_embedding_is_named_by_its_model_and_its_title_side() -> None:
    assert embedding().name == "hashed-words"
    assert embedding(titles="models/titles", title_dimensions=4).name == "hashed-words + title side"


@pytest.mark.parametrize("weight", [-0.1, 0.0, 1.0, 1.1])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(ValidationError, match="title_weight"):
        embedding(titles="models/titles", title_dimensions=4, title_weight=weight)


# --- where the folders are -------------------------------------------------------------------------------


def test_folders_are_looked_for_in_the_project_first(folder: Path, tmp_path: Path) -> None:
    beside = in_project(embedding(titles="models/titles", title_dimensions=4), tmp_path)
    alone = in_project(embedding(encoder="titles", model="models/titles"), tmp_path)
    assert beside == embedding(titles=str(folder), title_dimensions=4)
    assert alone == embedding(encoder="titles", model=str(folder))


def test_what_is_no_folder_of_the_project_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hashed-words").write_text("a file")
    for settings in (
        embedding(),
        embedding(titles="models/nowhere", title_dimensions=4),
        embedding(titles=str(folder), title_dimensions=4),  # absolute
    ):
        assert in_project(settings, tmp_path) == settings

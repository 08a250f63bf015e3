"""Codes of titles from five occupations at right angles, so that every probability is a small fraction."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from joblens.encoders.title_features import feature_ids
from joblens.encoders.titles import Shape, TitleEncoder, write_encoder
from joblens.errors import DataError, JoblensError, ModelError
from joblens.inference.code import INDEX, NAMES, Names, TitleCoder, group_probabilities, level_of
from joblens.records import Coding, Occupation
from joblens.storage import write_json, write_tensors

TIMES_THREE = 1 / math.log(3)
"""A temperature at which a cosine of 1 weighs three times as much as one of 0, for exp(ln 3) is 3."""

CODES = {"nurse": "2221", "midwife": "2222", "doctor": "2211", "teacher": "2310", "cook": "5120"}
"""With these five a title "nurse" has the weights 3, 1, 1, 1, 1: seven in all, the other titles as well.

2221 alone weighs 3, 222 with the midwife 4, 22 with the doctor 5, and 2 with the teacher 6.
"""
NURSE = [("2", 6 / 7), ("22", 5 / 7), ("222", 4 / 7), ("2221", 3 / 7)]

NAMES_OF = {
    "2": "Professionals",
    "22": "Health professionals",
    "222": "Nursing and midwifery professionals",
    "2221": "Nursing professionals",
}


def make_encoder(**lengths: float) -> TitleEncoder:
    """Each of the five words has a dimension of its own and this length or 1; other words add nothing."""
    rows, _ = feature_ids(list(CODES), buckets=1000, shortest=20, longest=20)
    codes, scales = np.zeros((1000, 5), np.int8), np.zeros(1000, np.float32)
    codes[rows], scales[rows] = np.eye(5), [lengths.get(word, 1) for word in CODES]
    assert len(set(rows.tolist())) == 5
    return TitleEncoder(Shape(buckets=1000, dimensions=5, shortest=20, longest=20), codes, scales)


def make_names(temperatures: tuple[float, ...] = (TIMES_THREE,) * 4) -> dict[str, Any]:
    rows = [{"uri": f"esco/{word}", "name": word.title(), "code": code} for word, code in CODES.items()]
    return {"occupations": rows, "groups": NAMES_OF, "temperatures": list(temperatures)}


def make_coder(*temperatures: float, **lengths: float) -> TitleCoder:
    return TitleCoder(
        make_encoder(**lengths),
        np.eye(5, dtype=np.float32),
        Names.model_validate(make_names(temperatures or (TIMES_THREE,) * 4)),
    )


@pytest.fixture(scope="module")
def coder() -> TitleCoder:
    """One temperature at all levels."""
    return make_coder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `joblens finetune titles` writes: the encoder and its index."""
    write_encoder(tmp_path / "titles", make_encoder())
    vectors = {"codes": 127 * torch.eye(5, dtype=torch.int8), "scales": torch.ones(5, dtype=torch.float16)}
    write_tensors(tmp_path / "titles" / INDEX, vectors)
    write_json(tmp_path / "titles" / NAMES, make_names())
    return tmp_path / "titles"


def refused(folder: Path, *words: str) -> None:
    """Loading ends in one line that names what it should."""
    with pytest.raises(ModelError) as caught:
        TitleCoder.load(folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


# --- groups ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "groups", "members"),
    [
        (1, ("2", "5"), [1, 0, 0, 1]),
        (2, ("22", "51", "52"), [1, 0, 0, 2]),
        (4, ("2211", "2221", "5120", "5223"), [2, 0, 1, 3]),
    ],
)
def test_a_level_has_the_first_digits_of_its_occupations_in_order(
    digits: int, groups: tuple[str, ...], members: list[int]
) -> None:
    level = level_of(["5120", "2211", "2221", "5223"], digits, 0.5)
    assert (level.groups, level.members.tolist(), level.temperature) == (groups, members, 0.5)


def test_a_group_is_as_likely_as_its_occupations_together() -> None:
    # Weights 3, 1, 3 and 9 for the cosines 1, 0, 1 and 2; occupations 0 and 2 are of group 5, 1 and 3 of 2.
    level = level_of(["5120", "2211", "5223", "2221"], 1, TIMES_THREE)
    found = group_probabilities(np.array([[1, 0, 1, 2]], np.float32), level)
    assert level.groups == ("2", "5")
    assert found.tolist() == [pytest.approx([10 / 16, 6 / 16])]


def test_a_lower_temperature_is_surer() -> None:
    # exp(1 / t) is 3 at the one temperature and 3² at half of it.
    similarities = np.array([[1, 0]], np.float32)
    warm = group_probabilities(similarities, level_of(["1111", "2222"], 4, TIMES_THREE))
    cold = group_probabilities(similarities, level_of(["1111", "2222"], 4, TIMES_THREE / 2))
    assert (warm[0, 0], cold[0, 0]) == (pytest.approx(3 / 4), pytest.approx(9 / 10))


def test_probabilities_of_a_level_sum_to_one_and_shorter_codes_are_no_less_likely() -> None:
    generator = np.random.default_rng(0)
    codes = [f"{number:04}" for number in generator.integers(0, 10_000, 300)]
    similarities = generator.uniform(-1, 1, (20, 300)).astype(np.float32)
    best = []
    for digits in (1, 2, 3, 4):
        found = group_probabilities(similarities, level_of(codes, digits, 0.05))
        np.testing.assert_allclose(found.sum(axis=1), 1)
        best.append(found.max(axis=1))
    assert all((shorter >= longer - 1e-12).all() for shorter, longer in pairwise(best))


def test_a_cold_level_is_certain_and_not_above_one() -> None:
    found = group_probabilities(
        np.array([[1, 0, 0]], np.float32), level_of(["1111", "1112", "2222"], 1, 1e-4)
    )
    assert found.tolist() == [[1, 0]]


# --- codes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "code", "name", "probability"),
    [
        (0.0, "2221", "Nursing professionals", 3 / 7),
        (0.4, "2221", "Nursing professionals", 3 / 7),
        (0.5, "222", "Nursing and midwifery professionals", 4 / 7),
        (0.6, "22", "Health professionals", 5 / 7),
        (0.8, "2", "Professionals", 6 / 7),
        (0.9, "", "", 6 / 7),  # no code; the probability is that of the likeliest digit
        (1.0, "", "", 6 / 7),
    ],
)
def test_the_longest_code_that_is_sure_enough_is_taken(
    coder: TitleCoder, confidence: float, code: str, name: str, probability: float
) -> None:
    (found,) = coder.code(["Nurse"], confidence=confidence)
    assert (found.code, found.name) == (code, name)
    assert found.probability == pytest.approx(probability)


def test_without_a_word_about_confidence_a_half_is_sure_enough(coder: TitleCoder) -> None:
    assert coder.code(["nurse"])[0].code == coder.code(["nurse"], confidence=0.5)[0].code == "222"


def test_every_level_is_told_whatever_the_confidence(coder: TitleCoder) -> None:
    (found,) = coder.code(["nurse"], confidence=1)
    assert [group for group, _ in found.levels] == [group for group, _ in NURSE]
    assert [sure for _, sure in found.levels] == pytest.approx([sure for _, sure in NURSE])


def test_each_level_has_its_own_temperature() -> None:
    # At half the temperature the nurse weighs 9: 9 of 13 for 2221. The others as before: 6, 5 and 4 of 7.
    (found,) = make_coder(TIMES_THREE, TIMES_THREE, TIMES_THREE, TIMES_THREE / 2).code(["nurse"])
    assert [sure for _, sure in found.levels] == pytest.approx([6 / 7, 5 / 7, 4 / 7, 9 / 13])


def test_a_longer_code_is_taken_even_when_a_shorter_one_is_not_sure_enough() -> None:
    coder = make_coder(TIMES_THREE, TIMES_THREE, TIMES_THREE, TIMES_THREE / 2)  # 9/13 = 0.69, 4/7 = 0.57
    assert coder.code(["nurse"], confidence=0.65)[0].code == "2221"


def test_a_group_without_a_name_has_an_empty_one(coder: TitleCoder) -> None:
    (found,) = coder.code(["cook"], confidence=0)
    assert (found.code, found.name) == ("5120", "")


@pytest.mark.parametrize("title", ["", " ", "!?", "___"])
def test_a_title_without_words_gets_no_code(coder: TitleCoder, title: str) -> None:
    assert coder.code([title], confidence=0) == [Coding("", "", 0.0, (), ())]


def test_the_nearest_occupations_come_nearest_first_and_ties_in_the_order_of_the_index() -> None:
    # "cook nurse" is (1, 0, 0, 0, 2) with length √5.
    (found,) = make_coder(cook=2).code(["Cook, nurse"], nearest=4)
    assert [occupation.name for occupation in found.occupations] == ["Cook", "Nurse", "Midwife", "Doctor"]
    assert [occupation.similarity for occupation in found.occupations] == pytest.approx(
        [2 / 5**0.5, 1 / 5**0.5, 0, 0]
    )
    similarity = found.occupations[0].similarity
    assert found.occupations[0] == Occupation("esco/cook", "Cook", "5120", similarity)


@pytest.mark.parametrize(("nearest", "count"), [(1, 1), (3, 3), (5, 5), (20, 5)])
def test_no_more_occupations_are_named_than_there_are(coder: TitleCoder, nearest: int, count: int) -> None:
    assert len(coder.code(["nurse"], nearest=nearest)[0].occupations) == count


def test_three_occupations_are_named_when_nobody_says_how_many(coder: TitleCoder) -> None:
    assert len(coder.code(["nurse"])[0].occupations) == 3


def test_many_titles_are_coded_in_their_order(coder: TitleCoder) -> None:
    titles = [list(CODES)[number % 5] for number in range(1030)]  # more than are coded at once
    titles[1027] = ""
    expected = [CODES[title] if title else "" for title in titles]
    assert [found.code for found in coder.code(titles, confidence=0)] == expected


def test_no_titles_have_no_codes(coder: TitleCoder) -> None:
    assert coder.code([]) == []


def test_a_title_does_not_depend_on_the_others(coder: TitleCoder) -> None:
    together = coder.code(["nurse", "cook", "nurse"])
    assert together[0] == together[2] == coder.code(["nurse"])[0]


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_share_is_refused(coder: TitleCoder, confidence: float) -> None:
    with pytest.raises(DataError, match=f"confidence is {confidence}, expected a number from 0 to 1"):
        coder.code(["nurse"], confidence=confidence)


@pytest.mark.parametrize("nearest", [0, -1])
def test_fewer_occupations_than_one_are_refused(coder: TitleCoder, nearest: int) -> None:
    with pytest.raises(DataError, match=f"nearest is {nearest}, expected at least 1"):
        coder.code(["nurse"], nearest=nearest)


def test_similarities_are_cosines_with_each_occupation() -> None:
    found = make_coder(doctor=3, teacher=4).similarities(["nurse", "doctor teacher"])
    np.testing.assert_allclose(found, [[1, 0, 0, 0, 0], [0, 0, 0.6, 0.8, 0]], atol=1e-6)


# --- on disk ---------------------------------------------------------------------------------------------


def test_a_coder_on_disk_answers_as_the_one_in_memory(coder: TitleCoder, folder: Path) -> None:
    titles = ["nurse", "Cook, cook, nurse", "", "midwife"]
    assert TitleCoder.load(folder).code(titles) == coder.code(titles)


def test_the_vectors_of_occupations_get_length_one_when_they_are_read(folder: Path) -> None:
    codes = torch.diag(torch.tensor([1, 2, 3, 4, 127], dtype=torch.int8))
    write_tensors(folder / INDEX, {"codes": codes, "scales": torch.ones(5, dtype=torch.float16)})
    np.testing.assert_allclose(TitleCoder.load(folder).similarities(list(CODES)), np.eye(5), atol=1e-6)


def test_coding_a_title_costs_no_torch(folder: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from joblens.inference.code import TitleCoder\n"
        "(found,) = TitleCoder.load(Path(sys.argv[1])).code(['nurse'])\n"
        "print(found.code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("222 False\n", "")


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "nowhere holds no title encoder")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (NAMES, "has no occupations.json; train it with `joblens finetune titles`"),
        (INDEX, "occupations.safetensors is missing"),
        ("model.safetensors", "model.safetensors is missing"),
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str, words: str) -> None:
    (folder / name).unlink()
    refused(folder, words)


def test_an_index_for_another_number_of_occupations_is_refused(folder: Path) -> None:
    names = make_names()
    del names["occupations"][0]
    write_json(folder / NAMES, names)
    refused(folder, "codes of shape (5, 5) and type int8, expected (4, 5) and int8")


def test_an_index_of_another_width_is_refused(folder: Path) -> None:
    write_tensors(folder / INDEX, {"codes": torch.ones(5, 4, dtype=torch.int8)})
    refused(folder, "codes of shape (5, 4) and type int8, expected (5, 5) and int8")


def test_an_index_of_another_type_is_refused(folder: Path) -> None:
    write_tensors(folder / INDEX, {"codes": torch.full((5, 5), torch.nan)})
    refused(folder, "codes of shape (5, 5) and type float32, expected (5, 5) and int8")


def test_a_damaged_index_is_refused(folder: Path) -> None:
    (folder / INDEX).write_bytes((folder / INDEX).read_bytes()[:50])
    refused(folder, "occupations.safetensors cannot be read")


def test_names_that_are_no_json_are_refused_in_one_line(folder: Path) -> None:
    (folder / NAMES).write_text("{")
    with pytest.raises(JoblensError, match=r"^\S+occupations\.json is not JSON .*$"):
        TitleCoder.load(folder)


def test_an_index_without_vectors_is_refused(folder: Path) -> None:
    write_tensors(folder / INDEX, {"scales": torch.ones(5, dtype=torch.float16)})
    refused(folder, "occupations.safetensors")


@pytest.mark.parametrize(
    "damage",
    [
        lambda names: names.pop("occupations"),
        lambda names: names.pop("groups"),
        lambda names: names.pop("temperatures"),
        lambda names: names["temperatures"].pop(),
        lambda names: names["occupations"][0].pop("code"),
        lambda names: names["occupations"].clear(),
        lambda names: names["occupations"][0].update(code="22"),
        lambda names: names["occupations"].append("cook"),
        lambda names: names.update(groups=["Professionals"]),
        lambda names: names.update(temperatures=[0.0] * 4),
        lambda names: names.update(temperatures=["warm"] * 4),
    ],
    ids=[
        "no occupations", "no groups", "no temperatures", "three temperatures", "no code", "empty",
        "two digits", "no row", "groups without codes", "no warmth", "words",
    ],
)  # fmt: skip
def test_names_with_a_part_missing_or_wrong_are_refused(
    folder: Path, damage: Callable[[dict[str, Any]], Any]
) -> None:
    names = json.loads((folder / NAMES).read_text())
    damage(names)
    write_json(folder / NAMES, names)
    refused(folder, "occupations.json")

"""The title encoder that comes with joblens: plain titles in nine languages, noise, size, what it read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from joblens.config import TitlesFlow, compose_flow
from joblens.finetune.titles.concepts import Vocabulary, read_vocabulary, spelling
from joblens.finetune.titles.pairs import Pairs
from joblens.inference.code import TitleCoder
from joblens.sources.melo import read_melo

WEAK = pytest.mark.xfail(strict=True, reason="a known weakness of the encoder; see its model card")


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "models/titles"


@pytest.fixture(scope="module")
def coder(folder: Path) -> TitleCoder:
    return TitleCoder.load(folder)


@pytest.fixture(scope="module")
def trained_on(repository: Path) -> tuple[TitlesFlow, Vocabulary, set[str]]:
    """The committed settings, what they read, and the spellings of the benchmark's queries."""
    real_data = Path(os.environ["JOBLENS_REAL_DATA"])
    flow = compose_flow("titles", TitlesFlow, [], repository / "configs")
    melo = read_melo(real_data / flow.exclude)
    return (
        flow,
        read_vocabulary(flow, real_data),
        {spelling(text) for each in melo for _, text in each.queries},
    )


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Tømrer", "7115"),  # carpenters and joiners
        ("Sygeplejerske", "2221"),  # nursing professionals
        ("Krankenschwester", "2221"),
        ("Kierowca ciężarówki", "8332"),  # heavy truck and lorry drivers
        ("Lærer i folkeskolen", "2341"),  # primary school teachers
        ("Cocinero", "5120"),  # cooks
        ("Boulanger", "7512"),  # bakers
        pytest.param("Médico", "2211", marks=WEAK),  # generalist medical practitioners
        pytest.param("Arts", "2211", marks=WEAK),
        ("Software developer", "2512"),
        ("Tandläkare", "2261"),  # dentists
        ("Slager", "7511"),  # butchers
        ("Rørlegger", "7126"),  # plumbers
    ],
)
def test_a_plain_title_gets_its_unit_group(coder, title, code):
    (found,) = coder.code([title], confidence=0.0)
    assert found.code == code


@pytest.mark.parametrize("title", ["Tømrer", "Sygeplejerske", "Kierownik magazynu", "Électricien"])
@pytest.mark.parametrize("noise", ["{} (m/k)", "{}, København", "Erfaren {}", "{} - fuldtid"])
def test_a_place_a_gender_mark_or_seniority_leaves_the_first_two_digits(coder, title, noise):
    plain, noisy = coder.code([title, noise.format(title)], confidence=0.0)
    assert noisy.code[:2] == plain.code[:2]


@pytest.mark.parametrize("noise", ["{}, København", "Erfaren {}", pytest.param("{} - fuldtid", marks=WEAK)])
def test_a_title_between_two_groups_stays_in_its_own(coder, noise):
    title = "Social- og sundhedsassistent"
    plain, noisy = coder.code([title, noise.format(title)], confidence=0.0)
    assert noisy.code[:2] == plain.code[:2]


def test_upper_case_and_missing_diacritics_change_nothing(coder):
    assert coder.code(["KØKKENASSISTENT", "kokkenassistent"]) == coder.code(["køkkenassistent"] * 2)


def test_an_unsure_title_gets_a_shorter_code(coder):
    sure, unsure = coder.code(["Sygeplejerske", "Medarbejder"], confidence=0.5)
    assert len(unsure.code) < len(sure.code) == 4


def test_a_title_of_random_letters_gets_no_code_of_four_digits(coder):
    (found,) = coder.code(["xqzvw kjhgf"], confidence=0.5)
    assert len(found.code) < 4


def test_the_encoder_takes_at_most_20_megabytes(folder):
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 20_000_000


@pytest.mark.real
@pytest.mark.slow
def test_nothing_that_training_draws_is_a_query_of_the_benchmark_but_a_label_of_esco(trained_on):
    flow, vocabulary, queries = trained_on
    concepts = vocabulary.concepts.values()
    labels = {spelling(text) for each in concepts for found in each.labels.values() for text in found}
    pairs = Pairs(flow, vocabulary, set())
    count = len(pairs.concepts)
    pairs.use_neighbours([[(place + step) % count for step in range(1, 31)] for place in range(count)])
    for _ in range(20):
        batch = pairs.batch(flow.batch_size)
        drawn = {spelling(text) for text in [*batch.first, *batch.second]}
        assert len(drawn & queries) > 10  # labels
        assert drawn & queries <= labels
    assert pairs.refused


@pytest.mark.real
@pytest.mark.slow
def test_no_query_of_the_benchmark_was_trained_on_but_as_a_label_of_esco(trained_on):
    _, vocabulary, queries = trained_on
    others = [
        text for rows in (*vocabulary.titles.values(), *vocabulary.descriptions.values()) for text, _ in rows
    ]
    assert len(others) > 80_000
    assert [text for text in others if spelling(text) in queries] == []
    assert sum(vocabulary.excluded.values()) > 100
    assert all(key.startswith("http://data.europa.eu/esco/") for key in vocabulary.concepts)

"""Swaps change what they name, everywhere in an advert, and nothing else."""

from random import Random

import pytest

from joblens.records import Entity
from joblens.sources.sample import SampleAd, generate
from joblens.sources.sample.swaps import DAMAGES, SWAPS

TITLE = "Ellerup Kommune søger sygeplejerske"
TEXT = "Ellerup Kommune ligger i Sandnæs. Sygeplejerske Mette B. Engevang leder. Skriv til Mette Engevang."


def entity(text: str, words: str, label: str, nth: int = 0) -> Entity:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return Entity(start, start + len(words), label, words)


AD = SampleAd(
    id="1",
    title=TITLE,
    text=TEXT,
    label="Sundhed",
    language="da",
    entities=(
        entity(TEXT, "Ellerup Kommune", "organisation"),
        entity(TEXT, "Sygeplejerske", "occupation"),
        entity(TEXT, "Mette B. Engevang", "person"),
        entity(TEXT, "Mette Engevang", "person"),
    ),
    title_entities=(
        entity(TITLE, "Ellerup Kommune", "organisation"),
        entity(TITLE, "sygeplejerske", "occupation"),
    ),
    true_label="Sundhed",
    repost_of=None,
)


def employer(name: str, area: str) -> SampleAd:
    span = Entity(0, len(name), "organisation", name)
    return SampleAd(name, "", name, area, "da", (span,), (), area, None)


OTHERS = [AD, employer("Asklev Sygehus", "Sundhed"), employer("Lyngbro Byg", "Byggeri")]


def told(name: str) -> tuple[str, str]:
    return {**SWAPS, **DAMAGES}[name](AD, OTHERS, Random(3))


def test_another_first_name_is_the_same_wherever_the_first_one_stood():
    title, text = told("first names")
    other = text.split("Sygeplejerske ")[1].split()[0]
    assert other != "Mette"
    assert (title, text) == (TITLE, TEXT.replace("Mette", other))


def test_another_town_stands_in_the_name_of_the_employer_too():
    title, text = told("towns")
    first, second = text.split()[0], text.split(" i ")[1].split(".")[0]
    assert first != "Ellerup"
    assert second != "Sandnæs"
    assert title == TITLE.replace("Ellerup", first)
    assert text == TEXT.replace("Ellerup", first).replace("Sandnæs", second)


@pytest.mark.parametrize(
    ("name", "other"),
    [("employer, same area", "Asklev Sygehus"), ("employer, another area", "Lyngbro Byg")],
)
def test_another_employer_comes_from_the_area_that_is_named(name, other):
    assert told(name) == (
        TITLE.replace("Ellerup Kommune", other),
        TEXT.replace("Ellerup Kommune", other),
    )


def test_the_other_gender_keeps_capitals_and_is_for_occupations_alone():
    assert told("gendered titles") == (
        "Ellerup Kommune søger sygeplejer",
        TEXT.replace("Sygeplejerske", "Sygeplejer"),
    )


def test_capitals_and_a_missing_title_change_the_whole():
    assert told("in capitals") == (TITLE.upper(), TEXT.upper())
    assert told("without title") == ("", TEXT)


def test_about_a_tenth_of_the_longer_words_is_mistyped_with_the_same_letters():
    ads = generate(ads=60, seed=7)
    rng = Random(3)
    wrong = words = 0
    for ad in ads:
        _, text = DAMAGES["a word in ten mistyped"](ad, ads, rng)
        assert sorted(text) == sorted(ad.text)
        pairs = list(zip(ad.text.split(), text.split(), strict=True))
        words += sum(len(before) >= 4 for before, _ in pairs)
        wrong += sum(before != after for before, after in pairs)
    assert 0.07 < wrong / words < 0.12  # equal letters side by side hide some


@pytest.mark.parametrize("name", [*SWAPS, *DAMAGES])
def test_the_same_chance_gives_the_same_swap(name):
    assert told(name) == told(name)

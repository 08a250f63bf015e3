"""Names, streets and employers: two parts that share nothing, the same everywhere."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest

from joblens.errors import DataError
from joblens.sources.personal.names import LANGUAGES, invent_person, names, uses
from joblens.sources.personal.places import (
    ADDRESS_LANGUAGES,
    invent_address,
    invent_organisation,
    places,
    stems,
)


def words_of(use: str) -> set[str]:
    listed = [names(language, use) for language in LANGUAGES]
    whole = [name for part in listed for name in (*part.given, *part.family, *part.patronymic)]
    return {word for name in whole for word in name.replace("-", " ").split()}


def test_no_word_of_an_audit_name_is_ever_in_a_name_to_train_with():
    assert words_of("train") & words_of("audit") == set()


@pytest.mark.parametrize(
    ("name", "even"), [("jensen", True), ("jens", False), ("lars", False), ("smith", False)]
)
def test_a_name_belongs_to_the_part_its_hash_says(name, even):
    assert (sha256(name.encode()).digest()[-1] % 2 == 0) is even
    assert uses(name.upper()) == {"train" if even else "audit"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("José", "JOSE"), ("Иванов", "Иванова"), ("Kowalski", "Kowalska"), ("Лаврский", "Лаврская")],
)
def test_two_spellings_of_a_name_are_in_one_part(one, other):
    assert uses(one) == uses(other)


def test_a_double_name_of_two_parts_is_in_neither():
    assert uses("Jens-Jensen") == {"train", "audit"}


@pytest.mark.parametrize("use", ["train", "audit"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_dozens_of_names_sorted_and_each_once(language, use):
    listed = names(language, use)
    for part in (listed.given, listed.family):
        assert len(part) >= 30
        assert list(part) == sorted(set(part))
        assert all(name.strip() == name and not any(char.isdigit() for char in name) for name in part)


def test_danish_has_hundreds_of_family_names_in_each_part():
    assert min(len(names("da", "train").family), len(names("da", "audit").family)) > 200


def test_an_unknown_language_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="no names for language 'dk'"):
        names("dk", "train")


def test_a_russian_woman_has_a_womans_family_name():
    people = [invent_person(Random(seed), "ru", "train") for seed in range(80)]
    women = [
        person for person in people if person.given in {"Мария", "Анна", "Агата", "Ольга", "Лора", "Фаина"}
    ]
    assert all(person.family.endswith(("а", "я")) for person in women)
    assert any(person.given.endswith(("а", "я")) for person in people)


def test_people_of_a_language_mostly_have_its_names():
    listed = names("da", "audit")
    people = [invent_person(Random(seed), "da", "audit", foreign=0) for seed in range(50)]
    assert all(person.given in listed.given and person.family in listed.family for person in people)


@pytest.mark.parametrize("language", ADDRESS_LANGUAGES)
def test_streets_and_employers_of_the_two_parts_differ(language):
    assert set(places(language, "train").streets) & set(places(language, "audit").streets) == set()
    assert set(stems("train")) & set(stems("audit")) == set()
    assert len(places(language, "train").streets) >= 50


@pytest.mark.parametrize("language", ADDRESS_LANGUAGES)
def test_an_address_has_a_number_and_only_on_demand_a_town(language):
    rng = Random(1)
    towns = places(language, "train").towns
    for _ in range(50):
        without = invent_address(rng, language, "train", town=False)
        assert any(char.isdigit() for char in without)
        address = invent_address(rng, language, "train", town=True)
        assert any(town in address for town in towns)


@pytest.mark.parametrize("language", ADDRESS_LANGUAGES)
def test_no_gap_of_an_employers_name_is_left(language):
    made = [invent_organisation(Random(seed), language, "audit") for seed in range(60)]
    assert not any("{" in name or "}" in name for name in made)
    assert len(set(made)) > 30

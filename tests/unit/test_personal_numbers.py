"""Synthetic numbers and contacts obey their rules, written here once more; the patterns find them."""

from __future__ import annotations

import re
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joblens.extractors.patterns import find_pii
from joblens.sources.personal.contacts import COUNTRIES, ascii_name, invent_email, invent_phone, invent_url
from joblens.sources.personal.names import Person
from joblens.sources.personal.numbers import (
    NUMBERS,
    invent_cpr,
    invent_cpr_digits,
    invent_cvr,
    invent_iban,
    invent_inn,
    invent_passport,
    invent_rut,
    invent_snils,
)

SEEDS = st.integers(0, 2**32)
PERSON = Person("Søren", "Møller", "Søren Møller")


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def modulus(number: str, weights: str) -> int:
    return sum(int(digit) * int(weight, 36) for digit, weight in zip(number, weights, strict=True)) % 11


@given(SEEDS)
def test_a_cpr_number_has_a_birthday(seed):
    number = digits(invent_cpr(Random(seed)))
    day, month, year, seventh = int(number[:2]), int(number[2:4]), int(number[4:6]), int(number[6])
    century = 2000 if seventh in (4, 5, 6, 7) and year <= 12 else 1900
    assert date(century + year, month, day) <= date(2012, 12, 31)


@given(SEEDS, st.booleans())
def test_a_cpr_number_passes_the_modulus_when_asked_to_and_only_then(seed, passes):
    number = invent_cpr_digits(Random(seed), modulus=passes)
    assert (modulus(number, "4327654321") == 0) is passes


@given(SEEDS)
def test_a_cvr_number_has_a_weighted_sum_that_eleven_divides(seed):
    assert modulus(digits(invent_cvr(Random(seed))), "27654321") == 0


@given(SEEDS)
def test_an_iban_leaves_one_when_divided_by_97(seed):
    iban = invent_iban(Random(seed)).replace(" ", "")
    turned = iban[4:] + iban[:4]
    assert int("".join(str(ord(char) - 55) if char.isalpha() else char for char in turned)) % 97 == 1


@pytest.mark.parametrize(("country", "length"), [("DK", 18), ("NO", 15), ("DE", 22), ("GB", 22), ("FR", 27)])
def test_an_iban_is_as_long_as_its_country_says(country, length):
    assert len(invent_iban(Random(3), country).replace(" ", "")) == length


@given(SEEDS)
def test_a_rut_has_its_check_digit(seed):
    number, check = invent_rut(Random(seed)).replace(".", "").upper().split("-")
    weighted = zip(number[::-1], (2, 3, 4, 5, 6, 7, 2, 3), strict=False)
    total = sum(int(digit) * weight for digit, weight in weighted)
    assert check == {10: "K", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


@given(SEEDS)
def test_an_inn_has_its_check_digits(seed):
    number = invent_inn(Random(seed))
    if len(number) == 10:
        assert modulus(number[:9], "24a359468") % 10 == int(number[9])
    else:
        assert modulus(number[:10], "724a359468") % 10 == int(number[10])
        assert modulus(number[:11], "3724a359468") % 10 == int(number[11])


@given(SEEDS)
def test_a_snils_has_its_two_check_digits(seed):
    number = digits(invent_snils(Random(seed)))
    total = sum(int(digit) * weight for digit, weight in zip(number[:9], range(9, 0, -1), strict=True))
    assert total % 101 % 100 == int(number[9:])


@given(SEEDS)
def test_a_passport_number_is_as_long_as_its_country_says(seed):
    assert len(digits(invent_passport(Random(seed), "ru"))) == 10
    assert len(invent_passport(Random(seed), "en")) == 9


CUES = {"cvr": "CVR-nr. ", "inn": "ИНН ", "snils": "СНИЛС ", "passport": "паспорт "}


@pytest.mark.parametrize("label", sorted(NUMBERS))
@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_patterns_find_every_number_after_its_word(label, seed):
    cue = CUES.get(label, "")
    number = NUMBERS[label](Random(seed), "ru")
    [found] = find_pii(f"Se {cue}{number} .")
    assert found.text.endswith(number)


@pytest.mark.parametrize("country", COUNTRIES)
@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_patterns_find_every_telephone_number_after_a_cue(country, seed):
    phone = invent_phone(Random(seed), "da", country)
    assert [entity.text for entity in find_pii(f"Tlf. {phone} .")] == [phone]


@pytest.mark.parametrize(("country", "code"), [("DK", "45"), ("SE", "46"), ("RU", "7"), ("CL", "56")])
def test_telephone_numbers_come_with_and_without_country_code(country, code):
    made = {invent_phone(Random(seed), "da", country) for seed in range(60)}
    assert any(phone.startswith(f"+{code}") for phone in made)
    if country != "CL":
        assert any(not phone.startswith(("+", "00", "(+")) for phone in made)


def test_danish_numbers_have_eight_digits_besides_the_country_code():
    for seed in range(200):
        number = digits(invent_phone(Random(seed), "da", "DK").removeprefix("0045"))
        assert len(number.removeprefix("45") if len(number) == 10 else number) == 8


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Søren", "soeren"),
        ("José María", "josemaria"),
        ("Юлия", "yuliya"),
        ("Łukasz", "lukasz"),
        ("Weiß", "weiss"),
    ],
)
def test_names_are_spelled_in_mail_addresses_as_people_do(name, spelled):
    assert ascii_name(name) == spelled


def test_an_obfuscated_address_has_no_at_sign_that_a_robot_reads():
    made = [invent_email(Random(seed), "da", "train", PERSON, obfuscated=1.0) for seed in range(40)]
    assert all(re.fullmatch(r"\S+@\S+", address) is None for address in made)
    assert any(" [at] " in address for address in made)
    assert any(" punktum " in address or " dot " in address for address in made)


def test_a_plain_address_is_of_the_person_and_a_shared_one_is_not():
    own = [invent_email(Random(seed), "da", "train", PERSON, obfuscated=0) for seed in range(30)]
    assert all(re.fullmatch(r"[\w.-]+@[\w.-]+\.[a-z]+", address) for address in own)
    assert all(address.lower()[:1] in "sm" for address in own)
    assert "@" in invent_email(Random(1), "da", "train", obfuscated=0)


def test_a_persons_web_address_carries_the_name():
    made = [invent_url(Random(seed), "da", "train", PERSON) for seed in range(30)]
    assert all("soeren" in address for address in made)
    assert any("linkedin.com/in/soeren-moeller" in address for address in made)

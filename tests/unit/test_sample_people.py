"""Invented people look real and are visibly nobody."""

import re
from datetime import date
from random import Random

import pytest

from joblens.sources.sample.people import (
    invent_address,
    invent_email,
    invent_id_number,
    invent_organisation,
    invent_person,
    invent_phone,
)
from joblens.sources.sample.vocabulary import load_vocabulary

NAMES = load_vocabulary().names
MANY = 500


@pytest.fixture
def rng() -> Random:
    return Random(1)


def test_cpr_numbers_are_of_days_that_were_between_1858_and_1899(rng):
    for _ in range(MANY):
        number = invent_id_number(rng)
        assert re.fullmatch(r"\d{6}[- ]?\d{4}", number)
        day, month, year = int(number[:2]), int(number[2:4]), int(number[4:6])
        assert 58 <= year <= 99
        assert number[-4] in "5678"  # with such a year it means the 1800s
        assert date(1800 + year, month, day)


def test_phones_come_in_the_usual_spellings_and_use_at_most_two_digits(rng):
    phones = [invent_phone(rng) for _ in range(MANY)]
    for phone in phones:
        digits = re.sub(r"\+45|\s", "", phone)
        assert len(digits) == 8
        assert len(set(digits)) <= 2
        assert digits[0] in "23456789"
    shapes = {re.sub(r"\d", "9", phone) for phone in phones}
    assert shapes >= {"99 99 99 99", "99999999", "9999 9999", "+99 99 99 99 99", "+99 99999999"}


def test_emails_are_at_domains_reserved_for_examples(rng):
    for _ in range(MANY):
        person = invent_person(rng, NAMES)
        organisation = invent_organisation(rng, NAMES, ("Café {family}", "{place} Sygehus"))
        email = invent_email(rng, NAMES, person, organisation)
        assert re.fullmatch(r"[a-z._]+(@|\(at\))([a-z0-9]+\.example|example\.com)", email), email


def test_addresses_have_street_number_postcode_and_town(rng):
    addresses = [invent_address(rng, NAMES) for _ in range(MANY)]
    for address in addresses:
        assert re.fullmatch(r"\w+ \d+( ?[ABC])?(, [\w. ]+)?(, | - |, DK-)\d{4} \w+", address), address
    assert any("sal" in address for address in addresses)


def test_organisations_leave_no_gap_unfilled(rng):
    areas = load_vocabulary().areas
    for area in areas:
        for language in ("da", "en"):
            for _ in range(20):
                name = invent_organisation(rng, NAMES, area.words[language].workplaces)
                assert "{" not in name
                assert name[0].isupper()

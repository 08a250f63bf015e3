"""Synthetic identity numbers: valid by their rules, drawn at random, and meant for nobody.

Each keeps its rule so that a pattern that checks it must find it. The rules are written here a second time,
apart from those of the patterns, so that one checks the other.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

_CPR_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2)
_CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_BBAN: dict[str, str] = {  # n digit, a capital letter, c either: SWIFT's registry for ISO 13616
    "DK": "n" * 14,
    "SE": "n" * 20,
    "NO": "n" * 11,
    "DE": "n" * 18,
    "GB": "aaaa" + "n" * 14,
    "ES": "n" * 20,
    "PL": "n" * 24,
    "NL": "aaaa" + "n" * 10,
    "FI": "n" * 14,
    "FR": "n" * 10 + "c" * 11 + "nn",
}


def invent_cpr(rng: Random) -> str:
    """A Danish CPR number DDMMYY-SSSS of somebody born 1937 to 2035, with a dash, a space or nothing.

    The seventh digit tells the century with the year (CPR-kontoret, "Personnummeret i CPR-systemet"). Two in
    three also pass the modulus-11 check; since October 2007 numbers are given out that do not.
    """
    digits = invent_cpr_digits(rng, modulus=rng.random() < 2 / 3)
    return digits[:6] + rng.choice(("-", "-", "-", "-", "", " ")) + digits[6:]


def invent_cpr_digits(rng: Random, modulus: bool) -> str:
    """Ten digits whose date exists; `modulus` says whether they pass the modulus-11 check."""
    first, last = (date(1937, 1, 1), date(1999, 12, 31))
    if not modulus or rng.random() < 0.3:
        first, last = date(2000, 1, 1), date(2012, 12, 31)
    while True:
        born = first + timedelta(days=rng.randint(0, (last - first).days))
        century = "0123" if born.year < 2000 else "4567"
        digits = f"{born:%d%m%y}{rng.choice(century)}{rng.randint(0, 999):03d}"
        total = sum(int(digit) * weight for digit, weight in zip(digits, (*_CPR_WEIGHTS, 1), strict=True))
        if (total % 11 == 0) == modulus:
            return digits


def invent_cvr(rng: Random) -> str:
    """A Danish company number: eight digits, the last by the weights 2 7 6 5 4 3 2 modulo 11."""
    while True:
        digits = str(rng.randint(1_000_000, 4_599_999))
        check = -sum(int(d) * weight for d, weight in zip(digits, _CVR_WEIGHTS, strict=True)) % 11
        if check < 10:
            whole = f"{digits}{check}"
            return rng.choice((whole, whole, whole, f"{whole[:2]} {whole[2:4]} {whole[4:6]} {whole[6:]}"))


def invent_iban(rng: Random, country: str | None = None) -> str:
    """An account number whose check digits are right, in groups of four or compact.

    Args:
        rng: Draws the account and the spelling.
        country: One of the ten countries known here; None draws one, Denmark half of the time.
    """
    country = country or (rng.choice(sorted(_BBAN)) if rng.random() < 0.5 else "DK")
    kinds = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}
    account = "".join(rng.choice(kinds[kind]) for kind in _BBAN[country])
    remainder = 0
    for char in f"{account}{country}00":
        value = int(char, 36)
        remainder = (remainder * (100 if value > 9 else 10) + value) % 97
    whole = f"{country}{98 - remainder:02d}{account}"
    groups = " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))
    return rng.choice((groups, groups, whole))


def invent_rut(rng: Random) -> str:
    """A Chilean RUT with its check digit, 11 minus the sum weighted 2 to 7 from the right, modulo 11."""
    number = rng.randint(4_000_000, 27_999_999)
    total, rest, weight = 0, number, 2
    while rest:
        total += rest % 10 * weight
        rest //= 10
        weight = 2 if weight == 7 else weight + 1
    check = "0123456789K"[(11 - total % 11) % 11]
    plain = f"{number}-{check}"
    dotted = f"{number:,}-{check}".replace(",", ".")
    return rng.choice((dotted, dotted, plain, dotted.lower()))


def invent_inn(rng: Random, person: bool | None = None) -> str:
    """A Russian taxpayer number: 12 digits of a person or 10 of a company; None draws."""
    person = rng.random() < 0.5 if person is None else person
    digits = f"{rng.randint(1, 92):02d}{rng.randint(1, 99):02d}"
    if not person:
        digits += f"{rng.randint(1, 99999):05d}"
        return digits + _inn_check(digits, (2, 4, 10, 3, 5, 9, 4, 6, 8))
    digits += f"{rng.randint(1, 999999):06d}"
    digits += _inn_check(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
    return digits + _inn_check(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8))


def _inn_check(digits: str, weights: tuple[int, ...]) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return str(total % 11 % 10)


def invent_snils(rng: Random) -> str:
    """A Russian pension number XXX-XXX-XXX YY; the last two are the sum weighted 9 to 1, modulo 101."""
    digits = f"{rng.randint(2_000_000, 209_999_999):09d}"
    check = sum(int(digit) * (9 - place) for place, digit in enumerate(digits)) % 101 % 100
    between = rng.choice((" ", " ", "-"))
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}{between}{check:02d}"


def invent_passport(rng: Random, language: str) -> str:
    """A passport number: Russian series and number, two letters and seven digits, or nine digits."""
    if language == "ru":
        series, number = f"{rng.randint(1, 99):02d}{rng.randint(0, 24):02d}", f"{rng.randint(0, 999999):06d}"
        return rng.choice(
            (f"{series} {number}", f"{series[:2]} {series[2:]} {number}", f"{series} № {number}")
        )
    if language == "da":
        return f"{rng.randint(200_000_000, 219_999_999)}"
    letters = rng.choice(string.ascii_uppercase) + rng.choice(string.ascii_uppercase)
    return rng.choice(
        (f"{letters}{rng.randint(1_000_000, 9_999_999)}", f"{rng.randint(100_000_000, 699_999_999)}")
    )


NUMBERS: dict[str, Callable[[Random, str], str]] = {
    "cpr": lambda rng, _: invent_cpr(rng),
    "cvr": lambda rng, _: invent_cvr(rng),
    "iban": lambda rng, _: invent_iban(rng),
    "rut": lambda rng, _: invent_rut(rng),
    "inn": lambda rng, _: invent_inn(rng),
    "snils": lambda rng, _: invent_snils(rng),
    "passport": invent_passport,
}
"""Every type of identity number with its generator; the language matters to passports only."""

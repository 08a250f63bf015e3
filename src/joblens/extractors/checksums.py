"""Check digits and date rules of the identity numbers that patterns look for. Digits in, a truth out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

IBAN_LENGTHS = {
    country: int(length)
    for country, length in (
        entry.split("=")
        for entry in (
            "AD=24 AE=23 AL=28 AT=20 AZ=28 BA=20 BE=16 BG=22 BH=22 BR=29 BY=28 CH=21 CR=22 CY=28 CZ=24 DE=22"
            " DK=18 DO=28 EE=20 EG=29 ES=24 FI=18 FO=18 FR=27 GB=22 GE=22 GI=23 GL=18 GR=27 GT=28 HR=21 HU=28"
            " IE=22 IL=23 IQ=23 IS=26 IT=27 JO=30 KW=30 KZ=20 LB=28 LC=32 LI=21 LT=20 LU=20 LV=21 LY=25 MC=27"
            " MD=24 ME=22 MK=19 MR=27 MT=31 MU=30 NL=18 NO=15 PK=24 PL=28 PS=29 PT=25 QA=29 RO=24 RS=22 SA=24"
            " SC=31 SD=18 SE=24 SI=19 SK=24 SM=27 ST=25 SV=28 TL=23 TN=24 TR=26 UA=29 VA=22 VG=24 XK=20"
        ).split()
    )
}
"""Characters of an IBAN by country: SWIFT's registry for ISO 13616."""


def cpr_birth_date(digits: str) -> date | None:
    """The birth date in a Danish CPR number (DDMMYYSSSS), or None when there is no such day.

    The seventh digit tells the century (CPR-kontoret, "Personnummeret i CPR-systemet"):
    0-3 is 1900-1999; 4 and 9 are 2000-2036 and 1937-1999; 5-8 are 2000-2057 and 1858-1899.
    The modulus-11 check is not asked for: since October 2007 numbers are given out that fail it.
    """
    day, month, year, seventh = int(digits[0:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6])
    if seventh <= 3:
        century = 1900
    elif seventh in (4, 9):
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    try:
        return date(century + year, month, day)
    except ValueError:
        return None


def is_iban(characters: str) -> bool:
    """Whether letters and digits are an IBAN: its country's length, remainder 1 modulo 97 (ISO 7064).

    The first four characters move to the end and letters become numbers (A = 10 ... Z = 35).
    """
    characters = characters.upper()
    if len(characters) != IBAN_LENGTHS.get(characters[:2]) or not characters[2:4].isdigit():
        return False
    return int("".join(str(int(char, 36)) for char in characters[4:] + characters[:4])) % 97 == 1


def rut_check_digit(number: str) -> str:
    """The check digit of a Chilean RUT (Registro Civil): 0 to 9, or K.

    The digits from the right are weighted 2 to 7 in turn; 11 minus the remainder of the sum modulo 11 is the
    check digit, 11 written as 0 and 10 as K.
    """
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(number)))
    return {10: "K", 11: "0"}.get(11 - total % 11) or str(11 - total % 11)


_INN_WEIGHTS = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def is_inn(digits: str) -> bool:
    """Whether 10 or 12 digits are a Russian taxpayer number (Federal Tax Service order ED-7-14/559).

    A check digit is the weighted sum of the digits before it, modulo 11, modulo 10. The weights are the last
    ones of 3 7 2 4 10 3 5 9 4 6 8; a company's 10 digits have one check digit, a person's 12 have two.
    """
    if len(digits) not in (10, 12):
        return False
    places = [9] if len(digits) == 10 else [10, 11]
    return all(
        _weighted(digits[:place], _INN_WEIGHTS[-place:]) % 11 % 10 == int(digits[place]) for place in places
    )


def is_snils(digits: str) -> bool:
    """Whether 11 digits are a Russian pension number (SNILS): nine digits weighted 9 to 1, two check digits.

    The sum itself below 100, 00 for 100 and 101, otherwise its remainder modulo 101 (100 counts as 00).
    Numbers up to 001-001-998 were given out before the rule and are not accepted here.
    """
    if len(digits) != 11 or int(digits[:9]) <= 1_001_998:
        return False
    return _weighted(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:])


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def is_calendar_day(digits: str) -> bool:
    """Whether eight digits can be read as a day from 1900 to 2099, as YYYYMMDD or DDMMYYYY."""
    for year, month, day in (
        (digits[:4], digits[4:6], digits[6:]),
        (digits[4:], digits[2:4], digits[:2]),
    ):
        if year[:2] in ("19", "20"):
            try:
                date(int(year), int(month), int(day))
            except ValueError:
                continue
            return True
    return False

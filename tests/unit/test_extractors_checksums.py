"""Check digits and date rules, each with numbers that can be checked on paper."""

from datetime import date

import pytest

from joblens.extractors.checksums import (
    cpr_birth_date,
    is_calendar_day,
    is_iban,
    is_inn,
    is_snils,
    rut_check_digit,
)


@pytest.mark.parametrize(
    ("digits", "born"),
    [
        ("0101900000", date(1990, 1, 1)),  # seventh digit 0-3: the 1900s
        ("0101003999", date(1900, 1, 1)),
        ("0101364000", date(2036, 1, 1)),  # 4 with year 00-36: the 2000s
        ("0101374000", date(1937, 1, 1)),  # 4 with year 37-99: the 1900s
        ("0101575000", date(2057, 1, 1)),  # 5-8 with year 00-57: the 2000s
        ("0101588000", date(1858, 1, 1)),  # 5-8 with year 58-99: the 1800s
        ("0101369000", date(2036, 1, 1)),  # 9 as 4
        ("0101379000", date(1937, 1, 1)),
        ("2902004000", date(2000, 2, 29)),  # 2000 was a leap year
        ("2902000000", None),  # 1900 was not
        ("3104900000", None),  # April has 30 days
        ("0113900000", None),  # no thirteenth month
        ("0001900000", None),  # no day 0
    ],
)
def test_the_seventh_digit_of_a_cpr_number_tells_the_century(digits, born):
    assert cpr_birth_date(digits) == born


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("DK5000400440116243", True),  # the example in Danish banks' own leaflet
        ("GB82WEST12345698765432", True),  # the example of ISO 13616
        ("gb82west12345698765432", True),
        ("GB82WEST12345698765433", False),  # last digit changed
        ("GB82WEST1234569876543", False),  # too short for Great Britain
        ("ZZ82WEST12345698765432", False),  # no such country
        ("DKAA00400440116243", False),  # letters for check digits
    ],
)
def test_an_iban_has_its_countrys_length_and_remainder_1(characters, expected):
    assert is_iban(characters) is expected


@pytest.mark.parametrize(
    ("number", "check"),
    [
        ("12345678", "5"),  # 8*2+7*3+6*4+5*5+4*6+3*7+2*2+1*3 = 138 = 12*11+6; 11-6 = 5
        ("30686957", "4"),  # 7*2+5*3+9*4+6*5+8*6+6*7+0*2+3*3 = 194 = 17*11+7; 11-7 = 4
        ("1", "9"),  # 1*2 = 2; 11-2 = 9
        ("6", "K"),  # 6*2 = 12 = 11+1; 11-1 = 10, written K
        ("0", "0"),  # 0; 11-0 = 11, written 0
    ],
)
def test_the_check_digit_of_a_rut(number, check):
    assert rut_check_digit(number) == check


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        # 7*2+7*4+0*10+7*3+0*5+8*9+3*4+8*6+9*8 = 267 = 24*11+3
        ("7707083893", True),
        ("7707083894", False),
        # 11th: 5*7+0*2+0*4+1*10+0*3+0*5+7*9+3*4+2*6+2*8 = 148 = 13*11+5
        # 12th: 5*3+0*7+0*2+1*4+0*10+0*3+7*5+3*9+2*4+2*6+5*8 = 141 = 12*11+9
        ("500100732259", True),
        ("500100732269", False),
        ("500100732258", False),
        ("77070838931", False),  # eleven digits are none
    ],
)
def test_the_check_digits_of_an_inn(digits, expected):
    assert is_inn(digits) is expected


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        # 1*9+1*8+2*7+2*6+3*5+3*4+4*3+4*2+5*1 = 95
        ("11223344595", True),
        ("11223344596", False),
        ("00000000000", False),  # given out before the rule
        # 0*9+8*8+7*7+6*6+5*5+4*4+3*3+0*2+3*1 = 202 = 2*101+0
        ("08765430300", True),
        # 9*9+1*8+0*7+0*6+0*5+0*4+3*3+1*2+0*1 = 100, written 00
        ("91000031000", True),
        ("1122334459", False),  # ten digits
    ],
)
def test_the_check_digits_of_a_snils(digits, expected):
    assert is_snils(digits) is expected


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("20240115", True), ("24122024", True), ("20241301", False), ("23456789", False), ("31042024", False)],
)
def test_eight_digits_may_be_a_day(digits, expected):
    assert is_calendar_day(digits) is expected

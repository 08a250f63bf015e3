"""Identity numbers in text: Danish CPR and CVR, IBAN, Chilean RUT, Russian INN, SNILS and passports.

Every finder is linear in the length of the text: a candidate has a bounded length, and no two parts of a
pattern can match the same character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.extractors.checksums import (
    IBAN_LENGTHS,
    cpr_birth_date,
    is_iban,
    is_inn,
    is_snils,
    rut_check_digit,
)
from joblens.text import Span

_D = "[0-9]"
_DASH = "[-\u2010-\u2015\u2212]"
_NOT_DIGITS = re.compile(r"[^0-9]")

_CPR = re.compile(rf"[0-3](?<![0-9][0-3]){_D}[01]{_D}{_D}{_D}(?: ?{_DASH} ?| )?{_D}{{4}}(?![0-9])")
_LONGER_NUMBER = re.compile(r"(?:\+|[0-9][-.,])\Z")
_CVR = re.compile(
    r"\b(?:CVR|SE)(?:\b[- ]?(?:nr|nummer|no|number)?|nr|nummer)[.:#]{0,2}\s{0,3}(?:DK[- ]?)?"
    r"([0-9]{8}|[0-9]{2}(?: [0-9]{2}){3})(?![0-9])"
    r"|\bDK[- ]?([0-9]{8})(?![0-9])",
    re.IGNORECASE,
)
_GLUED_SENTENCE = re.compile(r"[A-ZÆØÅÁÉÍÓÚÑÄÖÜА-Я][a-zæøåáéíóúñäöüßа-яё]")
"""What follows where the break between a number and the next sentence was lost."""
_IBAN_HEAD = re.compile(r"\b[A-Za-z]{2}[0-9]{2}(?=[ A-Za-z0-9])")
_RUT = re.compile(
    r"([0-9](?<![0-9][0-9])(?<![0-9][.,][0-9])[0-9]?(?:\.[0-9]{3}\.[0-9]{3}|[0-9]{6}))"
    rf" ?{_DASH} ?([0-9Kk])(?![0-9]|[A-Za-z](?![a-zà-ÿ]{{2}}))"  # a word may have lost its blank
)
_INN = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{9}(?:[0-9]{2})?(?![0-9])")
_INN_CUE = re.compile(r"(?:ИНН|INN)(?:/КПП)?\W{0,4}\Z", re.IGNORECASE)
_REFERENCE_CUE = re.compile(r"(?:\bid|ref\w{0,8}|oferta|código|nr|no|number|nummer)\W{0,4}\Z", re.IGNORECASE)
_SNILS = re.compile(
    rf"[0-9](?<![0-9][0-9])[0-9]{{2}}(?:{_DASH}[0-9]{{3}}{_DASH}[0-9]{{3}}(?:{_DASH}| )"
    r"| ?[0-9]{3} ?[0-9]{3} ?)[0-9]{2}(?![0-9])"
)
_SNILS_CUE = re.compile(r"(?:СНИЛС|SNILS)\W{0,4}\Z", re.IGNORECASE)
_PASSPORT = re.compile(
    r"\b(?:паспорт\w{0,3}|passport|pasaporte|pasnummer|pasnr|pas-nr)\b"
    r"[^0-9\n]{0,40}?"
    r"([0-9]{2} ?[0-9]{2}[ ,]{0,2}(?:(?:№|номер|N|No\.?) ?)?[0-9]{6}|\b[A-Z]{0,2}[0-9]{7,9})(?![0-9])",
    re.IGNORECASE,
)


def find_cpr(text: str) -> Iterator[Span]:
    """Danish personal numbers: DDMMYY-SSSS, with a dash, a space or nothing, whose birth date exists.

    Source: CPR-loven; the century rule is in `cpr_birth_date`.
    """
    for match in _CPR.finditer(text):
        start, end = match.span()
        is_part = _LONGER_NUMBER.search(text, max(0, start - 2), start) is not None
        if not is_part and cpr_birth_date(_NOT_DIGITS.sub("", match.group())):
            yield start, end


def find_cvr(text: str) -> Iterator[Span]:
    """Danish company numbers (Erhvervsstyrelsen): eight digits after "CVR", "SE-nr" or "DK" (VAT)."""
    for match in _CVR.finditer(text):
        yield match.span(match.lastindex or 0)


def find_iban(text: str) -> Iterator[Span]:
    """Bank accounts by ISO 13616, compact or in groups, that pass length and remainder 97.

    One that is glued to the next sentence ("… 3853 56Vi søger") ends at its length.
    """
    for head in _IBAN_HEAD.finditer(text):
        wanted = IBAN_LENGTHS.get(head.group()[:2].upper(), 0)
        taken, end = head.group(), head.end()
        while len(taken) < wanted and end < len(text):
            end += text[end] in " \u00a0" and end + 1 < len(text)
            if not (text[end].isascii() and text[end].isalnum()):
                break
            taken += text[end]
            end += 1
        if is_iban(taken) and (not text[end : end + 1].isalnum() or _GLUED_SENTENCE.match(text, end)):
            yield head.start(), end


def find_rut(text: str) -> Iterator[Span]:
    """Chilean RUT/RUN: 7 or 8 digits, dots or none, a dash and the right check digit (0-9 or K)."""
    for match in _RUT.finditer(text):
        if rut_check_digit(_NOT_DIGITS.sub("", match.group(1))) == match.group(2).upper():
            yield match.span()


def find_inn(text: str) -> Iterator[Span]:
    """Russian taxpayer numbers with right check digits, beside "ИНН" or Russian text.

    One in ten numbers of 10 digits passes by chance, one in 120 of 12: those stand alone too, unless a word
    for a reference number stands before them.
    """
    for match in _INN.finditer(text):
        start, end = match.span()
        if not is_inn(match.group()):
            continue
        is_cued = _has_cyrillic(text[max(0, start - 40) : end + 40]) or _INN_CUE.search(
            text, start - 12, start
        )
        if is_cued or (end - start == 12 and not _REFERENCE_CUE.search(text, max(0, start - 16), start)):
            yield start, end


def find_snils(text: str) -> Iterator[Span]:
    """Russian pension numbers XXX-XXX-XXX YY with right check digits; without dashes only after "СНИЛС"."""
    for match in _SNILS.finditer(text):
        start, end = match.span()
        written_out = len(_NOT_DIGITS.findall(match.group())) == 3 and text[start + 3] != " "
        if is_snils(_NOT_DIGITS.sub("", match.group())) and (
            written_out or _SNILS_CUE.search(text, max(0, start - 12), start)
        ):
            yield start, end


def find_passport(text: str) -> Iterator[Span]:
    """Passport numbers after the word: Russian ones (4 + 6 digits), or up to two letters and 7 to 9 digits.

    Sources: Russian government decree 828 (1997); ICAO Doc 9303 (at most nine characters).
    """
    for match in _PASSPORT.finditer(text):
        yield match.span(1)


def _has_cyrillic(text: str) -> bool:
    return any("\u0400" <= char <= "\u04ff" for char in text)

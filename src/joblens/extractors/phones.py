"""Telephone numbers in text, and the many numbers in adverts that are none.

An international number has at most 15 digits (ITU-T E.164). Without a country code it is judged by its
grouping and by the words around it, since years, dates, salaries, postcodes and reference numbers look alike:

| Country | Written as | Numbering plan |
|---|---|---|
| Denmark | 12 34 56 78, 1234 5678; eight digits, the first 2 to 9 | Digitaliseringsstyrelsen |
| Norway | 912 34 567, 22 12 34 56; eight digits | Nkom |
| Sweden | 070-123 45 67, 08-123 456 78; trunk 0 | Post- och telestyrelsen |
| Germany | 030 1234567, 0171/2345678, (030) 123 456-0; trunk 0 | Bundesnetzagentur |
| United Kingdom | 020 7946 0958, 07700 900123; trunk 0 | Ofcom |
| United States | 212-555-0187, (212) 555-0187, 1-800-555-0199 | NANPA |
| Chile | 9 1234 5678, (2) 2345 6789; nine digits | Subtel |
| Russia | 8 (495) 123-45-67, 8-912-345-67-89; trunk 8 | Ministry of Digital Development |
| Spain, Poland | 600 123 456, 91 234 56 78; nine digits | CNMC; UKE |

Ten or eleven digits in one piece count only behind a cue, Russian mobile numbers (89...) excepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.extractors.checksums import is_calendar_day
from joblens.text import Span

_GROUP = re.compile(r"[0-9]+")
_NOT_DIGITS = re.compile(r"[^0-9]")
_S = "[ \u00a0\u202f]"  # the blanks people put between groups
_X = "[ \u00a0\u202f.\\-\u2010-\u2015/]"  # any separator

_DANISH_CODE = re.compile(
    rf"(?:\+|\(\+|00(?<![0-9]00)(?<![0-9][.,:]00)){_S}?45\)?(?:{_X}|\(0\)){{0,3}}[2-9](?:{_X}{{0,2}}[0-9]){{7}}(?![0-9])"
)
_INTERNATIONAL = re.compile(
    rf"(?:\+|\(\+|00(?<![0-9]00)(?<![0-9][.,:]00)){_S}?[1-9](?:(?:{_X}|[()]){{0,3}}[0-9]){{6,13}}(?![0-9])"
)
_EIGHT = re.compile(
    rf"[1-9](?<![0-9][0-9])[0-9](?:[0-9]{{6}}"  # 12345678
    rf"|(?:{_S}[0-9][0-9]){{3}}|(?:-[0-9][0-9]){{3}}|(?:\.[0-9][0-9]){{3}}"  # 12 34 56 78
    rf"|[0-9][0-9](?:{_S}|{_S}?-{_S}?)[0-9]{{4}}"  # 1234 5678
    rf"|[0-9]{_S}[0-9][0-9]{_S}[0-9]{{3}}|{_S}[0-9]{{3}}{_S}[0-9]{{3}})(?![0-9])"  # 123 45 678, 12 345 678
)
_NORTH_AMERICAN = re.compile(
    r"(?:\((?<![0-9]\()[2-9][0-9]{2}\) ?|[2-9](?<![0-9][2-9])[0-9]{2}[-.])[2-9][0-9]{2}[-. ][0-9]{4}(?![0-9])"
)
_TRUNK = re.compile(
    rf"(?:\(0(?<![0-9]\(0)[1-9][0-9]{{0,4}}\)|0(?<![0-9+/]0)(?<![0-9]\(0)(?<![0-9][.,:-]0)[1-9][0-9]{{0,4}})"
    rf"(?:{_S}|[-/]|{_S}[-/]{_S})?[0-9]{{2,9}}(?:[ \-][0-9]{{2,4}}){{0,3}}(?:-[0-9](?=[^\w-]|\Z))?(?![0-9])"
)
_NO_DIGIT = r"(?<![0-9])(?<![0-9][.,:/-])(?<![+(#])(?<![0-9] )"
_GROUPED = re.compile(
    rf"{_NO_DIGIT}(?:[2-9][0-9]{{2}}{_S}[2-9][0-9]{{2}}{_S}[0-9]{{4}}"  # 212 555 0187
    r"|1[-. ]\(?[2-9][0-9]{2}\)?[-. ][2-9][0-9]{2}[-. ][0-9]{4}"  # 1-800-555-0199
    rf"|(?:56{_S}?)?9(?:{_S}|-)[0-9]{{4}}(?:{_S}|-)[0-9]{{4}}|569[0-9]{{8}}"  # 9 1234 5678
    r"|8[ -]?\([3489][0-9]{2}\)[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}"  # 8 (495) 123-45-67
    r"|8([ -])[3489][0-9]{2}[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}|89[0-9]{9}"  # 8-912-345-67-89
    rf"|[2-9][0-9]{{2}}({_S}|-)[0-9]{{3}}\2(?!000)[0-9]{{3}}"  # 600 123 456
    rf"|[5-9][0-9]{{2}}{_S}[0-9]{{2}}{_S}[0-9]{{2}}{_S}[0-9]{{2}}"  # 985 19 60 54
    rf"|[1-9][0-9]({_S}|-)[0-9]{{3}}\3[0-9]{{2}}\3[0-9]{{2}})(?![0-9])"  # 91 234 56 78
    rf"|\((?<![0-9]\()(?:[3489][0-9]{{2}}\){_S}?[0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}"  # (495) 123-45-67
    rf"|[2-9][0-9]?\){_S}?[0-9]{{3,4}}{_S}[0-9]{{4}})(?![0-9])"  # (2) 2345 6789
)
_AREA = re.compile(r"\((?<![0-9]\()[0-9]{2,4}\) ?[0-9]{3,5}[- ][0-9]{3,4}(?![0-9])")
_ANY = re.compile(rf"(?:\([0-9]|[0-9](?<![0-9][0-9]))(?:(?:{_X}|[()]){{0,2}}[0-9]){{6,13}}(?![0-9])")
_EXTENSION = re.compile(r"(?:[ ,]{0,2}(?:ext\.?|lokal|lok\.|x) ?[0-9]{1,5})(?![0-9])", re.IGNORECASE)
_CUE_BEFORE = re.compile(
    r"(?:\b(?:tlf|tel|call|cell|cellphone|ring|sms|fax|fono|celular|direkte|kontakt|contact|моб|тел)"
    r"|phones?|telef[oó]n\w{0,8}|\bmobil\w{0,8}|whatsapp|телефон\w{0,3})(?:\b|(?=[0-9]))[^0-9\n]{0,20}\n?\Z",
    re.IGNORECASE,
)
_CLOSE_NUMBER = re.compile(r"[0-9][^0-9\n]{0,20}\n?\Z")
_CUE_AFTER = re.compile(r"(?:x[0-9]{1,5})? ?[-(]?(?:office|fax|mobile?|desk)\b", re.IGNORECASE)
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:id|nr|no|ref|reference|sag|sagsnr|sagsnummer|jobnr|jobnummer|jobid|stillingsnr|stillingsnummer"
    r"|journal\w{0,6}|cvr|ean|se|p-nr|p-nummer|konto|kontonr|kontonummer|reg|isbn|issn|nummer|number|uge|uger"
    r"|weeks?|orgnr|gln|løbenr)"
    r"|[#№$€£]|\b(?:kr|dkk|eur|usd|sek|nok|gbp|php|pln|rs))[^\w\n]{0,4}\Z",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(
    r"\s?(?:,-|kr\b|kr\.|kroner|dkk|eur|euro|usd|sek|nok|gbp|php|pln|zł|[$€£]|mio|million"
    r"|pr\.? (?:år|måned|time)|per (?:year|month|hour)|om året|om måneden|årligt|%)",
    re.IGNORECASE,
)
_HOURS = re.compile(r"[0-9]{1,2}[.:][0-9]{2} ?[-–] ?[0-9]{1,2}[.:][0-9]{2}")
_CHAINED = re.compile(r"[0-9][.,:\-/]\Z")
_CPR_SHAPE = re.compile(r"[0-9]{6}[- ]?[0-9]{4}")  # with a date that does not exist, or it would be one
_ACCOUNT = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){0,7} \Z")
_LONGER = re.compile(r"[0-9] \Z")
_CHAIN = re.compile(r"[.,\-/:][0-9]|[@_]")
_HYPHEN = re.compile(r"-(?![ \u00a0])")
_PAIRS_BEFORE = re.compile(r"(?:(?<![0-9])[0-9]{2} )*\Z")
_PAIRS_AFTER = re.compile(r"(?: [0-9]{2}(?![0-9]))*")


def find_phones(text: str) -> Iterator[Span]:
    """Telephone numbers: with a country code, eight Danish digits, (555) 555-5555, with a 0, or after a cue.

    A telephone number is a cue for the next one. Finds may overlap; the caller merges them.
    """
    ends: set[int] = set()
    for span in _shaped(text):
        ends.add(span[1])
        yield span
    for match in _ANY.finditer(text):
        start, end = match.span()
        start += match.group().startswith("(") and ")" not in match.group()  # the number stands in brackets
        is_cued = _has_cue(text, start) or _CUE_AFTER.match(text, end) or _is_next(text, start, ends)
        if is_cued and not _is_amount(text, (start, end)) and not _HOURS.fullmatch(match.group()):
            span = _with_extension(text, (start, end))
            ends.add(span[1])
            yield span


def _shaped(text: str) -> Iterator[Span]:
    """Numbers that are told by their own shape, by a country's code or by how their digits are grouped."""
    for pattern in (_DANISH_CODE, _INTERNATIONAL, _TRUNK, _NORTH_AMERICAN, _AREA):
        for match in pattern.finditer(text):
            shortest, longest = (9, 11) if pattern is _TRUNK else (8, 15)
            is_long_enough = shortest <= len(_NOT_DIGITS.sub("", match.group())) <= longest
            if is_long_enough and not _is_other(text, match.span()):
                yield _with_extension(text, match.span())
    for match in _GROUPED.finditer(text):
        start, end = match.span()
        is_free = not (_CHAIN.match(text, end) or _HYPHEN.match(text, end) or _belongs_to_word(text, start))
        if is_free and not _is_other(text, match.span()) and not _is_numbered(text, start):
            yield _with_extension(text, match.span())
    for match in _EIGHT.finditer(text):
        if _is_danish(text, match.span()):
            yield match.span()


def _is_next(text: str, start: int, ends: set[int]) -> bool:
    """Whether little stands between a number and the telephone number before it."""
    before = _CLOSE_NUMBER.search(text, max(0, start - 23), start)
    return before is not None and before.start() + 1 in ends


def _is_danish(text: str, span: Span) -> bool:
    """Whether eight digits are a telephone number, judged by their grouping and what stands beside them."""
    start, end = span
    touching = text[max(0, start - 2) : start]
    if _belongs_to_word(text, start) or touching.endswith(("+", "_", "@", "/")) or _CHAINED.search(touching):
        return False
    if _is_amount(text, span) or _CHAIN.match(text, end):
        return False
    is_likely = _has_telephone_grouping(text, span)
    if is_likely and not _is_numbered(text, start):
        return True
    return _has_cue(text, start)


def _belongs_to_word(text: str, start: int) -> bool:
    """Whether the letter before the number is part of it, as in "A23456789", and no word that lost its blank.

    Such a word ends in three small letters: "Driftschef23 45 67 89".
    """
    return text[start - 1 : start].isalpha() and not text[max(0, start - 3) : start].islower()


def _is_numbered(text: str, start: int) -> bool:
    """Whether a word such as "sagsnr." or "ref" stands before: the number counts something else."""
    return _OTHER_NUMBER.search(text, max(0, start - 20), start) is not None


def _has_cue(text: str, start: int) -> bool:
    """Whether a word such as "tlf." or "ring til os på" stands close before."""
    return _CUE_BEFORE.search(text, max(0, start - 32), start) is not None


def _has_telephone_grouping(text: str, span: Span) -> bool:
    """Whether the grouping alone speaks for a telephone number and against years, dates and thousands."""
    number = text[span[0] : span[1]]
    groups = _GROUP.findall(number)
    if len(groups) == 4:
        return not _is_list_of_pairs(text, span)
    if len(groups) == 2:
        are_years = all(group[:2] in ("19", "20") for group in groups)
        return not are_years and "-" not in number and not _LONGER.search(text, max(0, span[0] - 2), span[0])
    if len(groups) == 1:
        return number[0] != "1" and not is_calendar_day(number)
    return not (len(groups[0]) == 2 and groups[2].endswith("00"))  # 25 000 000, 12 345 600


def _is_list_of_pairs(text: str, span: Span) -> bool:
    """Whether more pairs surround the four, as in "uge 21 22 23 24 25", but not in two numbers in a row."""
    start, end = span
    left = _PAIRS_BEFORE.search(text, max(0, start - 36), start)
    right = _PAIRS_AFTER.match(text, end, end + 36)
    pairs = (len(left.group()) if left else 0) // 3 + (len(right.group()) if right else 0) // 3
    return pairs % 4 != 0


def _is_other(text: str, span: Span) -> bool:
    """Whether it is an amount of money, an impossible CPR number, or part of an account number."""
    return (
        _is_amount(text, span)
        or _CPR_SHAPE.fullmatch(text, *span) is not None
        or _ACCOUNT.search(text, max(0, span[0] - 42), span[0]) is not None
    )


def _is_amount(text: str, span: Span) -> bool:
    """Whether a currency or a unit follows the number, so that it is a salary and not a telephone."""
    return _MONEY_AFTER.match(text, span[1]) is not None


def _with_extension(text: str, span: Span) -> Span:
    extension = _EXTENSION.match(text, span[1])
    return (span[0], extension.end()) if extension else span

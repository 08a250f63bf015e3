"""Personal data that has a shape: found by patterns and check digits, masked by type.

| Type | What | Standard |
|---|---|---|
| `email` | addresses, also "navn (at) firma.dk" and "navn [snabel-a] firma punktum dk" | RFC 5321, RFC 6531 |
| `phone` | Danish, international, cued | ITU-T E.164, the Danish numbering plan |
| `url` | with a scheme, with www, and bare domains of common endings | RFC 3986 |
| `cpr` `cvr` | Danish person and company numbers | CPR-loven, CVR-loven |
| `iban` | bank accounts | ISO 13616, ISO 7064 |
| `rut` | Chilean person and company numbers | Registro Civil |
| `inn` `snils` `passport` | Russian numbers; other passports after the word | Russian law; ICAO Doc 9303 |

Names, addresses and organisations have no shape: they are the extractor model's to find.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from joblens.extractors.identifiers import (
    find_cpr,
    find_cvr,
    find_iban,
    find_inn,
    find_passport,
    find_rut,
    find_snils,
)
from joblens.extractors.phones import find_phones
from joblens.records import Entity
from joblens.text import Span

RULES = 1
"""Raised whenever a rule finds something else, so that a bundle made before is refused."""

_AT = re.compile(
    r"@[ \u00a0]?"
    r"|[(\[{<][ \u00a0]?(?:at|@|snabel-?a|ät|arroba)[ \u00a0]?[)\]}>][ \u00a0]{0,2}"
    r"|(?:s(?<=[ \u00a0]s)nabel-?a|a(?<=[ \u00a0]a)rroba)[ \u00a0]"
    r"|a(?<=[ \u00a0]a)t[ \u00a0](?=[\w-]{1,63}[ \u00a0](?:dot|punktum|prik)[ \u00a0])",
    re.IGNORECASE,
)
_DOT = (
    r"(?:\.|[ \u00a0]?[(\[{](?:dot|punktum|prik|punto|\.)[)\]}][ \u00a0]?"
    r"|[ \u00a0](?:dot|punktum|prik|punto)[ \u00a0])"
)
_LOCAL = re.compile(r"([\w.!#$%&'*+/=?^`{|}~-]{1,64})[ \u00a0]{0,2}\Z")
_DOMAIN = re.compile(rf"[\w-]{{1,63}}+(?:{_DOT}[\w-]{{1,63}}+){{0,8}}{_DOT}[^\W\d_]{{2,24}}", re.IGNORECASE)
_LITERAL = re.compile(r"\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3}\]?")

_URL = re.compile(
    r"(?:h(?<!\w[hH])(?:tt|xx)ps?://|f(?<!\w[fF])tps?://|w(?<!\w[wW])ww\.(?=\w))[^\s<>\"'«»“”]++",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\.(?:(?:dk|com|org|net|eu|info|io|cl|ru|co\.uk|com\.ph)(?![\w@])(?!\.\w)(?:[/?#][^\s<>\"'«»“”]*+)?"
    r"|[a-z]{2}/[^\s<>\"'«»“”]++)"
)
_HOST_LEFT = re.compile(r"(?<![\w@.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\Z")
_NOT_HOSTS = re.compile(r"(?:asp|vb|ado|c#|f#)\.net\Z|socket\.io\Z", re.IGNORECASE)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, found from the at-sign outwards; obfuscated signs and dots in da, en and es count."""
    for sign in _AT.finditer(text):
        domain = _DOMAIN.match(text, sign.end()) or (
            _LITERAL.match(text, sign.end()) if sign.group() == "@" else None
        )
        local = _LOCAL.search(text, max(0, sign.start() - 66), sign.start()) if domain else None
        if local and domain and any(char.isalnum() for char in local.group(1)):
            skip = len(local.group(1)) - len(local.group(1).lstrip("'`*=|/{}!?.-"))
            yield local.start() + skip, domain.end()


def find_urls(text: str) -> Iterator[Span]:
    """Web addresses: with a scheme, with www, or bare domains of common endings such as firma.dk/job."""
    for match in _URL.finditer(text):
        yield match.start(), _trim(text, match.span())
    for match in _BARE.finditer(text):
        left = max(0, match.start() - 128)
        host = _HOST_LEFT.search(text, left, match.start())
        if host and not _NOT_HOSTS.search(text, host.start(), match.end()):
            yield host.start(), _trim(text, (host.start(), match.end()))


def _trim(text: str, span: Span) -> int:
    """Where the address ends when the punctuation of the sentence around it is left out."""
    start, end = span
    while end > start and text[end - 1] in ".,;:!?)]}*_":
        end -= 1
    return end


FINDERS: dict[str, Callable[[str], Iterable[Span]]] = {
    "email": find_emails,
    "url": find_urls,
    "cpr": find_cpr,
    "cvr": find_cvr,
    "iban": find_iban,
    "rut": find_rut,
    "inn": find_inn,
    "snils": find_snils,
    "passport": find_passport,
    "phone": find_phones,
}
"""Every type with its finder. Where two finds are equally long the earlier type names the span."""


def find_pii(text: str) -> list[Entity]:
    """Personal data in the text in order, without overlaps.

    Finds that overlap become one span that covers all of them and carries the type of the longest.
    """
    found = sorted(
        (start, end, rank, label)
        for rank, (label, find) in enumerate(FINDERS.items())
        for start, end in find(text)
    )
    merged: list[Entity] = []
    longest = (0, 0)
    for start, end, rank, label in found:
        length = (end - start, -rank)
        if merged and start < merged[-1].end:
            before = merged.pop()
            label = label if length > longest else before.label
            start, end = before.start, max(before.end, end)
            longest = max(longest, length)
        else:
            longest = length
        merged.append(Entity(start, end, label, text[start:end]))
    return merged


def replace_spans(text: str, entities: Iterable[Entity]) -> str:
    """The text with each span, given in order and without overlaps, replaced by `[type]`."""
    parts: list[str] = []
    last = 0
    for entity in entities:
        parts += text[last : entity.start], f"[{entity.label}]"
        last = entity.end
    return "".join(parts) + text[last:]


def mask(text: str) -> tuple[str, Counter[str]]:
    """The text with personal data replaced by `[email]`, `[phone]`, ..., and how many there were of each.

    What a mask uncovers (a number that only then stands free) is masked in a second or third pass; there are
    no more, so that the time stays linear in the length of the text.
    """
    removed: Counter[str] = Counter()
    for _ in range(3):
        found = find_pii(text)
        if not found:
            break
        text = replace_spans(text, found)
        removed.update(entity.label for entity in found)
    return text, removed


class PatternExtractor:
    """The patterns as an extractor: finds personal data only, no occupation, skill or task."""

    name = "patterns"
    fingerprint = f"patterns {RULES}"

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Personal data of each text, by `find_pii`."""
        return [find_pii(text) for text in texts]

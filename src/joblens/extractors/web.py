"""E-mail addresses and web addresses in text, also the spellings that hide them from machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.text import Span

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

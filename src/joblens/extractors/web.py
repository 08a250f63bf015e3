"""E-mail addresses and web addresses in text, also the spellings that hide them from machines.

Sources: RFC 5321 and RFC 6531 (mail addresses), RFC 3986 (web addresses), IANA's root zone with ISO 3166-1
(endings). The spellings in words were read out of adverts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.extractors.domains import ALSO_WORDS, COUNTRY_ENDINGS
from joblens.extractors.letters import S
from joblens.text import Span

_ENDINGS = "dk|com|org|net|eu|se|no|de|co\\.uk|uk|es|cl|ru|pl|info|io|fi|fr|nl|gl|fo|ph|ie|mx|рф"
"""Top-level domains that are certain enough to be cut, or joined, when a text was broken there (IANA)."""
_SIGNS = r"at|a|@|snabel-?a|ät|æt|arroba|krøllalfa|alfakrøll|małpa|собака|klammeraffe"
_POINT = "dot|punktum|prik|punto|punkt|kropka|точка"
_AT = re.compile(
    rf"@[ \u00a0\n]?"
    rf"|[(\[{{<]{S}?(?:{_SIGNS}){S}?[)\]}}>]{S}{{0,2}}"
    rf"|(?:s(?<={S}s)nabel-?a|a(?<={S}a)rroba|k(?<={S}k)røllalfa|с(?<={S}с)обака|m(?<={S}m)ałpa){S}"
    rf"|a(?<={S}a)t{S}(?=[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,3}}(?:{S}(?:{_POINT}){S}|{S}?[(\[{{](?:{_POINT}|\.)[)\]}}]))",
    re.IGNORECASE,
)
_DOT = (
    rf"(?:\.|{S}?[(\[{{](?:{_POINT}|\.)[)\]}}]{S}?|{S}(?:{_POINT}){S}"
    rf"|{S}?\.[ \u00a0\n](?=(?:{_ENDINGS})(?!\w))|{S}\.(?=(?:{_ENDINGS})(?!\w)))"
)
_LOCAL = re.compile(r"([\w.!#$%&'*+/=?^`{|}~-]{1,64})[ \u00a0]{0,2}\Z")
_LOCAL_ABOVE = re.compile(r"([\w.-]*[\w-])\n\Z")
_DOMAIN = re.compile(rf"[\w-]{{1,63}}+(?:{_DOT}[\w-]{{1,63}}+){{0,8}}{_DOT}[^\W\d_]{{2,24}}", re.IGNORECASE)
_GLUED = re.compile(rf"\.(?:{_ENDINGS})(?=\.?[A-ZÆØÅÁÉÍÓÚÑÄÖÜА-Я])")
_CERTAIN = re.compile(rf"[.\s)\]}}](?:{_ENDINGS})\Z", re.IGNORECASE)
_SPOKEN_AT = re.compile(rf"{S}at{S}(?=[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,4}}\.(?:{_ENDINGS})(?!\w|\.\w))")
_TELLING = re.compile(
    r"[a-z]{1,30}[._-]?[0-9]{1,4}|[a-z]{1,30}(?:[._][a-z]{1,30}){1,3}|[A-Z][a-z]{0,30}[._][A-Z][a-z]{1,30}"
)
_WRITING = re.compile(
    r"(?:\b(?:writ(?:e|ing)|e-?mails?|mail|repl(?:y|ies)|go|sen[dt]|cvs?|resumes?|applications?|letters?|enquiries)"
    r"(?: \w{1,12}){0,2} to|\bvia|\bat|\be-?mail|\bmail)(?::| ){1,2}\Z",
    re.IGNORECASE,
)
_LISTED_BEFORE = re.compile(r"[A-Z][a-z]{1,30} [A-Z][a-z]{1,30}, \Z|\b(?:[Cc]ontact|[Mm]ail|[Ww]rite): ?\Z")
_PHONE_BEFORE = re.compile(r"[0-9] ?[/|] ?\Z")
_LISTED_BEHIND = re.compile(r"(?:,|;| or| and|\.?\s*\Z|\n| [(+0-9])")
_CAPITALISED = re.compile(r"[A-Z][a-z]{2,30}")
_NO_MAILBOX = frozenset(
    "us me him her it them you me one staff anyone someone everyone come work apply be join find visit now"
    " here online directly today see look stay start available others candidates employees people"
    " colleagues details register read more learn info listed about".split()
)
_MAILBOXES = frozenset(
    "jobs job careers career hr info office mail contact hello applications application recruitment"
    " recruiting hiring cv resume resumes admin enquiries personnel talent people support sales".split()
)
"""What a firm's mailboxes are called (RFC 2142), above all for applications."""
_LITERAL = re.compile(r"\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3}\]?")

_URL = re.compile(
    r"(?:h(?<!\w[hH])(?:tt|xx)ps?://|f(?<!\w[fF])tps?://|w(?<!\w[wW])ww\.(?=\w))[^\s<>\"'«»“”]++",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\.(?:(?:(?:com|org|net|info|co|gov|edu|ac)\.)?[a-zрф]{2}|com|org|net|info|jobs|biz)(?![\w@])(?!\.\w)"
    r"(?:[/?#][^\s<>\"'«»“”]*+)?"
    rf"|\.(?:{_ENDINGS})(?=\.?[A-ZÆØÅÁÉÍÓÚÑÄÖÜА-Я][a-zæøåа-я])"  # the next sentence is glued to it
)
_ENDING = re.compile(r"\.([a-zрф]{2})(?=[/?#]|\Z)")
_GOES_ON = re.compile(r"\.? [a-zß-öø-ÿа-яё]")
_WEB_CUE = re.compile(
    r"(?:\b(?:at|on|via|visit|website|see|på|besøg|se|en|web|hjemmeside\w{0,3}|auf|na|на|сайт\w?)|:)"
    r"[ \u00a0]\Z",
    re.IGNORECASE,
)
_HOST_LEFT = re.compile(r"(?<![\w@.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\Z")
_NETWORKS = (
    "linkedin|instagram|insta|twitter|facebook|fb|telegram|tiktok|snapchat|skype|skype id|github"
    "|gitlab|signal|wechat|vkontakte|vk|threads|bluesky|mastodon|whatsapp|viber|messenger|телеграм|вк|ig"
)
_HANDLE = re.compile(
    rf"(?<!\w)(?:{_NETWORKS})(?: ?(?:profil\w{{0,2}}|handle|id|konto|account))?"
    r"(?:[ \u00a0]?[:–-][ \u00a0]?|[ \u00a0(/]{1,2})"
    r"(?:(@[\w.]{2,40}|/?in/[\w.-]{2,60})"
    r"|(?<=[:–-] |.[:–-])(?-i:([a-z0-9](?=[\w.-]{0,40}(?:[\d_.-]\w| ?(?:[|)\n]|\Z)))[\w.-]{3,40}+)"
    r"(?![\w@])))",
    re.IGNORECASE,
)
_ABBREVIATION = 4
"""Characters of what is rather a shortened word than a host: "m.in", "m.st"."""
_NOT_HOSTS = re.compile(
    r"(?:asp|vb|ado|c#|f#)\.net\Z|(?:socket|webdriver)\.io\Z|[0-9]\.[a-z]{2}\Z", re.IGNORECASE
)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, found from the at-sign outwards; signs and dots written as words count.

    An address broken over two lines is joined where the ending is a common one; one that is glued to the next
    sentence ("navn@firma.dkVi søger") ends at its ending.
    """
    for sign in _AT.finditer(text):
        domain = _DOMAIN.match(text, sign.end()) or (
            _LITERAL.match(text, sign.end()) if sign.group() == "@" else None
        )
        if domain is None:
            continue
        glued = _GLUED.search(text, domain.start(), domain.end() + 1)
        end = glued.end() if glued else domain.end()
        is_certain = _CERTAIN.search(text, domain.start(), end) is not None
        if sign.group().strip("([{<>}]) \u00a0").casefold() == "a" and not is_certain:
            continue  # "(a)" also counts the points of a list
        if sign.group().endswith("\n") and not is_certain:
            continue
        local = _LOCAL.search(text, max(0, sign.start() - 66), sign.start())
        if local is None and is_certain:
            local = _LOCAL_ABOVE.search(text, max(0, sign.start() - 66), sign.start())
        if local and any(char.isalnum() for char in local.group(1)):
            skip = len(local.group(1)) - len(local.group(1).lstrip("'`*=|/{}!?.-"))
            yield local.start() + skip, end
    for sign in _SPOKEN_AT.finditer(text):
        local = _LOCAL.search(text, max(0, sign.start() - 66), sign.start())
        domain = _DOMAIN.match(text, sign.end())
        if local is None or domain is None:
            continue
        if _is_mailbox(text, local) or _is_bracketed(text, local, domain) or _is_listed(text, local, domain):
            yield local.start(), domain.end()


def _is_mailbox(text: str, local: re.Match[str]) -> bool:
    """Whether the word before a plain "at" and a domain is a mailbox: by its form, or by what stands before.

    "mette.holm at firma.ie" is one, "write to jobs at firma.ie" and "Mette Holm, mholm at firma.ie" too;
    "join us at firma.ie" is not.
    """
    name = local.group(1)
    if _TELLING.fullmatch(name):
        return True
    if not (name.replace("-", "").isalpha() and name.islower()) or name in _NO_MAILBOX:
        return False
    if text[local.start() - 1 : local.start()] == "<" or _WRITING.search(
        text, max(0, local.start() - 48), local.start()
    ):
        return True
    before = _CAPITALISED.findall(text, max(0, local.start() - 48), local.start())
    return len(name) > 2 and any(_is_of(word.casefold(), name) for word in before)


def _is_bracketed(text: str, local: re.Match[str], domain: re.Match[str]) -> bool:
    """Whether mailbox and domain are all that stands in brackets: "Carol (cade at firma.com)"."""
    brackets = text[max(0, local.start() - 1) : local.start()] + text[domain.end() : domain.end() + 1]
    return brackets in ("()", "[]", "<>") and local.group(1).casefold() not in _NO_MAILBOX


def _is_listed(text: str, local: re.Match[str], domain: re.Match[str]) -> bool:
    """Whether they are one of the ways to reach somebody: "Ann Lee, jobs at firma.com, +44 ..."."""
    name = local.group(1)
    is_plain = name.isalpha() and name.islower() and name not in _NO_MAILBOX
    if is_plain and _PHONE_BEFORE.search(text, max(0, local.start() - 4), local.start()):
        return True
    return (
        name in _MAILBOXES
        and _LISTED_BEFORE.search(text, max(0, local.start() - 48), local.start()) is not None
        and _LISTED_BEHIND.match(text, domain.end()) is not None
    )


_SURNAME = 4
"""Least letters of a surname behind initials in a mailbox: "please share" is none of "Are"."""


def _is_of(word: str, mailbox: str) -> bool:
    """Whether a mailbox is named after a word: its start, it and more, or one or two initials and it."""
    return (
        word.startswith(mailbox)
        or mailbox.startswith(word)
        or (len(word) >= _SURNAME and mailbox.endswith(word) and len(mailbox) - len(word) <= 2)
    )


def find_urls(text: str) -> Iterator[Span]:
    """Web addresses: with a scheme, with www, bare domains of common endings such as firma.dk/job.

    Also what somebody is called on a network, behind its name: "LinkedIn: jens-hansen", "Instagram @jens".
    """
    for match in _URL.finditer(text):
        yield match.start(), _trim(text, match.span())
    for match in _BARE.finditer(text):
        left = max(0, match.start() - 128)
        host = _HOST_LEFT.search(text, left, match.start())
        if (
            host
            and match.end() - host.start() > _ABBREVIATION
            and _is_ending(text, match, host.start())
            and not _NOT_HOSTS.search(text, host.start(), match.end())
        ):
            yield host.start(), _trim(text, (host.start(), match.end()))
    for match in _HANDLE.finditer(text):
        start, end = match.span(1) if match.group(1) else match.span(2)
        yield start, _trim(text, (start, end))


def _is_ending(text: str, match: re.Match[str], start: int) -> bool:
    """Whether a bare host ends like one: with a country's code that is not the first word of a sentence."""
    ending = _ENDING.search(text, match.start(), match.end())
    if ending is None:
        return True
    if ending.group(1) not in COUNTRY_ENDINGS:
        return False
    if (
        ending.group(1) not in ALSO_WORDS
        or match.end() > ending.end()
        or not _GOES_ON.match(text, match.end())
    ):
        return True
    return _WEB_CUE.search(text, max(0, start - 16), start) is not None


def _trim(text: str, span: Span) -> int:
    """Where the address ends when the punctuation of the sentence around it is left out."""
    start, end = span
    while end > start and text[end - 1] in ".,;:!?)]}*_":
        end -= 1
    return end

"""HTML in adverts to plain text, its structure kept as line breaks.

Adverts mix three things: HTML, plain text with a few entities (`&nbsp;`), and plain text with angle brackets
that mean something (`C++ < 3 years`, `<NAME>`, `vector<int>`). So nothing is a tag unless HTML knows it.
"""

import html
import re

_BREAKS = frozenset(
    "article aside blockquote br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul".split()
)
"""Tags that end a line."""

_INLINE = frozenset(
    "a abbr b big body caption cite col colgroup em font html i img input ins kbd link mark meta nobr q s "
    "samp small span strike strong style script sub sup tt u wbr".split()
)
"""Tags that do not. Names that may be a placeholder or a type (address, title, code) are in neither list."""

_CELLS = frozenset({"td", "th"})
"""Tags that only keep words apart, as do the ones nobody knows."""

# Possessive quantifiers: no backtracking, so the time stays linear whatever the text holds.
_TAG = re.compile(
    r"""<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*+)(?P<rest>(?:[\s/](?:"[^"]*+"|'[^']*+'|[^<>"'])*+)?)>"""
)
_ATTRIBUTE = re.compile(r"""\s[A-Za-z][\w:-]*+\s*+=\s*+["'\w#]""")
_DECLARATION = re.compile(r"<!doctype\b[^<>]*+>|<\?xml\b[^<>]*+>", re.IGNORECASE)
_UNSEEN = re.compile(r"<!--|<(script|style|template|noscript|head)\b[^<>]*+>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ESCAPED_TAG = re.compile(r"&lt;/?(?:p|br|li|ul|ol|div|strong|span|h[1-6])\b[^<>]{0,200}?&gt;", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")


def html_to_text(text: str) -> str:
    """Plain text of an advert that may be HTML, may hold entities, or may be neither.

    Block tags become line breaks, other tags vanish, `script`, `style` and comments vanish with their
    content, and entities with a semicolon are decoded. A `<` that does not open a tag which HTML knows stays.
    Text without any tag keeps its own line breaks and spaces.
    """
    if "<" not in text and "&" not in text:
        return text
    names = _names_of_tags(text)
    if not names and _ESCAPED_TAG.search(text):  # HTML that was escaped once too often
        text = _decode(text)
        names = _names_of_tags(text)
    if not names:
        return _decode(text)
    text = _without_unseen(_DECLARATION.sub("", text))
    if names & _BREAKS:  # in HTML a line break of the source is only a space
        text = " ".join(text.split())
    text = _decode(_TAG.sub(lambda tag: _replacement(tag, names), text))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _names_of_tags(text: str) -> frozenset[str]:
    """The names that count as tags in this text, in lower case.

    Those HTML knows; others only when they carry an attribute or are both opened and closed, so that `<NAME>`
    or `<address>` in plain text stay.
    """
    opened: set[str] = set()
    closed: set[str] = set()
    certain: set[str] = set()
    for tag in _TAG.finditer(text):
        if _is_prose(tag):
            continue
        name = tag["name"].lower()
        (closed if tag["close"] else opened).add(name)
        if name in _BREAKS | _INLINE | _CELLS or _ATTRIBUTE.match(tag["rest"]):
            certain.add(name)
    return frozenset(certain | (opened & closed))


def _is_prose(tag: re.Match[str]) -> bool:
    """Whether several words without any `=` follow the name, as in `a <b and c> d`."""
    return "=" not in tag["rest"] and len(tag["rest"].split()) > 1


def _without_unseen(text: str) -> str:
    """Without comments, scripts and styles; one that is never closed hides nothing.

    Each search starts where the last one ended, and a closing not found once is not looked for again.
    """
    kept: list[str] = []
    unclosed: set[str] = set()
    start = 0
    position = 0
    while opening := _UNSEEN.search(text, position):
        name = (opening[1] or "").lower()
        position = opening.end()
        if name in unclosed:
            continue
        closing = re.compile(rf"</{name}\s*+>" if name else "-->", re.IGNORECASE).search(text, position)
        if closing is None:
            unclosed.add(name)
            continue
        kept += [text[start : opening.start()], " " if name else ""]
        start = position = closing.end()
    return "".join(kept) + text[start:]


def _replacement(tag: re.Match[str], names: frozenset[str]) -> str:
    name = tag["name"].lower()
    if name not in names or _is_prose(tag):
        return tag[0]
    if name in _BREAKS:
        return "\n"
    return "" if name in _INLINE else " "


def _decode(text: str) -> str:
    """Entities that end in a semicolon, also those escaped twice; `R&D` and `&copy` without one stay."""
    return _ENTITY.sub(lambda entity: html.unescape(f"&{entity[1]};"), text)

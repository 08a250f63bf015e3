"""Text in, text or offsets out: normalise, sentences, windows, word counts, and the lines that models read.

Pure and without dependencies. Offsets are indices into the string that was given, end exclusive, so
`text[start:end]` is always what a function found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from string import Formatter

Span = tuple[int, int]

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SEPARATORS = re.compile("[\x1c-\x1f]")  # str.split() sees white space in these; a reader sees nothing
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_EDGES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")

_WORD = re.compile(r"\w+")
_LINE = re.compile(r"[^\n]+")
_STOP = re.compile(
    r"[.!?…](?<![.!?…].)[.!?…]*+[\"'»”’)\]]*+\s++(?=\S)"  # end of a sentence, then white space
    r"|\s(?=[•▪●■◦‣·]\s?\S)"  # a bullet in the middle of a line
    r"|[.!?](?<=[a-zæøåäöéüß]{4}.)(?=[A-ZÆØÅÄÖ][a-zæøåäöéüß]*+[ ,])"  # lost line break: "erfaring.Du har"
)
_LAST_TOKEN = re.compile(r"[\w.]+\Z")
_SEPARATING = " \t\n;,.|/·–-"
_OPENING = "\"'«»“”‘’([•▪●■◦‣·-–—*"
_ABBREVIATIONS = frozenset(
    # Danish
    "afd bl bl.a ca cand ct d dvs d.v.s eks evt f.eks fx hhv hr inkl ekskl jf kl kr lic m.fl max mdr mht min"
    " mio mv m.v nr obs osv o.l og.lign pga pkt p.t red sek skt st stk tlf tel tv ugtl vedr vha"
    # English
    " approx corp dept dr e.g etc ext fig i.e inc jr ltd mr mrs ms no prof rev sr u.k u.s vs".split()
)


def normalise(text: str) -> str:
    """The same text in one spelling: NFC, no control or invisible characters, white space folded.

    Line breaks are kept (CR, CRLF, form feeds and Unicode separators become LF; at most one empty line in a
    row); any other run of white space becomes one space; lines and the whole are stripped. NUL is dropped,
    a lone surrogate (not encodable as UTF-8) becomes U+FFFD. Applying it twice changes nothing.
    """
    text = _BREAKS.sub("\n", text)
    text = _SEPARATORS.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    text = _SURROGATES.sub("\ufffd", text)
    text = unicodedata.normalize("NFC", text)
    text = _BLANKS.sub(" ", text)
    text = _LINE_EDGES.sub("\n", text)
    return _EMPTY_LINES.sub("\n\n", text).strip()


def words(text: str) -> list[Span]:
    """Offsets of the words: runs of letters, digits and underscores (Unicode)."""
    return [match.span() for match in _WORD.finditer(text)]


def word_count(text: str) -> int:
    """How many words `words` finds. A cut beside a word never changes the sum, only one inside it does."""
    return len(_WORD.findall(text))


def sentences(text: str) -> list[Span]:
    """Offsets of the sentences in order, without the white space around them.

    A line break always ends a sentence, so does a bullet inside a line. A full stop does when white space
    and a capital, digit, quote or bullet follow and the word before is no abbreviation, initial or ordinal.
    Every non-space character lies in exactly one sentence.
    """
    found: list[Span] = []
    for line in _LINE.finditer(text):
        start, end = line.span()
        for stop in _STOP.finditer(text, start, end):
            if _ends_sentence(text, start, stop):
                _append_stripped(found, text, start, stop.end())
                start = stop.end()
        _append_stripped(found, text, start, end)
    return found


def _ends_sentence(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether the stop inside a line is one: "kl. 8", "f.eks. Java", "H. C. Andersen" are none."""
    mark = stop.group()
    if mark[0].isspace() or not mark[-1].isspace():  # a bullet, or a lost line break
        return True
    after = text[stop.end()]
    if not (after.isupper() or after.isdigit() or after in _OPENING):
        return False
    if mark.rstrip() != ".":
        return True
    before = _LAST_TOKEN.search(text, max(start, stop.start() - 20), stop.start())
    if before is None:
        return True
    token = before.group().casefold()
    is_initial = len(token) == 1 and token.isalpha()
    is_ordinal = token.isdigit() and len(token) <= 2
    return not (is_initial or is_ordinal or token in _ABBREVIATIONS)


def _append_stripped(found: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        found.append((start, end))


def windows(
    text: str, limit: int, *, overlap: int = 0, split: Callable[[str], Sequence[Span]] = words
) -> list[Span]:
    """Offsets of consecutive pieces of the text that each hold at most `limit` words.

    Whole sentences are packed as long as they fit. Only a sentence that is longer than `limit` alone is cut,
    between words; its pieces share `overlap` words so that nothing at a cut is seen only in halves. Together
    the windows hold every word.

    Args:
        text: Any text.
        limit: Most words in a window; at least 1.
        overlap: Words that two pieces of one cut sentence share; less than `limit`.
        split: The word splitter whose words are counted, for example a model's own.

    Raises:
        ValueError: `limit` is below 1, or `overlap` is not in [0, limit).
    """
    packed: list[Span] = []
    room = 0
    for start, end in sentences(text):
        spans = split(text[start:end])
        pieces = chunks([1] * len(spans), limit, overlap=overlap)
        if len(pieces) == 1 and packed and len(spans) <= room:
            packed[-1] = (packed[-1][0], end)
            room -= len(spans)
        elif len(pieces) == 1:
            packed.append((start, end))
            room = limit - len(spans)
        else:
            packed.extend((start + spans[first][0], start + spans[last - 1][1]) for first, last in pieces)
            room = 0
    return packed


def chunks(costs: Sequence[int], limit: int, *, overlap: int = 0, most: int | None = None) -> list[Span]:
    """Index ranges that cover all items in order, each as long as its costs add up to at most `limit`.

    With `most`, no range has more than that many items either.

    Neighbours share up to `overlap` items, fewer where the next item would not fit beside them. An item that
    costs more than `limit` gets a range of its own: the caller decides what to do with it.

    Raises:
        ValueError: `limit` or `most` is below 1, or `overlap` is not less than both and at least 0.
    """
    size = limit if most is None else most
    if min(limit, size) < 1 or not 0 <= overlap < min(limit, size):
        raise ValueError(
            f"limit {limit}, most {most}, overlap {overlap}: expected 0 <= overlap < limit and most"
        )
    ranges: list[Span] = []
    first, end = 0, 0
    while end < len(costs):
        total = sum(costs[first:end])
        while first < end and total + costs[end] > limit:  # the shared items leave no room for a new one
            total -= costs[first]
            first += 1
        while end < len(costs) and end - first < size and (end == first or total + costs[end] <= limit):
            total += costs[end]
            end += 1
        ranges.append((first, end))
        first = max(first + 1, end - overlap)
    return ranges


def distinct(phrases: Iterable[str]) -> tuple[str, ...]:
    """The phrases in order, each once whatever its case, white space folded, empty ones left out."""
    seen: dict[str, str] = {}
    for phrase in phrases:
        folded = " ".join(phrase.split())
        if folded:
            seen.setdefault(folded.casefold(), folded)
    return tuple(seen.values())


TEMPLATE = "{occupation}; {skills}; {tasks}"
"""How entities become one line unless a configuration says otherwise."""

FIELDS = ("occupation", "skills", "tasks")
"""What a template may name."""


def check_template(template: str) -> None:
    """Refuse a template that `entities_to_line` cannot fill.

    Raises:
        ValueError: A brace has no partner, or a field is unknown, formatted, twice there, or there is none.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"template {template!r} is broken ({error}); write a brace itself twice") from None
    fields = [field for _, field, _, _ in parts if field is not None]
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    for _, field, form, conversion in parts:
        if field is not None and (field not in FIELDS or form or conversion):
            raise ValueError(
                f"template {template!r} names {{{field}}} or formats it; it may hold only {known}"
            )
    if not fields or len(set(fields)) < len(fields):
        raise ValueError(f"template {template!r} should hold at least one of {known}, each once")


def entities_to_line(
    occupation: Iterable[str], skills: Iterable[str], tasks: Iterable[str], template: str = TEMPLATE
) -> str:
    """The entities in the places of a template: `occupation, ...; skill, ...; task, ...`, no repeats.

    A field without entities goes together with the text before it. The first field that is left then loses
    the separators (white space and punctuation) at the start of its text, so no line begins with one. Text
    after the last field stays when anything does.

    Raises:
        ValueError: The template is none, see `check_template`.
    """
    check_template(template)
    values = dict(zip(FIELDS, (occupation, skills, tasks), strict=True))
    line, is_first, skipped = "", True, False
    for before, field, _, _ in Formatter().parse(template):
        if field is None:
            line += "" if is_first else before
            continue
        phrases = ", ".join(distinct(values[field]))
        if phrases:
            line += (before.lstrip(_SEPARATING) if is_first and skipped else before) + phrases
            is_first = False
        skipped = skipped or not phrases
    return line


def without_diacritics(text: str) -> str:
    """The text in Unicode's form NFKD without its combining marks: "MECÁNICO" gives "MECANICO", "ø" stays."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def join_title(title: str, text: str) -> str:
    """`title`, a line break, `text`: the one string wherever title and text are read together.

    When the text already begins with the title (whatever its case and white space) it is returned as it is.
    """
    title = title.strip()
    if not title or not text.strip():
        return title or text
    pattern = r"\s+".join(re.escape(word) for word in title.split())
    if re.match(rf"\s*{pattern}(?!\w)", text, re.IGNORECASE):
        return text
    return f"{title}\n{text}"

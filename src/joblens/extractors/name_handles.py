"""Names that a mailbox or a person's page in the same text is spelled like: mette.holm@firma.dk."""

from __future__ import annotations

import re
from collections.abc import Iterable

from joblens.extractors.name_runs import Run
from joblens.extractors.name_spreading import latin
from joblens.extractors.not_names import is_ordinary
from joblens.text import Span

_PAGE = re.compile(
    r"(?:linkedin\.com/in|facebook\.com|github\.com|/(?:team|people|staff|medarbejdere?|ansatte|profile?))"
    r"/([\w.-]{4,60})",
    re.IGNORECASE,
)
"""The page of one person: its address is spelled like the name."""
_PARTED = re.compile(r" ?[/,(–-] ?([^\W\d_]{1,30})[._]([^\W\d_]{1,30})@")
_DEPARTMENTS = frozenset("hr it qa pr cs ks".split())
_AT_WORK = frozenset(
    "human resources service services assurance relations recruiting recruitment info kunde kunder team"
    " support tech quality public".split()
)
"""Words of a department's mailbox: "human.resources"."""
_LETTERS = re.compile(r"[\W\d_]+")
_LOCAL_PART = re.compile(r"[@\s(\[{]")


def handles_of(text: str, contacts: Iterable[Span]) -> set[str]:
    """What mailboxes and people's pages are called: their letters, and each beginning of at least four.

    Args:
        text: Any text.
        contacts: Where its addresses stand; other spans do no harm.
    """
    pages = [match.group(1) for match in _PAGE.finditer(text)]
    boxes = [_LOCAL_PART.split(text[start : start + 64], maxsplit=1)[0] for start, _ in contacts]
    handles = {_LETTERS.sub("", handle.casefold()) for handle in (*pages, *boxes)}
    return {handle[:length] for handle in handles for length in range(4, len(handle) + 1)}


def is_spelled(run: Run, handles: set[str]) -> bool:
    """Whether a handle begins with the run's first and last word, in this order or the other."""
    first, last = (latin(_LETTERS.sub("", name)) for name in (run.words[0], run.words[-1]))
    return any(
        len(one) > 1 < len(other) and not handles.isdisjoint((one + other, other + one))
        for one in first
        for other in last
    )


def are_initials_of(text: str, place: int, letters: str) -> bool:
    """Whether the letters before `place` are the initials of the mailbox behind it: "MH / mette.holm@..."."""
    mailbox = _PARTED.match(text, place)
    if mailbox is None or letters.casefold() in _DEPARTMENTS:
        return False
    parts = mailbox.groups()
    return "".join(part[0] for part in parts).casefold() == letters.casefold() and not any(
        part in _AT_WORK or is_ordinary(part) for part in parts
    )

"""Names that stand in one list with a name: "Du møder Mette Holm, Jens og Kaj"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from joblens.extractors.name_cues import AND
from joblens.extractors.name_runs import Run
from joblens.extractors.not_names import ALSO_NAMES

_COMMA = re.compile(r", ?")
_INTRODUCED = re.compile(r"(?<!\w)[Vv]i (?:er|är|hedder|heter) \Z")
"""Before a list of names in Danish, Norwegian or Swedish, which write within a sentence only names with a
capital (Retskrivningsordbogen): "Vi er Mette, Jens og Kaj"."""
_BRACKETS = re.compile(r" ?\((?:([^()\s@]{1,64}@[^()\s@]{1,64})|[(+0-9][(+0-9) /.-]{6,24})\)")
"""Behind a member of a list: how the person is reached."""
_PASSES = 3
"""How often a name found in one list may lead to the next list, so that the time stays linear."""


def listed_with(text: str, runs: Sequence[Run], found: Iterable[Run]) -> Iterator[Run]:
    """The runs that a conjunction joins to a person, who was found here or elsewhere in the text.

    A list is what commas join, with "og", "and", "y" or the like before its last member; all members of a
    coordination are of one kind (Quirk et al. 1985, "A Comprehensive Grammar of the English Language").
    Without the conjunction ("Mette Holm, Lindby") it is no list.

    Args:
        text: Any text.
        runs: Its capitalised runs, in order.
        found: Those that are names.
    """
    known = set(found)
    words = {word for run in known for word in _telling(run)}
    lists = [members for members in _lists(text, runs) if len(members) > 1]
    for _ in range(_PASSES):
        new = [
            member
            for members in lists
            if _INTRODUCED.search(text, max(0, members[0].start - 12), members[0].start)
            or any(run in known or _is_known(run, words) for run in members)
            for member in members
            if member not in known
        ]
        if not new:
            return
        yield from new
        known.update(new)
        words.update(word for run in new for word in _telling(run))


def _is_known(run: Run, words: set[str]) -> bool:
    told = _telling(run)
    return bool(told) and words.issuperset(told)


def _telling(run: Run) -> list[str]:
    """The words of a run by which it is known again."""
    folded = [word.casefold() for word in run.words if len(word.rstrip(".")) > 2]
    return [word for word in folded if word not in ALSO_NAMES]


def _lists(text: str, runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs in a row that are joined, up to and with the one behind the conjunction."""
    members: list[Run] = []
    for run in runs:
        joint = _joint(text, members[-1], run) if members else None
        if joint is None:
            members = [run]
        elif _COMMA.fullmatch(joint.group()):
            members.append(run)
        else:
            yield [*members, run]
            members = [run]


def _joint(text: str, member: Run, run: Run) -> re.Match[str] | None:
    """What joins a member to the next run; behind a member's address or number only one with its own."""
    joint = AND.fullmatch(text, member.end, run.start)
    if joint:
        return joint
    first, second = _BRACKETS.match(text, member.end), _BRACKETS.match(text, run.end)
    if first is None or second is None or not (run.is_full or _is_box_of(run.words[0], second.group(1))):
        return None
    return AND.fullmatch(text, first.end(), run.start)


def _is_box_of(name: str, address: str | None) -> bool:
    """Whether an address may be of somebody of that name, and not of a firm: "Jens (jholm@firma.dk)"."""
    folded = (address or "").casefold()
    return folded.startswith(name[0].casefold()) and name.casefold() not in folded

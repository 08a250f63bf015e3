"""Names behind what somebody is: "direktør Mette Holm", "our Technical Director Mette".

In close apposition a name follows the title without a comma (Quirk et al. 1985, "A Comprehensive Grammar of
the English Language", on restrictive apposition; Retskrivningsordbogen, on commas). Only words for somebody
in charge count: behind "kunde" or "partner" stands a firm as often as a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.extractors.letters import LOWERS, UPPERS, S
from joblens.extractors.name_runs import Run
from joblens.extractors.not_names import is_ordinary

_ROLES = frozenset(
    """
leder chef direktør konsulent koordinator formand rektor inspektør mester sekretær rådgiver souschef lektor
overlæge driftsleder ejer stifter indehaver manager director supervisor coordinator consultant lead leader
headteacher teacher officer recruiter president ceo cfo cto founder chairman principal secretary owner gerente
directora jefe jefa encargado encargada coordinador coordinadora supervisora reclutador reclutadora kierownik
kierowniczka dyrektor dyrektora директор директору руководитель руководителю начальник начальнику менеджер
менеджеру наставник
""".split()
)
_ROLE_ENDS = (
    *("leder", "chef", "direktør", "konsulent", "koordinator", "formand", "inspektør", "mester", "fører"),
    *("sekretær", "rådgiver", "repræsentant", "ansvarlig", "chefen", "lederen", "ledare", "sjef"),
)
_WHOSE = re.compile(
    r"(?:\b(?:vores|vor|jeres|min|our|your|my|nuestr[ao]|tu|ваш|наш|vår|unser\w{0,2}"
    r"|refer(?:erer|erar) (?:du )?til|rapporter(?:er|ar|e) til|report(?:s|ing)? to))"
    r"[ \u00a0](?:[a-zæøå-]{2,20} ){0,3}\Z",
    re.IGNORECASE,
)
"""Before a role: whose it is, so that a given name or a surname behind the role is enough."""
_ROLE = re.compile(
    rf"(?<![\w@.-])((?:[{UPPERS}]{{1,3}}-)?[{UPPERS}]?[{LOWERS}]{{3,30}}|[Hh]ead of [A-Za-z]{{2,20}}"
    r"|HOD|CEO|CTO|CFO|COO|(?:HR|hr|talent|business|people) partner)"
    r"(?: на [а-я ]{3,20})?(?: ?[–—-])?[ \u00a0](?:(?:van|von) (?:de[rn]? )?)?\Z"
)
_LINKS = frozenset(("–", "—", "-", "van", "von", "der", "den", "de", "partner", "HOD", "COO"))
_TITLE = re.compile(rf"(?<!\w)[{UPPERS}][{LOWERS}]+{S}\Z")
"""The first word of a title such as "Product manager": behind it an employer may stand as well."""
_COMPANION = re.compile(
    r"(?:(?<=[^\W\d_]s)|['’]s?)[ \u00a0](?:makker|sidemand|kollega|mentor|stedfortræder|afløser|efterfølger"
    r"|højre hånd|ersättare|teammate|workmate|colleague|deputy|successor)(?!\w)"
)
_TEAM = re.compile(
    rf"(?<![\w@])[{UPPERS}][{LOWERS}]{{1,20}}(?=(?:(?<=s)|['’]s?)[ \u00a0]team"
    r" (?:består af|tæller|consists of|counts|består av|räknar))"
)
_DEFINITE = re.compile(r"\w{4,}(?:(?<!s)ens|ets|ernes|arnas)\Z")
"""Genitives of Danish and Swedish nouns: "Afdelingens". A short one ("Karens") is as often a name."""
_NO_OWNERS = frozenset("ugens årets dagens månedens barnets husets danmarks norges sveriges googles".split())


def has_companion(text: str, run: Run) -> bool:
    """Whether the run is a genitive before what a person has at work: "Nicolines makker".

    Args:
        text: The text the run stands in.
        run: Capitalised words that may be a name.
    """
    return _COMPANION.match(text, run.end) is not None and _may_own(run.words[-1])


def team_owners(text: str) -> Iterator[Run]:
    """Single names in the genitive before a team of so many: "Bertils team består af otte"."""
    for match in _TEAM.finditer(text):
        word = match.group()
        before = text[max(0, match.start() - 32) : match.start()].split(" ")  # of "Novo Nordisks team"
        is_part = len(before) > 1 and not before[-1] and before[-2][:1].isupper()
        if not is_part and _may_own(word):
            yield Run(*match.span(), (word,))


def _may_own(word: str) -> bool:
    """Whether a genitive may be a person's, and is none of a noun."""
    folded = word.casefold()
    return not (
        is_ordinary(word)
        or is_ordinary(folded.removesuffix("s"))
        or folded in _NO_OWNERS
        or _DEFINITE.match(word)
    )


def is_behind_role(text: str, run: Run, is_reached: bool) -> bool:
    """Whether the word before the run is a role, and the run full or the role somebody's.

    A capitalised role ("Manager Mette Holm") may be the title of an advert, so it must be somebody's too.

    Args:
        text: The text the run stands in.
        run: Capitalised words that may be a name.
        is_reached: Whether a number or an address follows, which counts as much as a full name.
    """
    if not _may_be_role(text, run.start):
        return False
    role = _ROLE.search(text, max(0, run.start - 48), run.start)
    if role is None or not (" " in role.group(1) or is_role(role.group(1))):
        return False
    is_russian = "\u0400" <= role.group(1)[0] <= "\u04ff"
    place = max(0, role.start() - 60)
    if (is_russian and "–" in role.group()) or _WHOSE.search(text, place, role.start()):
        return True
    is_small = role.group(1)[0].islower() or " " in role.group(1) or "-" in role.group(1)
    if not (is_small or is_russian):
        return False
    return is_reached or (run.is_full and _TITLE.search(text, place, role.start()) is None)


def _may_be_role(text: str, start: int) -> bool:
    """Whether the word before is one that `_ROLE` can end in; most are not, and this is quickly seen."""
    if text[start - 1 : start] not in (" ", "\u00a0"):
        return False
    word = text[text.rfind(" ", max(0, start - 32), start - 1) + 1 : start - 1]
    return word in _LINKS or is_role(word) or " of " in text[max(0, start - 32) : start]


def is_role(word: str) -> bool:
    """Whether the word says what somebody in charge is: "værkfører"."""
    folded = word.casefold()
    return folded in _ROLES or folded.endswith(_ROLE_ENDS)

"""Names of people that show by themselves that they are names: initials, patronymics, endings of surnames.

Sources: RAE, Ortografía de la lengua española (two surnames, particles); GOST R 7.0.97-2016 (Russian
initials); Navneloven (Danish middle names and patronymics).
"""

from __future__ import annotations

import re

from joblens.extractors.name_runs import Run
from joblens.extractors.not_names import ALSO_NAMES

NO_PERSON = re.compile(
    r"Dr\.? (?:Martens|Max|Oetker|Pepper|Irena Eris|Schär|Gerard)\b|Doña Godina|J\. ?P\. ?Morgan",
    re.IGNORECASE,
)
"""Firms and goods that are called like people."""
_SURNAME = re.compile(
    r"[^\W\d_]{2,}(?:ss?en|sson|sdatter|sdottir|sdóttir)\Z"  # patronymics of the north
    r"|[^\W\d_]*[áéíóú][^\W\d_]*ez\Z|(?:Rodriguez|Gonzalez|Fernandez|Lopez|Martinez|Sanchez|Perez|Gomez)\Z"
    r"|[^\W\d_]{2,}(?:ewski|ewska|owicz|ewicz|ińska|yńska)\Z"
    r"|[^\W\d_]{2,}(?:енко|швили|идзе)\Z"
)
_NO_SURNAME = frozenset("essen hessen wissen messen sachsen niedersachsen wessen dessen fressen".split())
_PATRONYMIC = re.compile(r"[А-ЯЁ][а-яё]{2,20}(?:[оеё]вич|ич|[оеё]вна|ична)(?:[аеуы]|ем|ой)?\Z")
RUSSIAN = re.compile(
    r"(?<!\w)(?:[А-ЯЁ][а-яё]{2,20} [А-ЯЁ]\. ?[А-ЯЁ]\.|[А-ЯЁ]\. ?[А-ЯЁ]\. ?[А-ЯЁ][а-яё]{2,20}(?!\w))"
)
"""Surname with initials, or initials with surname."""


def has_shape(text: str, run: Run, lower: set[str]) -> bool:
    """Whether the run is a name by itself: a middle initial, a patronymic, two leading initials.

    Args:
        text: The text it stands in.
        run: A run of that text.
        lower: The words that the text also writes in lower case.
    """
    words = run.words
    if len(words) < 2 or run.is_shouted or any(word.casefold() in lower for word in words):
        return False
    if (
        len(words[-1]) < 3
        or NO_PERSON.match(text, run.start)
        or any(word.casefold() in ALSO_NAMES for word in words)
    ):
        return False
    initials = [len(word) == 2 and word[1] == "." for word in words]
    if any(initials[1:-1]) and not initials[0]:
        return True
    if all(initials[:-1]) and len(words) > 2:
        return True
    if any(_PATRONYMIC.match(word) for word in words[1:]):
        return True
    return words[-1].casefold() not in _NO_SURNAME and _SURNAME.match(words[-1]) is not None

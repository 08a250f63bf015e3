"""What a model says of persons and organisations, as far as it can be believed.

A title names a job, hardly ever a person, and is too short to tell one from the other: a model that learned
from sentences takes "Kemilærer på gymnasieniveau" and "PEÓN DE ALMACÉN" for people. In texts it takes
headings for people, "Horario" or "DNI". What the patterns find is masked whatever is said here, and so are,
in titles, persons that were found in the advert's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from joblens.extractors.letters import WORD, S
from joblens.extractors.masking import LOCAL
from joblens.extractors.not_names import ALSO_NAMES, NOT_NAMES
from joblens.records import Entity

_SEEKS = re.compile(
    rf",?{S}(?:på{S}[0-9]|[0-9]{{1,3}}{S}?(?:år|years|yrs|años|лет|год)"
    rf"|(?:søger|søker|söker|seeks|needs|busca|necesita|ищет|har{S}brug{S}for|is{S}looking)\b)",
    re.IGNORECASE,
)
"""Behind a person who begins a title: an age, or that help is wanted: "Mads på 12 søger hjælper"."""
_APART = re.compile(rf"{S}*(?:[|:–—]|-{S}|{S}-)")
"""Behind an organisation that begins a title: "Novo Nordisk - Chemist"."""

_SURNAMES = ALSO_NAMES | frozenset(
    "don house best good law mar company españa madrid sales sevilla junior my nord ring".split()
)
"""Plain words that are names as well (Faker's lists): where a model calls them a person they go."""
_INITIALS = 2


def believed(entities: Iterable[Entity], text: str, *, is_title: bool) -> list[Entity]:
    """The model's finds without the persons, and in titles the organisations, that are words like others.

    A person all of whose words are known to be none of a name is none. In a title a person or an
    organisation is believed when it begins with a capital, is not written in capitals like the rest of the
    title, and does not begin the title: jobs do. It may begin it where the next words say that it is no job.

    Args:
        entities: What a model found in a title or a text, whichever labels.
        text: Title or text.
        is_title: Which of them.

    Returns:
        The other entities, in their order.
    """
    shouted = is_title and 2 * sum(letter.isupper() for letter in text) > sum(
        letter.isalpha() for letter in text
    )
    return [
        entity
        for entity in entities
        if not (entity.label == "person" and _is_plain(entity.text))
        and not (is_title and entity.label in LOCAL and not _is_apart(text, entity, shouted=shouted))
    ]


def _is_plain(name: str) -> bool:
    """Whether all its words are plain language; two letters ("OP") may be initials as well."""
    words = [word.casefold() for word in WORD.findall(name)]
    return (
        max(map(len, words), default=0) > _INITIALS
        and NOT_NAMES.issuperset(words)
        and _SURNAMES.isdisjoint(words)
    )


def _is_apart(title: str, entity: Entity, *, shouted: bool) -> bool:
    """Whether a person or an organisation stands in a title like one, and not like a job."""
    first = next((letter for letter in entity.text if letter.isalpha()), "")
    if not first.isupper() or (shouted and entity.text.upper() == entity.text):
        return False
    if any(letter.isalpha() for letter in title[: entity.start]):
        return True
    behind = _SEEKS if entity.label == "person" else _APART
    return behind.match(title, entity.end) is not None

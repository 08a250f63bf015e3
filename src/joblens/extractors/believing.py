"""What a model says of persons and organisations, as far as it can be believed.

A title is too short to tell a job from a name: a model that learned from sentences takes "Kemilærer på
gymnasieniveau" and "PEÓN DE ALMACÉN" for people, and in texts headings, "Horario" or "DNI". Only what is
known to be words of a job, or of a heading, is not believed; any other word stays a name, for a leak is worse
than a lost word. What the patterns find is masked whatever is said here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator
from functools import cache
from pathlib import Path

from joblens.extractors.letters import WORD
from joblens.extractors.masking import LOCAL
from joblens.extractors.name_cues import HONORIFIC
from joblens.extractors.not_names import ALSO_NAMES, NOT_NAMES
from joblens.records import Entity
from joblens.text import without_diacritics

JOB_WORDS = Path(__file__).with_name("job_words.json")
"""Words of ESCO's occupations; `joblens finetune job-words` writes them."""
SHORTEST_REST = 3
"""Letters that a compound has at least before its last part, "cykel" in "cykelmekaniker"."""

_HEADINGS = frozenset(
    "dni completa parcial intensiva laboral bruto bruta mensual anual según convenio incorporación inmediata"
    " adjuntar llamar llamando concertar perfil turno turnos semana tiene tendrán quiero meses experiencia"
    " requisitos funciones ofrecemos buscamos".split()
)
"""Of Spanish adverts."""
_MAY_BE_NAMES = ALSO_NAMES | frozenset(
    "don house best good law mar company españa madrid sales sevilla junior my nord ring mai juli juni jun"
    " can mentor asia una asa mac dane sun london barcelona berlin manila marzo kok head street driver guard"
    " foreman master captain doctor author easter floor til job esta pan".split()
)
"""Plain words that are names as well (among them those of Faker's lists)."""
_PLAIN = (NOT_NAMES | _HEADINGS) - _MAY_BE_NAMES
_SURNAMES = frozenset(
    "smith baker cook carpenter fisher hunter parker cooper taylor turner walker fuller butcher clark archer"
    " barber shepherd weaver miller potter tanner thatcher wright porter butler farmer glover sawyer skinner"
    " slater carter chandler chapman collier draper dyer fletcher mason page bishop abbot sexton møller smed"
    " bager skrædder væver smid bakker mulder herrero zapatero guerrero pastor sastre molinero carpintero"
    " montero escudero cantero ferrer fuster sabater".split()
)
"""Occupations that are surnames as well (Hanks, Coates and McClure 2016, "The Oxford Dictionary of Family
Names in Britain and Ireland", on occupational names; their like in Danish, Dutch, Spanish and Catalan)."""
_INITIALS = 2
"""Letters of the longest word that may be initials."""
_HONOURED = re.compile(rf"(?:{HONORIFIC})\W")
_ADDRESSED = re.compile(rf"(?:\A|[^\w])(?:{HONORIFIC})\W{{0,2}}\Z")


def believed(entities: Iterable[Entity], text: str, *, is_title: bool) -> list[Entity]:
    """The model's finds without the persons, and in titles the organisations, that are words like others.

    In a text those are persons of plain words and headings alone; in a title persons and organisations of
    words of jobs as well, and all organisations where it is in capitals, which make any words look like one
    ("CONDUCTORES DE FURGONETA"). A word that may be a name counts as one, unless it is all of the title
    ("Baker"). So does any word behind a form of address.

    Args:
        entities: What a model found in a title or a text, whichever labels.
        text: Title or text.
        is_title: Which of them.

    Returns:
        The other entities, in their order.
    """
    return [entity for entity in entities if not _is_doubtful(entity, text, is_title=is_title)]


def _is_doubtful(entity: Entity, text: str, *, is_title: bool) -> bool:
    """Whether a find is not believed: all its words are plain language, or capitals make it look like a name.

    Two letters ("OP") may be initials.
    """
    if entity.label not in (LOCAL if is_title else {"person"}):
        return False
    if entity.label == "organisation" and text.isupper():
        return True
    words = [word.casefold() for word in WORD.findall(entity.text)]
    if max(map(len, words), default=0) <= _INITIALS:
        return False
    if _HONOURED.match(entity.text) or _ADDRESSED.search(text, max(0, entity.start - 12), entity.start):
        return False
    if not is_title:
        return all(word in _PLAIN for word in words)
    is_all = WORD.findall(text) == WORD.findall(entity.text)
    return all(_is_of_job(word, may_be_name=is_all) for word in words)


def _is_of_job(word: str, *, may_be_name: bool) -> bool:
    jobs, heads, names = _job_words()
    if not names.isdisjoint({word, *_forms(word)}):
        return may_be_name
    return word in NOT_NAMES or reads_as_job(word, jobs, heads)


def reads_as_job(word: str, jobs: Container[str], heads: Container[str]) -> bool:
    """Whether a word, or its singular, is among `jobs`, or ends like one of `heads`; see `_job_words`."""
    return any(form in jobs for form in _forms(word)) or any(
        without_diacritics(word[start:]) in heads for start in range(SHORTEST_REST, len(word))
    )


def _forms(word: str) -> set[str]:
    return {without_diacritics(form) for form in (word, *_singulars(word))}


def _singulars(word: str) -> Iterator[str]:
    """Of plurals in Spanish, "cocineros", "monitores", "capataces", and English, "drivers"; not of "Mads"."""
    if word.endswith(("as", "es", "os", "ers", "ors")):
        yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("ces"):
        yield f"{word[:-3]}z"


@cache
def _job_words() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Words of jobs, those that end compounds, and words of jobs that are names as well."""
    found = json.loads(JOB_WORDS.read_text(encoding="utf-8"))
    jobs, heads, names = (
        frozenset(map(without_diacritics, found[key])) for key in ("words", "heads", "names")
    )
    names |= _MAY_BE_NAMES | _SURNAMES
    return jobs, heads - names, names

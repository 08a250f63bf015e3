"""Fill the placeholders that stand in published corpora where personal data was, and mark what is put there.

SkillSpan (Zhang et al. 2022, "SkillSpan: Hard and Soft Skill Extraction from English Job Postings") and
Kompetencer (Zhang et al. 2022) are real adverts in which `<NAME>`, `<CONTACT>`, `<ADDRESS>`, `<ORGANIZATION>`
and `<LOCATION>` replace what must not be published. Filled with synthetic surrogates, they are real adverts
with known places of personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

from joblens.records import Entity, LabelledText
from joblens.sources.personal.contacts import invent_email, invent_phone, invent_url
from joblens.sources.personal.names import LANGUAGES, Use, invent_person, names
from joblens.sources.personal.places import (
    invent_address,
    invent_organisation,
    invent_town,
    stems,
    vocabulary,
)

Part = tuple[str, str | None]
"""A stretch of the surrogate and the label it has; None for none."""

_KINDS = "NAME|CONTACT|ADDRESS|ORGANIZATION|ORG|LOCATION"
_RUN = re.compile(rf"<(?P<kind>{_KINDS})(?P<detail>:\w+)?>(?:\s+<(?P=kind)(?P=detail)?>)*")
_PHONE_CUE = re.compile(
    r"\b(?:tlf|telefon|tel|phone|call|ring|mobil\w*|ringe)\b\W{0,3}(?:\w+\W+){0,2}\Z", re.I
)
_EMAIL_CUE = re.compile(r"\b(?:e-?mail|mail|write to|skriv til|send\w*)\b\W{0,3}(?:\w+\W+){0,3}\Z", re.I)
_URL_CUE = re.compile(
    r"\b(?:www|websites?|web|hjemmeside\w*|visit|besøg|homepage|here|via|online|http)\b\W{0,3}(?:\w+\W+){0,3}\Z",
    re.I,
)
_ADDRESS_BEFORE_TOWN = re.compile(r"[\s,]*(?=<LOCATION)")


def fill_placeholders(texts: Sequence[LabelledText], seed: int, use: Use) -> list[LabelledText]:
    """The texts with surrogates where the placeholders were, in the text's language.

    A run of one placeholder is one thing: `<NAME> <NAME>` becomes a given and a family name, a single
    `<NAME>` one of them. New entities are `person`, `email`, `phone`, `url`, `address` and `organisation`; a
    `<LOCATION>` becomes a town, which is no entity unless it directly follows an address: then it is part of
    it. Entities that were there keep their words; one that begins or ends inside a placeholder covers all of
    its surrogate. Placeholders of other kinds (`<PROFESSION>`) stay.

    Args:
        texts: With placeholders, or without: those come back as they are.
        seed: The same seed, use and text give the same surrogate, whatever stands beside it.
        use: Which part of the names, streets and employers.
    """
    return [_fill(text, seed, use) if _RUN.search(text.text) else text for text in texts]


def _fill(source: LabelledText, seed: int, use: Use) -> LabelledText:
    rng = Random(f"{seed} {use} {source.id} {source.text}")
    language = source.language if source.language in LANGUAGES else "en"
    out: list[str] = []
    length = 0
    added: list[Entity] = []
    moved: list[tuple[int, int, int, int]] = []  # of each run: old start and end, new start and end
    last = 0
    for run in _RUN.finditer(source.text):
        before = source.text[last : run.start()]
        out.append(before)
        length += len(before)
        start = length
        follows_address = bool(added) and added[-1].label == "address" and before.strip(" ,\n") == ""
        for text, label in _surrogate(rng, run, source.text, language, use):
            end = length + len(text)
            if label is not None:
                added.append(Entity(length, end, label, text))
            elif follows_address and added[-1].end == start - len(before):
                whole = added.pop()
                added.append(Entity(whole.start, end, "address", whole.text + before + text))
            out.append(text)
            length = end
        moved.append((run.start(), run.end(), start, length))
        last = run.end()
    text = "".join(out) + source.text[last:]
    kept = [_move(entity, moved, text) for entity in source.entities]
    entities = tuple(sorted((*kept, *added), key=lambda entity: (entity.start, entity.end, entity.label)))
    return LabelledText(source.id, text, entities, source.language, source.group)


def _move(entity: Entity, moved: Sequence[tuple[int, int, int, int]], text: str) -> Entity:
    """The entity at its new place; an end inside a run moves to the end of the surrogate."""
    start, end = _shifted(entity.start, moved, at_end=False), _shifted(entity.end, moved, at_end=True)
    return Entity(start, end, entity.label, text[start:end], entity.score)


def _shifted(offset: int, moved: Sequence[tuple[int, int, int, int]], at_end: bool) -> int:
    shift = 0
    for old_start, old_end, new_start, new_end in moved:
        if offset < old_start or (at_end and offset == old_start):
            break
        if offset < old_end:
            return new_end if at_end and offset > old_start else new_start
        shift = new_end - old_end
    return offset + shift


def _surrogate(rng: Random, run: re.Match[str], text: str, language: str, use: Use) -> Iterator[Part]:
    """What replaces one run of placeholders."""
    count = run.group().count("<")
    match run["kind"]:
        case "NAME":
            yield _name(rng, count, language, use), "person"
        case "CONTACT":
            yield from _contact(rng, count, text[max(0, run.start() - 40) : run.start()], language, use)
        case "ADDRESS":
            place_follows = _ADDRESS_BEFORE_TOWN.match(text, run.end()) is not None
            yield invent_address(rng, language, use, town=not place_follows and count > 2), "address"
        case "LOCATION":
            yield _location(rng, count, language, use), None
        case _:
            yield _organisation(rng, count, language, use), "organisation"


def _name(rng: Random, count: int, language: str, use: Use) -> str:
    """As many words as there were placeholders, four at most."""
    person = invent_person(rng, language, use)
    if count == 1:
        return rng.choice((person.given, person.given, person.family.split()[-1]))
    family = person.family.split()[-1]
    if count == 2:
        return f"{person.given} {family}"
    between = rng.choice((*names(language, use).family, *["ABCDEFGHJKLMNPRST"] * 20))
    middle = f"{rng.choice(between)}." if between.isupper() else between
    if count == 3:
        return f"{person.given} {middle} {family}"
    return f"{person.given} {rng.choice(names(language, use).given)} {middle} {family}"


def _contact(rng: Random, count: int, before: str, language: str, use: Use) -> Iterator[Part]:
    """A telephone number, an e-mail or a web address, as the words before and the length suggest."""
    person = invent_person(rng, language, use) if rng.random() < 0.6 else None
    chances = [4.0, 3.0, 1.0] if count == 1 else [0.6, 5.0, 0.2]
    for place, cue in enumerate((_EMAIL_CUE, _PHONE_CUE, _URL_CUE)):
        if cue.search(before):
            chances[place] *= 12
    [label] = rng.choices(("email", "phone", "url"), weights=chances)
    match label:
        case "email":
            yield invent_email(rng, language, use, person, obfuscated=0.05 if count == 1 else 0.6), label
        case "url":
            yield invent_url(rng, language, use, person), label
        case _:
            yield invent_phone(rng, language), label
    if count > 4 and rng.random() < 0.7:
        yield rng.choice((" / ", " , ", " ")), None
        yield invent_email(rng, language, use, person), "email"


def _location(rng: Random, count: int, language: str, use: Use) -> str:
    place = invent_town(rng, language, use)
    if count == 1:
        return place
    countries = vocabulary()["countries"]
    return f"{place} {rng.choice(countries.get(language, countries['en']))}"


def _organisation(rng: Random, count: int, language: str, use: Use) -> str:
    """One word for one placeholder, a composed name for more."""
    if count == 1:
        return rng.choice((rng.choice(stems(use)), rng.choice(names(language, use).family)))
    return invent_organisation(rng, language, use)

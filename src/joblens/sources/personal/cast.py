"""Who and what one synthetic advert speaks of, and the templates it says it with."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from random import Random
from typing import NamedTuple

from joblens.sources.personal.contacts import invent_email, invent_phone, invent_url
from joblens.sources.personal.names import Person, Use, invent_person
from joblens.sources.personal.numbers import NUMBERS
from joblens.sources.personal.places import invent_address, invent_organisation, invent_town
from joblens.sources.sample.drafts import Piece

TEMPLATE_LANGUAGES = ("da", "en", "es", "ru")
UNSEEN = 0.5
"""How often an audit advert says something with a template that training adverts never use."""

_FOREIGN_PHONES = {
    "da": ((0.88, None), (0.04, "SE"), (0.03, "NO"), (0.03, "DE"), (0.02, "PL")),
    "en": ((0.62, None), (0.2, "DK"), (0.06, "SE"), (0.06, "NO"), (0.06, "DE")),
}


class Templates(NamedTuple):
    """Sentences and blocks of one language by kind, with `{slots}`."""

    common: dict[str, tuple[str, ...]]
    """For training and audit."""
    unseen: dict[str, tuple[str, ...]]
    """For the audit only: a third, by the SHA-256 of the template."""


@cache
def templates(language: str) -> Templates:
    """The packaged templates; the second call is free."""
    path = files(__package__) / "vocabulary" / f"adverts_{language}.json"
    content: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    unseen = {kind: tuple(form for form in forms if _is_unseen(form)) for kind, forms in content.items()}
    return Templates(
        {kind: tuple(form for form in forms if form not in unseen[kind]) for kind, forms in content.items()},
        unseen,
    )


def _is_unseen(template: str) -> bool:
    return "{" in template and sha256(template.encode()).digest()[-1] % 3 == 0


def choose_template(rng: Random, language: str, kind: str, use: Use) -> str:
    """A template of that kind; for "audit" half of the time one that no training advert uses."""
    listed = templates(language)
    if use == "audit" and listed.unseen[kind] and rng.random() < UNSEEN:
        return rng.choice(listed.unseen[kind])
    return rng.choice(listed.common[kind])


class Contact(NamedTuple):
    """A person with what belongs to them."""

    person: Person
    phone: str
    email: str
    profile: str


class Cast:
    """The people, the employer and the places of one advert: whatever a template's slot may ask for.

    People stay the same throughout: `{person}`, `{given}` and `{email}` are of the first one, `{person2}` of
    the second, up to three. Numbers are new each time.
    """

    def __init__(self, rng: Random, language: str, use: Use) -> None:
        self.rng = rng
        self.language = language
        self.use = use
        self.organisation = invent_organisation(rng, language, use)
        self.address = invent_address(rng, language, use)
        self.contacts = [self._contact() for _ in range(3)]

    def _contact(self) -> Contact:
        person = invent_person(self.rng, self.language, self.use)
        return Contact(
            person,
            self.phone(),
            invent_email(self.rng, self.language, self.use, person),
            invent_url(self.rng, self.language, self.use, person),
        )

    def phone(self) -> str:
        """A telephone number, now and then of a neighbouring country."""
        chances = _FOREIGN_PHONES.get(self.language, ((1.0, None),))
        [(_, country)] = self.rng.choices(chances, weights=[chance for chance, _ in chances])
        return invent_phone(self.rng, self.language, country)

    def __call__(self, slot: str) -> Piece:
        """The piece for one slot of a template.

        Raises:
            KeyError: No slot has this name.
        """
        name = slot.rstrip("23")
        at = int(slot.removeprefix(name) or "1") - 1
        person, phone, email, profile = self.contacts[at]
        match name:
            case "person":
                return Piece(person.full, "person")
            case "given":
                return Piece(person.given, "person")
            case "family":
                return Piece(person.family, "person")
            case "upper":
                return Piece(f"{person.given} {person.family}".upper(), "person")
            case "genitive":
                return Piece(f"{person.given}{genitive(person.given)}", "person")
            case "initials":
                return Piece(self._initials(person), "person")
            case "phone":
                return Piece(phone, "phone")
            case "email":
                return Piece(email, "email")
            case "profile":
                return Piece(profile, "url")
            case _:
                return self._thing(name)

    def _thing(self, name: str) -> Piece:
        match name:
            case "box":
                return Piece(invent_email(self.rng, self.language, self.use), "email")
            case "url":
                return Piece(invent_url(self.rng, self.language, self.use), "url")
            case "organisation":
                return Piece(self.organisation, "organisation")
            case "address":
                return Piece(self.address, "address")
            case "town":
                return Piece(invent_town(self.rng, self.language, self.use), None)
            case "role":
                return Piece(self.rng.choice(_roles(self.language)), None)
            case _:
                return Piece(NUMBERS[name](self.rng, self.language), name)

    def _initials(self, person: Person) -> str:
        letters = person.given[0] + self.rng.choice(("", "K", "M")) + person.family[0]
        return self.rng.choice((letters.upper(), letters.lower(), f"{person.given[0]}.{person.family[0]}."))


def genitive(name: str) -> str:
    """What Danish adds to a name for "of": an s; after s, x and z an apostrophe (Retskrivningsordbogen)."""
    return "'" if name.casefold().endswith(("s", "x", "z")) else "s"


def _roles(language: str) -> tuple[str, ...]:
    return templates(language).common["role"]

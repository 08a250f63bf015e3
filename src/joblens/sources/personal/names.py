"""Given and family names by language, in two parts that share no name: one to train with, one to audit with.

The names come from Faker's provider lists (MIT licence), which take them from national statistics. Put
together at random they are synthetic people. A name belongs to the part that the SHA-256 of its folded form
says (even: train, odd: audit), so a model that was trained with one part has never seen a name of the other,
whatever its language and whichever list it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from random import Random
from typing import Literal

from joblens.errors import DataError, nearest
from joblens.text import without_diacritics

Use = Literal["train", "audit"]

_LOCALES: dict[str, tuple[str, ...]] = {
    "da": ("da_DK",),
    "en": ("en_GB", "en_US"),
    "es": ("es_ES", "es_CL"),
    "ru": ("ru_RU",),
    "sv": ("sv_SE",),
    "no": ("no_NO",),
    "de": ("de_DE",),
    "pl": ("pl_PL",),
    "nl": ("nl_NL",),
    "fi": ("fi_FI",),
    "fr": ("fr_FR",),
    "it": ("it_IT",),
    "tr": ("tr_TR",),
    "hr": ("hr_HR",),
    "hi": ("en_IN",),
    "ur": ("en_PK",),
}
"""Faker's locales of each language; Hindi and Urdu names as Indians and Pakistanis write them in English."""

LANGUAGES = tuple(_LOCALES)

_GIVEN = ("first_names_female", "first_names_male", "first_names")
_FAMILY = ("last_names", "last_names_female", "last_names_male", "male_last_names", "unisex_last_names")
_PATRONYMIC = ("middle_names_female", "middle_names_male")
_LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    # Faker keeps another kind of list, or a stand-in, under these names.
    "es_CL": {"given": ("first_names_female", "first_names_male"), "family": ("last_names",)},
    "pl_PL": {"given": _GIVEN, "family": ("male_last_names", "unisex_last_names")},
}

_DANISH_FAMILY = (  # Faker knows 91 Danish family names; these are put together from the parts of many more
    "Bjerre Dam Ege Fris Gam Hede Holm Kirke Lund Nør Ny Over Præst Sand Skov Sten Stor Sønder Vester Øster"
    " Aage Krags Nede Hav Eng Ager Bro Bæk Dal Høj Kær Lille Neder Rose Styr Thor Ulv Vig".split(),
    "gaard holm lund dal bjerg skov toft strup berg by strand bæk bak kjær mose vang sted hus".split(),
)

_PARTS = re.compile(r"[\s'’\-]+")
_FEMININE = (  # after folding, where й is и
    *(("ская", "скии"), ("цкая", "цкии")),
    *(("ska", "ski"), ("cka", "cki"), ("dzka", "dzki")),
)
_NAME = re.compile(r"[^\W\d_][^\W\d_'’\- ]*(?:[ '’-][^\W\d_]+){0,3}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one language and one use, sorted, each once."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    patronymic: tuple[str, ...] = ()
    """Russian only, "Иванович" and "Ивановна"; empty elsewhere."""


@cache
def names(language: str, use: Use) -> Names:
    """The part of a language's names that is for `use`; the second call is free.

    Args:
        language: One of `LANGUAGES`.
        use: "train" gives the names whose hash is even, "audit" the others. A name of several words, such
            as "José María", is left out when its words belong to different parts.

    Raises:
        DataError: There are no names for the language.
    """
    if language not in _LOCALES:
        raise DataError(
            f"there are no names for language {language!r}{nearest(language, LANGUAGES)}; "
            f"expected one of {', '.join(LANGUAGES)}"
        )
    given: set[str] = set()
    family: set[str] = set()
    patronymic: set[str] = set()
    for locale in _LOCALES[language]:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        lists = _LISTS.get(locale, {"given": _GIVEN, "family": _FAMILY})
        given.update(_read(provider, lists["given"]))
        family.update(_read(provider, lists["family"]))
        patronymic.update(_read(provider, _PATRONYMIC))
    if language == "da":
        starts, ends = _DANISH_FAMILY
        family.update(start + end for start in starts for end in ends if start.casefold() != end)
    return Names(*(choose(listed, use) for listed in (given, family, patronymic)))


def choose(words: Iterable[str], use: Use) -> tuple[str, ...]:
    """The words of `use`, sorted, each once: those all of whose parts have the hash of that use."""
    return tuple(sorted({word for word in words if uses(word) == {use}}))


def uses(name: str) -> set[Use]:
    """The parts that the words of a name belong to: one for a plain name, none for an empty one."""
    return {_use(part) for part in _PARTS.split(name) if part}


def _use(word: str) -> Use:
    return "audit" if sha256(_folded(word).encode()).digest()[-1] % 2 else "train"


def _folded(word: str) -> str:
    """One form for the spellings of a name: "Jose" and "José", "Иванов" and "Иванова", -ski and -ska."""
    folded = without_diacritics(word.casefold())
    for feminine, masculine in _FEMININE:
        if folded.endswith(feminine):
            return folded.removesuffix(feminine) + masculine
    is_cyrillic = "\u0400" <= folded[:1] <= "\u04ff"
    return folded.removesuffix("а") if is_cyrillic else folded


def _read(provider: object, lists: Iterable[str]) -> set[str]:
    """The names in those of a provider's lists that it has; what does not look like a name is left out."""
    found: set[str] = set()
    for attribute in lists:
        listed = getattr(provider, attribute, ())
        found.update(name.strip() for name in listed if _NAME.fullmatch(name.strip()) and len(name) > 1)
    return found


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    given: str
    family: str
    full: str
    """As the advert writes it, with initials, double names, or in capitals."""


FOREIGN = ("en", "sv", "no", "de", "pl", "es", "nl", "fi", "fr", "it", "tr", "hr", "hi", "ur")
"""Languages whose names also stand in adverts of another language."""


def invent_person(rng: Random, language: str, use: Use, foreign: float = 0.25) -> Person:
    """A given and a family name of the language, or, at the rate `foreign`, of another one.

    Russian people agree in gender; in Spanish many carry two family names.
    """
    origin = language if language == "ru" or rng.random() >= foreign else rng.choice(FOREIGN)
    listed = names(origin, use)
    given, family = rng.choice(listed.given), rng.choice(listed.family)
    if origin == "ru":
        family = rng.choice([name for name in listed.family if _is_feminine(name) == _is_feminine(given)])
        return Person(given, family, _russian(rng, listed, given, family))
    if origin == "es" and rng.random() < 0.4:
        family = f"{family} {rng.choice(listed.family)}"
    return Person(given, family, _spelled(rng, listed, given, family))


def _spelled(rng: Random, listed: Names, given: str, family: str) -> str:
    """The full name in one of the ways it is written."""
    other_given, other_family = rng.choice(listed.given), rng.choice(listed.family)
    initial = rng.choice("ABCDEFGHJKLMNPRSTV")
    forms = (
        (58, f"{given} {family}"),
        (9, f"{given} {initial}. {family}"),
        (7, f"{given} {other_family} {family}"),
        (5, f"{given}-{other_given} {family}"),
        (4, f"{given} {other_family}-{family}"),
        (4, f"{given[0]}. {family}"),
        (3, f"{given}-{other_given} {initial}. {family}"),
        (3, f"{given} {other_given} {family}"),
        (3, f"{given.upper()} {family.upper()}"),
        (2, f"{given} {family.upper()}"),
        (1, f"{family}, {given}"),
        (1, f"{given[0]}.{initial}. {family}"),
    )
    [form] = rng.choices([form for _, form in forms], weights=[weight for weight, _ in forms])
    return form


def _russian(rng: Random, listed: Names, given: str, family: str) -> str:
    fitting = [name for name in listed.patronymic if _is_feminine(name) == _is_feminine(given)]
    middle = rng.choice(fitting)
    return rng.choice(
        (
            f"{given} {family}",
            f"{given} {family}",
            f"{family} {given} {middle}",
            f"{given} {middle}",
            f"{given} {middle} {family}",
            f"{family} {given[0]}. {middle[0]}.",
            f"{given[0]}.{middle[0]}. {family}",
        )
    )


def _is_feminine(name: str) -> bool:
    """Whether a Russian name is a woman's, by its ending."""
    return name.endswith(("а", "я")) and name not in {"Никита", "Илья", "Лука", "Фома", "Савва", "Кузьма"}

"""Streets, towns, street addresses and employers, in the same two parts as the names.

Streets and towns come from Faker's address lists where it has them, otherwise from parts; employers are put
together. Numbers, postcodes and towns are matched at random.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from random import Random
from typing import Any

from joblens.sources.personal.names import Use, choose, names

ADDRESS_LANGUAGES = ("da", "en", "es", "ru", "sv", "no", "de", "pl")


@dataclass(frozen=True, slots=True)
class Places:
    """The streets (with what they end in) and towns of one language and one use."""

    streets: tuple[str, ...]
    towns: tuple[str, ...]


@cache
def vocabulary() -> dict[str, Any]:
    """The packaged parts of streets, towns and employers; the second call is free."""
    content: dict[str, Any] = json.loads(
        (files(__package__) / "vocabulary" / "places.json").read_text(encoding="utf-8")
    )
    return content


@cache
def places(language: str, use: Use) -> Places:
    """The streets and towns of `use`; a language without streets of its own takes the English ones."""
    if language not in ADDRESS_LANGUAGES:
        return places("en", use)
    parts = vocabulary()
    match language:
        case "da":
            lists = _address("da_DK")
            stems, towns = lists.street_names, lists.cities
        case "sv":
            lists = _address("sv_SE")
            stems, towns = lists.street_prefixes, lists.cities
        case "de":
            stems, towns = parts["street_starts"]["de"], _address("de_DE").cities
        case "pl":
            lists = _address("pl_PL")
            return _whole([f"ul. {name}" for name in lists.streets], lists.cities, use)
        case "ru":
            lists = _address("ru_RU")
            streets = [f"{kind} {name}" for name in lists.street_titles for kind in ("ул.", "улица")]
            return _whole(streets, [town for town in lists.city_names if "(" not in town], use)
        case "es":
            lists = _address("es_CL")
            stems = [*lists.common_street_names, *lists.plant_street_names, *names("es", use).family]
            streets = [f"{kind} {name}" for name in stems for kind in ("Calle", "Avenida", "Av.", "Pasaje")]
            return _whole(streets, lists.communes.values(), use)
        case _:
            stems = parts["street_starts"][language]
            starts, endings = parts["town_starts"][language], parts["town_ends"][language]
            towns = [start + end for start in starts for end in endings]
    ends = parts["street_ends"][language]
    streets = [(stem.strip() + end).replace("ss Plads", "s Plads") for stem in stems for end in ends]
    return _whole(streets, towns, use)


def _whole(streets: Any, towns: Any, use: Use) -> Places:
    """Those of `use`: a street as a whole, a town with every one of its words."""
    whole = {"".join(char for char in street if char.isalnum()): street for street in sorted(streets)}
    return Places(tuple(sorted(whole[key] for key in choose(whole, use))), choose(towns, use))


def _address(locale: str) -> Any:
    return import_module(f"faker.providers.address.{locale}").Provider


def invent_town(rng: Random, language: str, use: Use) -> str:
    """A town of the language's country."""
    return rng.choice(places(language, use).towns)


def invent_address(rng: Random, language: str, use: Use, town: bool | None = None) -> str:
    """A street address as the language writes it.

    Args:
        rng: Draws street, number, postcode and form.
        language: One of `ADDRESS_LANGUAGES`; others write it as English does.
        use: Which part of streets and towns.
        town: Whether postcode and town follow the street; None leaves it to chance (three in four).
    """
    street = rng.choice(places(language, use).streets)
    number = str(rng.choice((rng.randint(1, 60), rng.randint(1, 220))))
    if town is None:
        town = rng.random() < 0.75
    match language:
        case "da" | "sv" | "no":
            return _nordic(rng, language, use, f"{street} {number}", town)
        case "de" | "pl":
            letter = rng.choice(("", "", "", "a", "b") if language == "de" else ("", "", "/7", "A"))
            first = f"{street} {number}{letter}"
            code = f"{rng.randint(10000, 99999)}"
            code = code if language == "de" else f"{code[:2]}-{code[2:]}"
            return f"{first}, {code} {invent_town(rng, language, use)}" if town else first
        case "es":
            mark = rng.choice((" ", " ", " N° ", " Nº ", ", "))
            number = str(rng.randint(1, 4800))
            room = rng.randint(11, 1204)
            flat = rng.choice(("", "", f", depto. {room}", f", of. {room}", ", piso 3"))
            first = f"{street}{mark}{number}{flat}"
            return f"{first}, {invent_town(rng, 'es', use)}" if town else first
        case "ru":
            house = rng.choice((f", д. {number}", f", {number}", f", дом {number}"))
            room = rng.randint(1, 320)
            flat = rng.choice(("", "", f", кв. {room}", f", офис {room}", ", корп. 2"))
            first = f"{street}{house}{flat}"
            if not town:
                return first
            place = rng.choice(("г. ", "г.", "")) + invent_town(rng, "ru", use)
            code = rng.choice(("", f"{rng.randint(101000, 694000)}, "))
            return f"{code}{place}, {first}"
    return _english(rng, use, f"{number} {street}", town)


def _nordic(rng: Random, language: str, use: Use, first: str, town: bool) -> str:
    letter = rng.choice(("", "", "", "", "A", "B", " C", "D"))
    floor = ""
    if language == "da" and rng.random() < 0.3:
        level = rng.choice(("st.", "st", "1.", "2.", "3.", "4.", "1. sal", "kld."))
        side = rng.choice(("", "", " th", " tv", " tv.", " th.", " mf"))
        floor = f", {level}{side}"
    if not town:
        return first + letter + floor
    between = rng.choice((", ", ", ", ", ", " - ", ", DK-" if language == "da" else ", "))
    code = f"{rng.randint(1000, 9990)}"
    if language == "sv":
        code = f"{rng.randint(100, 984)} {rng.randint(10, 99)}"
    return f"{first}{letter}{floor}{between}{code} {invent_town(rng, language, use)}"


def _english(rng: Random, use: Use, first: str, town: bool) -> str:
    flat = rng.choice(("", "", "", "", f"Flat {rng.randint(1, 40)}, ", f"Suite {rng.randint(100, 990)}, "))
    if not town:
        return flat + first
    letters = string.ascii_uppercase
    british = f"{rng.choice(letters)}{rng.choice(letters)}{rng.randint(1, 28)} {rng.randint(1, 9)}"
    british += rng.choice("ABDEFGHJLNPQRSTUWXYZ") + rng.choice("ABDEFGHJLNPQRSTUWXYZ")
    american = f"{rng.choice(('NY', 'CA', 'TX', 'IL', 'WA', 'MA', 'OH'))} {rng.randint(10000, 99999)}"
    end = rng.choice((british, american, ""))
    place = invent_town(rng, "en", use)
    between = " " if end == british else ", "
    return f"{flat}{first}, {place}{between}{end}" if end else f"{flat}{first}, {place}"


def invent_organisation(rng: Random, language: str, use: Use) -> str:
    """An employer as the language names them; other languages take the English forms."""
    forms = vocabulary()["organisations"]
    name_language = language if language in forms else "en"
    form: str = rng.choice(forms[name_language])
    listed = names(name_language, use)
    while "{family}" in form:
        form = form.replace("{family}", rng.choice(listed.family), 1)
    return form.format(stem=rng.choice(stems(use)), town=invent_town(rng, name_language, use))


@cache
def stems(use: Use) -> tuple[str, ...]:
    """Invented one-word names of employers, such as "Solflow"."""
    parts = vocabulary()
    made = [start + end for start in parts["organisation_starts"] for end in parts["organisation_ends"]]
    return choose(made, use)

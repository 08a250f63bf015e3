"""Invented people and organisations, and the ways adverts write how to reach them.

Nothing here can be anybody's: surnames and places are put together from parts, e-mail domains end in the
reserved `.example`, telephone numbers repeat two digits in a pattern, and CPR numbers carry birth dates
from 1858 to 1899.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

Names = dict[str, tuple[str, ...]]

_ASCII = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "é": "e"})
_OLDEST = date(1858, 1, 1)
_NEWEST = date(1899, 12, 31)
_PHONES = ("{0} {0} {1} {1}", "{0} {1} {0} {1}", "{0} {1} {1} {0}")
_FLOORS = ("st. tv.", "st.", "1. sal", "1. th.", "2. tv.", "3. mf.", "4. th")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    first: str
    last: str
    full: str
    """As the advert writes it, sometimes with an initial or a double surname."""


def invent_person(rng: Random, names: Names) -> Person:
    """A common first name and a surname made of two parts."""
    first, last = rng.choice(names["first_names"]), invent_family(rng, names)
    form = rng.random()
    if form < 0.1:
        return Person(first, last, f"{first} {rng.choice(names['middle_initials'])}. {last}")
    if form < 0.18:
        return Person(first, last, f"{first} {invent_family(rng, names)}-{last}")
    return Person(first, last, f"{first} {last}")


def invent_family(rng: Random, names: Names) -> str:
    """A surname nobody is known to bear."""
    return rng.choice(names["surname_starts"]) + rng.choice(names["surname_ends"])


def invent_place(rng: Random, names: Names) -> str:
    """A town that is on no map, unless by accident."""
    return rng.choice(names["place_starts"]) + rng.choice(names["place_ends"])


def invent_organisation(rng: Random, names: Names, workplaces: tuple[str, ...]) -> str:
    """An employer: half the time of the area's kind, otherwise a name that gives no field away."""
    if rng.random() < 0.5:
        form = rng.choice(workplaces)
    else:
        form = rng.choice(("{family} A/S", "{family} ApS", "{place} Kommune", "{family} & Co.", "{family}"))
    name = form.format(family=invent_family(rng, names), place=invent_place(rng, names))
    return f"{name} A/S" if rng.random() < 0.1 and not name.endswith(("A/S", "ApS", "Co.")) else name


def invent_phone(rng: Random) -> str:
    """Eight digits that are visibly made up, such as 22 77 22 77, in one of the usual spellings."""
    first, second = f"{rng.randint(2, 9)}" * 2, f"{rng.randint(0, 9)}" * 2
    spaced = rng.choice(_PHONES).format(first, second)
    digits = spaced.replace(" ", "")
    halves = f"{digits[:4]} {digits[4:]}"
    return rng.choice((spaced, spaced, digits, halves, f"+45 {spaced}", f"+45 {digits}", f"+45{digits}"))


def invent_email(rng: Random, names: Names, person: Person, organisation: str) -> str:
    """An address of the person or of a shared mailbox, at a domain reserved for examples (RFC 2606)."""
    first, last = _ascii(person.first), _ascii(person.last)
    shared = rng.choice(names["email_boxes"])
    mailbox = rng.choice((f"{first}.{last}", first, f"{first[0]}{last[0]}", f"{first}_{last}", shared))
    domain = f"{_ascii(organisation)[:18]}.example" if rng.random() < 0.85 else "example.com"
    if rng.random() < 0.04:
        return f"{mailbox}(at){domain}"
    return f"{mailbox}@{domain}"


def invent_address(rng: Random, names: Names) -> str:
    """Street, number, sometimes floor and side, postcode and town."""
    street = rng.choice(names["street_starts"]) + rng.choice(names["street_ends"])
    number = f"{rng.randint(1, 180)}{rng.choice(('', '', '', 'A', 'B', ' C'))}"
    floor = f", {rng.choice(_FLOORS)}" if rng.random() < 0.35 else ""
    between = rng.choice((", ", ", ", ", DK-", " - "))
    return f"{street} {number}{floor}{between}{rng.randint(1000, 9990)} {invent_place(rng, names)}"


def invent_id_number(rng: Random) -> str:
    """A CPR number that obeys the date rule, of a person born before 1900.

    A seventh digit of 5-8 with a year of 58-99 means 1858-1899
    (CPR-kontoret, "Personnummeret i CPR-systemet").
    """
    born = _OLDEST + timedelta(days=rng.randint(0, (_NEWEST - _OLDEST).days))
    serial = f"{rng.randint(5, 8)}{rng.randint(0, 999):03d}"
    return f"{born:%d%m}{born.year % 100:02d}{rng.choice(('-', '-', '-', '', ' '))}{serial}"


def _ascii(name: str) -> str:
    return "".join(char for char in name.lower().translate(_ASCII) if char.isascii() and char.isalnum())

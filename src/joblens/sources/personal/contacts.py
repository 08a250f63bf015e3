"""Synthetic ways to reach somebody: telephone numbers, e-mail and web addresses as adverts write them.

Numbers are drawn at random over the ranges of each country's numbering plan and names come from
`joblens.sources.personal.names`; nobody's are meant.
"""

from __future__ import annotations

import unicodedata
from random import Random

from joblens.sources.personal.names import Person, Use
from joblens.sources.personal.places import stems


def _forms(listed: str) -> tuple[str, ...]:
    return tuple(listed.split("|"))


_PHONES: dict[str, tuple[str, ...]] = {
    # D stands for 2 to 9, d for any digit; every country's numbering plan, in its usual spellings.
    "DK": _forms(
        "Dd dd dd dd|Dd dd dd dd|Dddd dddd|Dddddddd|Dd-dd-dd-dd|Dd.dd.dd.dd|Ddd dd ddd"
        "|+45 Dd dd dd dd|+45 Dddd dddd|+45 Dddddddd|+45Dddddddd|(+45) Dd dd dd dd|0045 Dddddddd"
        "|(+45) Dddd dddd|+45 Dd dd dd dd|+45-Dddddddd|+45 Ddd dd ddd"
    ),
    "SE": _forms(
        "070-ddd dd dd|073-dddd ddd|08-ddd ddd dd|031-dd dd dd|+46 70 ddd dd dd"
        "|+46 (0)8 ddd dd dd|+46 8 ddd ddd dd|0046 70 ddd dd dd|0708-dd dd dd|+467dddddddd"
    ),
    "NO": _forms(
        "+47 Dd dd dd dd|+47 9dd dd ddd|+47 4ddddddd|(+47) Dd dd dd dd|0047 9ddddddd|9dd dd ddd|Dd dd dd dd"
    ),
    "DE": _forms(
        "+49 30 dddddddd|+49 (0)40 dddddd-dd|030 / dddddddd|089/ddddddd|0151 ddddddd"
        "|0171-ddddddd|+49 151 dddddddd|0049 40 ddddddd|(030) ddddddd"
    ),
    "UK": _forms(
        "020 7ddd dddd|020 8ddd dddd|0161 Ddd dddd|01Ddd dddddd|07Ddd dddddd|07ddd ddd ddd"
        "|+44 20 7ddd dddd|+44 (0)20 7ddd dddd|+44 7ddd dddddd|0044 7dddddddddd"
        "|(0161) Ddd dddd"
    ),
    "US": _forms(
        "(Ddd) Ddd-dddd|Ddd-Ddd-dddd|Ddd.Ddd.dddd|+1 Ddd Ddd dddd|+1 (Ddd) Ddd-dddd"
        "|1-800-Ddd-dddd|+1-Ddd-Ddd-dddd|(Ddd) Ddd-dddd ext. ddd"
    ),
    "CL": _forms(
        "+56 9 dddd dddd|+56 2 2ddd dddd|+569dddddddd|(+56) 9 dddd dddd|+56 9 dddddddd|+56 41 2dd dddd"
    ),
    "ES": _forms("+34 6dd ddd ddd|+34 91 ddd dd dd|0034 6dd dd dd dd|+34 9dd dd dd dd"),
    "RU": _forms(
        "+7 (9dd) ddd-dd-dd|+7 9dd ddd dd dd|8 (495) ddd-dd-dd|8-9dd-ddd-dd-dd"
        "|+7 495 ddd-dd-dd|8 (9dd) ddd dd dd|+79ddddddddd|8 800 ddd-dd-dd"
    ),
    "PL": _forms("+48 ddd ddd ddd|+48 22 ddd dd dd|0048 Ddddddddd"),
}

COUNTRIES = tuple(_PHONES)
HOMES = {"da": "DK", "sv": "SE", "no": "NO", "de": "DE", "pl": "PL"}
"""The one country of a language; English, Spanish and Russian choose below."""

_BOXES = {
    "da": "job kontakt info ansoegning hr post rekruttering administration loen reception kontor".split(),
    "en": "jobs careers info hr recruitment contact office hello applications talent admin".split(),
    "es": "empleo contacto rrhh seleccion info postulaciones trabajo reclutamiento".split(),
    "ru": "job hr info rabota personal kadry resume office vakansii".split(),
}
_ENDINGS = {
    "da": ("dk", "dk", "dk", "dk", "com", "eu", "as"),
    "en": ("com", "com", "com", "co.uk", "co.uk", "org", "net", "ie"),
    "es": ("cl", "cl", "com", "es", "org", "com.mx"),
    "ru": ("ru", "ru", "ru", "com", "рф"),
    "sv": ("se", "com"),
    "no": ("no", "com"),
    "de": ("de", "com"),
    "pl": ("pl", "com.pl"),
}
_FREE = {
    "da": ("gmail.com", "hotmail.com", "live.dk", "mail.dk", "outlook.dk", "jubii.dk"),
    "en": ("gmail.com", "outlook.com", "yahoo.co.uk", "btinternet.com", "aol.com"),
    "es": ("gmail.com", "hotmail.com", "outlook.cl", "vtr.net"),
    "ru": ("mail.ru", "yandex.ru", "bk.ru", "rambler.ru", "gmail.com"),
}
_OBFUSCATED = {
    "da": (
        "{} [at] {}",
        "{}(at){}",
        "{} (at) {}",
        "{} snabel-a {}",
        "{}[snabela]{}",
        "{}@ {}",
        "{} {{at}} {}",
    ),
    "en": ("{} [at] {}", "{}(at){}", "{} at {}", "{} (at) {}", "{}[at]{}", "{} @ {}"),
    "es": ("{} [arroba] {}", "{}(arroba){}", "{} arroba {}", "{} (at) {}", "{}[at]{}"),
    "ru": ("{} [at] {}", "{}(at){}", "{} (at) {}", "{} @ {}"),
}
_DOTS = {
    "da": (" dot ", " punktum ", "[dot]", " prik ", "(punktum)"),
    "en": (" dot ", "[dot]", " [dot] ", "(dot)"),
    "es": (" punto ", "[punto]", "(punto)", " dot "),
    "ru": (" dot ", "[dot]", "(dot)"),
}
_LATIN = dict(
    zip(
        "абвгдезийклмнопрстуфыэ",
        "a b v g d e z i y k l m n o p r s t u f y e".split(),
        strict=True,
    )
) | {
    "ё": "e",
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ъ": "",
    "ь": "",
    "ю": "yu",
    "я": "ya",
}
_SPELLED_OUT = {
    "æ": "ae",
    "ø": "oe",
    "å": "aa",
    "ß": "ss",
    "ö": "oe",
    "ä": "ae",
    "ü": "ue",
    "ł": "l",
    "ð": "d",
    "ı": "i",
}


def invent_phone(rng: Random, language: str, country: str | None = None) -> str:
    """A telephone number in one of its country's usual spellings, with or without a country code.

    Args:
        rng: Draws everything.
        language: Of the advert; it decides the country when `country` is None.
        country: One of `COUNTRIES`.
    """
    if country is None:
        homes = {"en": ("UK", "UK", "US", "US", "DK"), "es": ("CL", "CL", "CL", "ES"), "ru": ("RU",)}
        country = rng.choice(homes.get(language, (HOMES.get(language, "UK"),)))
        if language == "da" and rng.random() < 0.06:
            country = rng.choice(("SE", "NO", "DE", "UK"))
    digits = {"d": "0123456789", "D": "23456789"}
    form = rng.choice(_PHONES[country])
    if "ext" in form:
        number, extension = form.split(" ext. ")
        return f"{_drawn(rng, number, digits)} ext. {_drawn(rng, extension, digits)}"
    return _drawn(rng, form, digits)


def _drawn(rng: Random, form: str, digits: dict[str, str]) -> str:
    return "".join(rng.choice(digits[char]) if char in digits else char for char in form)


def ascii_name(name: str) -> str:
    """A name as mail addresses spell it: transcribed to lower-case Latin letters, blanks left out."""
    spelled = "".join({**_LATIN, **_SPELLED_OUT}.get(char, char) for char in name.lower())
    plain = unicodedata.normalize("NFKD", spelled)
    return "".join(char for char in plain if char.isascii() and char.isalnum())


def invent_email(
    rng: Random, language: str, use: Use, person: Person | None = None, obfuscated: float = 0.12
) -> str:
    """An address of the person, or a shared mailbox when there is none.

    Args:
        rng: Draws everything.
        language: Of the advert; decides mailboxes, endings and obfuscations.
        use: Which part of employers the domain is from.
        person: Whose address it is; None for "job@...".
        obfuscated: How often it is written as "navn [at] firma dot dk".
    """
    spoken = language if language in _BOXES else "en"
    domain = f"{ascii_name(rng.choice(stems(use)))}.{rng.choice(_ENDINGS.get(language, _ENDINGS['en']))}"
    if rng.random() < 0.1:
        domain = f"{rng.choice(('mail', 'dk', 'hr', 'post'))}.{domain}"
    if person is None:
        local = rng.choice(_BOXES[spoken]) + rng.choice(("", "", "", "", str(rng.randint(1, 99)), "-nord"))
    else:
        local = _mailbox(rng, person)
        if rng.random() < 0.12:
            domain = rng.choice(_FREE[spoken])
    if rng.random() < obfuscated:
        if rng.random() < 0.5:
            domain = domain.replace(".", rng.choice(_DOTS[spoken]))
        return rng.choice(_OBFUSCATED[spoken]).format(local, domain)
    return f"{local}@{domain}"


def _mailbox(rng: Random, person: Person) -> str:
    first, last = ascii_name(person.given), ascii_name(person.family.split()[0])
    return rng.choice(
        (
            *[f"{first}.{last}", f"{first}.{last}", first, f"{first[0]}{last}", f"{first}{last[0]}"],
            *[f"{first}_{last}", f"{first[:2]}{last[:2]}", f"{last}.{first}", f"{first}-{last}"],
            *[f"{first}{rng.randint(1, 99)}", f"{first[0]}.{last}", first[:3]],
            f"{first.capitalize()}.{last.capitalize()}",
        )
    )


def invent_url(rng: Random, language: str, use: Use, person: Person | None = None) -> str:
    """A web address: of an employer, or of a person with the name in it."""
    domain = f"{ascii_name(rng.choice(stems(use)))}.{rng.choice(_ENDINGS.get(language, _ENDINGS['en'])[:4])}"
    if person is None:
        number = rng.randint(1000, 99999)
        company = f"www.{domain}|www.{domain}|https://www.{domain}|https://{domain}/job/{number}"
        company += f"|http://www.{domain}/karriere|https://{domain}/apply?id={number}&src=ad|{domain}"
        return rng.choice(company.split("|"))
    first, last = ascii_name(person.given), ascii_name(person.family.split()[0])
    ending = domain.rsplit(".", 1)[-1]
    own = f"linkedin.com/in/{first}-{last}|https://www.linkedin.com/in/{first}{last}"
    own += (
        f"|https://linkedin.com/in/{first}-{last}-{rng.randrange(16**6):06x}|www.facebook.com/{first}.{last}"
    )
    own += f"|https://github.com/{first}{last[0]}|https://www.{domain}/team/{first}-{last}"
    own += f"|www.{domain}/medarbejdere/{first}-{last}|https://{first}{last}.{ending}/"
    return rng.choice(own.split("|"))

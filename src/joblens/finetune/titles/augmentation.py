"""What adverts do to a title: typos, seniority, gender marks, places, contracts, a word less."""

from __future__ import annotations

from random import Random

_MARKS = (
    "(m/w/d)", "m/w/d", "(w/m/d)", "(m/k)", "m/k", "k/m", "(h/f)", "H/F", "(m/v)", "m/v/x", "(m/f)", "K/M",
    "(alle køn)", "(all genders)",
)  # fmt: skip
_SENIORITY = (
    "senior", "junior", "sr.", "jr.", "lead", "trainee", "experienced", "erfaren", "nyuddannet", "starszy",
    "młodszy", "erfahrener", "sénior", "débutant", "ervaren", "con experiencia",
)  # fmt: skip
_PLACES = (
    "København", "Aarhus", "Odense", "Berlin", "Hamburg", "München", "Madrid", "Sevilla", "Paris", "Lyon",
    "Amsterdam", "Utrecht", "London", "Manchester", "Warszawa", "Kraków", "Oslo", "Bergen", "Stockholm",
    "Göteborg",
)  # fmt: skip
_CONTRACTS = (
    "fuldtid", "deltid", "vikar", "Vollzeit", "ab sofort", "tiempo completo", "temps plein", "CDI",
    "fulltime", "part-time", "full time", "remote", "umowa o pracę", "heltid", "urgent", "start now",
)  # fmt: skip
_PREPOSITIONS = {
    "en": {"of", "in", "for", "and", "to", "with", "at", "-"},
    "es": {"de", "del", "en", "para", "con", "y", "a", "por", "-"},
    "fr": {"de", "du", "des", "en", "pour", "et", "à", "aux", "au", "-"},
}
_WANTED = (
    "{} søges", "Vi søger {}", "{} gesucht", "Wir suchen {}", "{} wanted", "We are hiring: {}", "Hiring {}",
    "Se busca {}", "Se necesita {}", "Recherche {}", "{} gezocht", "Gezocht: {}", "{} sökes", "Vi söker {}",
    "{} søkes", "Zatrudnimy: {}", "{} poszukiwany", "{} til {place}", "{} in {place}", "{} for our team",
)  # fmt: skip
_ENDINGS = ("{}/{}", "{}:{}", "{}*{}", "{}({})")
_STEM = 3  # letters that the forms of one title share at least, and that the shorter may have more
_LETTERS = "abcdefghijklmnoprstuvwyz"


def as_in_an_advert(title: str, rng: Random) -> str:
    """The title with one thing that adverts do to titles."""
    kind = rng.random()
    if kind < 0.35:
        return with_typo(title, rng)
    if kind < 0.5:
        return f"{title} {rng.choice(_MARKS)}"
    if kind < 0.6:
        return f"{rng.choice(_SENIORITY)} {title}"
    if kind < 0.75:
        return title + rng.choice((" ", ", ", " - ", " i ", " in ")) + rng.choice(_PLACES)
    if kind < 0.8:
        return title + rng.choice((" ", ", ", " - ")) + rng.choice(_CONTRACTS)
    if kind < 0.9:
        return rng.choice(_WANTED).format(title, place=rng.choice(_PLACES))
    words = title.split()
    if len(words) > 2:
        del words[rng.randrange(len(words))]
    return " ".join(words)


def plural(title: str, language: str) -> str:
    """The title with the words before the first preposition in the plural, as statistics and headlines do.

    Only regular endings of English ("-s", "-es", "-ies"), French ("-s") and Spanish ("-s", "-es", "-ces");
    titles of other languages stay as they are. Of "director/directora" the first form is kept.
    """
    if language not in _PREPOSITIONS:
        return title
    words = (title if language == "en" else title.split("/")[0]).split()
    if not words:
        return title
    end = next((n for n, word in enumerate(words) if _ends_the_head(word, language)), len(words))
    first = end - 1 if language == "en" else 0  # English adjectives have no plural
    changed = [_plural(word, language) if first <= place < end else word for place, word in enumerate(words)]
    return " ".join(changed)


def gender_form(title: str, rng: Random) -> str:
    """One of the ways to write a title that names both sexes by one stem; any other title stays as it is.

    "Leiter Lager/Leiterin Lager" and "Leiter/Leiterin Lager" give "Leiter Lager" and "Leiterin Lager", and
    because one form begins with the other, "Leiter/in Lager", "Leiter:in Lager", "Leiter*in Lager" and
    "Leiter(in) Lager".
    """
    parts = title.split("/")
    for cut in range(1, len(parts)):
        left, right = "/".join(parts[:cut]).split(), "/".join(parts[cut:]).split()
        if left and right and _same_stem(left[0], right[0]):
            left += right[len(left) :]
            forms = [left, right]
            ending = right[0][len(left[0]) :]
            if ending and right[0].startswith(left[0]):
                forms += [[pattern.format(left[0], ending), *left[1:]] for pattern in _ENDINGS]
            return " ".join(rng.choice(forms))
    return title


def _same_stem(first: str, second: str) -> bool:
    """Whether two words are forms of one: "Monteur" and "Monteuse", but not "programmer" and "project"."""
    first, second = first.casefold(), second.casefold()
    shared = next(
        (place for place, (one, other) in enumerate(zip(first, second, strict=False)) if one != other),
        min(len(first), len(second)),
    )
    return first != second and shared >= max(_STEM, min(len(first), len(second)) - _STEM)


def _ends_the_head(word: str, language: str) -> bool:
    word = word.lower()
    return word in _PREPOSITIONS[language] or word.startswith(("d'", "d’", "l'", "l’"))


def _plural(word: str, language: str) -> str:
    last = word[-1].lower()
    if not last.isalpha() or last in "sx" or (last == "z" and language == "fr"):
        return word
    if word.isupper() and len(word) > 1:
        return _plural(word.lower(), language).upper()
    if language == "es":
        if last == "z":
            return word[:-1] + "ces"
        return word + ("s" if last in "aeiouáéó" else "es")
    if language == "en":
        if last == "y" and word[-2:-1].lower() not in set("aeiou"):
            return word[:-1] + "ies"
        return word + ("es" if last == "z" or word[-2:].lower() in {"ch", "sh"} else "s")
    return word + "s"


def with_typo(title: str, rng: Random) -> str:
    """One letter left out, doubled, replaced, or swapped with the next; never the first or last letter.

    Titles of fewer than five characters stay as they are.
    """
    if len(title) < 5:
        return title
    place = rng.randrange(1, len(title) - 2)
    before, here, after = title[:place], title[place], title[place + 1 :]
    kind = rng.randrange(4 if here != after[0] else 3)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + here + here + after
    if kind == 2:
        return before + rng.choice([letter for letter in _LETTERS if letter != here.lower()]) + after
    return before + after[0] + here + after[1:]


def with_noise(title: str, rng: Random) -> str:
    """The title with a gender mark, a place and a contract, as headlines of adverts have them."""
    return f"{title} {rng.choice(_MARKS)} - {rng.choice(_PLACES)}, {rng.choice(_CONTRACTS)}"

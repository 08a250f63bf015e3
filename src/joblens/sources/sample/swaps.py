"""The same advert told otherwise: another name, town, employer or gender, shouted, mistyped, untitled.

What is replaced are the spans that the generator knows, so nothing else of the advert changes. A classifier
of jobs should hardly notice; the behaviour tests ask it.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

from joblens.records import Entity
from joblens.sources.sample.generating import SampleAd
from joblens.sources.sample.people import invent_place
from joblens.sources.sample.vocabulary import load_vocabulary

Told = tuple[str, str]
"""Title and text."""
Swap = Callable[[SampleAd, Sequence[SampleAd], Random], Told]
"""From an advert, all adverts to borrow from, and a source of chance."""

MISTYPED = 0.1
"""Share of words with a typing error."""

_OTHER_GENDER = (
    (r"plejerske\b", "plejer"),
    (r"\bsyerske\b", "syer"),
    (r"\bstuepige\b", "stuedreng"),
    (r"\btjener\b", "servitrice"),
    (r"lærer\b", "lærerinde"),
    (r"\bskuespiller\b", "skuespillerinde"),
    (r"\b(tele|telefon)?sælger\b", r"\g<0>ske"),
    (r"\bvæver\b", "væverske"),
    (r"\bdirektør\b", "direktrice"),
    (r"mand\b", "kvinde"),
    (r"\bwaiter\b", "waitress"),
    (r"\bactor\b", "actress"),
    (r"\bseamstress\b", "seamster"),
    (r"\bmanaging director\b", "managing directress"),
    (r"\bpriest\b", "priestess"),
    (r"man\b", "woman"),
)
"""Endings of Danish and English occupations, and what they are in the other gender or in neither."""


def other_first_names(ad: SampleAd, _: Sequence[SampleAd], rng: Random) -> Told:
    """Every first name of a person becomes another, the same one wherever it stands."""
    names = load_vocabulary().names["first_names"]
    chosen: dict[str, str] = {}

    def change(span: str) -> str:
        first, *rest = span.split(" ")
        if first not in names:
            return span
        if first not in chosen:
            chosen[first] = rng.choice([name for name in names if name != first])
        return " ".join([chosen[first], *rest])

    return _respanned(ad, "person", change)


def other_towns(ad: SampleAd, _: Sequence[SampleAd], rng: Random) -> Told:
    """Every town becomes another, in addresses and names of employers too."""
    names = load_vocabulary().names
    towns = re.compile(rf"\b({'|'.join(names['place_starts'])})({'|'.join(names['place_ends'])})\b")
    chosen: dict[str, str] = {}

    def change(found: re.Match[str]) -> str:
        while chosen.setdefault(found[0], found[0]) == found[0]:
            chosen[found[0]] = invent_place(rng, names)
        return chosen[found[0]]

    return towns.sub(change, ad.title), towns.sub(change, ad.text)


def other_employer(ad: SampleAd, ads: Sequence[SampleAd], rng: Random) -> Told:
    """The employer is that of another advert of the same area."""
    return _employed(ad, [other for other in ads if other.true_label == ad.true_label], rng)


def employer_of_another_area(ad: SampleAd, ads: Sequence[SampleAd], rng: Random) -> Told:
    """The employer is that of an advert of another area: a carpenter at a hospital."""
    return _employed(ad, [other for other in ads if other.true_label != ad.true_label], rng)


def other_gender(ad: SampleAd, _: Sequence[SampleAd], __: Random) -> Told:
    """Occupations that name a gender name the other, or none: "sygeplejerske" becomes "sygeplejer"."""

    def change(span: str) -> str:
        for ending, other in _OTHER_GENDER:
            changed = re.sub(ending, other, span, flags=re.IGNORECASE)
            if changed != span:
                return changed[0].upper() + changed[1:] if span[0].isupper() else changed
        return span

    return _respanned(ad, "occupation", change)


def in_capitals(ad: SampleAd, _: Sequence[SampleAd], __: Random) -> Told:
    """Title and text shouted."""
    return ad.title.upper(), ad.text.upper()


def mistyped(ad: SampleAd, _: Sequence[SampleAd], rng: Random) -> Told:
    """Two neighbouring letters change places in a tenth of the words of four letters or more."""

    def change(found: re.Match[str]) -> str:
        word = found[0]
        if rng.random() >= MISTYPED:
            return word
        at = rng.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"[^\W\d_]{4,}", change, ad.title), re.sub(r"[^\W\d_]{4,}", change, ad.text)


def without_title(ad: SampleAd, _: Sequence[SampleAd], __: Random) -> Told:
    """The text alone."""
    return "", ad.text


SWAPS: dict[str, Swap] = {
    "first names": other_first_names,
    "towns": other_towns,
    "employer, same area": other_employer,
    "employer, another area": employer_of_another_area,
    "gendered titles": other_gender,
}
"""What must hardly ever change a label."""

DAMAGES: dict[str, Swap] = {
    "in capitals": in_capitals,
    "a word in ten mistyped": mistyped,
    "without title": without_title,
}
"""What may cost a little."""


def _employed(ad: SampleAd, others: Sequence[SampleAd], rng: Random) -> Told:
    own = {span.text for span in (*ad.title_entities, *ad.entities) if span.label == "organisation"}
    found = sorted(
        {span.text for other in others for span in other.entities if span.label == "organisation"} - own
    )
    if not found:
        return ad.title, ad.text
    chosen = {name: rng.choice(found) for name in sorted(own)}
    return _respanned(ad, "organisation", chosen.__getitem__)


def _respanned(ad: SampleAd, label: str, change: Callable[[str], str]) -> Told:
    title = _replaced(ad.title, ad.title_entities, label, change)
    return title, _replaced(ad.text, ad.entities, label, change)


def _replaced(text: str, entities: Sequence[Entity], label: str, change: Callable[[str], str]) -> str:
    """The text with the spans of one label changed."""
    pieces: list[str] = []
    last = 0
    for span in entities:
        if span.label == label:
            pieces += text[last : span.start], change(span.text)
            last = span.end
    return "".join(pieces) + text[last:]

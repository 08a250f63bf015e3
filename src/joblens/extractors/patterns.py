"""Personal data that has a shape: found by patterns and check digits, masked by type.

| Type | What | Standard |
|---|---|---|
| `email` | addresses, also "navn (at) firma.dk" and "navn snabel-a firma punktum dk" | RFC 5321, RFC 6531 |
| `phone` | international, the shapes of ten countries, cued | ITU-T E.164; national plans, see `phones` |
| `url` | with a scheme, with www, bare domains of common endings, handles on networks | RFC 3986 |
| `cpr` `cvr` | Danish person and company numbers | CPR-loven, CVR-loven |
| `iban` | bank accounts | ISO 13616, ISO 7064 |
| `rut` | Chilean person and company numbers | Registro Civil |
| `person` | names behind a cue, beside an address, or of a telling shape | see `names`, `name_cues` |
| `address` | street, house number, floor, postcode, town; post-office boxes | UPU S42; see `addresses` |
| `inn` `snils` `passport` | Russian numbers; other passports after the word | Russian law; ICAO Doc 9303 |

Names and addresses without such a sign, and organisations, are the extractor model's to find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from joblens.extractors.addresses import find_addresses
from joblens.extractors.identifiers import (
    find_cpr,
    find_cvr,
    find_iban,
    find_inn,
    find_passport,
    find_rut,
    find_snils,
)
from joblens.extractors.name_spreading import spread_names
from joblens.extractors.names import find_persons
from joblens.extractors.phones import find_phones
from joblens.extractors.seams import at_numbers, beside_seams, seams_of, torn
from joblens.extractors.web import find_emails, find_urls
from joblens.records import Entity
from joblens.text import Span

RULES = 11
"""Raised whenever a rule finds something else, so that a bundle made before is refused."""

FINDERS: dict[str, Callable[[str], Iterable[Span]]] = {
    "email": find_emails,
    "url": find_urls,
    "cpr": find_cpr,
    "cvr": find_cvr,
    "iban": find_iban,
    "rut": find_rut,
    "inn": find_inn,
    "snils": find_snils,
    "passport": find_passport,
    "phone": find_phones,
    "address": find_addresses,
    "person": find_persons,
}
"""Every type with its finder. Where two finds are equally long the earlier type names the span."""

_CONTACTS = ("email", "phone", "cpr", "rut", "inn", "snils")
"""Types beside which a name stands."""
_AT_NUMBERS = frozenset({"url", "person"})
"""Types that are glued to numbers only: half a word of a product looks like them."""


def find_pii(text: str) -> list[Entity]:
    """Personal data in the text in order, without overlaps.

    Names that are found in one place are found in the others as well, by `spread_names`. A text in which line
    breaks are lost is read once more as if they stood there, for what they have glued to a sentence. Finds
    that overlap become one span that covers all of them and carries the type of the longest.
    """
    shaped, glued = _shaped(text), _glued(text)
    spans = {label: [*shaped.get(label, ()), *glued.get(label, ())] for label in FINDERS}
    spans["person"] += find_persons(text, _contacts(spans))
    spans["person"] += spread_names(text, spans["person"])
    found = sorted(
        (start, end, rank, label) for rank, label in enumerate(FINDERS) for start, end in spans[label]
    )
    merged: list[Entity] = []
    longest = (0, 0)
    for start, end, rank, label in found:
        length = (end - start, -rank)
        if merged and start < merged[-1].end:
            before = merged.pop()
            label = label if length > longest else before.label
            start, end = before.start, max(before.end, end)
            longest = max(longest, length)
        else:
            longest = length
        merged.append(Entity(start, end, label, text[start:end]))
    return merged


def _shaped(text: str) -> dict[str, list[Span]]:
    """What all finders but that of persons find, by type."""
    return {label: list(find(text)) for label, find in FINDERS.items() if label != "person"}


def _contacts(spans: Mapping[str, Sequence[Span]]) -> list[Span]:
    return [span for label in _CONTACTS for span in spans[label]]


def _glued(text: str) -> dict[str, list[Span]]:
    """What is glued to the sentence before or behind it, by type; persons as well."""
    seams = seams_of(text)
    if not seams:
        return {}
    apart, numbers = torn(text, seams), at_numbers(text, seams)
    found = _shaped(apart)
    if numbers:
        found["person"] = list(find_persons(apart, _contacts(found)))
    return {
        label: list(beside_seams(spans, seams, numbers if label in _AT_NUMBERS else set(seams)))
        for label, spans in found.items()
    }


def replace_spans(text: str, entities: Iterable[Entity]) -> str:
    """The text with each span, given in order and without overlaps, replaced by `[type]`."""
    parts: list[str] = []
    last = 0
    for entity in entities:
        parts += text[last : entity.start], f"[{entity.label}]"
        last = entity.end
    return "".join(parts) + text[last:]


def mask(text: str) -> tuple[str, Counter[str]]:
    """The text with personal data replaced by `[email]`, `[phone]`, ..., and how many there were of each.

    What a mask uncovers (a number that only then stands free) is masked in a second or third pass; there are
    no more, so that the time stays linear in the length of the text.
    """
    removed: Counter[str] = Counter()
    for _ in range(3):
        found = find_pii(text)
        if not found:
            break
        text = replace_spans(text, found)
        removed.update(entity.label for entity in found)
    return text, removed


class PatternExtractor:
    """The patterns as an extractor: finds personal data only, no occupation, skill or task."""

    name = "patterns"
    fingerprint = f"patterns {RULES}"

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Personal data of each text, by `find_pii`."""
        return [find_pii(text) for text in texts]

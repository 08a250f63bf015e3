"""Synthetic adverts full of personal data, every place of it known.

    from joblens.sources.personal.adverts import generate_personal
    ads = generate_personal(500, seed=11, use="audit", languages=("da", "en", "es", "ru"))

Danish and English ones begin as adverts of `joblens.sources.sample`, with their occupations, skills and
tasks; whom and what these name is replaced by names of `use`. Spanish and Russian ones are short and have no
such labels. Then come contact blocks, signatures, several contacts, names alone, identity numbers, addresses
and links, with line breaks lost here and there.

`train` and `audit` share no name, street or employer (`names`), and a third of the templates are used by
audit adverts only, half of the time, so that what is measured there is not what was learnt by heart. Nobody
named in them exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from joblens.errors import DataError
from joblens.records import Entity, LabelledText
from joblens.sources.personal.cast import TEMPLATE_LANGUAGES, Cast, choose_template, templates
from joblens.sources.personal.contacts import invent_email
from joblens.sources.personal.names import Person, Use, invent_person
from joblens.sources.personal.numbers import invent_cpr
from joblens.sources.personal.places import invent_address, invent_organisation
from joblens.sources.sample import SampleAd, generate
from joblens.sources.sample.drafts import Piece, fill, join

SHARE_OF_SHORT = 8
"""One advert in eight is Spanish, one in eight Russian, where these are asked for beside others."""

_BLOCKS = (  # how likely an advert has one of each kind
    ("contact", 0.97),
    ("contact", 0.3),
    ("contacts", 0.3),
    ("mention", 0.5),
    ("mention", 0.25),
    ("place", 0.4),
    ("web", 0.35),
    ("identity", 0.5),
    ("identity", 0.15),
    ("signature", 0.5),
)
_ANYWHERE = {"mention", "place", "identity", "web"}
_TITLE = 0.05
_LOST_BREAKS = 0.08
_RUNNING = 0.35

Paragraph = list[Piece]


def generate_personal(
    ads: int, seed: int, use: Use, languages: Sequence[str] = ("da", "en")
) -> list[LabelledText]:
    """The same arguments give the same adverts: title, an empty line, text.

    Args:
        ads: How many; at least 1.
        seed: Any integer; also the one of the adverts of `joblens.sources.sample` underneath.
        use: "train" or "audit".
        languages: Some of da, en, es, ru.

    Returns:
        Adverts whose entities are `occupation`, `skill`, `task`, `organisation`, and personal: `person`,
        `email`, `phone`, `url`, `address`, `cpr`, `cvr`, `iban`, `rut`, `inn`, `snils`, `passport`. Reposts
        share a group.

    Raises:
        DataError: `ads` is below 1, or a language has no templates.
    """
    unknown = [language for language in languages if language not in TEMPLATE_LANGUAGES]
    if ads < 1 or unknown or not languages:
        raise DataError(
            f"asked for {ads} adverts in {', '.join(languages) or 'no language'}; "
            f"ask for 1 or more in some of {', '.join(TEMPLATE_LANGUAGES)}"
        )
    short = [language for language in ("es", "ru") if language in languages]
    long = [language for language in ("da", "en") if language in languages]
    each = ads // (SHARE_OF_SHORT if long else len(short)) if short else 0
    made = [_personal(ad, seed, use) for ad in _samples(ads - each * len(short), seed, long)] if long else []
    for place, language in enumerate(short):
        rest = ads - len(made) if not long and place == len(short) - 1 else each
        made += [_short(number, seed, use, language) for number in range(rest)]
    return made


def _samples(count: int, seed: int, languages: Sequence[str]) -> list[SampleAd]:
    """The first adverts of the sample in these languages; a part of 60 or 40 in 100 is of one."""
    if count < 1:
        return []
    wanted = count if len(languages) == 2 else 4 * count + 20
    return [ad for ad in generate(wanted, seed) if ad.language in languages][:count]


def _personal(ad: SampleAd, seed: int, use: Use) -> LabelledText:
    rng = Random(f"{seed} {use} {ad.id}")
    cast = Cast(rng, ad.language, use)
    others = Others(rng, cast)
    title = [others(piece) for piece in _pieces(ad.title, ad.title_entities)]
    if rng.random() < _TITLE:
        title += fill(choose_template(rng, ad.language, "title_end", use), cast)
    body = _paragraphs([others(piece) for piece in _pieces(ad.text, ad.entities)])
    pieces = [*title, Piece("\n\n", None), *_assembled(rng, cast, body)]
    text, entities = join(pieces)
    group = f"personal-{use}-{seed}-{ad.repost_of or ad.id}"
    return LabelledText(f"personal-{use}-{seed}-{ad.id}", text, entities, ad.language, group)


def _short(number: int, seed: int, use: Use, language: str) -> LabelledText:
    """An advert without labelled content, for the languages that the sample does not have."""
    id = f"personal-{use}-{seed}-{language}-{number + 1:06d}"
    rng = Random(id)
    cast = Cast(rng, language, use)
    forms = templates(language).common
    title = [Piece(rng.choice(forms["title"]), None)]
    if rng.random() < _TITLE:
        title += fill(choose_template(rng, language, "title_end", use), cast)
    sentences = rng.sample(forms["body"], rng.randint(3, 6))
    opening = [Piece(sentences[0], None)]
    if rng.random() < 0.5:
        opening = [Piece(cast.organisation, "organisation"), Piece(". ", None), *opening]
    body = [opening, [Piece(" ".join(sentences[1:]), None)]]
    text, entities = join([*title, Piece("\n\n", None), *_assembled(rng, cast, body)])
    return LabelledText(id, text, entities, language, id)


def _assembled(rng: Random, cast: Cast, body: list[Paragraph]) -> Iterator[Piece]:
    """The paragraphs with the blocks of personal data among and behind them."""
    paragraphs = list(body)
    for kind, chance in _BLOCKS:
        if rng.random() >= chance:
            continue
        block = list(fill(choose_template(rng, cast.language, kind, cast.use), cast))
        at = rng.randrange(len(paragraphs)) if kind in _ANYWHERE or rng.random() < 0.15 else -1
        if rng.random() < _RUNNING and kind not in {"signature", "contacts"}:
            paragraphs[at] = [*paragraphs[at], Piece(" ", None), *block]
        elif at == -1:
            paragraphs.append(block)
        else:
            paragraphs.insert(at + 1, block)
    joints = ("\n", " ", "") if rng.random() < _LOST_BREAKS else ("\n\n",)
    for place, paragraph in enumerate(paragraphs):
        if place:
            yield Piece(rng.choice(joints), None)
        yield from paragraph if len(joints) == 1 else _without_breaks(rng, paragraph)


def _without_breaks(rng: Random, paragraph: Paragraph) -> Iterator[Piece]:
    """The paragraph with its line breaks lost, as in adverts that went through several systems."""
    for piece in paragraph:
        yield (
            Piece(piece.text.replace("\n", rng.choice((" ", " ", ""))), piece.label)
            if not piece.label
            else piece
        )


def _pieces(text: str, entities: Sequence[Entity]) -> Iterator[Piece]:
    last = 0
    for entity in entities:
        if entity.start > last:
            yield Piece(text[last : entity.start], None)
        yield Piece(entity.text, entity.label)
        last = entity.end
    if last < len(text):
        yield Piece(text[last:], None)


def _paragraphs(pieces: Sequence[Piece]) -> list[Paragraph]:
    """The pieces cut at empty lines; there is at least one paragraph."""
    paragraphs: list[Paragraph] = [[]]
    for piece in pieces:
        first, *rest = piece.text.split("\n\n") if piece.label is None else [piece.text]
        if first:
            paragraphs[-1].append(Piece(first, piece.label))
        paragraphs += [[Piece(part, None)] if part else [] for part in rest]
    return [paragraph for paragraph in paragraphs if paragraph] or [[Piece("", None)]]


class Others:
    """Replaces whom and what an advert of the sample names, one thing by the same each time."""

    def __init__(self, rng: Random, cast: Cast) -> None:
        self._rng = rng
        self._cast = cast
        self._people: dict[str, Person] = {}
        self._things: dict[tuple[str, str], str] = {}
        self._latest: Person | None = None

    def __call__(self, piece: Piece) -> Piece:
        """The piece as the advert will have it; what is not personal stays."""
        if piece.label in {None, "occupation", "skill", "task"}:
            return piece
        if piece.label == "person":
            return Piece(self._person(piece.text), "person")
        label = "cpr" if piece.label == "id number" else str(piece.label)
        key = (label, piece.text)
        if key not in self._things:
            self._things[key] = self._thing(label)
        return Piece(self._things[key], label)

    def _person(self, surface: str) -> str:
        given = surface.split()[0]
        if given not in self._people:
            person = invent_person(self._rng, self._cast.language, self._cast.use)
            if " " not in surface:
                person = replace(person, full=person.given)
            self._people[given] = person
        self._latest = self._people[given]
        return self._latest.full if " " in surface else self._latest.given

    def _thing(self, label: str) -> str:
        rng, language, use = self._rng, self._cast.language, self._cast.use
        match label:
            case "phone":
                return self._cast.phone()
            case "email":
                return invent_email(rng, language, use, self._latest if rng.random() < 0.7 else None)
            case "address":
                return invent_address(rng, language, use)
            case "cpr":
                return invent_cpr(rng)
            case _:
                return invent_organisation(rng, language, use)

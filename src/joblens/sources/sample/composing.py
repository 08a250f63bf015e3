"""Write one advert: choose what it says about the job, fill the sentences, put them in an order."""

from collections.abc import Iterator
from random import Random

from joblens.sources.sample import rates
from joblens.sources.sample.drafts import Draft, Line, Piece, fill
from joblens.sources.sample.people import (
    Person,
    invent_address,
    invent_email,
    invent_id_number,
    invent_organisation,
    invent_person,
    invent_phone,
    invent_place,
)
from joblens.sources.sample.vocabulary import Area, Vocabulary

Phrases = dict[str, tuple[str, ...]]


class Slots:
    """What one advert says wherever a template leaves a gap.

    Facts such as the employer stay the same throughout; tasks and skills are never said twice.
    """

    def __init__(self, rng: Random, vocabulary: Vocabulary, area: Area, second: Area, language: str) -> None:
        self.rng = rng
        self.names = vocabulary.names
        self.language = language
        own, other = area.words[language], second.words[language]
        self.own, self.other = own, other
        foreign = not area.mixes_fields and rng.random() < rates.FOREIGN_OCCUPATION
        self.occupation = rng.choice((other if foreign else own).occupations)
        share = rates.FIELD_SHARE if area.mixes_fields else rates.BORROWED
        self.tasks = _without_repeats(rng, own.tasks, other.tasks, share)
        self.skills = _without_repeats(rng, own.skills, other.skills, share)
        self.organisation = invent_organisation(rng, self.names, own.workplaces)
        self.towns = [invent_place(rng, self.names), invent_place(rng, self.names)]
        self.address = invent_address(rng, self.names)
        self.meet_person()

    def meet_person(self) -> None:
        """From here on the advert speaks of another person."""
        self.person: Person = invent_person(self.rng, self.names)
        self.email = invent_email(self.rng, self.names, self.person, self.organisation)

    def __call__(self, slot: str) -> Piece:
        """The piece for one slot; a capital first letter in the name asks for one in the text."""
        text, label = self._value(slot.lower())
        return Piece(text[0].upper() + text[1:] if slot[0].isupper() else text, label)

    def _value(self, slot: str) -> tuple[str, str | None]:
        match slot:
            case "occupation":
                return self.occupation, "occupation"
            case "other_occupation":
                return self.rng.choice(self.other.occupations), "occupation"
            case "task":
                return next(self.tasks), "task"
            case "skill":
                return next(self.skills), "skill"
            case "organisation":
                return self.organisation, "organisation"
            case "person":
                return self.person.full, "person"
            case "first_name":
                return self.person.first, "person"
            case "phone":
                return invent_phone(self.rng), "phone"
            case "email":
                return self.email, "email"
            case "address":
                return self.address, "address"
            case "id_number":
                return invent_id_number(self.rng), "id number"
            case "town":
                self.towns.reverse()
                return self.towns[1], None
            case _:
                return self._number(slot), None

    def _number(self, slot: str) -> str:
        rng = self.rng
        match slot:
            case "hours":
                return str(rng.choice((12, 15, 20, 25, 28, 30, 32, 34, 37, 37, 37)))
            case "salary":
                whole, part = rng.randint(135, 260), rng.choice(("00", "25", "50", "75"))
                return f"{whole},{part}" if self.language == "da" else f"{whole}.{part}"
            case "number":
                return str(rng.randint(4, 480))
            case "year":
                return str(rng.randint(1893, 2019))
            case "week":
                return str(rng.randint(1, 52))
            case "weeks":
                return str(rng.choice((6, 8, 12, 26, 40)))
            case "date":
                month = rng.choice(self.names[f"months_{self.language}"])
                return f"{rng.randint(1, 28)}{'.' if self.language == 'da' else ''} {month}"
            case "reference":
                return f"{rng.choice(('J', 'HR', 'ST', 'JOB'))}-{rng.randint(1000, 9999)}"
            case "case_number":  # looks like a CPR number, but there is no such day
                no_day = f"{rng.randint(32, 39)}{rng.randint(13, 19)}{rng.randint(10, 99)}"
                return f"{no_day}-{rng.randint(1000, 9999)}"
            case _:
                raise KeyError(f"a template asks for {slot!r}, which no slot fills")


def compose(rng: Random, vocabulary: Vocabulary, area: Area, language: str) -> tuple[Draft, Slots]:
    """A fresh advert of `area`, and its facts for later edits."""
    slots = Slots(rng, vocabulary, area, _second_area(rng, vocabulary, area), language)
    phrases = vocabulary.phrases[language]
    chance = rng.random()
    vague = chance < rates.VAGUE_TITLE
    if vague:
        kind = "titles_vague"
    elif chance < rates.VAGUE_TITLE + rates.TASK_TITLE:
        kind = "titles_task"
    elif chance < rates.VAGUE_TITLE + rates.TASK_TITLE + rates.PRIVATE_TITLE:
        kind = "titles_private"
    else:
        kind = "titles"
    title = fill(rng.choice(phrases[kind]), slots)
    unnamed = vague and rng.random() < rates.UNNAMED
    return Draft(title, tuple(_lines(rng, phrases, slots, unnamed))), slots


def sentence(rng: Random, phrases: Phrases, slots: Slots, kind: str, joint: str = " ") -> Line:
    """One filled template of `kind`."""
    return Line(kind, joint, fill(rng.choice(phrases[kind]), slots))


def _lines(rng: Random, phrases: Phrases, slots: Slots, unnamed: bool) -> Iterator[Line]:
    """The paragraphs of an advert, in one of several orders."""
    opening = ["openings_vague" if unnamed else "openings", *["company"] * rng.randint(1, 2)]
    if rng.random() < 0.35:
        opening.append("colleagues")
    if rng.random() < 0.25:
        opening[0], opening[1] = opening[1], opening[0]
    job = [*["skills"] * rng.randint(1, 2), *["qualities"] * rng.randint(2, 4)]
    offer = [*["benefits"] * rng.randint(1, 3), *["terms"] * rng.randint(1, 2)]
    rng.shuffle(offer)
    end = [*["apply"] * rng.randint(1, 2)]
    end += ["contact"] if rng.random() < 0.9 else []
    end += ["address"] if rng.random() < 0.45 else []
    small_print = ["notes"] if rng.random() < rates.CASE_NUMBER else []
    small_print += ["legal"] * rng.randint(0, 2)
    small_print += ["leak"] if rng.random() < rates.LEAK else []

    yield from _paragraph(rng, phrases, slots, opening)
    middle = [_tasks(rng, phrases, slots, unnamed), _profile(rng, phrases, slots, job)]
    middle.append(_paragraph(rng, phrases, slots, offer))
    if rng.random() < 0.25:
        rng.shuffle(middle)
    for paragraph in middle:
        yield from paragraph
    yield from _paragraph(rng, phrases, slots, end)
    yield from _paragraph(rng, phrases, slots, small_print)


def _paragraph(rng: Random, phrases: Phrases, slots: Slots, kinds: list[str]) -> Iterator[Line]:
    """Sentences of these kinds, none twice."""
    said: set[tuple[Piece, ...]] = set()
    for kind in kinds:
        if kind == "leak":
            slots.meet_person()
        line = sentence(rng, phrases, slots, kind, " " if said else "\n\n")
        if line.pieces not in said:
            said.add(line.pieces)
            yield line


def _tasks(rng: Random, phrases: Phrases, slots: Slots, short: bool) -> Iterator[Line]:
    if rng.random() < 0.5:
        yield sentence(rng, phrases, slots, "tasks", "\n\n")
        if not short:
            yield sentence(rng, phrases, slots, "tasks")
    else:
        yield from _bullets(rng, phrases, slots, "task", rng.randint(2, 4) if short else rng.randint(3, 6))


def _profile(rng: Random, phrases: Phrases, slots: Slots, kinds: list[str]) -> Iterator[Line]:
    if rng.random() < 0.65:
        yield from _paragraph(rng, phrases, slots, kinds)
    else:
        yield from _bullets(rng, phrases, slots, "skill", rng.randint(2, 4))
        yield from _paragraph(rng, phrases, slots, [kind for kind in kinds if kind != "skills"])


def _bullets(rng: Random, phrases: Phrases, slots: Slots, slot: str, count: int) -> Iterator[Line]:
    yield sentence(rng, phrases, slots, f"{slot}s_header", "\n\n")
    mark = rng.choice(("- ", "• ", "* ", "– ", "·  "))
    name = slot.capitalize() if rng.random() < 0.6 else slot
    for _ in range(count):
        yield Line("bullet", "\n", (Piece(mark, None), slots(name)))


def _second_area(rng: Random, vocabulary: Vocabulary, area: Area) -> Area:
    """Where the advert borrows from: usually a neighbour, any field for areas that cut across all."""
    if area.mixes_fields or rng.random() < rates.SECOND_ANYWHERE:
        fields = [field for field in vocabulary.areas if not field.mixes_fields and field.slug != area.slug]
        return rng.choice(fields)
    [slug] = rng.choices(list(area.neighbours), weights=list(area.neighbours.values()))
    return vocabulary.area(slug)


def _without_repeats(
    rng: Random, own: tuple[str, ...], other: tuple[str, ...], share: float
) -> Iterator[str]:
    """Phrases in random order, about `share` of them from `other`; none comes twice before all have come."""
    while True:
        said: set[str] = set()
        lists = rng.sample(own, len(own)), rng.sample(other, len(other))
        while lists[0] and lists[1]:
            phrase = lists[rng.random() < share].pop()
            if phrase not in said:
                said.add(phrase)
                yield phrase

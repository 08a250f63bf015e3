"""What joblens reads and answers, as plain frozen records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ad:
    """One job advert as it came from its source."""

    id: str
    title: str
    text: str
    label: str | None = None
    """The category people gave it; None when nobody has."""
    language: str | None = None
    group: str | None = None
    """Near-duplicate adverts share a group; None before groups are known."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A span of text that means something: `text[start:end]`, offsets in characters, end exclusive."""

    start: int
    end: int
    label: str
    text: str
    score: float = 1.0
    """How sure the extractor is, in [0, 1]; 1 for patterns."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text whose entities people, or a generator, have marked."""

    id: str
    text: str
    entities: tuple[Entity, ...]
    """In order of their start; entities of different labels may overlap."""
    language: str
    """ISO 639-1 code."""
    group: str
    """Texts of one posting share a group, so that they stay on one side of a split."""


@dataclass(frozen=True, slots=True)
class CleanAd:
    """An advert after cleaning: what is kept, and how much was read and removed."""

    id: str
    title: str
    occupation: tuple[str, ...]
    skills: tuple[str, ...]
    tasks: tuple[str, ...]
    clean_text: str
    words_in: int
    """Words of title and text before cleaning."""
    words_read: int
    """Words the extractor really saw; equal to `words_in`, or something was cut."""
    pii_removed: int
    """How many pieces of personal data were taken out."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The classifier's answer for one advert."""

    label: str
    probability: float
    """Calibrated, in [0, 1]."""
    top: tuple[tuple[str, float], ...]
    """The three likeliest labels with their probabilities, likeliest first; fewer when C < 3."""
    prediction_set: tuple[str, ...]
    """Labels that together hold the true one as often as the bundle's coverage says; never empty."""
    abstained: bool
    reason: str | None = None
    """Why it abstained; None when it did not."""
    crossing: str | None = None
    """That two labels of the prediction set cut across each other, in words; None when none do."""


@dataclass(frozen=True, slots=True)
class Occupation:
    """An occupation of ESCO."""

    uri: str
    name: str
    """Its preferred English label."""
    code: str
    """The four digits of its ISCO-08 unit group."""
    similarity: float
    """Cosine between the title and the occupation's labels, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What a job title means, as precisely as that is sure enough."""

    code: str
    """ISCO-08 code of 4, 3, 2 or 1 digits; empty when not even one digit is sure enough."""
    name: str
    """What ISCO-08 calls that group in English; empty without a code."""
    probability: float
    """Calibrated probability that the code is right, in [0, 1]; without one, of the likeliest digit."""
    levels: tuple[tuple[str, float], ...]
    """The likeliest code of 1, 2, 3 and 4 digits with its calibrated probability."""
    occupations: tuple[Occupation, ...]
    """The nearest occupations, nearest first."""

"""Questions and answers of `POST /classify`, `/extract`, `/explain` and `/match`."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from joblens.serving.schemas.base import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_ADS,
    Asked,
    Message,
    Model,
    Real,
    Whole,
)


class Profile(Asked):
    """Job text to match adverts with: a profile, a job description, another advert."""

    title: str = Field("", max_length=LONGEST_TITLE)
    """Its title; may be left out."""
    text: str = Field(max_length=LONGEST_TEXT)
    """Its text, plain or HTML as in training."""


class OneAd(Asked):
    """One advert."""

    title: str = Field("", max_length=LONGEST_TITLE)
    """The advert's title; may be left out."""
    text: str = Field(max_length=LONGEST_TEXT)
    """The advert's text, plain or HTML as in training. Without any words the answer abstains."""
    language: str | None = Field(None, pattern="^[a-z]{2}$")
    """Its language in ISO 639-1 (`da`), where it is known. A hint: today's models read all alike."""


class ManyAds(Asked):
    """Several adverts, answered in the same order."""

    ads: list[OneAd] = Field(min_length=1, max_length=MOST_ADS)
    """The adverts."""


def _one_or_many(body: Any) -> str:
    """Which of the two shapes a body is meant to have, so that errors speak about one of them."""
    if isinstance(body, dict):
        return "many" if "ads" in body else "one"
    return "many" if isinstance(body, ManyAds) else "one"


Question = Annotated[
    Annotated[OneAd, Tag("one")] | Annotated[ManyAds, Tag("many")], Discriminator(_one_or_many)
]
"""The body of `POST /classify` and `/extract`: one advert, or `{"ads": [...]}`."""


class Candidate(Message):
    """A label and how likely it is."""

    label: str
    """The category."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability that it is the right one."""


class Phrase(Message):
    """What the cleaning kept of an advert."""

    kind: str
    """`occupation`, `skill` or `task`."""
    text: str
    """As it stands in the advert, personal data in it masked."""


class Result(Message):
    """The answer for one advert."""

    label: str
    """The likeliest category; empty when there was nothing to read."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability that it is the right one."""
    top: list[Candidate]
    """The three likeliest categories, likeliest first."""
    prediction_set: list[str]
    """Categories that together hold the right one as often as the model promises (`model.coverage`)."""
    abstained: bool
    """Whether a person should look at this advert."""
    reason: str | None
    """Why the model abstained; null when it did not."""
    crossing: str | None
    """That two categories of `prediction_set` cut across each other, so that both may be right; null else."""
    entities: list[Phrase]
    """What the cleaning kept; empty where the model was trained on whole texts."""
    words_in: int = Field(ge=0)
    """Words of title and text."""
    words_read: int = Field(ge=0)
    """Words of title and text that were read; the two are equal, nothing is cut off."""
    pii_removed: int = Field(ge=0)
    """How many pieces of personal data were taken out before the model read the advert."""


class Answer(Message):
    """The answer to `POST /classify`, for one advert as for many."""

    model: Model
    """Which model answered."""
    results: list[Result]
    """One result for each advert, in the order they were sent."""


class FoundEntity(Message):
    """A place of the readable advert that means something."""

    kind: str
    """`occupation`, `skill` or `task`; of a mask what was there: `person`, `email`, `phone`, ..."""
    field: str
    """`title` or `text`: where it stands."""
    start: int = Field(ge=0)
    """Its first character, counted from 0 in Unicode code points of that field of the answer."""
    end: int = Field(ge=0)
    """Behind its last character."""
    text: str
    """What stands there."""


class Extracted(Message):
    """One advert without personal data, and what was found in it."""

    title: str
    """The title, readable and masked."""
    text: str
    """The text, readable (HTML removed where the model was trained so) and masked: `[person]`, `[email]`."""
    entities: list[FoundEntity]
    """In order; those of the title first. Entities of different kinds may overlap."""
    words_in: int = Field(ge=0)
    """Words of title and text."""
    words_read: int = Field(ge=0)
    """Words of title and text that were read; the two are equal."""
    pii_removed: int = Field(ge=0)
    """How many pieces of personal data were masked."""


class ExtractAnswer(Message):
    """The answer to `POST /extract`."""

    model: Model
    """Which model answered."""
    results: list[Extracted]
    """One result for each advert, in the order they were sent."""


class ExplainQuestion(Asked):
    """The body of `POST /explain`."""

    title: str = Field("", max_length=LONGEST_TITLE)
    """The advert's title; may be left out."""
    text: str = Field(max_length=LONGEST_TEXT)
    """The advert's text."""
    most: Whole = Field(5, ge=1, le=20)
    """How many words and entities to name at most."""


class EvidenceFound(Message):
    """A word or an entity that speaks for the label."""

    phrase: str
    """As it stands in the cleaned advert."""
    kind: str
    """`word`, `occupation`, `skill` or `task`."""
    effect: float
    """How much lower the label's probability is without it."""
    odds: float
    """By how much it multiplies the odds of the label."""


class Neighbour(Message):
    """A training advert like this one."""

    id: str
    """Its id in the table the model was trained with."""
    cosine: float
    """Of the two vectors, from -1 to 1."""


class ExplainAnswer(Message):
    """The answer to `POST /explain`."""

    model: Model
    """Which model answered."""
    result: Result
    """The same as `POST /classify` answers."""
    evidence: list[EvidenceFound]
    """What speaks for the label, most first."""
    without: float = Field(ge=0, le=1)
    """The label's probability when all of that is taken out together."""
    nearest: list[Neighbour]
    """Training adverts, nearest first; empty unless the server was started with `--project`."""


class MatchQuestion(Asked):
    """The body of `POST /match`."""

    ads: list[OneAd] = Field(min_length=1, max_length=MOST_ADS)
    """The adverts."""
    profiles: list[Profile] = Field(min_length=1, max_length=MOST_ADS)
    """What to match them with."""
    cut_off: Real = Field(0.5, ge=-1, le=1)
    """Least similarity of a match."""
    top: Whole = Field(10, ge=1, le=MOST_ADS)
    """How many matches of an advert at most."""


class Matched(Message):
    """An advert and a profile that are alike."""

    ad: int = Field(ge=0)
    """Place of the advert in the question, from 0."""
    profile: int = Field(ge=0)
    """Place of the profile in the question, from 0."""
    similarity: float
    """Cosine of their vectors, from -1 to 1."""


class MatchAnswer(Message):
    """The answer to `POST /match`."""

    model: Model
    """Which model answered."""
    matches: list[Matched]
    """Advert by advert, most alike first."""

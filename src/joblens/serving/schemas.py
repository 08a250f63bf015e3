"""What goes over the wire. Every limit that a client must know is in the schema, and so in /openapi.json."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

MOST_ADS = 128
LONGEST_TITLE = 1_000
MOST_TITLES = 1_000
LONGEST_TEXT = 100_000

EXAMPLE_AD = {
    "title": "Tømrer søges",
    "text": "Vi søger en tømrer med svendebrev til tagarbejde og renovering i Aarhus.",
}


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class OneAd(_Message):
    """One advert."""

    title: str = Field("", max_length=LONGEST_TITLE)
    """The advert's title; may be left out."""
    text: str = Field(max_length=LONGEST_TEXT)
    """The advert's text, plain or HTML as in training. Without any words the answer abstains."""


class ManyAds(_Message):
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
"""The body of `POST /classify`: one advert, or `{"ads": [...]}`."""


class TitleQuestion(_Message):
    """The body of `POST /code`."""

    titles: list[Annotated[str, Field(max_length=LONGEST_TITLE)]] = Field(
        min_length=1, max_length=MOST_TITLES
    )
    """Job titles in any of the languages the encoder knows."""
    confidence: float = Field(0.5, ge=0, le=1)
    """Least calibrated probability of a code; a less sure one gets shorter, or empty."""
    nearest: int = Field(3, ge=1, le=20)
    """How many occupations to name."""


class Group(_Message):
    """A group of ISCO-08 and how likely it is."""

    code: str
    """1 to 4 digits."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability that it is the right one."""


class NearOccupation(_Message):
    """An occupation of ESCO."""

    uri: str
    """ESCO's URI."""
    name: str
    """The preferred English label."""
    code: str
    """Its unit group in ISCO-08."""
    similarity: float
    """Cosine with the title, from -1 to 1."""


class CodedTitle(_Message):
    """The answer for one title."""

    code: str
    """ISCO-08 code of 1 to 4 digits, the longest that is sure enough; empty when none is."""
    name: str
    """The group's English name; empty without a code."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability of the code; without one, of the likeliest single digit."""
    levels: list[Group]
    """The likeliest group of 1, 2, 3 and 4 digits; empty for a title without words."""
    occupations: list[NearOccupation]
    """The nearest occupations, nearest first."""


class CodeAnswer(_Message):
    """The answer to `POST /code`."""

    results: list[CodedTitle]
    """One result for each title, in the order they were sent."""


class Candidate(_Message):
    """A label and how likely it is."""

    label: str
    """The category."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability that it is the right one."""


class Result(_Message):
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


class Model(_Message):
    """Which model answered."""

    name: str
    """Name of the bundle's folder."""
    version: str
    """Start of the SHA-256 of the bundle's contents: the same version gives the same answers."""
    encoder: str
    """The encoder that turned text into vectors."""
    labels: int
    """How many categories it knows."""
    coverage: float
    """How often a prediction set was asked to hold the right category."""


class Answer(_Message):
    """The answer to `POST /classify`, for one advert as for many."""

    model: Model
    """Which model answered."""
    results: list[Result]
    """One result for each advert, in the order they were sent."""


class Problem(_Message):
    """An answer that is not 200."""

    detail: str
    """What is wrong, and what to do."""


class FieldProblem(_Message):
    """What is wrong with one field of a request. The value itself is never repeated."""

    field: str
    """Where it is, such as `ads.3.text`; empty for the body as a whole."""
    problem: str
    """What is wrong with it."""


class FieldProblems(_Message):
    """An answer with status 422."""

    detail: list[FieldProblem]
    """Each wrong field."""


class Status(_Message):
    """The answer of a probe."""

    status: str
    """`alive` or `ready`."""

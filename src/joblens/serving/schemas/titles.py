"""Question and answer of `POST /code`."""

from typing import Annotated

from pydantic import Field

from joblens.serving.schemas.base import LONGEST_TITLE, Asked, Message, Real, Whole

MOST_TITLES = 1_000


class TitleQuestion(Asked):
    """The body of `POST /code`."""

    titles: list[Annotated[str, Field(max_length=LONGEST_TITLE)]] = Field(
        min_length=1, max_length=MOST_TITLES
    )
    """Job titles in any of the languages the encoder knows."""
    confidence: Real = Field(0.5, ge=0, le=1)
    """Least calibrated probability of a code; a less sure one gets shorter, or empty."""
    nearest: Whole = Field(3, ge=1, le=20)
    """How many occupations to name."""


class Group(Message):
    """A group of ISCO-08 and how likely it is."""

    code: str
    """1 to 4 digits."""
    probability: float = Field(ge=0, le=1)
    """Calibrated probability that it is the right one."""


class NearOccupation(Message):
    """An occupation of ESCO."""

    uri: str
    """ESCO's URI."""
    name: str
    """The preferred English label."""
    code: str
    """Its unit group in ISCO-08."""
    similarity: float
    """Cosine with the title, from -1 to 1."""


class CodedTitle(Message):
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


class CodeAnswer(Message):
    """The answer to `POST /code`."""

    results: list[CodedTitle]
    """One result for each title, in the order they were sent."""

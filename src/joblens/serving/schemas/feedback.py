"""What people say of guesses."""

from pydantic import Field

from joblens.serving.schemas.base import LONGEST_TEXT, LONGEST_TITLE, MOST_ADS, Asked, Message


class PersonsLabel(Asked):
    """The label that a person gives an advert."""

    id: str = Field("", max_length=200)
    """The advert's id in its source, so that its label there is replaced; empty when it has none."""
    title: str = Field("", max_length=LONGEST_TITLE)
    """The advert's title; personal data is masked before it is stored."""
    text: str = Field(max_length=LONGEST_TEXT)
    """The advert's text; personal data is masked before it is stored. May be empty when there is an id."""
    label: str = Field(max_length=1_000)
    """The right category, one of those of `GET /labels`; the same as `guess` when the model was right."""
    guess: str | None = Field(None, max_length=1_000)
    """What the model had said; null or empty when it said nothing."""
    model_version: str | None = Field(None, max_length=64, pattern="^[0-9A-Za-z._-]*$")
    """`model.version` of the answer that held the guess."""
    reviewer: str = Field("", max_length=200)
    """Who says so; only a pseudonym is stored, the same for the same name."""


class Feedback(Asked):
    """The body of `POST /feedback`."""

    corrections: list[PersonsLabel] = Field(min_length=1, max_length=MOST_ADS)
    """What people said; all of it is stored, or nothing."""


class Stored(Message):
    """The answer to `POST /feedback`."""

    stored: int
    """How many corrections were stored: all that were sent."""

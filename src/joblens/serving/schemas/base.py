"""What all messages share, and the limits that several of them name."""

from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST_ADS = 128
LONGEST_TITLE = 1_000
LONGEST_TEXT = 100_000
MOST_KEYS = 60
"""Keys of a JSON object that are looked at; a megabyte of unknown ones would hold the server up."""


def _number(value: object) -> object:
    """Refuse what pydantic would make a number of: `true` and `"0.5"` are none in JSON."""
    if isinstance(value, bool | str):
        raise ValueError("should be a number, without quotes")
    return value


Real = Annotated[float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_number)]


class Message(BaseModel):
    """A body or an answer: no unknown fields, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Asked(Message):
    """A part of a body."""

    @model_validator(mode="before")
    @classmethod
    def _few_keys(cls, values: Any) -> Any:
        """What is beyond `MOST_KEYS` is left out; those before are unknown fields enough to be refused."""
        if isinstance(values, dict) and len(values) > MOST_KEYS:
            return dict(islice(values.items(), MOST_KEYS))
        return values


class Model(Message):
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


class Problem(Message):
    """An answer that is not 200."""

    detail: str
    """What is wrong, and what to do."""


class FieldProblem(Message):
    """What is wrong with one field of a request. The value itself is never repeated."""

    field: str
    """Where it is, such as `ads.3.text`; empty for the body as a whole."""
    problem: str
    """What is wrong with it."""


class FieldProblems(Message):
    """An answer with status 422."""

    detail: list[FieldProblem]
    """Each wrong field."""


class Status(Message):
    """The answer of a probe."""

    status: str = Field(examples=["ready"])
    """`alive` or `ready`."""

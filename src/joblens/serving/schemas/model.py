"""Answers of `GET /labels` and `GET /model`."""

from typing import Any

from pydantic import Field

from joblens.serving.schemas.base import Message, Model


class Label(Message):
    """A category of the model."""

    label: str
    """Its name."""
    crosscutting: bool
    """Whether it cuts across the others, so that an advert may rightly have it and another one."""


class LabelsAnswer(Message):
    """The answer to `GET /labels`."""

    model: Model
    """Which model answered."""
    labels: list[Label]
    """In the order of the model's classes."""


class Accuracy(Message):
    """How often the model is right when it answers only the surest adverts."""

    coverage: float = Field(ge=0, le=1)
    """Share of the adverts that are answered, the surest first."""
    accuracy: float = Field(ge=0, le=1)
    """Share of those that got the right label."""


class ModelAnswer(Message):
    """The answer to `GET /model`."""

    model: Model
    """Which model answered."""
    card: dict[str, Any]
    """The bundle's card: data, settings, hashes and figures."""
    calibration: dict[str, float]
    """What probabilities, prediction sets and abstaining go by; `coverage` and `abstain_below` among them."""
    accuracy_at_coverage: list[Accuracy] | None
    """On adverts kept out of training, by rising coverage; null when the card does not tell."""

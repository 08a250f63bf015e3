"""What config.json and labels.json of a bundle may hold."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from joblens.config import Classifier, Cleaning, Embedding, Section

FORMAT = 1
"""Number of this layout; a reader refuses numbers it does not know."""

_WIDEST = 2**16  # units of a layer, or labels
_DEEPEST = 16  # hidden layers

Share = Annotated[float, Field(ge=0, le=1)]
Label = Annotated[str, Field(min_length=1, max_length=1000)]


class CalibrationValues(Section):
    """The numbers of `Calibration`, each in its range."""

    temperature: float = Field(gt=0, le=1e6)
    set_threshold: Share
    abstain_below: Share
    coverage: Share
    target_precision: Share
    precision: Share
    answered: Share


class Contents(Section):
    """config.json."""

    format: Literal[1]
    classes: int = Field(ge=2, le=_WIDEST)
    uses_title: bool
    html: bool
    encoder_fingerprint: str = Field(min_length=1, max_length=1000)
    extractor_fingerprint: str = Field(min_length=1, max_length=1000)
    cleaning: Cleaning
    embedding: Embedding
    classifier: Classifier
    calibration: CalibrationValues

    @model_validator(mode="after")
    def _network_is_of_this_world(self) -> Self:
        widths = (self.embedding.width, *self.classifier.hidden)
        if len(widths) > _DEEPEST + 1 or not all(1 <= width <= _WIDEST for width in widths):
            raise ValueError(
                f"widths {widths[: _DEEPEST + 1]} should be at most {_DEEPEST} layers of 1 to {_WIDEST}"
            )
        return self


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("labels should be distinct")
    return labels


LABELS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Annotated[tuple[Label, ...], AfterValidator(_distinct)])
"""Checks labels.json."""

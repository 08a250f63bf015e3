"""What config.json and labels.json of a bundle may hold."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from joblens.config import Classifier, Cleaning, Embedding, Section

FORMAT = 3
"""Number of this layout; a reader refuses numbers it does not know."""

_WIDEST = 2**16  # units of a layer, or labels
_DEEPEST = 16  # hidden layers

Share = Annotated[float, Field(ge=0, le=1)]
Width = Annotated[int, Field(ge=1, le=_WIDEST)]
Label = Annotated[str, Field(min_length=1, max_length=1000)]


class CalibrationValues(Section):
    """The numbers of `Calibration`, each in its range."""

    temperature: float = Field(gt=0, le=1e6)
    set_threshold: Share
    abstain_below: Share
    slope: float = Field(gt=0, le=1e6)
    shift: float = Field(ge=-1e6, le=1e6)
    coverage: Share
    target_precision: Share
    precision: Share
    answered: Share


class ShapeValues(Section):
    """The numbers of `joblens.models.wide_deep.Shape`, each in its range."""

    sides: tuple[Width, ...] = Field(min_length=1, max_length=3)
    classes: int = Field(ge=2, le=_WIDEST)
    buckets: int = Field(ge=16, le=2**22)
    text_ngrams: int = Field(ge=0, le=2**23)
    title_ngrams: int = Field(ge=0, le=2**23)
    occupations: int = Field(ge=0, le=2**20)
    groups: tuple[Width, ...] = Field(max_length=8)
    landmarks: int = Field(ge=0, le=2**17)


class Contents(Section):
    """config.json."""

    format: Literal[3]
    classes: int = Field(ge=2, le=_WIDEST)
    uses_title: bool
    html: bool
    crosscutting: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Class indices, ascending."""
    encoder_fingerprint: str = Field(min_length=1, max_length=1000)
    extractor_fingerprint: str = Field(min_length=1, max_length=1000)
    cleaning: Cleaning
    embedding: Embedding
    classifier: Classifier
    shape: ShapeValues | None
    """Of a wide-and-deep network; None for a dense one, whose shape the sections above give."""
    calibration: CalibrationValues

    @model_validator(mode="after")
    def _shape_belongs_to_the_network(self) -> Self:
        if (self.classifier.network == "wide_deep") != (self.shape is not None):
            raise ValueError(f"network {self.classifier.network!r} and shape should be there together")
        if self.shape is None:
            return self
        found = (self.shape.sides, self.shape.classes, self.shape.buckets)
        expected = (self.embedding.sides, self.classes, self.classifier.buckets)
        if found != expected:
            raise ValueError(f"sides, classes and buckets of shape should be {expected} (found {found})")
        if bool(self.shape.occupations) != bool(self.shape.groups) or (
            self.shape.occupations and len(self.shape.sides) == 1
        ):
            raise ValueError("occupations should have groups, and sides one for titles")
        return self

    @model_validator(mode="after")
    def _crosscutting_labels_are_there(self) -> Self:
        found = self.crosscutting
        if list(found) != sorted(set(found)) or (found and found[-1] >= self.classes):
            raise ValueError(f"crosscutting should be ascending class indices below {self.classes}")
        return self

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

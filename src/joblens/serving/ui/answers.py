"""What the page reads of the API's answers. Other fields are ignored, so that either may be newer."""

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Model(_Answer):
    """Which model answered."""

    name: str
    version: str
    encoder: str = ""
    labels: int = 0
    coverage: float = 0.9
    """How often a prediction set was asked to hold the right label."""


class Candidate(_Answer):
    """A label and its calibrated probability."""

    label: str
    probability: float


class Result(_Answer):
    """What the model says of one advert."""

    label: str
    """Empty when there was nothing to read."""
    probability: float
    top: list[Candidate] = []
    prediction_set: list[str] = []
    abstained: bool = False
    crossing: str | None = None


class Sorted(_Answer):
    """`POST /classify`."""

    model: Model
    results: list[Result]


class Span(_Answer):
    """An entity of a readable advert: `kind` in `field[start:end]`."""

    kind: str
    field: str
    start: int
    end: int


class Readable(_Answer):
    """An advert with masks for personal data, and what the cleaning found in it."""

    title: str
    text: str
    entities: list[Span] = []
    words_in: int = 0
    words_read: int = 0
    pii_removed: int = 0


class Extracted(_Answer):
    """`POST /extract`."""

    results: list[Readable]


class Evidence(_Answer):
    """A phrase and what the probability loses without it."""

    phrase: str
    kind: str
    effect: float


class NearAd(_Answer):
    """A training advert like the one explained."""

    id: str
    cosine: float


class Explanation(_Answer):
    """`POST /explain`."""

    evidence: list[Evidence] = []
    nearest: list[NearAd] = []


class Label(_Answer):
    """A category."""

    label: str
    crosscutting: bool = False


class Labels(_Answer):
    """`GET /labels`."""

    labels: list[Label]


class Stored(_Answer):
    """`POST /feedback`."""

    stored: int


class Card(_Answer):
    """The part of a bundle's card that the page shows."""

    joblens: str = ""
    data: dict[str, int] = {}
    train_ads_by_label: dict[str, int] = {}
    metrics: dict[str, float] = {}
    confusion: list[list[int]] = []
    """(C, C): how many rows of the true label (row) got the guess (column), in the order of the labels."""


class Calibration(_Answer):
    """When the model leaves an advert to a person."""

    coverage: float = 0.9
    abstain_below: float = 0.0


class Accuracy(_Answer):
    """How right the model is when it answers only a share of the adverts, the surest."""

    coverage: float
    """Share that is answered, in [0, 1]."""
    accuracy: float
    """Share of those that is right."""


class ModelAnswer(_Answer):
    """`GET /model`."""

    model: Model
    card: Card = Card()
    calibration: Calibration = Calibration()
    accuracy_at_coverage: list[Accuracy] | None = None

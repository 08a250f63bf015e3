"""`GET /labels` and `GET /model`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from joblens.serving.links import CORRECT
from joblens.serving.routes.refusals import READING, loaded
from joblens.serving.schemas.base import Model
from joblens.serving.schemas.model import Accuracy, Label, LabelsAnswer, ModelAnswer

if TYPE_CHECKING:
    from joblens.inference.classify import Classifier

router = APIRouter(tags=["model"])


@router.get("/labels", responses=READING | CORRECT)
async def labels(request: Request) -> LabelsAnswer:
    """The categories that the model knows."""
    classifier = loaded(request).classifier
    bundle = classifier.bundle
    return LabelsAnswer(
        model=model_of(classifier),
        labels=[
            Label(label=label, crosscutting=place in bundle.crosscutting)
            for place, label in enumerate(bundle.labels)
        ],
    )


@router.get("/model", responses=READING)
async def model(request: Request) -> ModelAnswer:
    """The model's card: what it was trained with, and what it is worth."""
    classifier = loaded(request).classifier
    card = dict(classifier.bundle.card)
    return ModelAnswer(
        model=model_of(classifier),
        card=card,
        calibration=asdict(classifier.bundle.calibration),
        accuracy_at_coverage=_curve(card.get("accuracy_at_coverage")),
    )


def model_of(classifier: "Classifier") -> Model:
    """Which model answers."""
    return Model(
        name=classifier.name,
        version=classifier.version,
        encoder=classifier.bundle.embedding.name,
        labels=len(classifier.bundle.labels),
        coverage=classifier.bundle.calibration.coverage,
    )


def _curve(figures: object) -> list[Accuracy] | None:
    """The card's `{"0.05": 1.0, ...}`; None where a card has none, or something else there."""
    if not isinstance(figures, Mapping) or not figures:
        return None
    try:
        curve = [Accuracy(coverage=float(share), accuracy=float(right)) for share, right in figures.items()]
    except (TypeError, ValueError):
        return None
    return sorted(curve, key=lambda point: point.coverage)

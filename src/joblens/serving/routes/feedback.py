"""`POST /feedback`: what people say of guesses goes to a database, without personal data."""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, HTTPException, Request

from joblens.errors import ConfigError, SourceError
from joblens.serving.examples import CORRECTED
from joblens.serving.routes.refusals import REFUSALS, batched, lengths, loaded, on_side_thread
from joblens.serving.schemas.adverts import OneAd
from joblens.serving.schemas.feedback import Feedback, PersonsLabel, Stored
from joblens.sources.database import check_url_env
from joblens.sources.feedback import Correction, pseudonym, store_corrections
from joblens.text import normalise, word_count

if TYPE_CHECKING:
    from joblens.inference.extract import Extract

logger = logging.getLogger(__name__)

router = APIRouter(tags=["feedback"])

_LATER = {"Retry-After": "30"}


class CorrectionStore:
    """Stores the corrections of requests, each request by itself: one that fails takes no other with it.

    Args:
        url_env: Name of the environment variable with the database's URL.

    Raises:
        ConfigError: It is no name, or the variable is not set.
    """

    def __init__(self, url_env: str) -> None:
        check_url_env(url_env, "--feedback-url-env")
        if not os.environ.get(url_env):
            raise ConfigError(
                f"the environment variable {url_env} is not set, expected a database URL for feedback; "
                f"run `export {url_env}=sqlite:///feedback.db`, or leave --feedback-url-env out"
            )
        self._url_env = url_env

    def __call__(self, requests: Sequence[Sequence[Correction]]) -> list[int | SourceError]:
        """For each request how many were stored, or why none."""
        return [self._store(corrections) for corrections in requests]

    def _store(self, corrections: Sequence[Correction]) -> int | SourceError:
        try:
            return store_corrections(self._url_env, corrections)
        except SourceError as error:
            return error


@router.post("/feedback", responses=REFUSALS)
async def feedback(
    request: Request, question: Annotated[Feedback, Body(openapi_examples=CORRECTED)]
) -> Stored:
    """Keep the labels that people gave adverts, all or none; personal data is masked first."""
    store: CorrectionStore | None = request.app.state.store
    if store is None:
        raise HTTPException(503, "this server stores no feedback; start it with --feedback-url-env NAME")
    work = loaded(request)
    given = question.corrections
    if problems := await on_side_thread(request, lambda: _problems(given, work.classifier.bundle.labels)):
        raise HTTPException(422, problems)
    ads = [OneAd(title=one.title, text=one.text) for one in given]
    weights = lengths(ads)
    found = await batched(request, request.app.state.adverts, work.extract, ads, weights)
    now = datetime.now(UTC)
    rows = [_correction(one, masked, now) for one, masked in zip(given, found, strict=True)]
    (stored,) = await batched(request, request.app.state.corrections, store, [rows], [sum(weights)])
    request.state.adverts = len(given)
    if isinstance(stored, SourceError):
        logger.error("POST /feedback: %s", stored)
        raise HTTPException(503, "feedback cannot be stored now; the server's log says why", _LATER)
    return Stored(stored=stored)


def _correction(given: PersonsLabel, masked: "Extract", now: datetime) -> Correction:
    return Correction(
        id=normalise(given.id),
        title=masked.title.text,
        text=masked.text.text,
        label=given.label,
        guess=given.guess or None,
        model_version=given.model_version or None,
        reviewer=pseudonym(given.reviewer),
        created_at=now,
    )


def _problems(given: Sequence[PersonsLabel], labels: Sequence[str]) -> list[dict[str, str]]:
    """What a schema cannot say: unknown labels, ids that are personal data, nothing that names an advert."""
    from joblens.extractors.patterns import PatternExtractor

    known = set(labels)
    personal = PatternExtractor().extract([normalise(one.id) for one in given])  # as it would be stored
    problems = []
    for row, (one, spans) in enumerate(zip(given, personal, strict=True)):
        wrong = {
            "label": "not one of the model's labels; GET /labels lists them"
            if one.label not in known
            else "",
            "guess": "not one of the model's labels; leave it out"
            if one.guess and one.guess not in known
            else "",
            "id": "looks like personal data, which is not stored; give another id or none" if spans else "",
            "text": "" if word_count(one.text) or normalise(one.id) else "no words; give a text, or an id",
        }
        problems += [
            {"field": f"corrections.{row}.{field}", "problem": problem}
            for field, problem in wrong.items()
            if problem
        ]
    return problems

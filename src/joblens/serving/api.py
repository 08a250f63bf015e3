"""`POST /classify`, `POST /code`, `GET /livez` and `GET /readyz`, from one bundle in one process."""

import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

import joblens
from joblens.errors import JoblensError
from joblens.serving.faults import FaultBarrier
from joblens.serving.limits import BodyLimit, Limits, LineFull, WaitingLine
from joblens.serving.problems import field_problems
from joblens.serving.schemas import (
    EXAMPLE_AD,
    Answer,
    Candidate,
    CodeAnswer,
    CodedTitle,
    FieldProblems,
    Group,
    ManyAds,
    Model,
    NearOccupation,
    OneAd,
    Problem,
    Question,
    Result,
    Status,
    TitleQuestion,
)

if TYPE_CHECKING:
    from joblens.inference.classify import Classifier
    from joblens.inference.code import TitleCoder
    from joblens.records import Coding, Guess

logger = logging.getLogger(__name__)

MOST_TITLES_WAITING = 6
"""Requests to `/code`; with the 33 of the longest line of adverts they leave no thread of 40 without work."""

WARM_UP_TEXT = "Vi søger en tømrer til renovering. We are looking for a nurse."

EXAMPLES = {
    "one": {"summary": "One advert", "value": EXAMPLE_AD},
    "many": {
        "summary": "Several adverts",
        "value": {"ads": [EXAMPLE_AD, {"text": "Registered nurse for night shifts in a hospital ward."}]},
    },
}

_SOON = {"Retry-After": "5"}

REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "The body is not UTF-8."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {
        "model": FieldProblems,
        "description": "A field is missing, unknown, too long or of the wrong type.",
    },
    429: {"model": Problem, "description": "Too many requests wait; Retry-After says when to come back."},
    500: {"model": Problem, "description": "A fault in the server."},
    503: {"model": Problem, "description": "The model is not loaded yet."},
}


def create_app(
    bundle: "Path | Classifier",
    limits: Limits | None = None,
    *,
    titles: "Path | TitleCoder | None" = None,
    device: str = "auto",
    when_loaded: "Callable[[Future[Classifier]], None] | None" = None,
) -> FastAPI:
    """The API as an ASGI application. The model is loaded in the background when the application starts.

    Args:
        bundle: A trained bundle's folder, or a classifier that is loaded already.
        limits: What it refuses; None takes the defaults.
        titles: The title encoder that `/code` answers with, or its folder; None: `/code` answers 503.
        device: `auto`, `cpu` or `gpu`.
        when_loaded: Called with the result of loading, or with its error.
    """
    limits = limits or Limits()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="joblens-load")
        app.state.loading = loader.submit(_load_and_warm, bundle, device)
        if when_loaded is not None:
            app.state.loading.add_done_callback(when_loaded)
        app.state.coder = loader.submit(_load_coder, titles) if titles is not None else None
        loader.shutdown(wait=False)
        yield

    app = FastAPI(
        title="joblens",
        summary="Sorts job adverts into the categories it was trained on, and says how sure it is.",
        version=joblens.__version__,
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.loading = Future()
    app.state.coder = None
    app.state.line = WaitingLine(limits.waiting)
    app.state.code_line = WaitingLine(min(limits.waiting, MOST_TITLES_WAITING))  # theirs take milliseconds
    app.add_middleware(BodyLimit, body_bytes=limits.body_bytes)
    app.add_middleware(FaultBarrier)  # the last one added is the outermost
    app.add_exception_handler(RequestValidationError, _refuse_fields)
    app.add_exception_handler(LineFull, _refuse_full_line)
    app.add_api_route("/classify", classify, methods=["POST"], responses=REFUSALS, tags=["adverts"])
    app.add_api_route("/code", code, methods=["POST"], responses=REFUSALS, tags=["titles"])
    app.add_api_route("/livez", livez, methods=["GET"], tags=["probes"])
    app.add_api_route("/readyz", readyz, methods=["GET"], responses={503: REFUSALS[503]}, tags=["probes"])
    return app


def classify(request: Request, question: Annotated[Question, Body(openapi_examples=EXAMPLES)]) -> Answer:
    """Sort one advert or several into the model's categories, with calibrated probabilities."""
    classifier = _loaded_classifier(request)
    ads: list[OneAd] = question.ads if isinstance(question, ManyAds) else [question]
    started = monotonic()
    with request.app.state.line.turn():
        guesses = classifier.predict([ad.text for ad in ads], titles=[ad.title for ad in ads])
    logger.info("classified %d adverts in %.0f ms", len(ads), 1000 * (monotonic() - started))
    return Answer(model=_model(classifier), results=[_result(guess) for guess in guesses])


def code(request: Request, question: TitleQuestion) -> CodeAnswer:
    """The ISCO-08 codes of job titles, as precise as is sure enough, and the nearest ESCO occupations."""
    loading: Future[TitleCoder] | None = request.app.state.coder
    if loading is None:
        raise HTTPException(503, "there is no title encoder; start the server with --titles FOLDER")
    if not loading.done():
        raise HTTPException(503, "the title encoder is loading; ask again in a few seconds", _SOON)
    if loading.exception() is not None:
        raise HTTPException(503, "the title encoder could not be loaded; the server's log says why")
    with request.app.state.code_line.turn():
        found = loading.result().code(
            question.titles, confidence=question.confidence, nearest=question.nearest
        )
    return CodeAnswer(results=[_coded(coding) for coding in found])


async def livez() -> Status:
    """Whether the process answers. Async, because it must answer even when every thread is busy."""
    return Status(status="alive")


async def readyz(request: Request) -> Status:
    """Whether the model is loaded and has answered its first advert; 503 until then."""
    _loaded_classifier(request)
    return Status(status="ready")


def _load_and_warm(bundle: "Path | Classifier", device: str) -> "Classifier":
    from joblens.inference.classify import Classifier

    started = monotonic()
    classifier = Classifier.load(bundle, device=device) if isinstance(bundle, Path) else bundle
    classifier.predict([WARM_UP_TEXT])
    logger.info("ready after %.1f s", monotonic() - started)
    return classifier


def _load_coder(titles: "Path | TitleCoder") -> "TitleCoder":
    from joblens.inference.code import TitleCoder

    if not isinstance(titles, Path):
        return titles
    try:
        return TitleCoder.load(titles)
    except JoblensError as error:
        logger.warning("POST /code answers 503: %s", error)
        raise


def _loaded_classifier(request: Request) -> "Classifier":
    """The classifier, or an HTTPException with status 503."""
    loading: Future[Classifier] = request.app.state.loading
    if not loading.done():
        raise HTTPException(503, "the model is loading; ask again in a few seconds", _SOON)
    if loading.exception() is not None:
        raise HTTPException(503, "the model could not be loaded; the server's log says why")
    return loading.result()


def _model(classifier: "Classifier") -> Model:
    return Model(
        name=classifier.name,
        version=classifier.version,
        encoder=classifier.bundle.embedding.name,
        labels=len(classifier.bundle.labels),
        coverage=classifier.bundle.calibration.coverage,
    )


def _coded(coding: "Coding") -> CodedTitle:
    return CodedTitle(
        code=coding.code,
        name=coding.name,
        probability=coding.probability,
        levels=[Group(code=group, probability=sure) for group, sure in coding.levels],
        occupations=[NearOccupation(**asdict(occupation)) for occupation in coding.occupations],
    )


def _result(guess: "Guess") -> Result:
    return Result(
        label=guess.label,
        probability=guess.probability,
        top=[Candidate(label=label, probability=probability) for label, probability in guess.top],
        prediction_set=list(guess.prediction_set),
        abstained=guess.abstained,
        reason=guess.reason,
        crossing=guess.crossing,
    )


async def _refuse_fields(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [
        problem.model_dump() for problem in field_problems(error.errors(), request.scope["route"].path)
    ]
    return JSONResponse({"detail": problems}, status_code=422)


async def _refuse_full_line(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LineFull)
    return JSONResponse(
        {"detail": str(error)}, status_code=429, headers={"Retry-After": str(error.retry_after)}
    )

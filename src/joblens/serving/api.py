"""The API as one application: what stands around the routes, and the loading of the models."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware

import joblens
from joblens.errors import JoblensError
from joblens.serving.access import AccessLog
from joblens.serving.batching import Batcher, Expired, Overloaded
from joblens.serving.faults import FaultBarrier
from joblens.serving.keys import SCHEMES, KeyCheck
from joblens.serving.limits import BodyLimit, Limits
from joblens.serving.monitoring import Monitor
from joblens.serving.routes import adverts, feedback, model, probes, titles
from joblens.serving.routes.refusals import ClientGone, leave, refuse_fields, refuse_load

if TYPE_CHECKING:
    from joblens.inference.classify import Classifier
    from joblens.inference.code import TitleCoder
    from joblens.paths import Layout
    from joblens.serving.work import ModelWork

logger = logging.getLogger(__name__)

WARM_UP_TEXT = "Vi søger en tømrer til renovering. We are looking for a nurse."
REMEMBERED = 50_000
"""Sentences that the server remembers; about 15 MB."""


def create_app(
    bundle: "Path | Classifier",
    limits: Limits | None = None,
    *,
    titles: "Path | TitleCoder | None" = None,
    device: str = "auto",
    remember: int = REMEMBERED,
    project: "Layout | None" = None,
    key_digests: Sequence[str] = (),
    cors_origins: Sequence[str] = (),
    monitor: Monitor | None = None,
    feedback_url_env: str | None = None,
    when_loaded: "Callable[[Future[ModelWork]], None] | None" = None,
) -> FastAPI:
    """The API as an ASGI application. The model is loaded in the background when the application starts.

    `app.state` holds `loading` and `coder` (futures of the models), `adverts` and `titles` (their batchers),
    `store` and `corrections` (what stores feedback, and its batcher), `side_thread` (once the
    application has started; see `on_side_thread`) and `draining`.

    Args:
        bundle: A trained bundle's folder, or a classifier that is loaded already.
        limits: What it refuses; None takes the defaults.
        titles: The title encoder that `/code` answers with, or its folder; None: `/code` answers 503.
        device: `auto`, `cpu` or `gpu`.
        remember: Sentences that are not read again when they come again; for a bundle's folder.
        project: Where `/explain` looks for similar training adverts; None names none.
        key_digests: SHA-256 of the API keys, as hex; without any no key is needed.
        cors_origins: Pages that browsers may ask from; none by default.
        monitor: What `/metrics` tells; None makes one.
        feedback_url_env: Name of the environment variable with the URL of the database for `/feedback`; None:
            it answers 503.
        when_loaded: Called with the result of loading, or with its error.
    """
    limits = limits or Limits()
    monitor = monitor or Monitor()

    def load() -> "ModelWork":
        return _load_and_warm(bundle, device, remember, monitor, project)

    app = FastAPI(
        title="joblens",
        summary="Sorts job adverts into the categories it was trained on, and says how sure it is.",
        version=joblens.__version__,
        lifespan=_lifespan(load, titles, monitor, when_loaded),
        redoc_url=None,
    )
    app.state.loading = Future()
    app.state.coder = None
    app.state.adverts = _batcher("joblens-model", limits)
    app.state.titles = _batcher("joblens-titles", limits)
    app.state.store = None if feedback_url_env is None else feedback.CorrectionStore(feedback_url_env)
    app.state.corrections = _batcher("joblens-feedback", limits)
    app.state.draining = False
    _surround(app, limits, key_digests, cors_origins)
    for routes in LOCKED_ROUTES:
        app.include_router(routes, dependencies=SCHEMES if key_digests else None)
    app.include_router(probes.router)
    monitor.attach(app)
    monitor.watch_line(app.state.adverts.__len__, places=limits.waiting + 1)
    return app


LOCKED_ROUTES = (adverts.router, feedback.router, titles.router, model.router)
"""Those that need a key when there are keys."""


def _batcher(name: str, limits: Limits) -> Batcher:
    return Batcher(
        name,
        waiting=limits.waiting,
        wait_seconds=limits.wait_seconds,
        deadline_seconds=limits.deadline_seconds,
    )


def _lifespan(
    load: "Callable[[], ModelWork]",
    titles: "Path | TitleCoder | None",
    monitor: Monitor,
    when_loaded: "Callable[[Future[ModelWork]], None] | None",
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="joblens-load")
        app.state.loading = loader.submit(load)
        if when_loaded is not None:
            app.state.loading.add_done_callback(when_loaded)
        app.state.coder = loader.submit(_load_coder, titles) if titles is not None else None
        loader.shutdown(wait=False)
        app.state.side_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="joblens-side")
        yield
        app.state.adverts.close()
        app.state.titles.close()
        monitor.close()
        app.state.corrections.close()
        app.state.side_thread.shutdown(wait=False)

    return lifespan


def _surround(app: FastAPI, limits: Limits, key_digests: Sequence[str], cors_origins: Sequence[str]) -> None:
    """What each request passes, from the inside out: the last one added is the outermost."""
    app.add_middleware(BodyLimit, body_bytes=limits.body_bytes)
    if key_digests:
        app.add_middleware(KeyCheck, digests=key_digests)
    app.add_middleware(FaultBarrier)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(AccessLog)
    app.add_exception_handler(RequestValidationError, refuse_fields)
    app.add_exception_handler(Overloaded, refuse_load)
    app.add_exception_handler(Expired, refuse_load)
    app.add_exception_handler(ClientGone, leave)


def _load_and_warm(
    bundle: "Path | Classifier",
    device: str,
    remember: int,
    monitor: Monitor,
    project: "Layout | None",
) -> "ModelWork":
    from joblens.inference.classify import Classifier
    from joblens.inference.neighbours import TrainingAds
    from joblens.serving.work import ModelWork

    started = monotonic()
    classifier = (
        Classifier.load(bundle, device=device, remember=remember) if isinstance(bundle, Path) else bundle
    )
    training = None if project is None else TrainingAds.load(project, classifier)
    classifier.predict([WARM_UP_TEXT])
    monitor.loaded(classifier)
    logger.info("ready after %.1f s", monotonic() - started)
    return ModelWork(classifier, monitor, training)


def _load_coder(titles: "Path | TitleCoder") -> "TitleCoder":
    from joblens.inference.code import TitleCoder

    if not isinstance(titles, Path):
        return titles
    try:
        return TitleCoder.load(titles)
    except JoblensError as error:
        logger.warning("POST /code answers 503: %s", error)
        raise

"""What a route answers when it does not answer the question, and the waits in between."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response

from joblens.serving.batching import Batcher, Done, Expired, Overloaded, Row, Work
from joblens.serving.problems import field_problems
from joblens.serving.schemas.base import FieldProblems, Problem

if TYPE_CHECKING:
    from joblens.serving.schemas.adverts import ExplainQuestion, OneAd, Profile
    from joblens.serving.work import ModelWork

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

_SOON = {"Retry-After": "5"}

REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "The body is not UTF-8, or not the gzip it says it is."},
    401: {"model": Problem, "description": "The server wants an API key, and this is none of its keys."},
    413: {"model": Problem, "description": "The body is too large, as received or unpacked."},
    415: {"model": Problem, "description": "The body's Content-Encoding is neither gzip nor identity."},
    422: {
        "model": FieldProblems,
        "description": "A field is missing, unknown, too long or of the wrong type.",
    },
    429: {"model": Problem, "description": "Too many requests wait; Retry-After says when to come back."},
    500: {"model": Problem, "description": "A fault in the server."},
    503: {"model": Problem, "description": "The model is not loaded yet, or the request waited too long."},
}
"""Of routes with a body that ask the model."""
READING: dict[int | str, dict[str, object]] = {status: REFUSALS[status] for status in (401, 500, 503)}
"""Of routes without a body."""


class ClientGone(Exception):
    """The client closed its connection before it was answered."""


def loaded(request: Request) -> "ModelWork":
    """The model's work, or an HTTPException with status 503."""
    loading: Future[ModelWork] = request.app.state.loading
    if not loading.done():
        raise HTTPException(503, "the model is loading; ask again in a few seconds", _SOON)
    if loading.exception() is not None:
        raise HTTPException(503, "the model could not be loaded; the server's log says why")
    return loading.result()


def lengths(texts: "Sequence[OneAd | Profile | ExplainQuestion]") -> list[int]:
    """Characters of each, which its work goes by."""
    return [len(text.title) + len(text.text) for text in texts]


async def batched(
    request: Request, batcher: Batcher, work: "Work[Row, Done]", rows: Sequence[Row], weights: Sequence[int]
) -> "list[Done]":
    """The answers to a request's rows, worked on together with those of others; the event loop goes on.

    Raises:
        Overloaded: It would wait too long.
        Expired: It has waited too long.
        ClientGone: Nobody waits for them any more; what was not begun is dropped.
    """
    request.state.adverts = len(rows)
    answers = asyncio.wrap_future(batcher.submit(work, rows, weights))
    gone = asyncio.ensure_future(_has_gone(request))
    try:
        await asyncio.wait((answers, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answers.done():
            raise ClientGone
        return answers.result()
    finally:
        gone.cancel()
        answers.cancel()


async def on_side_thread(request: Request, make: Callable[[], Made]) -> Made:
    """What `make` makes while the event loop goes on.

    All requests share one thread: Python runs one at a time, and with more of them the event loop would have
    its turn too seldom.
    """
    return await asyncio.get_running_loop().run_in_executor(request.app.state.side_thread, make)


async def _has_gone(request: Request) -> None:
    """Ends when the client closes its connection; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def refuse_fields(request: Request, error: Exception) -> JSONResponse:
    """422 with the fields that are wrong."""
    problems = field_problems(error.errors(), request.scope["route"].path)  # type: ignore[attr-defined]
    return JSONResponse({"detail": [problem.model_dump() for problem in problems]}, status_code=422)


async def refuse_load(request: Request, error: Exception) -> JSONResponse:
    """429 for what would wait too long, 503 for what has."""
    if isinstance(error, Overloaded):
        return _busy(429, error, error.retry_after)
    assert isinstance(error, Expired)
    return _busy(503, error, 1)


async def leave(request: Request, error: Exception) -> Response:
    """An answer that nobody reads; 499 is what servers log for it."""
    return Response(status_code=499)


def _busy(status: int, error: Exception, seconds: int) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=status, headers={"Retry-After": str(seconds)})

"""`POST /code`."""

from concurrent.futures import Future
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, HTTPException, Request

from joblens.serving.examples import TITLES
from joblens.serving.routes.refusals import REFUSALS, batched
from joblens.serving.schemas.titles import CodeAnswer, CodedTitle, Group, NearOccupation, TitleQuestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joblens.inference.code import TitleCoder
    from joblens.records import Coding

router = APIRouter(tags=["titles"])


@router.post("/code", responses=REFUSALS)
async def code(
    request: Request, question: Annotated[TitleQuestion, Body(openapi_examples=TITLES)]
) -> CodeAnswer:
    """The ISCO-08 codes of job titles, as precise as is sure enough, and the nearest ESCO occupations."""
    loading: Future[TitleCoder] | None = request.app.state.coder
    if loading is None:
        raise HTTPException(503, "there is no title encoder; start the server with --titles FOLDER")
    if not loading.done():
        raise HTTPException(
            503, "the title encoder is loading; ask again in a few seconds", {"Retry-After": "5"}
        )
    if loading.exception() is not None:
        raise HTTPException(503, "the title encoder could not be loaded; the server's log says why")
    weight = sum(map(len, question.titles))
    work = partial(_code, loading.result())  # not equal to that of another request: each is coded by itself
    (found,) = await batched(request, request.app.state.titles, work, [question], [weight])
    return CodeAnswer(results=[_coded(coding) for coding in found])


def _code(coder: "TitleCoder", questions: "Sequence[TitleQuestion]") -> "list[list[Coding]]":
    return [
        coder.code(question.titles, confidence=question.confidence, nearest=question.nearest)
        for question in questions
    ]


def _coded(coding: "Coding") -> CodedTitle:
    return CodedTitle(
        code=coding.code,
        name=coding.name,
        probability=coding.probability,
        levels=[Group(code=group, probability=sure) for group, sure in coding.levels],
        occupations=[NearOccupation(**asdict(occupation)) for occupation in coding.occupations],
    )

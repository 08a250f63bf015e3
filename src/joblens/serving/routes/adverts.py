"""`POST /classify`, `/extract`, `/explain` and `/match`.

The parts of an answer, of which a hundred adverts can have more than ten thousand, are made on a thread while
the event loop goes on; those of `/explain` are few.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, HTTPException, Request

from joblens.serving.examples import EXPLAINED, MATCHED, QUESTIONS
from joblens.serving.links import CLASSIFY_MASKED
from joblens.serving.routes.model import model_of
from joblens.serving.routes.refusals import REFUSALS, batched, lengths, loaded, on_side_thread
from joblens.serving.schemas.adverts import (
    Answer,
    Candidate,
    EvidenceFound,
    ExplainAnswer,
    ExplainQuestion,
    ExtractAnswer,
    Extracted,
    FoundEntity,
    ManyAds,
    MatchAnswer,
    Matched,
    MatchQuestion,
    Neighbour,
    OneAd,
    Phrase,
    Profile,
    Question,
    Result,
)

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.inference.extract import Extract
    from joblens.records import CleanAd, Guess

router = APIRouter(tags=["adverts"])

EXPLAINING = 10
"""How many times an advert is read to explain it, about."""


@router.post("/classify", responses=REFUSALS)
async def classify(
    request: Request, question: Annotated[Question, Body(openapi_examples=QUESTIONS)]
) -> Answer:
    """Sort one advert or several into the model's categories, with calibrated probabilities."""
    work = loaded(request)
    ads = _ads(question)
    answers = await batched(request, request.app.state.adverts, work.classify, ads, lengths(ads))
    results = await on_side_thread(request, lambda: [_result(ad, guess) for ad, guess in answers])
    return Answer(model=model_of(work.classifier), results=results)


@router.post("/extract", responses=REFUSALS | CLASSIFY_MASKED)
async def extract(
    request: Request, question: Annotated[Question, Body(openapi_examples=QUESTIONS)]
) -> ExtractAnswer:
    """The text of one advert or several with personal data masked, and the entities with their places."""
    work = loaded(request)
    ads = _ads(question)
    found = await batched(request, request.app.state.adverts, work.extract, ads, lengths(ads))
    results = await on_side_thread(request, lambda: [_extracted(extract) for extract in found])
    return ExtractAnswer(model=model_of(work.classifier), results=results)


@router.post("/explain", responses=REFUSALS)
async def explain(
    request: Request, question: Annotated[ExplainQuestion, Body(openapi_examples=EXPLAINED)]
) -> ExplainAnswer:
    """Classify one advert, and name what speaks for the label and the training adverts most like it."""
    from joblens.inference.explain import NothingToRead

    work = loaded(request)
    weights = [EXPLAINING * weight for weight in lengths([question])]
    try:
        (found,) = await batched(request, request.app.state.adverts, work.explain, [question], weights)
    except NothingToRead as error:
        raise HTTPException(422, [{"field": "text", "problem": str(error)}]) from error
    return ExplainAnswer(
        model=model_of(work.classifier),
        result=_result(found.ad, found.guess),
        evidence=[EvidenceFound(**asdict(evidence)) for evidence in found.evidence],
        without=min(max(found.without, 0.0), 1.0),
        nearest=[Neighbour(id=near.id, cosine=near.cosine) for near in found.nearest],
    )


@router.post("/match", responses=REFUSALS)
async def match(
    request: Request, question: Annotated[MatchQuestion, Body(openapi_examples=MATCHED)]
) -> MatchAnswer:
    """Which profiles are like which adverts, by the cosine of the vectors that the model's encoder gives."""
    work = loaded(request)
    texts: list[OneAd | Profile] = [*question.ads, *question.profiles]
    found = await batched(request, request.app.state.adverts, work.vectors, texts, lengths(texts))
    matches = await on_side_thread(request, lambda: _matched(question, found))
    return MatchAnswer(model=model_of(work.classifier), matches=matches)


def _ads(question: OneAd | ManyAds) -> list[OneAd]:
    return question.ads if isinstance(question, ManyAds) else [question]


def _result(ad: "CleanAd", guess: "Guess") -> Result:
    kinds = (("occupation", ad.occupation), ("skill", ad.skills), ("task", ad.tasks))
    return Result(
        label=guess.label,
        probability=guess.probability,
        top=[Candidate(label=label, probability=probability) for label, probability in guess.top],
        prediction_set=list(guess.prediction_set),
        abstained=guess.abstained,
        reason=guess.reason,
        crossing=guess.crossing,
        entities=[Phrase(kind=kind, text=phrase) for kind, phrases in kinds for phrase in phrases],
        words_in=ad.words_in,
        words_read=ad.words_read,
        pii_removed=ad.pii_removed,
    )


def _extracted(found: "Extract") -> Extracted:
    return Extracted(
        title=found.title.text,
        text=found.text.text,
        entities=[
            FoundEntity(kind=entity.label, field=field, start=entity.start, end=entity.end, text=entity.text)
            for field, part in (("title", found.title), ("text", found.text))
            for entity in part.entities
        ],
        words_in=found.words_in,
        words_read=found.words_read,
        pii_removed=found.title.removed + found.text.removed,
    )


def _matched(question: MatchQuestion, vectors: "Sequence[Tensor]") -> list[Matched]:
    """The matches of (D,) vectors, those of the adverts first."""
    import torch

    from joblens.inference.match import match as match_vectors

    ads = len(question.ads)
    matches = match_vectors(
        torch.stack([*vectors[:ads]]),
        torch.stack([*vectors[ads:]]),
        cut_off=question.cut_off,
        top=question.top,
    )
    return [Matched(ad=one.ad, profile=one.profile, similarity=one.similarity) for one in matches]

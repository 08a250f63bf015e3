"""`GET /livez` and `GET /readyz`."""

from fastapi import APIRouter, HTTPException, Request

from joblens.serving.routes.refusals import REFUSALS, loaded
from joblens.serving.schemas.base import Status

router = APIRouter(tags=["probes"])


@router.get("/livez")
async def livez() -> Status:
    """Whether the process answers."""
    return Status(status="alive")


@router.get("/readyz", responses={503: REFUSALS[503]})
async def readyz(request: Request) -> Status:
    """Whether the model is loaded and has answered its first advert; 503 until then, and while ending."""
    loaded(request)
    if request.app.state.draining:
        raise HTTPException(503, "the server is ending; ask another one")
    return Status(status="ready")

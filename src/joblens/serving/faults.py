"""When the server itself fails: the client gets one line, the log the place, and nobody the advert."""

import logging
from traceback import walk_tb
from typing import TYPE_CHECKING

from joblens.serving.access import known_method

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

_ENTRANCES = ("joblens.serving.work:", "joblens.serving.batching:", "joblens.serving.routes.")


class FaultBarrier:
    """ASGI middleware that ends an unexpected error here: 500, and its type and place in the log.

    An exception's text may quote an advert. Starlette's own handler raises the error again after answering,
    and uvicorn logs it with its text.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self.app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, and answer 500 when that fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watch(message: "Message") -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text must not go on
            route = getattr(scope.get("route"), "path", "")
            logger.error("%s %s failed: %s", known_method(scope), route, type_and_place(error))
            if not has_begun:
                await _admit(scope, receive, send)


def type_and_place(error: BaseException) -> str:
    """`RuntimeError at joblens.serving.work:40 > torch.nn.modules.linear:134`: no text, no values.

    The calls start where the server's own work is entered; what the web framework does before is left out.
    """
    calls = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in walk_tb(error.__traceback__)]
    rows = [
        next((row for row, call in enumerate(calls) if call.startswith(place)), None) for place in _ENTRANCES
    ]
    first = next((row for row in rows if row is not None), 0)
    return f"{type(error).__name__} at {' > '.join(calls[first:])}"


async def _admit(scope: "Scope", receive: "Receive", send: "Send") -> None:
    from starlette.responses import JSONResponse

    answer = JSONResponse({"detail": "the server failed; its log says why"}, status_code=500)
    await answer(scope, receive, send)

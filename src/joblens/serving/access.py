"""One line in the log for each request, as JSON: what was asked and how it went, never what was in it."""

import json
import logging
import re
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Routes that are asked every few seconds; their lines are for `debug`."""

_SAFE_ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-7][0-9a-hjkmnp-tv-z]{25}", re.IGNORECASE
)
"""A UUID, its digits alone as nginx makes them, or a ULID. A shorter token may be a number of a person."""


class AccessLog:
    """ASGI middleware that gives each request an id, answers it in `X-Request-ID`, and logs how it went."""

    def __init__(self, app: "ASGIApp") -> None:
        self.app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, and log it once it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = monotonic(), 0
        name = request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = name

        async def watch(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", name.encode())]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "")
            line = {
                "method": known_method(scope),
                "route": route,
                "status": status or 499,  # nobody waited for the answer
                "ms": round(1000 * (monotonic() - started), 1),
                "adverts": state.get("adverts", 0),
                "request_id": name,
            }
            logger.log(logging.DEBUG if route in QUIET else logging.INFO, "%s", json.dumps(line))


def known_method(scope: "Scope") -> str:
    """The request's method; OTHER for one HTTP does not name, where the client may have written an advert."""
    method: str = scope["method"]
    return method if method in _METHODS else "OTHER"


def request_id(scope: "Scope") -> str:
    """The client's `X-Request-ID` if a machine has made it (UUID, 32 hex digits or ULID), else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value.decode("latin-1")):
            token: str = value.decode("latin-1")
            return token
    return uuid4().hex

"""What the server refuses so that no client can take it down: large bodies, and more work than it can do."""

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from joblens.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LINGER = 16  # times the body limit that is read and thrown away, so that the client gets to read the answer


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one server takes on. How many adverts and how long they are is part of the schema.

    Raises:
        ConfigError: A limit is out of range.
    """

    body_bytes: int = 1_000_000
    """Largest request body, as received; more is answered with 413."""
    waiting: int = 16
    """Requests that may wait for the model while it works on one; the next is answered with 429."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.body_bytes < 1:
            raise ConfigError(
                f"the body limit is {self.body_bytes} bytes, expected at least 1; give a larger one"
            )
        if not 0 <= self.waiting <= 32:  # each holds a thread of 40, and `/code` up to 7
            raise ConfigError(
                f"the waiting line holds {self.waiting} requests, expected 0 to 32; choose one of these"
            )


class LineFull(Exception):
    """The model is busy and as many requests wait as may."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the waiting line is full; try again in {retry_after} s")
        self.retry_after = retry_after
        """Seconds until the line is likely to be empty, at least 1."""


class WaitingLine:
    """One request at a time reaches the model, a few wait in order, the others are told when to come back."""

    def __init__(self, waiting: int) -> None:
        self.places = waiting + 1
        """Requests that hold or wait for a turn at most."""
        self._taken: deque[threading.Event] = deque()  # the first is being served
        self._lock = threading.Lock()
        self._seconds = 1.0  # how long a turn takes, a running mean

    def __len__(self) -> int:
        """How many hold or wait for a turn."""
        return len(self._taken)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the model, and hold it for the length of the block.

        Raises:
            LineFull: As many requests wait as may; nothing was waited for.
        """
        mine = threading.Event()
        with self._lock:
            if len(self._taken) >= self.places:
                raise LineFull(retry_after=max(1, math.ceil(self._seconds * len(self._taken))))
            self._taken.append(mine)
            if len(self._taken) == 1:
                mine.set()
        mine.wait()
        started = monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._seconds += 0.2 * (monotonic() - started - self._seconds)
                self._taken.popleft()
                if self._taken:
                    self._taken[0].set()


class BodyLimit:
    """ASGI middleware that reads a request body before anything else sees it, and refuses a large one.

    It counts the bytes that arrive: a missing or false Content-Length changes nothing.
    """

    def __init__(self, app: "ASGIApp", *, body_bytes: int) -> None:
        self.app = app
        self.body_bytes = body_bytes

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on with its body in one piece, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        received, more = 0, True
        while more and received <= _LINGER * self.body_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # nobody is there to read an answer
            chunk = message.get("body", b"")
            received += len(chunk)
            more = message.get("more_body", False)
            if received <= self.body_bytes:
                body += chunk
            else:
                body.clear()
        if received > self.body_bytes:
            await self._refuse(scope, receive, send)
            return
        await self.app(scope, _replay(bytes(body), receive), send)

    async def _refuse(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        from starlette.responses import JSONResponse

        answer = JSONResponse(
            {"detail": f"the body is larger than {self.body_bytes:,} bytes; send fewer or shorter adverts"},
            status_code=413,
            headers={"Connection": "close"},
        )
        await answer(scope, receive, send)


def _replay(body: bytes, receive: "Receive") -> "Receive":
    """A `receive` that gives the whole body first, then whatever the connection says."""
    is_given = False

    async def replay() -> "Message":
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

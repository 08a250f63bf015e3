"""What the server refuses so that no client can take it down: large bodies, and more work than it can do."""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joblens.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_MEMBERS = 1_000  # of a gzip body; each costs an unpacker
_LINGER = 16  # times the body limit that is read and thrown away, so that the client gets to read the answer


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one server takes on. How many adverts and how long they are is part of the schema.

    Raises:
        ConfigError: A limit is out of range.
    """

    body_bytes: int = 1_000_000
    """Largest request body, as received; more is answered with 413."""
    waiting: int = 128
    """Requests that may wait for the model while it works; the next is answered with 429."""
    wait_seconds: float = 4.0
    """A request that would wait longer for the model is answered with 429 at once."""
    deadline_seconds: float = 30.0
    """A request that has waited so long all the same is answered with 503, and no work is spent on it."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.body_bytes < 1:
            raise ConfigError(
                f"the body limit is {self.body_bytes} bytes, expected at least 1; give a larger one"
            )
        if not 0 <= self.waiting <= 10_000:  # each holds its body
            raise ConfigError(
                f"the waiting line holds {self.waiting} requests, expected 0 to 10000; choose one of these"
            )
        for name, seconds in (("longest wait", self.wait_seconds), ("deadline", self.deadline_seconds)):
            if not 0 < seconds <= 3600:
                raise ConfigError(
                    f"the {name} is {seconds:g} seconds, expected above 0 and at most 3600; choose another"
                )


class BodyLimit:
    """ASGI middleware that reads a request body before anything else sees it, and refuses a large one.

    It counts the bytes that arrive: a missing or false Content-Length changes nothing. A body in gzip is
    unpacked as it arrives, and never beyond the limit.
    """

    def __init__(self, app: "ASGIApp", *, body_bytes: int) -> None:
        self.app = app
        self.body_bytes = body_bytes

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on with its body in one piece, or answer 400, 413 or 415."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        encoding = _content_encoding(scope)
        read = _Unpacking(self.body_bytes) if encoding == "gzip" else _Plain(self.body_bytes)
        received, more = 0, True
        while more and received <= _LINGER * self.body_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # nobody is there to read an answer
            chunk = message.get("body", b"")
            received += len(chunk)
            more = message.get("more_body", False)
            if received <= self.body_bytes:
                read.add(chunk)
        refusal = self._refusal(encoding, read, received)
        if refusal is not None:
            await _answer(refusal, scope, receive, send)
            return
        if encoding == "gzip":
            _declare_plain(scope, len(read.body))
        await self.app(scope, _replay(bytes(read.body), receive), send)

    def _refusal(self, encoding: str, read: "_Plain", received: int) -> tuple[int, str] | None:
        if encoding not in {"", "identity", "gzip"}:
            return 415, "the body's Content-Encoding is not known here; send gzip, or plain JSON without any"
        if received > self.body_bytes or read.is_too_large:
            unpacked = " unpacked" if received <= self.body_bytes else ""
            return 413, (
                f"the body is larger than {self.body_bytes:,} bytes{unpacked}; send fewer or shorter adverts"
            )
        if not read.is_whole:
            return 400, "the body is not whole gzip, as its Content-Encoding says; send it again"
        return None


class _Plain:
    """A body as it arrives."""

    def __init__(self, most: int) -> None:
        self.body = bytearray()
        self.most = most
        self.is_too_large = False

    def add(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self.body += chunk

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing or damaged."""
        return True


class _Unpacking(_Plain):
    """A body in gzip (RFC 1952), of one member or several."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._members = 0
        self._unpacker = zlib.decompressobj(wbits=31)
        self._is_damaged = False

    def add(self, chunk: bytes) -> None:
        """Unpack the next bytes from the wire, as far as the limit allows."""
        while chunk and not (self._is_damaged or self.is_too_large):
            if self._unpacker.eof:
                self._members += 1
                self._is_damaged = self._members > _MOST_MEMBERS
                self._unpacker = zlib.decompressobj(wbits=31)
            try:
                self.body += self._unpacker.decompress(chunk, self.most + 1 - len(self.body))
            except zlib.error:
                self._is_damaged = True
            self.is_too_large = len(self.body) > self.most
            chunk = self._unpacker.unused_data if self._unpacker.eof else self._unpacker.unconsumed_tail

    @property
    def is_whole(self) -> bool:
        """Whether it ended where gzip ends."""
        return self._unpacker.eof and not self._is_damaged


def _content_encoding(scope: "Scope") -> str:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding"]
    return ",".join(values).strip().lower()


def _declare_plain(scope: "Scope", length: int) -> None:
    """Say in the headers what the body has become."""
    dropped = {b"content-encoding", b"content-length"}
    headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
    scope["headers"] = [*headers, (b"content-length", str(length).encode())]


async def _answer(refusal: tuple[int, str], scope: "Scope", receive: "Receive", send: "Send") -> None:
    from starlette.responses import JSONResponse

    status, detail = refusal
    headers = {"Connection": "close"} if status == 413 else {}
    if status == 415:
        headers["Accept-Encoding"] = "gzip"
    await JSONResponse({"detail": detail}, status_code=status, headers=headers)(scope, receive, send)


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

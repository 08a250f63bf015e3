"""API keys: whoever has none of them is turned away. The server knows their hashes only."""

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPBearer

from joblens.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = frozenset({"/livez", "/readyz", "/metrics"})
"""Paths that need no key."""

_KEY = "One of the server's API keys."
SCHEMES = (
    Security(HTTPBearer(scheme_name="bearer", description=_KEY, auto_error=False)),
    Security(APIKeyHeader(name="X-API-Key", scheme_name="header", description=_KEY, auto_error=False)),
)
"""What the API's schema says of keys, either of which will do; `KeyCheck` is what checks them."""

_DIGEST = re.compile("[0-9a-f]{64}")


def read_digests(variable: str) -> tuple[str, ...]:
    """SHA-256 digests of the keys, from an environment variable that holds them with commas between.

    Make one with `printf %s KEY | sha256sum`. Without the variable, or with an empty one, no key is needed.

    Raises:
        ConfigError: What it holds is something else. The message does not repeat it: it may be a key.
    """
    digests = tuple(part.strip().lower() for part in os.environ.get(variable, "").split(",") if part.strip())
    wrong = [place for place, digest in enumerate(digests, start=1) if not _DIGEST.fullmatch(digest)]
    if wrong:
        raise ConfigError(
            f"entry {wrong[0]} of the environment variable {variable} is no SHA-256 digest of 64 hex digits; "
            "make it with `printf %s KEY | sha256sum`"
        )
    return digests


class KeyCheck:
    """ASGI middleware that answers 401 unless `Authorization: Bearer KEY` or `X-API-Key: KEY` is right."""

    def __init__(self, app: "ASGIApp", *, digests: Sequence[str]) -> None:
        self.app = app
        self._digests = [digest.encode() for digest in digests]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, or answer 401 before its body is read."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._is_known(scope):
            await self.app(scope, receive, send)
            return
        from starlette.responses import JSONResponse

        answer = JSONResponse(
            {"detail": "an API key is needed; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
        await answer(scope, receive, send)

    def _is_known(self, scope: "Scope") -> bool:
        for name, value in scope["headers"]:
            if name == b"x-api-key":
                key = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                key = value[7:].strip()
            else:
                continue
            found = hashlib.sha256(key).hexdigest().encode()
            # All are compared, so that the time does not tell which of them it was.
            if sum(hmac.compare_digest(found, digest) for digest in self._digests):
                return True
        return False

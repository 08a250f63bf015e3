"""Run the API with uvicorn until it is told to stop."""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from joblens.errors import ConfigError
from joblens.paths import Layout
from joblens.serving.keys import read_digests
from joblens.serving.limits import Limits

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from joblens.serving.work import ModelWork

logger = logging.getLogger(__name__)

_KERNELS = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
_LAST_TURNS = 100  # of the event loop, in which a server that was told to end still reads requests
_TURN = 0.005  # seconds of one at least; more on a busy machine


def serve(
    bundle: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    titles: Path | None = None,
    project: Path | None = None,
    device: str = "auto",
    limits: Limits | None = None,
    remember: int = 50_000,
    keys_env: str = "JOBLENS_API_KEYS",
    cors_origins: Sequence[str] = (),
    feedback_url_env: str | None = None,
    drain_seconds: int = 25,
) -> None:
    """Serve a bundle until SIGTERM or SIGINT, then finish the requests at hand and return.

    Args:
        bundle: The trained bundle's folder.
        host: Address to listen on; `0.0.0.0` is every interface.
        port: 0 takes a free one, and the log says which.
        titles: The folder of the title encoder, for `/code`.
        project: The project's folder in which `/explain` looks for similar training adverts.
        device: `auto`, `cpu` or `gpu`.
        limits: What it refuses; None takes the defaults.
        remember: Sentences that are not read again when they come again.
        keys_env: Name of the environment variable with the SHA-256 of the API keys; see `keys`.
        cors_origins: Pages that browsers may ask from.
        feedback_url_env: Name of the environment variable with the URL of the database for `/feedback`.
        drain_seconds: How long requests at hand may take after the signal.

    Raises:
        ConfigError: One of these is wrong, or the packages of the extra `serve` are not installed.
        BundleError: The bundle is missing, damaged or made for another encoder.
        ModelError: The encoder's or extractor's weights are missing.
        DeviceError: The asked-for device is not there.
    """
    try:
        from joblens.serving.api import create_app
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"serving needs the package {error.name}; run `pip install 'joblens[serve]'`"
        ) from error
    keep_no_kernels()
    outcome: list[Future[ModelWork]] = []

    def stop_unless_loaded(loading: "Future[ModelWork]") -> None:
        outcome.append(loading)
        server.should_exit = server.should_exit or loading.exception() is not None
        spare_what_is_loaded()

    app = create_app(
        bundle,
        limits,
        titles=titles,
        device=device,
        remember=remember,
        project=None if project is None else Layout(project),
        key_digests=read_digests(keys_env),
        cors_origins=cors_origins,
        feedback_url_env=feedback_url_env,
        when_loaded=stop_unless_loaded,
    )
    server = _configured(app, drain_seconds)
    with _announced(_listen(host, port), bundle) as listener:
        server.run(sockets=[listener])
    for loading in outcome:
        loading.result()  # raises what stopped the server
    logger.info("stopped")


def keep_no_kernels() -> None:
    """Have oneDNN, which multiplies matrices for torch on the CPU, forget the kernels it made for a shape.

    It keeps those of 1,024 shapes, and texts come in more lengths than that: hundreds of megabytes after some
    minutes, and answers no faster. A value that is in the environment already counts. It is read when torch
    first multiplies; see https://uxlfoundation.github.io/oneDNN/dev_guide_primitive_cache.html.
    """
    os.environ.setdefault(_KERNELS, "0")


def spare_what_is_loaded() -> None:
    """Leave all that exists now out of garbage collections.

    Else a full collection walks through all of torch and its models, and every thread waits for that: tenths
    of a second.
    """
    gc.collect()
    gc.freeze()


def _configured(app: "FastAPI", drain_seconds: int) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        """SIGTERM and SIGINT end it, and are done with: uvicorn would repeat them once it has drained.

        uvicorn closes connections whose request it has not read yet. So the server goes on for a moment, in
        which it reads what was sent before the signal. A second signal ends that moment.
        """

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Set as the signals' handler while the server runs."""
            if app.state.draining:
                self.should_exit = True
                return
            app.state.draining = True
            asyncio.run_coroutine_threadsafe(self._read_what_was_sent(), asyncio.get_running_loop())

        async def _read_what_was_sent(self) -> None:
            for _ in range(_LAST_TURNS):  # turns, not seconds: each reads from every connection that has more
                await asyncio.sleep(_TURN)
            self.should_exit = True

    return Server(
        uvicorn.Config(
            app,
            log_config=None,  # the command line has set logging up
            access_log=False,  # a query string may hold an advert
            server_header=False,
            timeout_graceful_shutdown=drain_seconds,
        )
    )


def _announced(listener: socket.socket, bundle: Path) -> socket.socket:
    address, bound = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    logger.info("listening on http://%s:%d, loading %s", shown, bound, bundle)
    return listener


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port} does not exist, expected 0 to 65535; choose another")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        # The system's words for its own errors; those for a name that does not resolve are negative.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise ConfigError(
            f"cannot listen on {host}:{port} ({reason}); choose another host or port"
        ) from error

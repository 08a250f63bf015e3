"""`joblens serve`: the API over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from joblens.cli.options import CLASSIFIER, TITLES, Bundle, Device


def serve(
    bundle: Bundle = CLASSIFIER,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 0 takes a free one.")] = 8000,
    body_bytes: Annotated[
        int, typer.Option("--body-bytes", help="Largest request body, as received and unpacked.")
    ] = 1_000_000,
    waiting: Annotated[int, typer.Option("--waiting", help="Requests that may wait for the model.")] = 128,
    wait_seconds: Annotated[
        float, typer.Option("--wait-seconds", help="A request that would wait longer is refused at once.")
    ] = 4.0,
    deadline_seconds: Annotated[
        float, typer.Option("--deadline-seconds", help="A request that has waited so long is dropped.")
    ] = 30.0,
    remember: Annotated[
        int, typer.Option("--remember", help="Sentences that are not read again when they come again.")
    ] = 50_000,
    titles: Annotated[
        Path, typer.Option("--titles", help="Folder of the title encoder, for POST /code.")
    ] = TITLES,
    project: Annotated[
        Path | None,
        typer.Option("--project", "-C", help="Project in which POST /explain looks for training adverts."),
    ] = None,
    keys_env: Annotated[
        str, typer.Option("--keys-env", help="Environment variable with the API keys' SHA-256 digests.")
    ] = "JOBLENS_API_KEYS",
    cors_origin: Annotated[
        list[str] | None, typer.Option("--cors-origin", help="Page that browsers may ask from; repeatable.")
    ] = None,
    feedback_url_env: Annotated[
        str | None,
        typer.Option("--feedback-url-env", help="Environment variable with the database URL for feedback."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Answer questions about adverts and titles over HTTP, until SIGTERM."""
    from joblens.serving.limits import Limits
    from joblens.serving.server import serve as serve_bundle

    serve_bundle(
        bundle,
        host,
        port,
        titles=titles,
        project=project,
        device=device,
        limits=Limits(body_bytes, waiting, wait_seconds, deadline_seconds),
        remember=remember,
        keys_env=keys_env,
        cors_origins=cors_origin or (),
        feedback_url_env=feedback_url_env,
    )

"""`joblens ui`: the page for people in front of a running API."""

from typing import Annotated

import typer

EXAMPLE = "Example: joblens ui --api http://127.0.0.1:8000 --port 8501 --language da"


def ui(
    api: Annotated[str, typer.Option("--api", help="Address of the API.")] = "http://127.0.0.1:8000",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8501,
    language: Annotated[str, typer.Option("--language", help="da or en; visitors may change it.")] = "en",
    key_env: Annotated[
        str, typer.Option("--key-env", help="Name of the environment variable with the API key.")
    ] = "JOBLENS_API_KEY",
) -> None:
    """Show a page that sorts adverts and reviews the doubtful ones; asks the API over HTTP."""
    from joblens.serving.ui.launch import launch

    launch(api, host, port, language=language, key_env=key_env)

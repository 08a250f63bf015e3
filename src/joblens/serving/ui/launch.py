"""Start the page: Streamlit, with the settings that keep it private and quiet."""

import os
import socket
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from joblens.errors import ConfigError

PACKAGES = ("streamlit", "httpx2")

MOST_MEGABYTES = 50
"""Of an uploaded file."""

OPTIONS = {
    "browser.gatherUsageStats": "false",
    "client.disableDataExport": "true",  # the table's own CSV is not safe from formulas
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "logger.level": "warning",
    "runner.magicEnabled": "false",
    "server.fileWatcherType": "none",
    "server.headless": "true",
    "server.maxUploadSize": str(MOST_MEGABYTES),
    "server.runOnSave": "false",
    "server.showEmailPrompt": "false",
}
"""Of Streamlit. What is not named keeps its default; the checks of origin and of forged requests stay on."""


def command(host: str, port: int) -> list[str]:
    """The command line that runs the page."""
    from joblens.serving.ui.style import THEME

    options = {
        **OPTIONS,
        **{f"theme.{name}": value for name, value in THEME.items()},
        "server.address": host,
        "server.port": str(port),
    }
    script = Path(__file__).with_name("app.py")
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags]


def environment(api: str, language: str, key_env: str) -> dict[str, str]:
    """What the page's script reads its settings from. The key itself stays where it is."""
    return {"JOBLENS_UI_API": api, "JOBLENS_UI_LANGUAGE": language, "JOBLENS_UI_KEY_ENV": key_env}


def launch(
    api: str,
    host: str = "127.0.0.1",
    port: int = 8501,
    *,
    language: str = "en",
    key_env: str = "JOBLENS_API_KEY",
    inherited: Mapping[str, str] = os.environ,
) -> None:
    """Become the page's server; does not return.

    Args:
        api: Where the API is, such as `http://127.0.0.1:8000`.
        host: Address to listen on.
        port: Port to listen on.
        language: `da` or `en`; a visitor may choose the other one.
        key_env: Name of the environment variable with the API key; one that is not set means no key.
        inherited: The environment to pass on.

    Raises:
        ConfigError: An option is out of range, the port is taken, or the packages of the extra `ui` are not
            installed.
    """
    parts = urlsplit(api)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"the API's address is {api!r}, expected one such as http://127.0.0.1:8000")
    if parts.username or parts.password:
        raise ConfigError(f"the API's address holds a user or password; set {key_env} to the API key instead")
    if language not in {"da", "en"}:
        raise ConfigError(f"the language is {language!r}, expected da or en")
    for package in PACKAGES:
        if find_spec(package) is None:
            raise ConfigError(f"the page needs the package {package}; run `pip install 'joblens[ui]'`")
    _must_be_free(host, port)
    line = command(host, port)
    os.execve(line[0], line, {**inherited, **environment(api, language, key_env)})


def _must_be_free(host: str, port: int) -> None:
    """Streamlit would say this in a log of its own, and another way."""
    if not 1 <= port <= 65535:
        raise ConfigError(f"port {port} does not exist, expected 1 to 65535; choose another")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror or "no such address"
        raise ConfigError(
            f"cannot listen on {host}:{port} ({reason}); choose another host or port"
        ) from error

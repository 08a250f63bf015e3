"""The real API on a toy bundle, the real page in front of it, and Chromium in front of that."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright


def _toy_bundles() -> object:
    """The fixture that writes toy bundles, from the tests of serving."""
    place = Path(__file__).resolve().parents[1] / "serving/conftest.py"
    spec = importlib.util.spec_from_file_location("toy_bundles", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_bundle


make_bundle = _toy_bundles()

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)


@dataclass(frozen=True)
class Site:
    """A running API with the page in front of it."""

    url: str
    """Of the page."""
    database: Path
    """Where the API keeps corrections."""
    logs: tuple[Path, Path]
    """Of the API and of the page."""

    def log(self) -> str:
        return "\n".join(log.read_text("utf-8") for log in self.logs)


@pytest.fixture(scope="module")
def site(make_bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    database = folder / "feedback.db"
    bundle = make_bundle(abstain_below=0.8)
    api, page = _free_port(), _free_port()
    logs = (folder / "api.log", folder / "page.log")
    serve = ["serve", "--bundle", str(bundle), "--port", str(api), "--device", "cpu"]
    serve += ["--feedback-url-env", "FEEDBACK_FOR_TESTS"]
    show = ["ui", "--api", f"http://127.0.0.1:{api}", "--port", str(page), "--language", "da"]
    with (
        _running(
            serve, f"http://127.0.0.1:{api}/readyz", logs[0], FEEDBACK_FOR_TESTS=f"sqlite:///{database}"
        ),
        _running(show, f"http://127.0.0.1:{page}/_stcore/health", logs[1]),
    ):
        yield Site(f"http://127.0.0.1:{page}", database, logs)


@pytest.fixture(scope="module")  # Playwright keeps an event loop in this thread: later tests run their own
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(params=[1280], ids=["desktop"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """The first page, opened; whatever the browser asks of another machine fails the test."""
    outside: list[str] = []

    def watch(asked) -> None:
        if not asked.url.startswith((site.url, site.url.replace("http", "ws"), "data:", "blob:")):
            outside.append(asked.url)

    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, accept_downloads=True, bypass_csp=True
    )
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.on("request", watch)
    opened.goto(site.url)
    opened.get_by_role("button", name="Sortér annoncen").wait_for()
    yield opened
    context.close()
    assert outside == []


@contextmanager
def _running(arguments: list[str], probe: str, log: Path, **variables: str) -> Iterator[None]:
    """A command of joblens, from its first good answer until it is told to stop."""
    command = [sys.executable, "-c", "from joblens.cli import main; main()", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **variables}, cwd=log.parent
        )
        try:
            _wait_for(probe, process, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=40)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            assert process.poll() is None, log.read_text("utf-8")
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer: {log.read_text('utf-8')}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

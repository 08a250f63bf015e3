"""Take the pictures of the page: `python docs/screenshots.py`, with the bundle that `invoke demo` trains.

Starts the API and the page, sorts synthetic adverts, and writes docs/source/images/page-*.png, as
wide as on a desk and as on a telephone. Needs Chromium.
"""

import argparse
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
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs/source/images"
SAMPLE = REPOSITORY / "data/sample/ads.jsonl"
ADVERTS = 60

TITLE = "Sygeplejerske til natarbejde"
TEXT = """Kirurgisk afdeling søger en sygeplejerske. Du giver medicin, passer patienter efter operation og \
skriver i journalen. Du har autorisation som sygeplejerske og gerne erfaring fra en sengeafdeling.

Vil du vide mere? Ring til afdelingssygeplejerske Mette Kjær Holm på 23 45 67 89, eller skriv til \
mette.holm@example.dk."""

SIZES = {"desktop": (1280, 900), "phone": (375, 812)}


def main() -> None:
    """Start everything, take the pictures, stop everything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundle", type=Path, default=REPOSITORY / "models/classifier")
    options.add_argument("--project", type=Path, default=REPOSITORY)
    given = options.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    command = Path(sys.executable).with_name("joblens")
    api, page = _free_port(), _free_port()
    serve = [command, "serve", "--bundle", given.bundle, "--project", given.project, "--port", str(api)]
    show = [command, "ui", "--api", f"http://127.0.0.1:{api}", "--port", str(page), "--language", "da"]
    with (
        _running(serve, f"http://127.0.0.1:{api}/readyz"),
        _running(show, f"http://127.0.0.1:{page}/_stcore/health"),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for size in SIZES:
            _take_all(browser, f"http://127.0.0.1:{page}", size)
        browser.close()


def _take_all(browser: Browser, url: str, size: str) -> None:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale="da-DK")
    page.goto(url)
    page.get_by_label("Titel", exact=True).fill(TITLE)
    page.get_by_label("Annoncens tekst").fill(TEXT)
    page.get_by_role("button", name="Sortér annoncen").click()
    page.get_by_text("Lignende annoncer").wait_for()
    _take(page, f"page-sort-{size}", width)
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("tab", name="En fil").click()
    sample = b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[:ADVERTS])
    file = {"name": "annoncer.jsonl", "mimeType": "application/json", "buffer": sample}
    page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
    page.get_by_role("button", name=f"Sortér {ADVERTS} annoncer").click()
    page.get_by_role("button", name="Hent CSV").wait_for(timeout=120_000)
    page.get_by_test_id("stDataFrame").wait_for()
    _take(page, f"page-file-{size}", width)
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("button", name="Gennemgå de usikre").click()
    page.get_by_role("button", name="Spring over").wait_for()
    page.locator(".jl-advert").wait_for()
    _take(page, f"page-review-{size}", width)
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("link", name="Modellen").click()
    page.locator(".jl-chart").wait_for()
    _take(page, f"page-model-{size}", width)
    page.close()


def _take(page: Page, name: str, width: int) -> None:
    """The whole page, which scrolls inside its window, without a pointer or a bar in motion."""
    page.mouse.move(0, 0)
    page.locator("[data-testid=stSpinner]").wait_for(state="detached")
    page.wait_for_timeout(800)
    height = page.evaluate("document.querySelector('.stMainBlockContainer').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(int(height), 1700)})
    page.wait_for_timeout(800)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size // 1000} kB")


@contextmanager
def _running(command: list[object], probe: str) -> Iterator[None]:
    """A server, from its first good answer until it is told to stop."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen([str(part) for part in command], cwd=REPOSITORY, env=environment)
    try:
        _wait_for(probe, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise SystemExit("a server stopped before it was ready") from None
            time.sleep(0.5)
    raise SystemExit(f"{url} does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()

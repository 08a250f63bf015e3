"""Servers to measure, each a process of its own, and the requests they are asked."""

import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from joblens.errors import ConfigError, DataError

REPOSITORY = Path(__file__).parents[1]
SAMPLE = REPOSITORY / "data/sample/ads.jsonl"
READY_SECONDS = 120
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    """What it wrote to stderr."""
    ready_seconds: float
    """From the start of the process until `/readyz` answered 200."""

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


def joblens_serve(bundle: Path, port: int) -> list[str]:
    """The command of our server."""
    program = [sys.executable, "-c", "from joblens.cli import main; main()", "serve"]
    return [*program, "--bundle", str(bundle), "--port", str(port), "--device", "cpu"]


def plain_api(bundle: Path, port: int) -> list[str]:
    """The command of the loop around the same classifier."""
    return [sys.executable, str(REPOSITORY / "benchmarks/peers/plain_api.py"), str(bundle), str(port)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int) -> Iterator[Server]:
    """A server by its command, ready; whatever is left of it is ended afterwards.

    Raises:
        ConfigError: It ended, or was not ready in time; with its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr"
        with log.open("wb") as stderr:
            started = time.monotonic()
            process = subprocess.Popen(command, stderr=stderr)
        try:
            _wait_until_ready(process, port, log, started + READY_SECONDS)
            yield Server(process, port, log, time.monotonic() - started)
        finally:
            stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and SIGKILL if that is not enough."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path, end: float) -> None:
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    last = (log.read_text("utf-8", errors="replace").splitlines() or ["nothing"])[-1]
    raise ConfigError(f"the server is not ready, its last word was: {last}; give another --bundle")


def read_bodies(seed: int, path: Path = SAMPLE) -> list[bytes]:
    """A body of `POST /classify` for each advert of the sample, each advert once, shuffled.

    Raises:
        DataError: There is no such file.
    """
    if not path.is_file():
        raise DataError(f"there is no {path}; give a file of adverts as JSON lines with title and text")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    bodies = [
        json.dumps({"title": row["title"] or "", "text": row["text"]}, ensure_ascii=False).encode()
        for row in rows
    ]
    random.Random(seed).shuffle(bodies)
    return bodies


def percentile(values: list[float], share: float) -> float:
    """The least value that `share` of the values do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(1000 * share) // 1000) - 1)] if ordered else float("nan")


def print_promises(promises: list[tuple[str, str, str, bool]]) -> bool:
    """A table of what was promised, measured and kept; whether all was."""
    print("\n| Promise | Bound | Measured | |\n|---|---:|---:|---|")
    for name, bound, found, is_kept in promises:
        print(f"| {name} | {bound} | {found} | {'holds' if is_kept else 'MISSED'} |")
    return all(is_kept for *_, is_kept in promises)

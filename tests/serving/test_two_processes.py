"""Two servers share a database of corrections, and one of them is killed while it writes."""

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Start = Callable[[], tuple["subprocess.Popen[bytes]", int]]
TOGETHER = 3
"""Corrections in each request."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "feedback.db"


@pytest.fixture
def start(bundle_folder: Path, database: Path) -> Iterator[Start]:
    """Start a server on the database: its process and port, ready. Whatever is left is ended afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one() -> tuple["subprocess.Popen[bytes]", int]:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        command = [sys.executable, "-c", "from joblens.cli import main; main()", "serve", "--device", "cpu"]
        options = ["--bundle", str(bundle_folder), "--port", str(port), "--feedback-url-env", "FEEDBACK_URL"]
        environment = {**os.environ, "FEEDBACK_URL": f"sqlite:///{database}"}
        process = subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL)
        started.append(process)
        end = time.monotonic() + 120
        while time.monotonic() < end and process.poll() is None:
            with suppress(OSError):
                if ask(port, "GET", "/readyz") == 200:
                    return process, port
            time.sleep(0.05)
        raise AssertionError("the server did not get ready")

    yield start_one
    for process in started:
        process.kill()
        process.wait(30)


def ask(port: int, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


class Person:
    """Sends corrections without a pause until told to stop, and knows which were acknowledged."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        """Statuses of requests that were answered, and not with 200."""
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        number = 0
        while not self._stop.is_set():
            rows = [
                {"id": f"{self.name}-{number}-{row}", "text": "Kok til restaurant", "label": "Køkken"}
                for row in range(TOGETHER)
            ]
            try:
                status = ask(self._port, "POST", "/feedback", json.dumps({"corrections": rows}).encode())
            except (OSError, http.client.HTTPException):
                return  # the server is gone
            if status == 200:
                self.acknowledged.append(number)
            else:
                self.refused.append(status)
            number += 1

    def wait_for(self, requests: int) -> None:
        end = time.monotonic() + 60
        while len(self.acknowledged) < requests:
            assert time.monotonic() < end, f"{self.name} got {len(self.acknowledged)} answers in a minute"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)


def stored(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {id for (id,) in connection.execute("SELECT id FROM joblens_corrections")}


def ids_of(name: str, number: int) -> set[str]:
    return {f"{name}-{number}-{row}" for row in range(TOGETHER)}


def test_a_server_killed_while_it_writes_loses_nothing_it_acknowledged_and_harms_nobody(start, database):
    (victim, first_port), (_, second_port) = start(), start()
    people = [Person(first_port, "first"), Person(first_port, "second"), Person(second_port, "third")]
    for person in people:
        person.wait_for(5)
    victim.kill()  # SIGKILL, in the middle of somebody's request
    survivor = people[2]
    survivor.wait_for(len(survivor.acknowledged) + 5)
    for person in people:
        person.stop()
    found = stored(database)
    for person in people:
        assert person.refused == []
        for number in person.acknowledged:
            assert ids_of(person.name, number) <= found
        at_hand = ids_of(person.name, max(person.acknowledged) + 1) & found
        assert len(at_hand) in {0, TOGETHER}, "half a request was stored"
    assert len(found) % TOGETHER == 0
    _, third_port = start()
    again = {"id": "after", "text": "Kok til restaurant", "label": "Køkken"}
    assert ask(third_port, "POST", "/feedback", json.dumps({"corrections": [again]}).encode()) == 200
    assert stored(database) == found | {"after"}

"""A server process of its own, on a free port of this machine."""

import gc
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from joblens.errors import ConfigError
from joblens.serving.server import keep_no_kernels, serve, spare_what_is_loaded

Start = Callable[..., tuple[subprocess.Popen[str], int]]

JOBLENS = Path(sys.executable).with_name("joblens")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server on a bundle: the process and its port. Whatever is left of it is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start_one(bundle: Path, *program: str) -> tuple[subprocess.Popen[str], int]:
        port = _free_port()
        program = program or (str(JOBLENS),)
        command = [*program, "serve", "--bundle", str(bundle), "--host", "127.0.0.1", "--port", str(port)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1], port

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_ready(process: subprocess.Popen[str], port: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended before it was ready"
        try:
            if ask(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready after {seconds} s")


def wait_until_closed(port: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            ask(port, "GET", "/livez")
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError(f"still takes requests after {seconds} s")


def test_a_server_gets_ready_classifies_and_ends_with_zero_at_sigterm(start, make_bundle):
    bundle_folder = make_bundle(snapshot=True)
    process, port = start(bundle_folder)
    wait_until_ready(process, port)
    status, body = ask(port, "POST", "/classify", json.dumps({"text": "Kok til restaurant"}).encode())
    assert status == 200
    assert json.loads(body)["results"][0]["label"] == "Køkken"
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = log.splitlines()
    assert lines[0] == f"listening on http://127.0.0.1:{port}, loading {bundle_folder}"
    assert lines[1].startswith("ready after ")
    line = json.loads(lines[2])
    assert (line["method"], line["route"], line["status"], line["adverts"]) == ("POST", "/classify", 200, 1)
    assert lines[-1] == "stopped"


FAULTY = """
from joblens.cli import main
from joblens.inference.classify import Classifier

def fail(self, texts, titles=None):
    raise RuntimeError(f"cannot read {texts[0]}")

Classifier.answers = fail
main()
"""


def test_a_fault_is_logged_by_its_type_and_place_and_without_the_advert(start, make_bundle):
    process, port = start(make_bundle(snapshot=True), sys.executable, "-c", FAULTY)
    wait_until_ready(process, port)
    status, body = ask(port, "POST", "/classify", json.dumps({"text": "Anna Hansen"}).encode())
    assert (status, json.loads(body)) == (500, {"detail": "the server failed; its log says why"})
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert log.splitlines()[2].startswith("POST /classify failed: RuntimeError at joblens.serving.work:")
    assert len(log.splitlines()) == 5, "a traceback, whose last line would quote the advert"
    assert "Hansen" not in log


def test_a_request_at_hand_is_finished_after_sigterm(start, bundle_folder):
    process, port = start(bundle_folder)
    wait_until_ready(process, port)
    body = json.dumps({"text": "Kok til restaurant"}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("POST", "/classify")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    time.sleep(0.2)  # the server has the first half
    process.send_signal(signal.SIGTERM)
    wait_until_closed(port)
    connection.send(body[10:])
    answer = connection.getresponse()
    assert answer.status == 200
    assert b"K\xc3\xb8kken" in answer.read()
    connection.close()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_server_that_was_told_to_end_is_not_ready_any_more(start, bundle_folder):
    process, port = start(bundle_folder)
    wait_until_ready(process, port)
    process.send_signal(signal.SIGTERM)
    end, answers = time.monotonic() + 30, []
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            answers.append(ask(port, "GET", "/readyz"))
    assert (503, b'{"detail":"the server is ending; ask another one"}') in answers
    assert process.returncode == 0


def test_a_body_of_five_megabytes_is_refused_on_the_wire(start, bundle_folder):
    process, port = start(bundle_folder)
    wait_until_ready(process, port)
    status, body = ask(port, "POST", "/classify", b'{"text": "' + b"x" * 5_000_000 + b'"}')
    assert status == 413
    assert "larger than 1,000,000 bytes" in json.loads(body)["detail"]
    assert ask(port, "GET", "/readyz")[0] == 200


def test_a_server_whose_bundle_is_of_another_encoder_ends_with_that_error(start, make_bundle):
    process, _ = start(make_bundle(name="foreign", fingerprint="f" * 64))
    _, log = process.communicate(timeout=120)
    assert process.returncode == 2
    assert log.splitlines()[-1].startswith("joblens: bundle 'foreign' was trained with encoder ffffffffffff")


def test_a_taken_port_is_refused_in_one_line(bundle_folder):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\)"),
    ):
        serve(bundle_folder, "127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        (
            "192.0.2.1",
            0,
            "cannot listen on 192.0.2.1:0 .*; choose another host or port",
        ),  # a documentation address
        ("no such host", 0, "cannot listen on no such host:0 .*; choose another host or port"),
        ("127.0.0.1", 70_000, "port 70000 does not exist, expected 0 to 65535"),
    ],
)
def test_an_address_that_is_not_ours_or_no_port_is_refused(bundle_folder, host, port, message):
    with pytest.raises(ConfigError, match=message):
        serve(bundle_folder, host, port)


def test_a_server_without_the_url_that_feedback_needs_ends_before_it_listens(bundle_folder, monkeypatch):
    monkeypatch.delenv("JOBLENS_FEEDBACK_URL", raising=False)
    with pytest.raises(ConfigError, match="JOBLENS_FEEDBACK_URL is not set"):
        serve(bundle_folder, port=0, feedback_url_env="JOBLENS_FEEDBACK_URL")


def test_kernels_of_every_length_of_text_are_not_kept_unless_somebody_wants_that(monkeypatch):
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    keep_no_kernels()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "64"
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY")
    keep_no_kernels()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "0"


def test_what_is_loaded_is_spared_by_garbage_collections():
    kept = [object() for _ in range(10)]
    before = gc.get_freeze_count()
    try:
        spare_what_is_loaded()
        assert gc.get_freeze_count() > before
        assert all(one is not kept for one in gc.get_objects())
    finally:
        gc.unfreeze()

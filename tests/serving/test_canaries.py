"""What people write must not come back in an error, reach a log of any level, a metric, or a file.

Twenty strings that nobody else would write are sent to a server process that logs everything, in every place
of a request and through every route of its OpenAPI document, rightly and wrongly, also while the model fails.
"""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

pytestmark = pytest.mark.slow

CANARIES = (
    "Anna-Lise Qvortrup",
    "Bjarke Zwicki",
    "Przemysław Wąsikowski",
    "María Ñuñezco",
    "2105850001",
    "070761-4285",
    "+45 20 30 40 51",
    "anna.qvortrup@canary.dk",
    "Snerlevej 17, 2. tv",
    "DK5000400440116243",
    "12.345.678-5",
    "112-233-445 95",
    "P208017534",
    "sk-live-4f9aC0ffee1234567890",
    "AKIAQ7CANARYEXAMPLE9",
    "Tr0ub4dor-canary-3",
    "eyJhbGciOiJIUzI1NiJ9.Y2FuYXJ5.c2ln",
    "diabetes qx7",
    "kr. 43.217,50",
    "kollegiet v4417",
)
"""Names, numbers of people, ways to reach them, a key, passwords, a token, health, pay, a home."""

DATABASE_PASSWORD = "Tr0ub4dor-canary-3"
TOGETHER = ". ".join(CANARIES)
FAULT = "let the model fail"

SERVER = f"""
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)

from pathlib import Path
from joblens.inference.classify import Classifier
from joblens.inference.code import TitleCoder
from joblens.serving.limits import Limits
from joblens.serving.server import serve

def failing(method):
    def fail_when_told(self, texts, *arguments, **options):
        together = str([texts, arguments, options])
        if {FAULT!r} in together:
            raise RuntimeError("cannot read " + together)
        return method(self, texts, *arguments, **options)
    return fail_when_told

for kind, names in ((Classifier, ("clean", "answers", "predict", "parts")), (TitleCoder, ("code",))):
    for name in names:
        if hasattr(kind, name):
            setattr(kind, name, failing(getattr(kind, name)))
serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), titles=Path(sys.argv[3]), device="cpu",
      limits=Limits(body_bytes=200_000), cors_origins=("http://ours.test",), feedback_url_env="FEEDBACK_URL")
"""


@dataclass(slots=True)
class Told:
    """What the server wrote anywhere but in an answer to a right request."""

    errors: list[tuple[str, str]] = field(default_factory=list)
    """What was sent where, and the answer with its headers, where it was none of the 200s."""
    statuses: set[int] = field(default_factory=set)
    headers: list[str] = field(default_factory=list)
    """Of all answers."""
    metrics: str = ""
    log: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """What it left in the folder it ran in."""


class Asker:
    """Sends requests and keeps what came back."""

    def __init__(self, port: int, told: Told) -> None:
        self.port = port
        self.told = told

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
            answer = connection.getresponse()
            status, found, shown = answer.status, answer.read(), str(answer.getheaders())
        finally:
            connection.close()
        self.told.statuses.add(status)
        self.told.headers.append(shown)
        if not 200 <= status < 300:
            self.told.errors.append((f"{method} {path[:40]}: {what}", f"{shown}\n{found.decode()}"))
        return status, found

    def shout(self, data: bytes) -> None:
        """Bytes that are no HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            self.told.errors.append(("no HTTP", connection.recv(65536).decode("latin-1")))


def right_bodies(text: str) -> dict[str, dict[str, object]]:
    """By path, a body that is taken, with the text wherever there may be some."""
    ad = {"title": text[:900], "text": text}
    return {
        "/classify": {"ads": [ad, ad]},
        "/extract": {"ads": [ad]},
        "/explain": {"title": text[:900], "text": text},
        "/match": {"ads": [ad], "profiles": [ad]},
        "/code": {"titles": [text[:900], *(text[:900].split(". "))]},
        "/feedback": {"corrections": [{"id": "", **ad, "label": "Køkken", "reviewer": text[:90]}]},
    }


def wrong_bodies(right: dict[str, object]) -> list[bytes]:
    """Bodies that are refused, or nearly so, with the canaries in values, in names, and beside the JSON."""
    values = [TOGETHER, [TOGETHER], {TOGETHER: TOGETHER}, {canary: canary for canary in CANARIES}]
    found = [json.dumps(value).encode() for value in values]
    found += [json.dumps(right | {canary: canary}).encode() for canary in CANARIES]
    for name, value in right.items():
        found += [json.dumps(right | {name: other}).encode() for other in values]
        found += [json.dumps(right | {name: [other]}).encode() for other in values]
        if isinstance(value, list) and isinstance(value[0], dict):
            found += [
                json.dumps(right | {name: [value[0] | {inner: other}]}).encode()
                for inner in (*value[0], TOGETHER)
                for other in values[1:]
            ]
            found.append(json.dumps(right | {name: [value[0] | {"label": TOGETHER}]}).encode())
    whole = json.dumps(right).encode()
    found.append(json.dumps(right | {"language": TOGETHER}).encode())
    return [*found, whole[:-3], whole + b",", TOGETHER.encode("utf-16"), b"\xff" + whole, whole * 200]


def as_token(text: str) -> str:
    """Without what an HTTP method must not hold."""
    return re.sub(r"[^A-Za-z0-9.-]", "", text)


def headers_with(text: str) -> list[dict[str, str]]:
    value = text.encode("ascii", "ignore").decode()
    names = (
        "User-Agent", "Cookie", "Referer", "Origin", "Accept", "X-Forwarded-For", "X-Request-ID", "X-API-Key",
        "Authorization", "Content-Type", "Content-Encoding", "Host", "Forwarded", "Traceparent", "Expect",
    )  # fmt: skip
    return [{name: value} for name in names]


def ask_everything(asker: Asker) -> None:
    """Every route, every place, rightly and wrongly."""
    status, document = asker.ask("document", "GET", "/openapi.json")
    assert status == 200
    operations = [
        (method.upper(), path) for path, of in json.loads(document)["paths"].items() for method in of
    ]
    assert ("POST", "/classify") in operations
    bodies = right_bodies(f"Vi søger en kok. {TOGETHER}. Kontakt os.")
    faults = right_bodies(f"{TOGETHER} {FAULT}")
    for method, path in operations:
        right = bodies.get(path)
        body = None if right is None else json.dumps(right).encode()
        asker.ask("right", method, path, body)
        asker.ask("query", method, f"{path}?{quote_plus(TOGETHER)}={quote(TOGETHER)}", body)
        for canary in CANARIES:
            asker.ask("path", method, f"{path}/{quote(canary)}", body)
            asker.ask("request id", method, path, body, headers_with(canary)[6])
        for headers in headers_with(TOGETHER):
            asker.ask(f"header {next(iter(headers))}", method, path, body, headers)
        for other in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            asker.ask("method", other, f"{path}?{quote(TOGETHER)}", body)
        if right is not None:
            for number, wrong in enumerate(wrong_bodies(right)):
                asker.ask(f"wrong body {number}", method, path, wrong)
            asker.ask("fault", method, path, json.dumps(faults[path]).encode())
            packed = gzip.compress(json.dumps(right).encode())
            for damaged in (packed[:-9], packed + TOGETHER.encode(), TOGETHER.encode()):
                asker.ask("gzip", method, path, damaged, {"Content-Encoding": "gzip"})
    for canary in CANARIES:
        asker.ask("path", "GET", f"/{quote(canary)}")
        asker.ask("method", as_token(canary), "/classify")
    asker.shout(TOGETHER.encode() + b"\r\n\r\n")
    asker.shout(b"POST /classify HTTP/1.1\r\n" + TOGETHER.encode() + b"\r\n\r\n")


@pytest.fixture(scope="module")
def told(bundle_folder: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Everything the server told, after it was asked everything."""
    folder = tmp_path_factory.mktemp("server")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = Told()
    log = tmp_path_factory.mktemp("log") / "log"
    arguments = (str(bundle_folder), str(port), str(repository / "models/titles"))
    database = tmp_path_factory.mktemp("database") / f"{DATABASE_PASSWORD}.db"
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_DIR": str(folder), "HOME": str(folder)}
    environment["FEEDBACK_URL"] = f"sqlite:///{database}"
    command = [sys.executable, "-c", SERVER, *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        wait_until_ready(process, port, log)
        asker = Asker(port, told)
        ask_everything(asker)
        spoil(database)
        body = json.dumps(right_bodies(TOGETHER)["/feedback"]).encode()
        assert asker.ask("broken database", "POST", "/feedback", body)[0] == 503
        told.metrics = asker.ask("metrics", "GET", "/metrics")[1].decode()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    told.log = log.read_text("utf-8")
    told.files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return told


def spoil(database: Path) -> None:
    """Another table of that name: storing fails, and the database's own error quotes the values."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE joblens_corrections")
        connection.execute("CREATE TABLE joblens_corrections (id TEXT, title TEXT CHECK (title = ''))")
        connection.commit()


def wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if Asker(port, Told()).ask("ready", "GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not get ready: {log.read_text('utf-8')[-2000:]}")


def spellings(canary: str) -> set[str]:
    """How a string may look in a log or an answer."""
    return {
        form.lower()
        for form in (
            canary,
            canary.encode("ascii", "ignore").decode(),
            quote(canary),
            quote_plus(canary),
            json.dumps(canary)[1:-1],
            repr(canary.encode())[2:-1],
            repr(canary.encode("utf-16"))[2:-1],
            canary.encode().hex(),
            as_token(canary),
        )
        if len(form) > 6
    }


def leaks(text: str) -> list[str]:
    """The canaries that a text holds, in any spelling."""
    lowered = text.lower()
    return [canary for canary in CANARIES if any(form in lowered for form in spellings(canary))]


def test_the_search_finds_a_canary_in_every_spelling():
    for canary in CANARIES:
        for form in (canary, quote(canary), json.dumps({canary: 1}), str([canary.encode()]), canary.upper()):
            assert leaks(f"before {form} after") == [canary]


def test_everything_was_tried(told):
    assert {200, 400, 404, 405, 413, 415, 422, 500} <= told.statuses
    assert told.log.count("failed: RuntimeError") >= 5, "the model was not made to fail on every route"
    assert len(told.errors) > 500
    assert "DEBUG" in told.log


def test_no_error_answer_repeats_a_canary(told):
    assert [(sent, leaks(answer)) for sent, answer in told.errors if leaks(answer)] == []


def test_no_header_of_any_answer_repeats_a_canary(told):
    assert [leaks(headers) for headers in told.headers if leaks(headers)] == []


def test_no_log_of_any_level_holds_a_canary(told):
    assert [line for line in told.log.splitlines() if leaks(line)] == []


def test_no_metric_holds_a_canary(told):
    assert leaks(told.metrics) == []


def test_no_file_of_wandb_or_any_other_holds_a_canary(told):
    assert [path for path, data in told.files.items() if leaks(data.decode("latin-1"))] == []

import asyncio

import pytest

from joblens.errors import ConfigError
from joblens.serving.api import create_app
from joblens.serving.limits import BodyLimit, Limits

HTTP = {"type": "http", "headers": [(b"content-length", b"1")]}  # a lie


def ask(limit, messages, scope=HTTP):
    """Send `messages` to an echo behind the limit: what the echo read, and what came back."""
    reached, sent = [], []
    pending = iter(messages)

    async def echo(scope, receive, send):
        reached.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return next(pending)

    async def send(message):
        sent.append(message)

    asyncio.run(BodyLimit(echo, body_bytes=limit)(scope, receive, send))
    return reached, sent


def part(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(("pieces", "status"), [([10], 200), ([5, 5], 200), ([11], 413), ([5, 5, 1], 413)])
def test_the_bytes_that_arrive_are_counted_whatever_the_header_says(pieces, status):
    messages = [part(b"x" * size, more=place < len(pieces) - 1) for place, size in enumerate(pieces)]
    _, sent = ask(10, messages)
    assert sent[0]["status"] == status


def test_a_body_that_fits_arrives_whole_and_in_one_piece():
    reached, _ = ask(10, [part(b"ab", more=True), part(b"cd", more=True), part(b"")])
    assert reached == [part(b"abcd")]


def test_a_body_that_is_too_large_never_reaches_the_application():
    reached, sent = ask(10, [part(b"x" * 11)])
    assert reached == []
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"larger than 10 bytes" in sent[1]["body"]


def test_an_endless_body_is_not_read_to_its_end():
    endless = iter([part(b"x" * 10, more=True)] * 1_000)
    _, sent = ask(10, endless)
    assert sent[0]["status"] == 413
    assert len(list(endless)) == 1_000 - 17  # sixteen times the limit, and the piece that goes beyond


def test_a_client_that_leaves_is_not_answered():
    reached, sent = ask(10, [part(b"ab", more=True), {"type": "http.disconnect"}])
    assert (reached, sent) == ([], [])


def test_what_is_not_a_request_passes_untouched():
    reached, _ = ask(10, [{"type": "lifespan.startup"}], scope={"type": "lifespan"})
    assert reached == [{"type": "lifespan.startup"}]


def test_after_the_body_the_application_hears_the_connection():
    heard = []

    async def listen(scope, receive, send):
        heard.extend([await receive(), await receive()])

    pending = [part(b"ab"), {"type": "http.disconnect"}]

    async def receive():
        return pending.pop(0)

    asyncio.run(BodyLimit(listen, body_bytes=10)(HTTP, receive, None))
    assert heard == [part(b"ab"), {"type": "http.disconnect"}]


def test_a_real_request_above_the_limit_is_answered_in_json(classifier):
    from fastapi.testclient import TestClient

    client = TestClient(create_app(classifier, Limits(body_bytes=100)))
    answer = client.post("/classify", json={"text": "x" * 100})
    assert answer.status_code == 413
    assert answer.json() == {"detail": "the body is larger than 100 bytes; send fewer or shorter adverts"}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"body_bytes": 0}, "0 bytes"),
        ({"waiting": 10_001}, "10001"),
        ({"waiting": -1}, "-1"),
        ({"wait_seconds": 0}, "longest wait is 0 seconds"),
        ({"wait_seconds": float("nan")}, "longest wait is nan"),
        ({"deadline_seconds": 3601}, "deadline is 3601"),
    ],
)
def test_limits_out_of_range_are_refused(limits, words):
    with pytest.raises(ConfigError, match=words):
        Limits(**limits)

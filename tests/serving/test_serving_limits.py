import asyncio
import gzip
import random

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


def zipped(limit, chunks, encoding=b"gzip"):
    """What an echo behind the limit read, the first status, and the whole answer's body."""
    scope = {"type": "http", "headers": [(b"content-encoding", encoding), (b"content-length", b"1")]}
    messages = [part(chunk, more=place < len(chunks) - 1) for place, chunk in enumerate(chunks)]
    reached, sent = ask(limit, messages, scope)
    return reached, sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]), scope


def test_a_body_in_gzip_arrives_unpacked_and_says_so_no_more():
    packed = gzip.compress(b"abcd")
    reached, status, _, scope = zipped(100, [packed[:7], packed[7:]])
    assert (reached, status) == ([part(b"abcd")], 200)
    assert scope["headers"] == [(b"content-length", b"4")]


def test_a_body_of_two_gzip_members_is_read_whole():
    packed = gzip.compress(b"ab") + gzip.compress(b"cd")
    assert zipped(100, [packed])[0] == [part(b"abcd")]
    assert zipped(100, [packed[place : place + 1] for place in range(len(packed))])[0] == [part(b"abcd")]


@pytest.mark.parametrize(("size", "status"), [(1_000, 200), (1_001, 413), (10**8, 413)])
def test_the_limit_counts_unpacked_bytes(size, status):
    packed = gzip.compress(b"x" * size)
    assert len(packed) < 10**8 / 1_000
    reached, answered, body, _ = zipped(1_000, [packed] if len(packed) <= 1_000 else [packed[:900]])
    assert answered == status
    assert (b"unpacked" in body) == (status == 413)
    assert bool(reached) == (status == 200)


def test_unpacking_stops_at_the_limit():
    from joblens.serving.limits import _Unpacking

    unpacking = _Unpacking(1_000)
    unpacking.add(gzip.compress(b"x" * 10**7))
    assert unpacking.is_too_large
    assert len(unpacking.body) == 1_001


@pytest.mark.parametrize(
    "chunk", [b"", b"plain", gzip.compress(b"abcd")[:-1], gzip.compress(b"abcd") + b"rest"]
)
def test_what_is_not_whole_gzip_is_refused(chunk):
    reached, status, body, _ = zipped(100, [chunk])
    assert (reached, status) == ([], 400)
    assert b"gzip" in body


def test_ten_thousand_empty_members_are_not_unpacked():
    packed = gzip.compress(b"") * 10_000
    assert zipped(len(packed), [packed])[1] == 400


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"gzip, gzip", b"Anna"])
def test_any_other_encoding_is_refused_and_not_repeated(encoding):
    reached, status, body, _ = zipped(100, [b"{}"], encoding)
    assert (reached, status) == ([], 415)
    assert b"Anna" not in body


@pytest.mark.parametrize("encoding", [b"identity", b"GZIP", b" gzip "])
def test_the_encoding_is_read_whatever_its_case(encoding):
    body = b"{}" if encoding == b"identity" else gzip.compress(b"{}")
    assert zipped(100, [body], encoding)[0] == [part(b"{}")]


def test_random_bytes_never_break_the_unpacking():
    source = random.Random(1)
    for _ in range(300):
        packed = bytearray(gzip.compress(source.randbytes(50)))
        packed[source.randrange(len(packed))] ^= 1 << source.randrange(8)
        assert zipped(100, [bytes(packed)])[1] in {200, 400}


def test_a_zipped_question_is_answered(client):
    packed = gzip.compress(b'{"text": "Kok til restaurant"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/classify", content=packed, headers=headers).status_code == 200

"""The page's client against a server that answers what it is told to, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from joblens.serving.ui.batches import MOST_CHARACTERS, Batch, Refused, groups
from joblens.serving.ui.client import Advert, Api, ApiProblem, Correction

MODEL = {"name": "classifier", "version": "abc", "encoder": "toy", "labels": 2, "coverage": 0.9}


def result(label: str = "Kok", probability: float = 0.9, **others: Any) -> dict[str, Any]:
    return {"label": label, "probability": probability, "newer_field": 1, **others}


class Server:
    """Answers each request with what `answer(path, body)` gives: status, body and headers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, dict[str, str]]] = []
        self.answer: Any = lambda path, body: (200, {"model": MODEL, "results": [result()]}, {})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or "null")
                outer.asked.append((self.path, body, dict(self.headers)))
                status, answer, headers = outer.answer(self.path, body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST  # noqa: N815 - the name that http.server calls

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def say(self, status: int, body: Any, **headers: str) -> None:
        self.answer = lambda path, _: (status, body, {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    found.thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def api(server: Server, pauses: list[float]) -> Iterator[Api]:
    with Api(server.url, "secret", patience=10, sleep=pauses.append) as found:
        yield found


def problem_of(api: Api) -> ApiProblem:
    with pytest.raises(ApiProblem) as caught:
        api.classify([Advert("kok")])
    return caught.value


def test_an_answer_with_fields_of_a_newer_api_is_read(api, server):
    answer = api.classify([Advert("Vi søger en kok", "Kok")])
    assert (answer.results[0].label, answer.model.version) == ("Kok", "abc")
    path, body, headers = server.asked[0]
    assert (path, body) == ("/classify", {"ads": [{"title": "Kok", "text": "Vi søger en kok"}]})
    assert headers["Authorization"] == "Bearer secret"


def test_without_a_key_none_is_sent(server):
    with Api(server.url) as api:
        api.classify([Advert("kok")])
    assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "key"),
        (404, "missing"),
        (413, "too_large"),
        (500, "failed"),
        (503, "not_ready"),
        (418, "failed"),
    ],
)
def test_a_status_becomes_a_kind_of_problem_with_the_apis_own_line(api, server, status, kind):
    server.say(status, {"detail": "one line"})
    problem = problem_of(api)
    assert (problem.kind, problem.detail) == (kind, "one line")


def test_of_several_wrong_fields_the_first_is_told(api, server):
    server.say(422, {"detail": [{"field": "text", "problem": "too long"}, {"field": "b", "problem": "c"}]})
    problem = problem_of(api)
    assert (problem.kind, problem.detail) == ("fields", "text: too long")


def test_a_body_that_is_not_json_is_no_detail(api, server):
    server.say(502, b"<html>bad gateway</html>")
    problem = problem_of(api)
    assert (problem.kind, problem.detail) == ("failed", "HTTP 502")


@pytest.mark.parametrize("body", [b"not json", {"results": "none"}, {"model": MODEL, "results": []}])
def test_an_answer_that_is_something_else_is_a_problem_that_repeats_nothing(api, server, body):
    server.say(200, body)
    problem = problem_of(api)
    assert problem.kind == "unreadable"
    assert "none" not in str(problem)


def test_a_busy_server_is_asked_again_when_it_said(api, server, pauses):
    answers = iter(
        [(429, {"detail": "full"}, {"Retry-After": "2"}), (429, {"detail": "full"}, {"Retry-After": "3"})]
    )
    ready = (200, {"model": MODEL, "results": [result()]}, {})
    server.answer = lambda path, body: next(answers, ready)
    assert api.classify([Advert("kok")]).results[0].label == "Kok"
    assert pauses == [2.0, 3.0]


def test_a_server_that_stays_busy_is_given_up_within_the_patience(api, server, pauses):
    server.say(429, {"detail": "full"}, Retry_After="4")
    assert problem_of(api).kind == "busy"
    assert pauses == [4.0, 4.0]  # a third pause would make 12 s, and 10 s is the patience


@pytest.mark.parametrize(("wanted", "paused"), [("3600", []), ("Wed, 21 Oct 2026 07:28:00 GMT", [1.0] * 10)])
def test_odd_wishes_for_a_pause_do_no_harm(api, server, pauses, wanted, paused):
    server.say(429, {"detail": "full"}, Retry_After=wanted)
    assert problem_of(api).kind == "busy"
    assert pauses == paused  # 3600 s counts as 30 s, which is beyond the patience of 10 s


def test_no_pause_is_longer_than_half_a_minute(server, pauses):
    server.say(429, {"detail": "full"}, Retry_After="3600")
    with Api(server.url, patience=70, sleep=pauses.append) as api:
        assert problem_of(api).kind == "busy"
    assert pauses == [30.0, 30.0]  # a third would make 90 s


def test_a_loading_model_is_waited_for_but_a_missing_part_is_not(api, server, pauses):
    server.say(503, {"detail": "no feedback table"})
    assert problem_of(api).kind == "not_ready"
    assert pauses == []
    server.say(503, {"detail": "loading"}, Retry_After="5")
    assert problem_of(api).kind == "not_ready"
    assert pauses == [5.0, 5.0]


def test_a_server_that_is_not_there_is_unreachable():
    with Api("http://127.0.0.1:9") as api:
        assert problem_of(api).kind == "unreachable"


def test_a_server_that_does_not_answer_is_slow(server):
    let_go = threading.Event()

    def hang(path, body):
        let_go.wait(5)
        return 200, {}, {}

    server.answer = hang
    with Api(server.url, timeout=0.2) as api:
        assert problem_of(api).kind == "slow"
    let_go.set()


def test_the_other_routes_are_asked_and_read(api, server):
    answers = {
        "/extract": {"results": [{"title": "", "text": "[person]", "entities": [], "pii_removed": 1}]},
        "/explain": {"evidence": [{"phrase": "kok", "kind": "word", "effect": 0.2, "odds": 3.0}]},
        "/labels": {"labels": [{"label": "Kok", "crosscutting": False}]},
        "/model": {"model": MODEL, "card": {"settings": {"a": 1}}, "accuracy_at_coverage": None},
        "/feedback": {"stored": 1},
    }
    server.answer = lambda path, body: (200, answers[path], {})
    advert = Advert("kok")
    assert api.extract(advert).pii_removed == 1
    assert api.explain(advert).evidence[0].effect == 0.2
    assert api.labels() == ["Kok"]
    assert api.model().accuracy_at_coverage is None
    assert api.correct([Correction("7", "", "kok", "Kok", "Tjener", "abc")]) == 1
    assert server.asked[-1][1]["corrections"][0] == {
        "id": "7", "title": "", "text": "kok", "label": "Kok", "guess": "Tjener", "model_version": "abc",
        "reviewer": "",
    }  # fmt: skip


def test_adverts_go_in_groups_of_32_at_most():
    adverts = [Advert(str(number)) for number in range(75)]
    assert [len(group) for group in groups(adverts)] == [32, 32, 11]
    assert [advert for group in groups(adverts) for advert in group] == adverts
    assert list(groups([])) == []


def test_long_adverts_go_in_smaller_groups_and_a_huge_one_alone():
    half = Advert("x" * (MOST_CHARACTERS // 2))
    huge = Advert("x" * (MOST_CHARACTERS + 1))
    assert [len(group) for group in groups([half, half, half, huge, half])] == [2, 1, 1, 1]


def test_an_advert_that_the_api_refuses_does_not_take_its_group_along(api, server):
    def answer(path, body):
        texts = [ad["text"] for ad in body["ads"]]
        if "too long" in texts:
            return 422, {"detail": [{"field": "ads.2.text", "problem": "too long"}]}, {}
        return 200, {"model": MODEL, "results": [result(text) for text in texts]}, {}

    server.answer = answer
    batch = Batch("ads.csv", [Advert(text) for text in ("a", "b", "too long", "d", "e")])
    assert list(batch.proceed(api)) == [5]
    found = [one.kind if isinstance(one, Refused) else one.label for one in batch.outcomes]
    assert found == ["a", "b", "fields", "d", "e"]
    assert (batch.refused, batch.is_done) == (1, True)


def test_a_file_goes_on_where_the_api_failed(api, server):
    batch = Batch("ads.csv", [Advert(str(number)) for number in range(50)])
    asked = iter([200, 500, 200])

    def answer(path, body):
        status = next(asked)
        results = [result(ad["text"]) for ad in body["ads"]]
        return status, {"model": MODEL, "results": results, "detail": "failed"}, {}

    server.answer = answer
    with pytest.raises(ApiProblem):
        list(batch.proceed(api))
    assert len(batch.outcomes) == 32
    assert list(batch.proceed(api)) == [50]
    assert [outcome.label for outcome in batch.outcomes] == [str(number) for number in range(50)]

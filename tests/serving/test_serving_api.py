import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from joblens.inference.classify import Classifier
from joblens.serving.api import create_app
from joblens.serving.limits import Limits
from joblens.serving.problems import field_problems
from joblens.serving.schemas.base import FieldProblem

SECRET = "Anna Hansen, anna@hansen.dk, 2105850001"
"""Must never come back in an error or reach a log."""

NURSE = {"title": "Sygeplejerske", "text": "Pleje og medicin på hospital."}


def test_one_advert_gets_one_result(client, classifier):
    answer = client.post("/classify", json=NURSE)
    (guess,) = classifier.predict([NURSE["text"]], titles=[NURSE["title"]])
    assert answer.status_code == 200
    assert answer.json() == {
        "model": {
            "name": "classifier",
            "version": classifier.version,
            "encoder": "hashed-words",
            "labels": 3,
            "coverage": 0.9,
        },
        "results": [
            {
                "label": "Sundhed",
                "probability": guess.probability,
                "top": [{"label": label, "probability": chance} for label, chance in guess.top],
                "prediction_set": list(guess.prediction_set),
                "abstained": False,
                "reason": None,
                "crossing": None,
                "entities": [],
                "words_in": 6,
                "words_read": 6,
                "pii_removed": 0,
            }
        ],
    }


def test_labels_that_cut_across_each_other_are_told(make_bundle):
    crossing = Classifier.load(make_bundle(crosscutting=(1,)))
    app = create_app(crossing)
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        (result,) = client.post("/classify", json={"text": "tømrer murer kok tjener"}).json()["results"]
        shapes = client.get("/openapi.json").json()["components"]["schemas"]
    assert result["crossing"].endswith("cut across each other: both may be right")
    assert "both may be right" in shapes["Result"]["properties"]["crossing"]["description"]


def test_many_adverts_get_as_many_results_in_their_order(client):
    ads = [{"text": "Kok til restaurant"}, NURSE, {"text": ""}]
    results = client.post("/classify", json={"ads": ads}).json()["results"]
    assert [result["label"] for result in results] == ["Køkken", "Sundhed", ""]
    assert [result["reason"] for result in results] == [None, None, "no text"]


def test_the_examples_in_the_schema_work(client):
    schema = client.get("/openapi.json").json()
    content = schema["paths"]["/classify"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == {"one", "many"}
    for example in content["examples"].values():
        assert client.post("/classify", json=example["value"]).status_code == 200


def test_the_schema_states_the_limits_and_every_answer(client):
    schema = client.get("/openapi.json").json()
    shapes = schema["components"]["schemas"]
    assert shapes["ManyAds"]["properties"]["ads"]["maxItems"] == 128
    assert shapes["OneAd"]["properties"]["text"]["maxLength"] == 100_000
    assert set(schema["paths"]["/classify"]["post"]["responses"]) == {
        "200", "400", "401", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"title": SECRET}, "text", "Field required"),
        ({"text": 7}, "text", "valid string"),
        ({"text": None}, "text", "valid string"),
        ({"text": SECRET * 3_000}, "text", "at most 100000 characters"),
        ({"text": "a", "title": SECRET * 30}, "title", "at most 1000 characters"),
        ({"text": "a", "titel": SECRET}, "", "no such field; nearest is 'title'"),
        ({"text": "a", SECRET: "b"}, "", "no such field"),
        ({"ads": [NURSE] * 129}, "ads", "at most 128 items"),
        ({"ads": []}, "ads", "at least 1 item"),
        ({"ads": [NURSE, {"title": SECRET}]}, "ads.1.text", "Field required"),
        ({"ads": SECRET}, "ads", "valid list"),
        ({"ads": [NURSE], "text": SECRET}, "", "no such field"),
        ([NURSE], "", "expected a JSON object"),
        (SECRET, "", "expected a JSON object"),
        (None, "", "expected a JSON object"),
    ],
)
def test_a_wrong_body_is_refused_with_its_field_and_never_repeated(client, body, field, words):
    answer = client.post("/classify", json=body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["field"] == field
    assert words in problem["problem"]
    assert "Hansen" not in answer.text
    assert "2105850001" not in answer.text


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b'{"text": "' + SECRET.encode(), 422, "not JSON: Unterminated string"),
        (b'{"text": "\xff"}', 400, "error parsing the body"),
        (b"[" * 100_000, 400, "error parsing the body"),
        (b'{"text": "\\ud800"}', 422, "unicode string"),
        (b"", 422, "expected a JSON object"),
    ],
    ids=["cut off", "not UTF-8", "nested", "lone surrogate", "empty"],
)
def test_bytes_that_are_not_a_question_are_refused(client, content, status, words):
    answer = client.post("/classify", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert words in answer.text
    assert "Hansen" not in answer.text


def test_json_sent_as_something_else_is_told_the_content_type(client):
    answer = client.post("/classify", content=b'{"text": "Kok"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"][0]["problem"]


def test_of_many_problems_the_first_twenty_are_told_and_the_others_counted(client):
    detail = client.post("/classify", json={"text": "a", **{str(row): 1 for row in range(50)}}).json()[
        "detail"
    ]
    assert len(detail) == 21
    assert detail[-1]["problem"] == "and 30 more"


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_body_full_of_unknown_fields_is_refused_without_looking_at_all_of_them(client, where):
    unknown = {str(row): 1 for row in range(5_000)}
    body = {"text": "a", **unknown} if where == "outside" else {"ads": [{"text": "a", **unknown}]}
    answer = client.post("/classify", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][-1]["problem"] == "and 39 more"  # of 60 fields one is known, 20 are told


def test_no_advert_reaches_the_log(client, caplog):
    with caplog.at_level(logging.DEBUG, logger="joblens"):
        client.post("/classify", json={"title": SECRET, "text": SECRET})
        client.post("/classify", json={"title": SECRET})
    lines = [json.loads(record.getMessage()) for record in caplog.records if "route" in record.getMessage()]
    assert [(line["status"], line["adverts"]) for line in lines] == [(200, 1), (422, 0)]
    assert "Hansen" not in caplog.text


def test_null_bytes_are_read_over(client, classifier):
    result = client.post("/classify", json={"text": "Kok\x00 til restau\x00rant"}).json()["results"][0]
    assert result["probability"] == pytest.approx(classifier.predict(["Kok til restaurant"])[0].probability)


def test_other_paths_and_methods_answer_in_json(client):
    assert client.get("/nowhere").json() == {"detail": "Not Found"}
    assert client.get("/classify").json() == {"detail": "Method Not Allowed"}


def test_a_fault_in_the_model_is_one_line_without_the_advert(classifier, monkeypatch, caplog):
    def fail(*texts: object, **titles: object) -> None:
        raise RuntimeError(SECRET)

    app = create_app(classifier)
    with caplog.at_level(logging.DEBUG), TestClient(app) as client:  # which would raise what a server sees
        app.state.loading.result(timeout=10)
        monkeypatch.setattr(type(classifier), "answers", fail)
        answer = client.post("/classify", json={"title": SECRET, "text": SECRET})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the server failed; its log says why"}
    (fault,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert re.fullmatch(
        r"POST /classify failed: RuntimeError at joblens\.serving\.work:\d+ > \S*test_serving_api:\d+",
        fault.getMessage(),
    )
    assert fault.exc_info is None
    assert "Hansen" not in caplog.text


class SlowClassifier:
    """Behaves like a classifier whose predictions wait for `go`."""

    def __init__(self, classifier):
        self.bundle, self.name, self.version = classifier.bundle, classifier.name, classifier.version
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self._classifier = classifier

    def predict(self, texts, titles=None):
        return self.answers(texts, titles).guesses

    def answers(self, texts, titles=None):
        self.begun.release()
        assert self.go.wait(timeout=30)
        return self._classifier.answers(texts, titles)


def test_the_probes_tell_loading_from_ready(classifier):
    slow = SlowClassifier(classifier)
    app = create_app(slow)
    with TestClient(app) as client:
        assert client.get("/livez").json() == {"status": "alive"}
        waiting = client.get("/readyz")
        assert waiting.status_code == 503
        assert "loading" in waiting.json()["detail"]
        refused = client.post("/classify", json=NURSE)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "5"
        slow.go.set()
        app.state.loading.result(timeout=10)
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.post("/classify", json=NURSE).status_code == 200


def test_a_bundle_that_cannot_be_loaded_is_never_ready_and_says_so_once(tmp_path):
    outcomes = []
    app = create_app(tmp_path / "nowhere", when_loaded=outcomes.append)
    with TestClient(app) as client:
        assert "no bundle folder" in str(app.state.loading.exception(timeout=30))
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "the model could not be loaded; the server's log says why"
        assert client.get("/livez").status_code == 200
    assert [str(outcome.exception()) for outcome in outcomes] == [str(app.state.loading.exception())]


def test_an_application_that_was_not_started_is_not_ready(classifier):
    client = TestClient(create_app(classifier))  # not entered: no lifespan
    assert client.get("/readyz").status_code == 503


def test_a_full_waiting_line_answers_429_and_the_others_are_served(classifier):
    slow = SlowClassifier(classifier)
    app = create_app(slow, Limits(waiting=1))
    with TestClient(app) as client, ThreadPoolExecutor(2) as clients:
        slow.go.set()
        app.state.loading.result(timeout=10)
        slow.begun.acquire()  # the warm-up
        slow.go.clear()
        first = clients.submit(client.post, "/classify", json=NURSE)
        assert slow.begun.acquire(timeout=10)
        second = clients.submit(client.post, "/classify", json=NURSE)
        while len(app.state.adverts) < 2:  # until the second stands in the line
            time.sleep(0.001)
        refused = client.post("/classify", json=NURSE)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert "too many requests wait" in refused.json()["detail"]
        assert client.get("/livez").status_code == 200  # probes do not wait
        assert client.get("/readyz").status_code == 200
        slow.go.set()
        assert [first.result(timeout=10).status_code, second.result(timeout=10).status_code] == [200, 200]
        assert client.post("/classify", json=NURSE).status_code == 200


def test_a_name_that_is_not_ours_is_left_out_of_a_problems_place():
    """However pydantic comes to report it: a key of the client's may itself be an advert."""
    error = {"type": "string_type", "loc": ("body", "many", "ads", 3, SECRET, "text"), "msg": "wrong"}
    assert field_problems([error]) == [FieldProblem(field="ads.3.text", problem="wrong")]

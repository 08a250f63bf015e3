"""`POST /code` over a title encoder of three words, each at right angles to the others."""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from joblens.encoders.title_features import feature_ids
from joblens.encoders.titles import Shape, TitleEncoder
from joblens.inference.classify import Classifier
from joblens.inference.code import Names, TitleCoder
from joblens.records import Coding
from joblens.serving.api import create_app
from joblens.serving.limits import Limits

SECRET = "Anna Hansen, anna@hansen.dk, 2105850001"
"""Must never come back in an error or reach a log."""

CODES = {"nurse": "2221", "midwife": "2222", "cook": "5120"}
TIMES_THREE = 1 / math.log(3)
"""A temperature at which "nurse" has the weights 3, 1 and 1: 3/5 for 2221, 4/5 with the midwife for 2."""


@pytest.fixture(scope="module")
def coder() -> TitleCoder:
    """It knows three words as wholes; any other word adds nothing."""
    rows, _ = feature_ids(list(CODES), buckets=1000, shortest=20, longest=20)
    codes, scales = np.zeros((1000, 3), np.int8), np.zeros(1000, np.float32)
    codes[rows], scales[rows] = np.eye(3), 1
    encoder = TitleEncoder(Shape(buckets=1000, dimensions=3, shortest=20, longest=20), codes, scales)
    occupations = [{"uri": f"esco/{word}", "name": word, "code": code} for word, code in CODES.items()]
    groups = {"22": "Health professionals", "2221": "Nursing professionals"}
    names = {"occupations": occupations, "groups": groups, "temperatures": [TIMES_THREE] * 4}
    return TitleCoder(encoder, np.eye(3, dtype=np.float32), Names.model_validate(names))


@pytest.fixture
def coding(classifier: Classifier, coder: TitleCoder) -> Iterator[TestClient]:
    """The application around the toy bundle and the title encoder, ready."""
    app = create_app(classifier, titles=coder)
    with TestClient(app) as client:
        app.state.coder.result(timeout=30)
        yield client


def test_a_title_gets_its_code_its_levels_and_the_nearest_occupations(coding: TestClient) -> None:
    answer = coding.post("/code", json={"titles": ["Nurse"], "nearest": 2})
    assert answer.status_code == 200
    assert answer.json() == {
        "results": [
            {
                "code": "2221",
                "name": "Nursing professionals",
                "probability": pytest.approx(3 / 5),
                "levels": [
                    {"code": "2", "probability": pytest.approx(4 / 5)},
                    {"code": "22", "probability": pytest.approx(4 / 5)},
                    {"code": "222", "probability": pytest.approx(4 / 5)},
                    {"code": "2221", "probability": pytest.approx(3 / 5)},
                ],
                "occupations": [
                    {"uri": "esco/nurse", "name": "nurse", "code": "2221", "similarity": 1.0},
                    {"uri": "esco/midwife", "name": "midwife", "code": "2222", "similarity": 0.0},
                ],
            }
        ]
    }


def test_the_server_answers_what_the_coder_does(coding: TestClient, coder: TitleCoder) -> None:
    titles = ["cook and nurse", "Midwife", "tømrer"]
    results = coding.post("/code", json={"titles": titles}).json()["results"]
    for result, found in zip(results, coder.code(titles), strict=True):
        assert (result["code"], result["name"], result["probability"]) == (
            found.code,
            found.name,
            found.probability,
        )


def test_many_titles_get_as_many_answers_in_their_order(coding: TestClient) -> None:
    titles = ["cook", "nurse", "", "midwife", "!?"] * 200  # as many as may be sent
    results = coding.post("/code", json={"titles": titles}).json()["results"]
    assert [result["code"] for result in results] == ["5120", "2221", "", "2222", ""] * 200


def test_a_title_without_words_gets_no_code(coding: TestClient) -> None:
    (result,) = coding.post("/code", json={"titles": ["!?"], "confidence": 0}).json()["results"]
    assert result == {"code": "", "name": "", "probability": 0, "levels": [], "occupations": []}


@pytest.mark.parametrize(("confidence", "code"), [(0, "2221"), (0.7, "222"), (0.9, ""), (1, "")])
def test_a_code_gets_shorter_until_it_is_sure_enough(
    coding: TestClient, confidence: float, code: str
) -> None:
    question = {"titles": ["nurse"], "confidence": confidence}
    assert coding.post("/code", json=question).json()["results"][0]["code"] == code


@pytest.mark.parametrize(("nearest", "count"), [(1, 1), (2, 2), (20, 3)])
def test_as_many_occupations_are_named_as_asked_for_and_known(
    coding: TestClient, nearest: int, count: int
) -> None:
    question = {"titles": ["nurse"], "nearest": nearest}
    assert len(coding.post("/code", json=question).json()["results"][0]["occupations"]) == count


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "titles", "Field required"),
        ({"titles": []}, "titles", "at least 1 item"),
        ({"titles": [SECRET] * 1001}, "titles", "at most 1000 items"),
        ({"titles": ["nurse", SECRET * 30]}, "titles.1", "at most 1000 characters"),
        ({"titles": ["nurse", None]}, "titles.1", "valid string"),
        ({"titles": SECRET}, "titles", "valid list"),
        ({"titles": [SECRET], "confidence": 1.5}, "confidence", "less than or equal to 1"),
        ({"titles": [SECRET], "confidence": -0.1}, "confidence", "greater than or equal to 0"),
        ({"titles": [SECRET], "confidence": SECRET}, "confidence", "should be a number"),
        ({"titles": [SECRET], "confidence": False}, "confidence", "should be a number"),
        ({"titles": [SECRET], "nearest": "3"}, "nearest", "should be a number"),
        ({"titles": [SECRET], "nearest": 0}, "nearest", "greater than or equal to 1"),
        ({"titles": [SECRET], "nearest": 21}, "nearest", "less than or equal to 20"),
        ({"titles": [SECRET], "nearest": 1.5}, "nearest", "valid integer"),
        ([SECRET], "", "expected a JSON object"),
        (SECRET, "", "expected a JSON object"),
        (None, "", "expected a JSON object"),
    ],
)
def test_a_wrong_body_is_refused_with_its_field_and_never_repeated(
    coding: TestClient, body: object, field: str, words: str
) -> None:
    answer = coding.post("/code", json=body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert words in problem["problem"]
    assert problem["field"] == field
    assert "Hansen" not in answer.text


@pytest.mark.parametrize("key", ["text", SECRET])
def test_a_key_nobody_knows_is_refused_and_never_repeated(coding: TestClient, key: str) -> None:
    answer = coding.post("/code", json={"titles": ["nurse"], key: SECRET})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert "no such field" in problem["problem"]
    assert "Hansen" not in answer.text


def test_a_misspelt_key_is_told_the_keys_of_this_question(coding: TestClient) -> None:
    answer = coding.post("/code", json={"titles": ["nurse"], "confidense": 0.5})
    (problem,) = answer.json()["detail"]
    assert "nearest is 'confidence'" in problem["problem"]
    assert "expected title and text, or ads" not in problem["problem"]


def test_behind_a_prefix_a_misspelt_key_is_told_the_same(coding: TestClient) -> None:
    server = FastAPI()
    server.mount("/jobs", coding.app)
    (problem,) = TestClient(server).post("/jobs/code", json={"title": ["nurse"]}).json()["detail"][-1:]
    assert "expected titles, confidence and nearest" in problem["problem"]


def test_no_title_reaches_the_log(coding: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="joblens"):
        assert coding.post("/code", json={"titles": [SECRET]}).status_code == 200
        assert coding.post("/code", json={"titles": SECRET}).status_code == 422
    assert "Hansen" not in caplog.text


def test_the_schema_lists_the_route_its_limits_and_every_answer(coding: TestClient) -> None:
    schema = coding.get("/openapi.json").json()
    route = schema["paths"]["/code"]["post"]
    fields = schema["components"]["schemas"]["TitleQuestion"]["properties"]
    assert set(route["responses"]) == {"200", "400", "401", "413", "415", "422", "429", "500", "503"}
    assert (fields["titles"]["minItems"], fields["titles"]["maxItems"]) == (1, 1000)
    assert fields["titles"]["items"]["maxLength"] == 1000
    assert (fields["confidence"]["minimum"], fields["confidence"]["maximum"]) == (0, 1)
    assert (fields["nearest"]["minimum"], fields["nearest"]["maximum"]) == (1, 20)
    assert (fields["confidence"]["default"], fields["nearest"]["default"]) == (0.5, 3)


def test_adverts_are_classified_beside_the_titles(coding: TestClient) -> None:
    answer = coding.post("/classify", json={"text": "Pleje og medicin på hospital."})
    assert answer.json()["results"][0]["label"] == "Sundhed"


# --- not ready, and busy ---------------------------------------------------------------------------------


def test_a_server_without_a_title_encoder_says_how_to_start_it_with_one(client: TestClient) -> None:
    answer = client.post("/code", json={"titles": ["nurse"]})
    assert answer.status_code == 503
    assert "--titles FOLDER" in answer.json()["detail"]
    assert client.get("/readyz").status_code == 200


def test_a_wrong_question_is_refused_even_without_a_title_encoder(client: TestClient) -> None:
    assert client.post("/code", json={"titles": []}).status_code == 422


def test_a_broken_title_encoder_is_told_once_and_leaves_the_classifier_alone(
    classifier: Classifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(classifier, titles=tmp_path / "nowhere")
    with caplog.at_level(logging.WARNING), TestClient(app) as client:
        assert "holds no title encoder" in str(app.state.coder.exception(timeout=30))
        answer = client.post("/code", json={"titles": ["nurse"]})
        assert answer.status_code == 503
        assert "could not be loaded; the server's log says why" in answer.json()["detail"]
        assert client.post("/code", json={"titles": ["nurse"]}).status_code == 503
        assert client.get("/readyz").status_code == 200
        assert client.post("/classify", json={"text": "Kok"}).status_code == 200
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("POST /code answers 503: ")
    assert "holds no title encoder" in warning


class SlowCoder:
    """Behaves like a coder whose answers wait for `go`."""

    def __init__(self, coder: TitleCoder) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self._coder = coder

    def code(self, titles: Sequence[str], *, confidence: float, nearest: int) -> list[Coding]:
        self.begun.set()
        assert self.go.wait(timeout=30)
        return self._coder.code(titles, confidence=confidence, nearest=nearest)


def test_titles_stand_in_a_line_of_their_own(classifier: Classifier, coder: TitleCoder) -> None:
    slow = SlowCoder(coder)
    app = create_app(classifier, Limits(waiting=0), titles=slow)
    with TestClient(app) as client, ThreadPoolExecutor(1) as clients:
        app.state.loading.result(timeout=30)
        app.state.coder.result(timeout=30)
        first = clients.submit(client.post, "/code", json={"titles": ["nurse"]})
        assert slow.begun.wait(timeout=30)
        refused = client.post("/code", json={"titles": ["nurse"]})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.post("/classify", json={"text": "Kok"}).status_code == 200
        slow.go.set()
        assert first.result(timeout=30).status_code == 200
        assert client.post("/code", json={"titles": ["nurse"]}).status_code == 200


class SlowToLoad:
    """Behaves like a classifier whose first prediction, the warm-up, waits for `go`."""

    def __init__(self, classifier: Classifier) -> None:
        self.go = threading.Event()
        self._classifier = classifier

    def predict(self, texts: Sequence[str]) -> object:
        assert self.go.wait(timeout=30)
        return self._classifier.predict(texts)


def test_a_title_encoder_that_is_still_loading_answers_503(classifier: Classifier, coder: TitleCoder) -> None:
    slow = SlowToLoad(classifier)  # the title encoder's turn comes after it
    app = create_app(slow, titles=coder)
    with TestClient(app) as client:
        try:
            assert client.post("/code", json={"titles": ["nurse"]}).status_code == 503
        finally:
            slow.go.set()
        app.state.coder.result(timeout=30)
        assert client.post("/code", json={"titles": ["nurse"]}).status_code == 200

"""The routes beside `/classify`, on the toy bundles."""

import asyncio
import math
from threading import current_thread

import polars as pl
import pytest
from fastapi.testclient import TestClient

from joblens.errors import DataError
from joblens.inference.classify import Classifier
from joblens.inference.match import vectors_of
from joblens.paths import Layout
from joblens.serving.api import create_app
from joblens.serving.monitoring import Monitor
from joblens.serving.routes import adverts
from joblens.serving.schemas import adverts as schemas
from joblens.storage import write_table, write_tensors

AD = {"title": "Kok søges", "text": "Ring til Anna Hansen på 20 30 40 50. Kok til restaurant."}


@pytest.fixture(scope="module")
def reader(make_bundle):
    """A client of a bundle whose toy extractor finds entities."""
    app = create_app(Classifier.load(make_bundle(extractor="toy"), remember=100))
    with TestClient(app) as client:
        app.state.loading.result(timeout=30)
        yield client


def test_an_extract_is_the_masked_advert_with_the_places_of_what_it_holds(client):
    (found,) = client.post("/extract", json=AD).json()["results"]
    assert found["title"] == "Kok søges"
    assert found["text"] == "Ring til [person] på [phone]. Kok til restaurant."
    assert found["entities"] == [
        {"kind": "person", "field": "text", "start": 9, "end": 17, "text": "[person]"},
        {"kind": "phone", "field": "text", "start": 21, "end": 28, "text": "[phone]"},
    ]
    # 2 words of the title, 4 + 1 + 4 of the first sentence (the number has four), 3 of the second
    assert (found["words_in"], found["words_read"], found["pii_removed"]) == (14, 14, 2)


def test_entities_are_told_with_their_places(reader):
    ads = [AD, {"text": "Vi søger en sygeplejerske."}]
    results = reader.post("/extract", json={"ads": ads}).json()["results"]
    assert len(results) == 2
    for result in results:
        for entity in result["entities"]:
            assert result[entity["field"]][entity["start"] : entity["end"]] == entity["text"]
    assert any(entity["kind"] == "occupation" for result in results for entity in result["entities"])


def test_a_guess_tells_what_the_cleaning_kept(reader):
    (result,) = reader.post("/classify", json=AD).json()["results"]
    assert {"kind": "occupation", "text": "Kok"} in result["entities"]
    assert result["pii_removed"] > 0
    assert "Hansen" not in str(result)


def test_an_explanation_names_what_speaks_for_the_guess(client):
    answer = client.post("/explain", json={"text": "En kok tjener mad", "most": 2}).json()
    (same,) = client.post("/classify", json={"text": "En kok tjener mad"}).json()["results"]
    assert answer["result"] == same
    assert 1 <= len(answer["evidence"]) <= 2
    assert {found["phrase"] for found in answer["evidence"]} <= {"kok", "tjener", "mad"}
    assert answer["without"] < same["probability"]
    assert answer["nearest"] == []


def test_an_advert_without_words_cannot_be_explained_and_says_so(client):
    answer = client.post("/explain", json={"text": " "})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["field"] == "text"
    assert "no words" in problem["problem"]


@pytest.fixture
def layout(classifier, tmp_path):
    """A project with two adverts that train and one that does not."""
    layout = Layout(tmp_path / "project")
    ids = pl.DataFrame({"id": ["cook", "nurse", "other cook"]})
    write_table(layout.ids, ids)
    write_table(layout.splits, ids.with_columns(split=pl.Series(["train", "train", "test"])))
    vectors = vectors_of(classifier, ["kok tjener mad", "nurse doctor patient", "kok tjener mad"])
    fingerprint = classifier.bundle.encoder_fingerprint
    write_tensors(layout.embeddings, {"vectors": vectors}, {"fingerprint": fingerprint})
    return layout


def test_with_a_project_the_nearest_training_adverts_are_named(classifier, layout):
    app = create_app(classifier, project=layout)
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        nearest = client.post("/explain", json={"text": "kok tjener mad"}).json()["nearest"]
        assert [(near["id"], round(near["cosine"], 4)) for near in nearest][:1] == [("cook", 1.0)]
        assert [near["id"] for near in nearest] == ["cook", "nurse"]
        layout.splits.unlink()
        assert client.post("/explain", json={"text": "kok tjener mad"}).json()["nearest"] == nearest


def test_a_project_that_lacks_a_file_is_refused_at_the_start(classifier, layout):
    layout.splits.unlink()
    app = create_app(classifier, project=layout)
    with TestClient(app) as client:
        with pytest.raises(DataError, match=r"splits\.parquet"):
            app.state.loading.result(timeout=10)
        assert client.get("/readyz").status_code == 503
        answer = client.post("/explain", json={"text": "kok tjener mad"})
    assert answer.status_code == 503
    assert str(layout.root) not in answer.text


def test_an_advert_matches_the_profile_that_reads_the_same(client):
    texts = ["kok tjener mad", "nurse doctor patient"]
    question = {
        "ads": [{"text": text} for text in texts],
        "profiles": [{"text": texts[1]}, {"text": texts[0]}, {"text": ""}],
        "cut_off": 0.99,
    }
    matches = client.post("/match", json=question).json()["matches"]
    assert [(match["ad"], match["profile"]) for match in matches] == [(0, 1), (1, 0)]
    assert all(math.isclose(match["similarity"], 1, abs_tol=1e-5) for match in matches)


@pytest.mark.parametrize(
    ("path", "part", "question"),
    [
        ("/classify", "Result", AD),
        ("/extract", "Extracted", AD),
        ("/match", "Matched", {"ads": [AD], "profiles": [AD]}),
    ],
)
def test_an_answer_is_put_together_on_the_one_side_thread(client, monkeypatch, path, part, question):
    built = []

    def build(**values):
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        built.append(current_thread().name)
        return getattr(schemas, part)(**values)

    monkeypatch.setattr(adverts, part, build)
    assert client.post(path, json=question).status_code == 200
    assert built == ["joblens-side_0"]


def test_the_labels_are_those_of_the_bundle(make_bundle):
    app = create_app(make_bundle(crosscutting=(1,)))
    with TestClient(app) as client:
        app.state.loading.result(timeout=30)
        answer = client.get("/labels").json()
    assert answer["labels"] == [
        {"label": "Byggeri", "crosscutting": False},
        {"label": "Køkken", "crosscutting": True},
        {"label": "Sundhed", "crosscutting": False},
    ]
    assert answer["model"]["labels"] == 3


def test_the_card_is_told_with_the_calibration(client, classifier):
    answer = client.get("/model").json()
    assert answer["card"] == {"made_by": "tests"}
    assert (answer["calibration"]["coverage"], answer["calibration"]["abstain_below"]) == (0.9, 0.0)
    assert answer["accuracy_at_coverage"] is None
    assert answer["model"]["version"] == classifier.version


def test_the_accuracy_of_the_surest_is_told_by_rising_share():
    from joblens.serving.routes.model import _curve

    assert [(point.coverage, point.accuracy) for point in _curve({"1.00": 0.8, "0.50": 1.0}) or ()] == [
        (0.5, 1.0),
        (1.0, 0.8),
    ]
    assert _curve({"half": 1.0}) is None
    assert _curve([]) is None


@pytest.mark.parametrize("route", ["/classify", "/extract", "/explain", "/match"])
def test_the_examples_in_the_schema_work(client, route):
    content = client.get("/openapi.json").json()["paths"][route]["post"]["requestBody"]["content"]
    examples = content["application/json"]["examples"]
    assert examples
    for example in examples.values():
        assert client.post(route, json=example["value"]).status_code == 200


def test_a_misspelt_field_is_told_the_fields_of_its_route(client):
    (problem,) = client.post("/explain", json={"text": "a", "mots": 1}).json()["detail"]
    assert problem["problem"] == "no such field; nearest is 'most'; expected title, text and most"
    (problem,) = client.post("/match", json={"ads": [AD], "profile": [AD], "profiles": [AD]}).json()["detail"]
    assert "nearest is 'profiles'" in problem["problem"]


@pytest.mark.parametrize(("language", "status"), [("da", 200), (None, 200), ("Danish", 422), ("d1", 422)])
def test_a_language_is_two_letters(client, language, status):
    assert client.post("/classify", json={"text": "Kok", "language": language}).status_code == status


def test_the_monitor_sees_every_classified_advert_with_its_vector(classifier):
    seen = []

    class Watching(Monitor):
        def answered(self, ads, guesses, vectors, seconds):
            seen.append(([ad.words_in for ad in ads], [guess.label for guess in guesses], vectors.shape[0]))
            assert seconds > 0

    app = create_app(classifier, monitor=Watching())
    with TestClient(app) as client:
        app.state.loading.result(timeout=30)
        client.post("/classify", json={"ads": [{"text": "Kok til restaurant"}, {"text": ""}]})
        client.post("/extract", json=AD)
    assert seen == [([3, 0], ["Køkken", ""], 1)]  # one of them has no words, and no vector


def test_a_client_that_leaves_while_it_waits_costs_no_work(classifier):
    """Its place in the queue is free again, and the log says 499."""
    app = create_app(classifier)
    scope = {
        "type": "http", "method": "POST", "path": "/classify", "raw_path": b"/classify", "query_string": b"",
        "headers": [(b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    sent = []

    async def leave_at_once() -> None:
        messages = [{"type": "http.request", "body": b'{"text": "Kok"}'}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        with app.state.adverts._changed:  # the model's thread cannot begin
            await app(scope, receive, send)

    with TestClient(app):
        app.state.loading.result(timeout=30)
        asyncio.run(leave_at_once())
        assert sent[0]["status"] == 499
        assert app.state.adverts.rows_waiting == 0 or app.state.adverts._jobs[0].future.cancelled()

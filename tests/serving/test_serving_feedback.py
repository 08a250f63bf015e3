"""`POST /feedback`: corrections arrive whole, without personal data, and a failing database hurts nobody."""

import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from fastapi.testclient import TestClient

from joblens.errors import ConfigError
from joblens.inference.classify import Classifier
from joblens.serving.api import create_app
from joblens.sources.feedback import TABLE, pseudonym, read_corrections

URL_ENV = "JOBLENS_FEEDBACK_URL"
PERSONAL = ("Birthe", "Kjærgaard", "birthe.kjaergaard@firma.dk", "010190-1234", "20 30 40 50")
LETTER = (
    "Vi søger en sygeplejerske. Kontakt Birthe Kjærgaard på birthe.kjaergaard@firma.dk eller "
    "tlf. 20 30 40 50. Dit CPR-nummer 010190-1234 skal stå i ansøgningen."
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(URL_ENV, f"sqlite:///{tmp_path / 'feedback.db'}")
    return tmp_path / "feedback.db"


@pytest.fixture
def listening(classifier: Classifier, file: Path) -> Iterator[TestClient]:
    """The real application with a SQLite file for feedback that is not there yet."""
    app = create_app(classifier, feedback_url_env=URL_ENV)
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        yield client


def correction(**changes: object) -> dict[str, object]:
    return {"id": "7", "title": "Kok", "text": "lav mad", "label": "Køkken", **changes}


def send(client: TestClient, *corrections: dict[str, object]):
    return client.post("/feedback", json={"corrections": list(corrections)})


def test_corrections_are_stored_as_they_were_sent(listening: TestClient) -> None:
    answer = send(
        listening,
        correction(guess="Byggeri", model_version="0a1b2c", reviewer="Anne Holm"),
        correction(id="", text="byg et tag", label="Byggeri", guess=""),
    )
    assert (answer.status_code, answer.json()) == (200, {"stored": 2})
    first, second = read_corrections(URL_ENV)
    assert (first.id, first.title, first.text, first.label) == ("7", "Kok", "lav mad", "Køkken")
    assert (first.guess, first.model_version, first.reviewer) == ("Byggeri", "0a1b2c", pseudonym("Anne Holm"))
    assert (second.id, second.label, second.guess, second.reviewer) == ("", "Byggeri", None, "")
    assert first.created_at == second.created_at


def test_personal_data_never_reaches_the_table_the_log_or_the_answer(
    listening: TestClient, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = send(
        listening,
        correction(
            title="Kontakt Birthe Kjærgaard", text=LETTER, label="Sundhed", reviewer="Birthe Kjærgaard"
        ),
    )
    assert answer.status_code == 200
    (stored,) = read_corrections(URL_ENV)
    assert "Vi søger en sygeplejerske. Kontakt [person]" in stored.text
    assert "[email]" in stored.text
    seen = file.read_bytes() + caplog.text.encode() + answer.content
    assert [piece for piece in PERSONAL if piece.encode() in seen] == []


def test_a_bundle_that_cleans_nothing_masks_feedback_all_the_same(make_bundle, file: Path) -> None:
    app = create_app(Classifier.load(make_bundle(extractor="none")), feedback_url_env=URL_ENV)
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        assert send(client, correction(text=LETTER)).status_code == 200
    assert [piece for piece in PERSONAL if piece.encode() in file.read_bytes()] == []


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        ({"label": "Fiskeri"}, "label", "not one of the model's labels"),
        ({"guess": "Fiskeri"}, "guess", "not one of the model's labels"),
        ({"id": "010190-1234"}, "id", "looks like personal data"),
        ({"id": "0101\u200b90-12\u00ad34"}, "id", "looks like personal data"),  # it is the same once stored
        ({"id": " ", "text": " ! "}, "text", "no words; give a text, or an id"),
        ({"model_version": "a b"}, "model_version", "pattern"),
    ],
)
def test_one_wrong_field_is_named_and_nothing_is_stored(
    listening: TestClient, file: Path, wrong: dict[str, str], field: str, problem: str
) -> None:
    answer = send(listening, correction(), correction(**wrong))
    assert answer.status_code == 422
    (found,) = answer.json()["detail"]
    assert found["field"] == f"corrections.1.{field}"
    assert problem in found["problem"]
    assert "Fiskeri" not in answer.text
    assert not file.exists()


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_body_full_of_unknown_fields_is_refused_without_looking_at_all_of_them(
    listening: TestClient, where: str
) -> None:
    unknown = {str(row): 1 for row in range(5_000)}
    body = {"corrections": [correction(**(unknown if where == "inside" else {}))]}
    answer = listening.post("/feedback", json=body | (unknown if where == "outside" else {}))
    assert answer.status_code == 422
    known = 4 if where == "inside" else 1
    told = answer.json()["detail"]
    assert told[-1]["problem"] == f"and {60 - known - 20} more"  # 60 are looked at, 20 are told


def test_a_server_without_a_database_answers_503_and_says_how(client: TestClient) -> None:
    answer = send(client, correction())
    assert answer.status_code == 503
    assert "--feedback-url-env" in answer.json()["detail"]


def test_a_name_without_a_url_is_refused_before_the_server_starts(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL_ENV, raising=False)
    with pytest.raises(ConfigError, match=f"{URL_ENV} is not set"):
        create_app(classifier, feedback_url_env=URL_ENV)
    with pytest.raises(ConfigError, match="--feedback-url-env should be the name") as caught:
        create_app(classifier, feedback_url_env="sqlite:///canary.db")
    assert "canary" not in str(caught.value)


def test_a_database_that_fails_is_503_and_neither_url_nor_text_is_told(
    listening: TestClient, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(URL_ENV, "postgresql://user:canary-password@127.0.0.1:1/db")
    answer = send(listening, correction(text="en kanariefugl"))
    assert answer.status_code == 503
    assert "nothing listens there" in caplog.text
    assert not [word for word in ("canary", "kanarie") if word in answer.text + caplog.text]
    monkeypatch.setenv(URL_ENV, f"sqlite:///{file}")
    assert send(listening, correction()).status_code == 200  # and it recovers


def test_a_locked_database_holds_up_no_other_route(
    listening: TestClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblens.sources.database.CONNECT_SECONDS", 3)
    assert send(listening, correction()).status_code == 200
    with sqlite3.connect(file) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(send, listening, correction())
        started = monotonic()
        assert listening.get("/livez").status_code == 200
        assert listening.post("/classify", json={"text": "kok og mad"}).status_code == 200
        assert monotonic() - started < 2
        assert not waiting.done()
        assert waiting.result().status_code == 503
        other.execute(f"DELETE FROM {TABLE}")
    assert send(listening, correction(id="8")).status_code == 200
    assert [one.id for one in read_corrections(URL_ENV)] == ["8"]

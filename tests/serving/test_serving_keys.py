import hashlib

import pytest
from fastapi.testclient import TestClient

from joblens.errors import ConfigError
from joblens.serving.api import create_app
from joblens.serving.keys import OPEN, read_digests

KEYS = ("first-key", "second key")
DIGESTS = tuple(hashlib.sha256(key.encode()).hexdigest() for key in KEYS)
NURSE = {"title": "Sygeplejerske", "text": "Pleje og medicin på hospital."}


@pytest.fixture
def locked(classifier):
    app = create_app(classifier, key_digests=DIGESTS)
    with TestClient(app) as client:
        app.state.loading.result(timeout=30)
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer first-key"},
        {"Authorization": "bearer second key"},
        {"X-API-Key": "first-key"},
        {"X-API-Key": "wrong", "Authorization": "Bearer first-key"},
    ],
)
def test_any_of_the_keys_opens_in_either_header(locked, headers):
    assert locked.post("/classify", json=NURSE, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic first-key"},
        {"Authorization": "first-key"},
        {"X-API-Key": ""},
        {"X-API-Key": DIGESTS[0]},
        {"X-API-Key": "first-key "[:-2]},
    ],
)
@pytest.mark.parametrize("route", ["/classify", "/nowhere", "/openapi.json"])
def test_without_one_there_is_401_whatever_is_asked(locked, headers, route):
    answer = locked.post(route, content=b"x" * 2_000_000, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "API key" in answer.json()["detail"]
    assert DIGESTS[0] not in answer.text


def test_probes_need_no_key(locked):
    assert locked.get("/livez").status_code == 200
    assert locked.get("/readyz").status_code == 200


def test_without_digests_nothing_is_locked(client):
    assert client.post("/classify", json=NURSE).status_code == 200


def test_digests_come_from_the_environment_with_commas_between(monkeypatch):
    monkeypatch.setenv("KEYS", f" {DIGESTS[0].upper()}, {DIGESTS[1]},")
    assert read_digests("KEYS") == DIGESTS
    monkeypatch.setenv("KEYS", "")
    assert read_digests("KEYS") == ()
    monkeypatch.delenv("KEYS")
    assert read_digests("KEYS") == ()


def test_a_key_in_place_of_a_digest_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("KEYS", f"{DIGESTS[0]},first-key")
    with pytest.raises(ConfigError, match="entry 2 of the environment variable KEYS") as refusal:
        read_digests("KEYS")
    assert "first-key" not in str(refusal.value)


def test_the_schema_names_both_headers_where_a_key_is_needed(locked, client):
    schema = locked.get("/openapi.json", headers={"X-API-Key": KEYS[0]}).json()
    schemes = schema["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["header"]["type"], schemes["header"]["name"]) == ("apiKey", "X-API-Key")
    routes = {path: next(iter(methods.values())) for path, methods in schema["paths"].items()}
    either = [{"bearer": []}, {"header": []}]
    assert {path for path, route in routes.items() if route.get("security") != either} == OPEN
    assert "securitySchemes" not in client.get("/openapi.json").json()["components"]

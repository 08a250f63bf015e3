import json
import logging
import re

import pytest
from fastapi.testclient import TestClient

from joblens.serving.api import create_app

ID = "0b5c1a52-7f0e-4c2e-9d55-2f6a3a1c9e77"
NURSE = {"title": "Sygeplejerske", "text": "Pleje og medicin på hospital."}


def lines(caplog):
    return [
        json.loads(record.message) for record in caplog.records if record.name == "joblens.serving.access"
    ]


def test_each_request_is_one_line_with_the_route_and_without_what_was_in_it(client, caplog):
    with caplog.at_level(logging.INFO, logger="joblens"):
        client.post("/classify?name=Hansen", json={"ads": [NURSE, NURSE]}, headers={"X-Request-ID": ID})
        client.get("/Hansen")
        client.request("HANSEN", "/classify")
    first, second, third = lines(caplog)
    assert first.pop("ms") > 0
    assert first == {
        "method": "POST", "route": "/classify", "status": 200, "adverts": 2, "request_id": ID,
    }  # fmt: skip
    assert (second["method"], second["route"], second["status"]) == ("GET", "", 404)
    assert (third["method"], third["status"]) == ("OTHER", 405)
    assert "Hansen" not in caplog.text
    assert "HANSEN" not in caplog.text


def test_probes_are_logged_for_debugging_only(client, caplog):
    with caplog.at_level(logging.INFO, logger="joblens"):
        client.get("/livez")
        client.get("/readyz")
    assert lines(caplog) == []
    with caplog.at_level(logging.DEBUG, logger="joblens"):
        client.get("/livez")
    assert [line["route"] for line in lines(caplog)] == ["/livez"]


@pytest.mark.parametrize("sent", [ID, ID.replace("-", "").upper(), "01K9WZJ5E8C7Q2V4N6T8Y0R3SM"])
def test_a_request_id_that_a_machine_has_made_is_answered_as_it_came(client, sent):
    assert client.get("/livez", headers={"X-Request-ID": sent}).headers["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "abc-1",
        f"{ID}0",
        "2105850001",
        "0045203040510000",
        "sk-live-4f9a",
        "AnnaHansenFraAarhusogNabo",
        '{"a":1}',
    ],
)
def test_any_other_request_id_is_replaced(client, sent):
    answered = client.get("/livez", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_refusals_carry_the_request_id_too(client):
    answer = client.post("/classify", content=b"x" * 2_000_000, headers={"X-Request-ID": ID})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (413, ID)


def test_browsers_may_ask_only_from_the_pages_that_are_named(classifier, client):
    origin = {"Origin": "https://jobs.example"}
    assert "access-control-allow-origin" not in client.get("/livez", headers=origin).headers
    with TestClient(create_app(classifier, cors_origins=["https://jobs.example"])) as asked:
        preflight = {**origin, "Access-Control-Request-Method": "POST"}
        assert asked.options("/classify", headers=preflight).status_code == 200
        allowed = asked.get("/livez", headers=origin).headers
        other = asked.get("/livez", headers={"Origin": "https://other.example"}).headers
    assert allowed["access-control-allow-origin"] == "https://jobs.example"
    assert "access-control-allow-origin" not in other

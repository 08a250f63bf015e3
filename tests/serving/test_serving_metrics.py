"""`/metrics` of the real application: what clients did shows, and no word of an advert does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from joblens.inference.classify import Classifier
from joblens.models.bundle import Snapshot, read_bundle, write_bundle
from joblens.serving.api import create_app
from joblens.serving.drift import Window
from joblens.serving.limits import Limits
from joblens.serving.monitoring import Monitor

SECRET = "Hemmelighansen"


def samples(client):
    """Each sample by its name and its labels' values, which are ordered by the labels' names."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_adverts_and_their_labels_add_up(client):
    client.post("/classify", json={"text": "vi søger en tømrer til tag og væg"})
    client.post("/classify", json={"ads": [{"text": "kok og tjener med mad"}, {"text": ""}]})
    found = samples(client)
    assert found["joblens_adverts_total", "Byggeri"] == 1
    assert found["joblens_adverts_total", "Køkken"] == 1
    assert found["joblens_adverts_total", "Sundhed"] == 0
    assert found["joblens_abstained_total", "no_text"] == 1
    assert found["joblens_batch_adverts_sum",] == 3
    assert found["http_request_duration_seconds_count", "POST", "/classify", "200"] == 2
    assert found["joblens_queue_depth",] == 0


def test_personal_data_taken_out_is_counted_and_not_shown(client):
    client.post("/classify", json={"text": "ring til os på anna@example.dk om jobbet som tømrer"})
    assert samples(client)["joblens_pii_removed_total",] >= 1
    assert "anna" not in client.get("/metrics").text


def test_no_word_that_a_client_sent_is_in_the_answer(client):
    client.post("/classify", json={"title": SECRET, "text": f"tømrer {SECRET}"})
    client.post(f"/classify?name={SECRET}", json={"text": "x", SECRET: 1})
    client.get(f"/{SECRET}")
    client.get(f"/labels/{SECRET}")
    client.get("/livez", headers={"X-Request-ID": SECRET, "User-Agent": SECRET, "X-API-Key": SECRET})
    client.request(SECRET.upper(), "/classify")
    assert SECRET.lower() not in client.get("/metrics").text.lower()


def test_refusals_count_by_reason(classifier):
    app = create_app(classifier, Limits(body_bytes=300))
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        client.post("/classify", json={"text": "x" * 400})
        client.post("/classify", json={"words": "x"})
        found = samples(client)
    assert found["joblens_refusals_total", "too_large", "/classify"] == 1
    assert found["joblens_refusals_total", "wrong_field", "/classify"] == 1
    assert found["http_request_size_bytes_count", "POST", "/classify"] == 2


def test_metrics_need_no_key_and_are_there_before_the_model(tmp_path):
    app = create_app(tmp_path / "no bundle", key_digests=["0" * 64])
    with TestClient(app) as client:
        found = samples(client)
    assert found["joblens_ready",] == 0


def test_the_model_is_named(client, classifier):
    answer = client.get("/metrics").text
    assert f'version="{classifier.version}"' in answer
    assert samples(client)["joblens_ready",] == 1


def test_the_openapi_document_names_the_route(client):
    described = client.get("/openapi.json").json()["paths"]["/metrics"]["get"]
    assert list(described["responses"]["200"]["content"]) == ["text/plain"]


def test_every_series_that_many_clients_make_stays_bounded(client):
    """Other texts, queries and paths make no new series."""

    def ask(number):
        client.post("/classify", json={"text": f"tømrer {number}"}, params={"n": number})
        client.get(f"/nowhere/{number}")

    ask(0)
    samples(client)  # the first answer does not count itself yet
    before = len(samples(client))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(40)))
    assert len(samples(client)) == before


@pytest.fixture(scope="module")
def watched_bundle(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy bundle with a snapshot of adverts of all three labels in equal parts."""
    vectors = Classifier.load(bundle_folder).answers([advert(row) for row in range(150)]).vectors
    counts = torch.tensor([50, 50, 50])
    folder = tmp_path_factory.mktemp("models") / "watched"
    bundle = replace(read_bundle(bundle_folder), snapshot=Snapshot(vectors.half(), counts, 0))
    write_bundle(folder, bundle)
    return folder


def advert(row, about=None):
    """The text of an advert: three words of its label, which ones by its number."""
    words = (
        "tømrer murer tag hus hammer væg beton".split(),
        "kok tjener mad restaurant gryde menu servering".split(),
        "sygeplejerske læge patient hospital pleje medicin nurse".split(),
    )[row % 3 if about is None else about]
    return f"{words[row % 7]} {words[row // 7 % 7]} {words[row // 3 % 7]}"


def drift_after(bundle, texts):
    monitor = Monitor(Window(adverts=300, fewest=100, every=100, seconds=0.0))
    app = create_app(bundle, monitor=monitor)
    with TestClient(app) as client:
        app.state.loading.result(timeout=20)
        for start in range(0, len(texts), 100):
            client.post("/classify", json={"ads": [{"text": text} for text in texts[start : start + 100]]})
        for _ in range(400):
            found = samples(client)
            if found["joblens_drift_window_adverts",] == len(texts):
                return found
            time.sleep(0.05)
    raise AssertionError("drift was not measured within 20 s")


def test_adverts_like_those_of_the_training_leave_the_gauges_low(watched_bundle):
    found = drift_after(watched_bundle, [advert(row) for row in range(300, 400)])
    assert found["joblens_drift_label_psi",] < found["joblens_drift_label_psi_by_chance",]
    assert found["joblens_drift_auc",] < 0.65


def test_adverts_of_one_label_raise_both_gauges(watched_bundle):
    found = drift_after(watched_bundle, [advert(row, about=2) for row in range(300, 400)])
    assert found["joblens_drift_label_psi",] > 0.25 > found["joblens_drift_label_psi_by_chance",]
    assert found["joblens_drift_auc",] > 0.7  # at best 5/6: a third of the training is the same


def test_an_older_bundle_is_served_without_drift(client):
    assert samples(client)["joblens_drift_reference_adverts",] == 0

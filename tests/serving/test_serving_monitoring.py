"""What `/metrics` says: numbers that add up, closed lists of label values, and nothing of an advert."""

from dataclasses import replace

import pytest
import torch
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from joblens.inference.classify import Classifier
from joblens.models.bundle import Snapshot
from joblens.records import CleanAd, Guess
from joblens.serving.drift import Window
from joblens.serving.monitoring import Monitor

LABELS = ("Byggeri", "Køkken", "Sundhed")


@pytest.fixture
def monitor():
    monitor = Monitor(Window(adverts=200, fewest=10, every=10, seconds=0.0))
    yield monitor
    monitor.close()


@pytest.fixture
def client(monitor):
    app = FastAPI()

    @app.post("/ads/{name}")
    async def ads(name: str, request: Request) -> int:
        return len(await request.body())

    @app.get("/refuse/{status}")
    def refuse(status: int) -> None:
        raise HTTPException(status, "no")

    @app.get("/depth")
    def depth() -> float:
        return value(monitor, "http_requests_in_flight")

    monitor.attach(app)
    return TestClient(app)


def samples(monitor):
    """Each sample of the answer by its name and labels, which are ordered by their names."""
    text = TestClient(app_of(monitor)).get("/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def app_of(monitor):
    app = FastAPI()
    app.add_api_route("/metrics", monitor._answer)
    return app


def value(monitor, *name):
    return samples(monitor)[name]


def guess(label, probability=0.8, abstained=False):
    return Guess(label, probability, ((label, probability),), (label,), abstained=abstained)


def ad(words_in=10, words_read=10, pii_removed=0):
    return CleanAd("0", "", (), (), (), "x", words_in, words_read, pii_removed)


def with_snapshot(classifier):
    dice = torch.Generator().manual_seed(0)
    found = Snapshot(torch.randn(100, 64, generator=dice).half(), torch.tensor([40, 40, 20]), abstained=5)
    return Classifier(
        replace(classifier.bundle, snapshot=found),
        classifier._extractor,
        classifier._encoder,
        name=classifier.name,
        version=classifier.version,
    )


def test_a_request_counts_once_under_the_template_of_its_route(client, monitor):
    client.post("/ads/one?text=hemmeligt", content=b"x" * 700)
    client.post("/ads/two", content=b"x" * 300)
    found = samples(monitor)
    assert found["http_request_duration_seconds_count", "POST", "/ads/{name}", "200"] == 2
    assert found["http_request_size_bytes_count", "POST", "/ads/{name}"] == 2
    assert found["http_request_size_bytes_sum", "POST", "/ads/{name}"] == 1000


def test_no_path_query_or_made_up_method_becomes_a_label(client, monitor):
    client.get("/hemmeligt")
    client.post("/ads/hemmeligt?q=hemmeligt", headers={"user-agent": "hemmeligt"})
    client.request("HEMMELIGT", "/ads/x")
    assert "hemmeligt" not in client.get("/metrics").text.lower()
    found = samples(monitor)
    assert found["http_request_duration_seconds_count", "GET", "none", "404"] == 1
    assert found["http_request_duration_seconds_count", "OTHER", "/ads/{name}", "405"] == 1


def test_requests_at_hand_are_counted_while_they_run(client, monitor):
    assert client.get("/depth").json() == 1
    assert value(monitor, "http_requests_in_flight") == 0


@pytest.mark.parametrize(
    ("status", "reason"), [(413, "too_large"), (429, "busy"), (503, "unavailable"), (401, "no_key")]
)
def test_a_refusal_counts_by_its_reason(client, monitor, status, reason):
    client.get(f"/refuse/{status}")
    assert value(monitor, "joblens_refusals_total", reason, "/refuse/{status}") == 1


def test_a_missing_page_is_no_refusal(client, monitor):
    client.get("/refuse/404")
    assert not [name for name in samples(monitor) if name[0] == "joblens_refusals_total"]


def test_the_answer_is_what_prometheus_reads(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"process_resident_memory_bytes", "python_info", "joblens_queue_depth"} <= names


def test_two_applications_in_a_process_count_apart(client, monitor):
    other = Monitor()
    client.get("/refuse/429")
    assert not [name for name in samples(other) if name[0] == "joblens_refusals_total"]
    other.close()


def test_the_line_is_read_when_asked(monitor):
    waiting = [1, 2]
    monitor.watch_line(lambda: len(waiting), places=17)
    assert value(monitor, "joblens_queue_depth") == 2
    waiting.clear()
    assert value(monitor, "joblens_queue_depth") == 0
    assert value(monitor, "joblens_queue_places") == 17


def test_a_loaded_model_is_named_and_its_labels_start_at_zero(monitor, classifier):
    assert value(monitor, "joblens_ready") == 0
    monitor.loaded(classifier)
    found = samples(monitor)
    names = [name[1:] for name in found if name[0] == "joblens_model_info"]
    assert [set(values) for values in names] == [{classifier.name, classifier.version, "hashed-words", "3"}]
    assert [found["joblens_adverts_total", label] for label in LABELS] == [0, 0, 0]
    assert found["joblens_ready",] == 1


def test_guesses_add_up(monitor, classifier):
    monitor.loaded(classifier)
    guesses = [guess("Byggeri"), guess("Byggeri", 0.3, abstained=True), guess("Køkken"), guess("", 0.0, True)]
    ads = [ad(10, 9, 1), ad(20, 20), ad(30, 30, 2), ad(0, 0)]
    monitor.answered(ads, guesses, torch.zeros(3, 64), seconds=0.2)
    found = samples(monitor)
    assert [found["joblens_adverts_total", label] for label in LABELS] == [2, 1, 0]
    assert found["joblens_abstained_total", "unsure"] == 1
    assert found["joblens_abstained_total", "no_text"] == 1
    assert found["joblens_words_in_total",] == 60
    assert found["joblens_words_read_total",] == 59
    assert found["joblens_pii_removed_total",] == 3
    assert found["joblens_batch_adverts_sum",] == 4
    assert found["joblens_batch_adverts_count",] == 1
    assert found["joblens_batch_seconds_sum",] == pytest.approx(0.2)
    assert found["joblens_probability_count",] == 3
    assert found["joblens_probability_sum",] == pytest.approx(1.9)


def test_without_a_snapshot_drift_stays_unknown(monitor, classifier):
    monitor.loaded(classifier)
    monitor.answered([ad()] * 20, [guess("Byggeri")] * 20, torch.zeros(20, 64), seconds=0.1)
    found = samples(monitor)
    assert found["joblens_drift_reference_adverts",] == 0
    assert found["joblens_drift_auc",] != found["joblens_drift_auc",]  # NaN
    assert found["joblens_drift_label_psi",] != found["joblens_drift_label_psi",]


def test_adverts_that_differ_from_the_training_raise_the_gauges(monitor, classifier):
    monitor.loaded(with_snapshot(classifier))
    dice = torch.Generator().manual_seed(1)
    moved = torch.randn(150, 64, generator=dice) + 1
    monitor.answered([ad()] * 150, [guess("Sundhed")] * 150, moved, seconds=0.1)
    for _ in range(200):
        if value(monitor, "joblens_drift_window_adverts"):
            break
        monitor._drift._closing.wait(0.05)
    found = samples(monitor)
    assert found["joblens_drift_window_adverts",] == 150
    assert found["joblens_drift_reference_adverts",] == 100
    assert found["joblens_drift_auc",] > 0.9
    assert found["joblens_drift_label_psi",] > 0.25 > found["joblens_drift_label_psi_by_chance",]
    assert found["joblens_drift_measured_timestamp_seconds",] > 1.7e9

"""`GET /metrics`: what the server does, as Prometheus reads it. Numbers only: no text, no query strings.

Every label value comes from a closed list: route templates, methods, statuses, the model's labels.
"""

import logging
from collections.abc import Callable, Sequence
from math import nan
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_fastapi_instrumentator import metrics
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware

from joblens.serving.access import known_method
from joblens.serving.drift import Drift, DriftWatch, Window

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from torch import Tensor

    from joblens.inference.classify import Classifier
    from joblens.records import CleanAd, Guess

logger = logging.getLogger(__name__)

REASONS = {
    "400": "unreadable",
    "401": "no_key",
    "413": "too_large",
    "415": "encoding",
    "422": "wrong_field",
    "429": "busy",
    "503": "unavailable",
}
"""Why a request was refused, by the status it got."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BYTES = (1e2, 1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 1e7)
_ADVERTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_RECEIVED, _ANSWERED = "joblens.received", "joblens.answered"  # keys of the ASGI scope


class Monitor:
    """The numbers of one application, in a registry of its own, so that a process may have several."""

    def __init__(self, window: Window | None = None) -> None:
        self.registry = registry = CollectorRegistry()
        self._window = window
        self._drift: DriftWatch | None = None
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        by_route = ("route", "method")
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time from a request's first byte to its answer's last.",
            (*by_route, "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.bytes = Histogram(
            "http_request_size_bytes",
            "Bytes of request bodies, as received.",
            by_route,
            buckets=_BYTES,
            registry=registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered.", registry=registry)
        self.refusals = Counter(
            "joblens_refusals", "Requests refused, by reason.", ("route", "reason"), registry=registry
        )
        self._add_model_numbers(registry)
        self._add_drift_numbers(registry)

    def _add_model_numbers(self, registry: CollectorRegistry) -> None:
        self.queue_depth = Gauge(
            "joblens_queue_depth", "Requests that hold or wait for the model.", registry=registry
        )
        self.queue_places = Gauge(
            "joblens_queue_places", "Requests that may hold or wait for the model.", registry=registry
        )
        self.batch_adverts = Histogram(
            "joblens_batch_adverts",
            "Adverts that one run of the model read.",
            buckets=_ADVERTS,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "joblens_batch_seconds", "Time of one run of the model.", buckets=_SECONDS, registry=registry
        )
        self.adverts = Counter(
            "joblens_adverts", "Adverts classified, by guessed label.", ("label",), registry=registry
        )
        self.abstained = Counter(
            "joblens_abstained", "Adverts that a person should see.", ("reason",), registry=registry
        )
        for reason in ("unsure", "no_text"):
            self.abstained.labels(reason)
        self.probability = Histogram(
            "joblens_probability",
            "Calibrated probability of the guessed label.",
            buckets=_PROBABILITIES,
            registry=registry,
        )
        self.words_in = Counter("joblens_words_in", "Words of adverts as they came.", registry=registry)
        self.words_read = Counter(
            "joblens_words_read", "Words of adverts that the cleaning read.", registry=registry
        )
        self.pii_removed = Counter(
            "joblens_pii_removed", "Pieces of personal data taken out of adverts.", registry=registry
        )
        self.model = Info("joblens_model", "The bundle that answers.", registry=registry)
        self.ready = Gauge("joblens_ready", "1 once the model is loaded and warm.", registry=registry)

    def _add_drift_numbers(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, said: str, value: float = nan) -> Gauge:
            found = Gauge(f"joblens_drift_{name}", said, registry=registry)
            found.set(value)
            return found

        self.label_psi = gauge("label_psi", "Population stability index of guessed labels; NaN: too few yet.")
        self.label_psi_by_chance = gauge(
            "label_psi_by_chance", "What the index stays below 99 % of the time when nothing moved."
        )
        self.auc = gauge("auc", "How well a classifier tells new adverts from training ones: 0.5 to 1.")
        self.drift_adverts = gauge("window_adverts", "Adverts compared in the last measurement.", 0)
        self.reference_adverts = gauge(
            "reference_adverts", "Training vectors of the snapshot; 0: the bundle has none.", 0
        )
        self.measured = gauge("measured_timestamp_seconds", "When drift was measured last.", 0)

    def attach(self, app: FastAPI) -> None:
        """Add `/metrics` and count requests from here on in: call it after other middleware was added."""
        app.add_middleware(
            PrometheusInstrumentatorMiddleware,
            should_group_status_codes=False,
            instrumentations=[self._count_request],
            registry=self.registry,
        )
        app.add_middleware(_InFlight, gauge=self.in_flight)
        app.add_api_route(
            "/metrics",
            self._answer,
            methods=["GET"],
            tags=["probes"],
            summary="Metrics",
            response_class=Response,
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        )

    def watch_line(self, depth: Callable[[], int], places: int) -> None:
        """Read how many requests hold or wait for the model, of how many that may, from now on."""
        self.queue_depth.set_function(depth)
        self.queue_places.set(places)

    def loaded(self, classifier: "Classifier") -> None:
        """Say which model answers, and start to watch for drift when its bundle has a snapshot."""
        bundle = classifier.bundle
        self.model.info(
            {
                "name": classifier.name,
                "version": classifier.version,
                "encoder": bundle.embedding.name,
                "labels": str(len(bundle.labels)),
            }
        )
        for label in bundle.labels:
            self.adverts.labels(label)
        self.ready.set(1)
        if bundle.snapshot is None:
            logger.info("drift is not watched: the bundle has no snapshot; train again to get one")
            return
        self.reference_adverts.set(len(bundle.snapshot.vectors))
        self._drift = DriftWatch(bundle.snapshot, bundle.labels, self._remember_drift, self._window)

    def answered(
        self, ads: "Sequence[CleanAd]", guesses: "Sequence[Guess]", vectors: "Tensor", seconds: float
    ) -> None:
        """Count one run of the model.

        Args:
            ads: N adverts as they were read.
            guesses: N guesses, in their order.
            vectors: (n, D) of the adverts that got a label, in their order.
            seconds: How long it took.
        """
        self.batch_adverts.observe(len(ads))
        self.batch_seconds.observe(seconds)
        for guess in guesses:
            if guess.label:
                self.adverts.labels(guess.label).inc()
                self.probability.observe(guess.probability)
            if guess.abstained:
                self.abstained.labels("unsure" if guess.label else "no_text").inc()
        self.words_in.inc(sum(ad.words_in for ad in ads))
        self.words_read.inc(sum(ad.words_read for ad in ads))
        self.pii_removed.inc(sum(ad.pii_removed for ad in ads))
        if self._drift is not None:
            self._drift.saw(guesses, vectors)

    def close(self) -> None:
        """Stop watching."""
        self.ready.set(0)
        if self._drift is not None:
            self._drift.close()

    async def _answer(self) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

    def _remember_drift(self, found: Drift) -> None:
        self.label_psi.set(found.label_psi)
        self.label_psi_by_chance.set(found.label_psi_by_chance)
        self.auc.set(found.auc)
        self.drift_adverts.set(found.adverts)
        self.measured.set_to_current_time()

    def _count_request(self, info: metrics.Info) -> None:
        route = info.modified_handler  # the template; `none` for what is no route
        scope = info.request.scope
        method = known_method(scope)
        status = info.modified_status if scope.get(_ANSWERED) else "499"  # nobody waited for the answer
        self.seconds.labels(route, method, status).observe(info.modified_duration)
        self.bytes.labels(route, method).observe(scope.get(_RECEIVED, 0))
        if status in REASONS:
            self.refusals.labels(route, REASONS[status]).inc()


class _InFlight:
    """ASGI middleware that counts requests at hand, and the bytes of each body as they arrive."""

    def __init__(self, app: "ASGIApp", *, gauge: Gauge) -> None:
        self.app = app
        self.gauge = gauge

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[_RECEIVED], scope[_ANSWERED] = 0, False

        async def watch(message: "Message") -> None:
            scope[_ANSWERED] = True
            await send(message)

        async def count() -> "Message":
            message = await receive()
            scope[_RECEIVED] += len(message.get("body", b""))
            return message

        with self.gauge.track_inprogress():
            await self.app(scope, count, watch)

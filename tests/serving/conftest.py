"""A small real bundle: toy encoder, pattern cleaning, a linear network trained on the spot in a blink."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient

from joblens.config import Classifier as ClassifierSection
from joblens.config import Cleaning, Compute, Embedding
from joblens.encoders.toy import ToyEncoder
from joblens.extractors import build_extractor
from joblens.inference.classify import Classifier
from joblens.models.bundle import Bundle, Snapshot, write_bundle
from joblens.models.calibration import Calibration
from joblens.models.network import build_network
from joblens.serving.api import create_app

WORDS = {
    "Byggeri": "tømrer murer tag hus hammer væg beton carpenter bricklayer roof house hammer wall concrete",
    "Køkken": "kok tjener mad restaurant gryde menu servering chef waiter food restaurant pot menu kitchen",
    "Sundhed": "sygeplejerske læge patient hospital pleje medicin nurse doctor patient hospital care ward",
}
LABELS = tuple(WORDS)
DIMENSIONS = 64

MakeBundle = Callable[..., Path]


@cache
def _trained_network() -> torch.nn.Module:
    """Logistic regression on every single word of each label."""
    encoder = ToyEncoder(dimensions=DIMENSIONS, seed=1)
    texts = [word for words in WORDS.values() for word in words.split()]
    labels = torch.tensor([row for row, words in enumerate(WORDS.values()) for _ in words.split()])
    vectors = encoder.encode(texts)
    torch.manual_seed(0)
    network = build_network(DIMENSIONS, len(WORDS), hidden=(), dropout=0.0)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(vectors), labels).backward()
        optimiser.step()
    return network.eval()


def _snapshot() -> Snapshot:
    """Every single word of the labels, each guessed to be of its label."""
    texts = [word for words in WORDS.values() for word in words.split()]
    counts = torch.tensor([len(words.split()) for words in WORDS.values()])
    vectors = ToyEncoder(dimensions=DIMENSIONS, seed=1).encode(texts).half()
    return Snapshot(vectors=vectors, label_counts=counts, abstained=0)


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> MakeBundle:
    """Write a toy bundle: `make_bundle(abstain_below=0.9, uses_title=False)`."""

    def make(
        *,
        name: str = "classifier",
        abstain_below: float = 0.0,
        uses_title: bool = True,
        extractor: str = "patterns",
        html: bool = True,
        fingerprint: str | None = None,
        extractor_fingerprint: str | None = None,
        crosscutting: tuple[int, ...] = (),
        set_threshold: float = 0.05,
        snapshot: bool = False,
    ) -> Path:
        folder = tmp_path_factory.mktemp("models") / name
        cleaning = Cleaning(extractor=extractor)
        used = build_extractor(cleaning, Compute(device="cpu", workers=1, encode_batch_size=1))
        bundle = Bundle(
            network=_trained_network(),
            labels=LABELS,
            cleaning=cleaning,
            embedding=Embedding(
                encoder="toy", model="hashed-words", dimensions=DIMENSIONS, max_tokens=256, seed=1
            ),
            classifier=ClassifierSection(
                dropout=0.0,
                learning_rate=0.05,
                weight_decay=0.0,
                batch_size=32,
                max_epochs=100,
                patience=5,
                loss="cross_entropy",
                class_weights="none",
                seed=0,
            ),
            encoder_fingerprint=fingerprint or ToyEncoder(dimensions=DIMENSIONS, seed=1).fingerprint,
            extractor_fingerprint=extractor_fingerprint or used.fingerprint,
            calibration=Calibration(
                temperature=1.0, set_threshold=set_threshold, abstain_below=abstain_below, coverage=0.9
            ),
            uses_title=uses_title,
            html=html,
            card={"made_by": "tests"},
            crosscutting=crosscutting,
            snapshot=_snapshot() if snapshot else None,
        )
        write_bundle(folder, bundle)
        return folder

    return make


@pytest.fixture(scope="session")
def bundle_folder(make_bundle: MakeBundle) -> Path:
    """A toy bundle with three labels that always answers."""
    return make_bundle()


@pytest.fixture(scope="session")
def classifier(bundle_folder: Path) -> Classifier:
    """The toy bundle, loaded."""
    return Classifier.load(bundle_folder)


@pytest.fixture
def client(classifier: Classifier) -> Iterator[TestClient]:
    """The real application around the loaded toy bundle, ready."""
    app = create_app(classifier)
    with TestClient(app) as client:
        app.state.loading.result(timeout=10)
        yield client

"""One classifier for all tests of this folder, trained on the sample."""

from pathlib import Path

import pytest

from joblens.config import compose
from joblens.inference.classify import Classifier
from joblens.paths import Layout
from joblens.pipeline import run_stage
from joblens.sources.sample import write_sample

ADS, SEED = 900, 7  # as in data/sample
# Hashed words learn both languages from 900 adverts in seconds; MiniLM, which is English, takes a minute or
# more to read them. 1,024 places keep most words apart from each other.
OVERRIDES = ("embedding=toy", "embedding.dimensions=1024", "classifier=linear", "cleaning=patterns")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Classifier:
    """Trained once, by the stages that users run."""
    layout = Layout(tmp_path_factory.mktemp("behaviour"))
    write_sample(layout.root / "data/sample", ads=ADS, seed=SEED)
    config = compose(
        ["experiment=demo", *OVERRIDES, "tracking=none", "compute=cpu", f"seed={SEED}"],
        repository / "configs",
    )
    for stage in ("ingest", "clean", "split", "embed", "train"):
        run_stage(stage, config, layout)
    return Classifier.load(layout.classifier, device="cpu")

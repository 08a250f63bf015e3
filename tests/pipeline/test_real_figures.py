"""The figures on real adverts, `ingest` to `evaluate`, against what is known of the two data sets."""

import os
from pathlib import Path
from typing import Any

import pytest

from joblens.config import compose
from joblens.paths import Layout
from joblens.pipeline import STAGES, run_stage
from joblens.storage import read_json

pytestmark = [pytest.mark.real, pytest.mark.slow]

# 2,037 adverts of job sites in the Philippines, 24 areas of at least ten.
PHILIPPINE = "ph_ads.csv.gz"
# 776 adverts of Adzuna in the United Kingdom, four areas of about the same size.
BRITISH = "uk_ads_4.csv.gz"


def figures(name: str, folder: Path, repository: Path, *overrides: str) -> tuple[dict[str, Any], Layout]:
    """Run all stages on a CSV of real adverts and return what `metrics.json` says."""
    columns = ("data.text=description", "data.title=title", "data.label=category")
    path = Path(os.environ["JOBLENS_REAL_DATA"]) / "ads" / name
    shared = (
        "cleaning=patterns",
        "evaluation.cross_validation=false",
        "evaluation.bootstrap=100",
        "tracking=none",
        "compute=cpu",
    )
    config = compose(["data=csv", f"data.path={path}", *columns, *shared, *overrides], repository / "configs")
    layout = Layout(folder)
    for stage in STAGES:
        run_stage(stage, config, layout)
    return read_json(layout.metrics), layout


@pytest.fixture(scope="module")
def philippine(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[dict[str, Any], Layout]:
    """Hashed words stand in for MiniLM: the lexical model, which is judged here, reads no vectors."""
    folder = tmp_path_factory.mktemp("philippine")
    return figures(
        PHILIPPINE, folder, repository, "data.min_class_size=10", "embedding=toy", "embedding.windows=1"
    )


@pytest.fixture(scope="module")
def british(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[dict[str, Any], Layout]:
    """MiniLM on the first window of each advert, the default network on top."""
    folder = tmp_path_factory.mktemp("british")
    return figures(BRITISH, folder, repository, "embedding=minilm", "embedding.windows=1")


def test_every_philippine_advert_is_kept_or_counted_as_dropped(philippine):
    metrics, layout = philippine
    counts = read_json(layout.ads_counts)
    assert (counts["rows_read"], counts["kept"]) == (2_037, 1_983)
    assert sum(counts["dropped"].values()) == 54  # 2,037 - 1,983: in classes of fewer than ten
    data = metrics["data"]
    assert (data["rows"], data["classes"]) == (1_983, 24)
    assert data["train"] + data["validation"] + data["test"] == 1_983


def test_the_lexical_model_reaches_what_others_reached_on_philippine_adverts(philippine):
    # TF-IDF and an SVM reach accuracy 0.676 and macro-F1 0.487 here, on the mean of random 70/30 splits.
    # Ours is one split, in which near-duplicates stay on one side: it reaches 0.654 and 0.424, and 0.461 on
    # the mean of five folds. About 400 test adverts put the standard error of an accuracy at 0.023, so 0.05
    # is two of them; macro-F1 also hangs on classes with two test adverts, hence 0.08. A figure above
    # the range is as suspicious as one below: it would mean that test adverts leak into training.
    metrics, _ = philippine
    assert metrics["lexical"]["accuracy"] == pytest.approx(0.676, abs=0.05)
    assert metrics["lexical"]["macro_f1"] == pytest.approx(0.487, abs=0.08)


def test_the_classifier_on_minilm_tells_four_areas_of_british_adverts_apart(british):
    # Guessing the largest area, 231 of 776 adverts, would be right 0.30 of the time. Measured: classifier
    # 0.916, lexical 0.929, centroid 0.871, zero-shot 0.813. With 155 test adverts two standard errors
    # are 0.045, so a classifier below 0.85 has lost something.
    metrics, layout = british
    assert read_json(layout.ads_counts)["kept"] == metrics["data"]["rows"] == 776
    assert metrics["data"]["classes"] == 4
    assert metrics["classifier"]["accuracy"] > 0.85
    assert metrics["classifier"]["macro_f1"] > 0.85


def test_label_names_alone_sort_british_adverts_far_better_than_guessing(british):
    # Zero-shot reads nothing but names such as "Healthcare_Nursing". Measured 0.813; guessing gives 0.30.
    metrics, _ = british
    assert metrics["zero_shot"]["accuracy"] > 0.7

"""Stage `ingest` on the real adverts that `JOBLENS_REAL_DATA` holds."""

import os
from pathlib import Path

import polars as pl
import pytest

from joblens.config import compose
from joblens.paths import Layout
from joblens.pipeline import ingest
from joblens.storage import read_json

pytestmark = pytest.mark.real

PHILIPPINE = ("csv", "ph_ads.csv.gz", "category", "data.id=id")
POLISH = ("parquet", "pl_ads.parquet", "isco2", "data.id=id")


@pytest.mark.parametrize(
    ("source", "name", "label", "given", "read", "kept", "labels", "repeated"),
    [
        (*PHILIPPINE, 2_037, 1_983, 24, 85),
        (*POLISH, 6_630, 6_618, 36, 636),
    ],
)
def test_real_adverts_are_read_and_counted(
    source: str,
    name: str,
    label: str,
    given: str,
    read: int,
    kept: int,
    labels: int,
    repeated: int,
    repository: Path,
    tmp_path: Path,
) -> None:
    path = Path(os.environ["JOBLENS_REAL_DATA"]) / "ads" / name
    overrides = [f"data={source}", f"data.path={path}", "data.text=description", "data.title=title", given]
    config = compose([*overrides, f"data.label={label}", "data.min_class_size=10"], repository / "configs")
    layout = Layout(tmp_path)
    ingest.run(config, layout)
    counts = read_json(layout.ads_counts)
    ads = pl.read_parquet(layout.ads)
    assert (counts["rows_read"], counts["kept"], counts["labels"]) == (read, kept, labels)
    assert read == kept + sum(counts["dropped"].values())
    assert ads["label"].value_counts()["count"].min() >= 10
    assert counts["near_duplicates"] == pytest.approx(repeated, abs=5)
    assert not ads["text"].str.contains("&nbsp;|&amp;").any()

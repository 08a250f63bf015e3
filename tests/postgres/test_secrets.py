"""`dvc repro` from a database leaves the password nowhere."""

import shutil
from datetime import UTC, datetime

import polars as pl
import pytest
import sqlalchemy as sa

from joblens.paths import Layout
from joblens.sources.feedback import Correction, store_corrections
from joblens.sources.sample import generate
from joblens.storage import read_json

CANARY = "canary-7h3-p4ssw0rd"  # the password of the test server
OVERRIDES = (
    "experiment=toy",
    "data=sql",
    "data.table=ads",
    "data.title=title",
    "data.id=id",
    "data.taxonomy=data/sample/taxonomy.csv",
    "data.feedback_url_env=JOBLENS_DB_URL",
    "data.min_class_size=8",
    "evaluation.split.folds=2",
    "evaluation.cross_validation=false",
    "tracking=offline",
)


@pytest.mark.slow
def test_a_run_from_a_database_leaves_its_password_nowhere(database_url, repository, tmp_path, run):
    engine = sa.create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    ads = pl.DataFrame(
        [{"id": ad.id, "title": ad.title, "text": ad.text, "label": ad.label} for ad in generate(200, 1)]
    )
    with engine.begin() as connection:
        connection.execute(
            sa.text("CREATE TABLE ads (id TEXT PRIMARY KEY, title TEXT, text TEXT, label TEXT)")
        )
        rows = sa.text("INSERT INTO ads VALUES (:id, :title, :text, :label)")
        connection.execute(rows, ads.to_dicts())
    engine.dispose()
    agreed = ads.row(0, named=True)
    now = datetime(2024, 5, 1, tzinfo=UTC)
    store_corrections(
        "JOBLENS_DB_URL", [Correction(agreed["id"], "", "", agreed["label"], None, None, "", now)]
    )
    # The project is a copy: configs, DAG, source files and cleaner that the DAG watches, and the taxonomy.
    for folder in ("configs", "src", "data/sample", "models/cleaner", "models/titles"):
        shutil.copytree(repository / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "dvc.yaml", tmp_path / "dvc.yaml")

    shown = run(tmp_path, "dvc", "init", "--no-scm", "--quiet")
    shown += run(tmp_path, "joblens", "params", *OVERRIDES)
    shown += run(tmp_path, "joblens", "extract", "--output", "data/raw/ads.parquet")
    shown += run(tmp_path, "dvc", "repro")

    assert Layout(tmp_path).metrics.is_file()
    assert read_json(Layout(tmp_path).ads_counts)["corrections"]["confirmed"] == 1
    assert list((tmp_path / "wandb").glob("offline-run-*"))
    assert CANARY in database_url
    assert CANARY not in shown
    secret = CANARY.encode()
    found = [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert found == []
    again = run(tmp_path, "dvc", "repro")
    assert again.count("didn't change, skipping") == 8

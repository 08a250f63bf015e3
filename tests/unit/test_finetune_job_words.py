"""The words of occupations that `joblens finetune job-words` collects."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from joblens.cli import app
from joblens.config import TitlesFlow, compose_flow
from joblens.errors import ConfigError, DataError
from joblens.extractors.believing import JOB_WORDS
from joblens.finetune.job_words import TABLES, job_words
from joblens.sources.personal.names import names

ROOT = Path(__file__).parents[2]
FAMILY = names("da", "train").family[0]


@pytest.fixture
def flow(tmp_path):
    """The flow, and its tables below `tmp_path` with a label each, the Danish one with compounds."""
    found = compose_flow("titles", TitlesFlow, [], ROOT / "configs")
    labels = {name: [f"Driver {name}"] for name in TABLES}
    labels["ESCO labels, Danish"] = [
        "assistent", "køkkenassistent", "lagerassistent", "Butiksassistent", "kok", f"kok hos {FAMILY}",
    ]  # fmt: skip
    sources = []
    for source in found.sources:
        if source.name in labels:
            source = source.model_copy(update={"path": source.path.removesuffix(".gz")})
            write(tmp_path / source.path, source.kind, labels[source.name])
        sources.append(source)
    return found.model_copy(update={"sources": sources})


def write(path, kind, labels):
    header = "conceptUri,preferredLabel,altLabels" if kind == "occupations" else "uri,label,isco4"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *(f'u,"{label}",' for label in labels), ""]), encoding="utf-8")


def test_words_ends_of_compounds_and_names(flow, tmp_path):
    found = job_words(flow, tmp_path)
    assert {"driver", "kok", "køkkenassistent", "butiksassistent", "swedish"} <= set(found["words"])
    assert found["heads"] == ["assistent"]
    assert FAMILY.casefold() in found["names"]
    assert FAMILY.casefold() not in found["words"]


def test_a_source_that_is_not_named_is_said(flow, tmp_path):
    sources = [source for source in flow.sources if source.name != "ESCO labels, Swedish"]
    with pytest.raises(ConfigError, match="'ESCO labels, Swedish'"):
        job_words(flow.model_copy(update={"sources": sources}), tmp_path)


def test_a_table_that_is_missing_is_said(flow, tmp_path):
    next(tmp_path.glob("esco/*_sv*")).unlink()
    with pytest.raises(DataError, match=r"esco_labels_sv\.csv"):
        job_words(flow, tmp_path)


@pytest.mark.real
def test_the_list_is_what_its_command_writes(tmp_path):
    written = tmp_path / "words.json"
    command = ["finetune", "job-words", "--data", os.environ["JOBLENS_REAL_DATA"], "--output", str(written)]
    result = CliRunner().invoke(app, [*command, "--project", str(ROOT)])
    assert result.exit_code == 0, result.output
    assert written.read_bytes() == JOB_WORDS.read_bytes()

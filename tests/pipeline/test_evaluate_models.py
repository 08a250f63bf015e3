"""Scores to calibrate with come from models that did not learn from these rows, whichever model it is."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from joblens.metrics import best_class
from joblens.models.cosine import read_baseline
from joblens.models.lexical import LexicalFeatures
from joblens.pipeline.evaluate.models import fitted_twice, fold_models
from joblens.pipeline.evaluate.rows import read_rows

TRAIN, VALIDATION = torch.tensor([0, 2]), torch.tensor([4, 1])


def how_many(learned: Tensor) -> Tensor:
    """A model that says of each of six rows from how many it learned."""
    return torch.full((6, 2), float(len(learned)))


def which(learned: Tensor) -> Tensor:
    """A model that scores 1 what it learned from."""
    return torch.isin(torch.arange(6), learned).double().unsqueeze(1)


def test_validation_rows_are_scored_by_the_model_that_learned_from_training_rows_alone():
    scores, _ = fitted_twice(how_many, TRAIN, VALIDATION)
    assert scores[:, 0].tolist() == [4, 2, 4, 4, 2, 4]  # rows 1 and 4 validate


def test_validation_rows_are_learned_from_before_the_others_are_scored():
    scores, _ = fitted_twice(which, TRAIN, VALIDATION)
    assert scores[:, 0].tolist() == [1, 0, 1, 0, 0, 0]


def test_validation_rows_alone_are_trusted_of_a_model_that_is_fitted_twice():
    _, trusted = fitted_twice(which, TRAIN, VALIDATION)
    assert trusted.tolist() == VALIDATION.tolist()


WIDE_DEEP = (
    "classifier=wide_deep",
    "classifier.buckets=1024",
    "classifier.inner_folds=2",
    "classifier.max_epochs=3",
    "embedding.dimensions=32",
    "embedding.titles=models/titles",
    "embedding.title_dimensions=4",
    "embedding.words_weight=0.25",
)


@pytest.fixture
def project(make_project: Any, run_stages: Any, write_titles: Callable[[Path], None]) -> SimpleNamespace:
    """What `evaluate` reads of a project with a wide-and-deep classifier."""
    config, layout = make_project(*WIDE_DEEP, ads=400)
    write_titles(layout.root / "models/titles")
    run_stages(config, layout, "ingest", "clean", "split", "embed", "baseline")
    rows = read_rows(layout)
    features = LexicalFeatures(rows.texts, config.baseline.lexical)
    baseline = read_baseline(layout.baseline)
    models = fold_models(rows, baseline, features, config, layout, torch.device("cpu"))
    return SimpleNamespace(rows=rows, models=models)


def test_every_model_scores_every_row_of_a_project_with_a_wide_and_deep_classifier(project):
    train, validation = project.rows.where("train"), project.rows.where("validation")
    assert list(project.models) == ["zero_shot", "centroid", "lexical", "classifier"]
    trusted = {}
    for name, model in project.models.items():
        scores, rows = model(train, validation)
        assert scores.shape == (len(project.rows.ids), project.rows.classes)
        assert bool(scores.isfinite().all())
        trusted[name] = sorted(rows.tolist())
    assert trusted.pop("classifier") == sorted([*train.tolist(), *validation.tolist()])
    assert all(rows == validation.tolist() for rows in trusted.values())


@pytest.mark.parametrize("name", ["lexical", "classifier"])
def test_a_trusted_score_comes_from_a_model_that_has_not_seen_the_label(project, name):
    """All labels of validation rows are made wrong: whoever learned from one would repeat it."""
    rows, train, validation = project.rows, project.rows.where("train"), project.rows.where("validation")
    rows.labels[validation] = (rows.labels[validation] + 1) % rows.classes
    scores, trusted = project.models[name](train, validation)
    assert set(validation.tolist()) <= set(trusted.tolist())
    repeated = best_class(scores[validation]) == rows.labels[validation]
    assert float(repeated.double().mean()) < 0.2

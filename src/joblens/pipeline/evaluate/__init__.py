"""Stage `evaluate`: every model on the same test rows, and a report that says who wins.

`reports/metrics.json` has one entry per model (`zero_shot`, `centroid`, `lexical`, `classifier`), and:
`comparison` (the classifier minus each other model, paired), `without_near_duplicates` (the models again, on
one test ad of each near-duplicate group), `abstain` (prediction sets and abstentions of the classifier),
`accuracy_at_coverage` (how right it is on the ads it is surest of), `cross_validation` (empty when
`evaluation.cross_validation` is off) and `data` (row counts). A figure that cannot be computed is null:
`precision_when_answering` when nothing is answered, `label_issues` without folds.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import torch
from torch import Tensor

from joblens.config import Config
from joblens.device import choose_device
from joblens.metrics import best_class, per_class, reliability_table
from joblens.models.bundle import Bundle
from joblens.models.calibration import abstains, prediction_sets
from joblens.models.cosine import CosineBaseline
from joblens.models.lexical import LexicalFeatures
from joblens.paths import Layout
from joblens.pipeline.evaluate import figures, plots
from joblens.pipeline.evaluate.comparison import MODELS, verdict
from joblens.pipeline.evaluate.cross_validation import CrossValidation, cross_validate
from joblens.pipeline.evaluate.label_issues import LabelIssue, issues_table, label_issues
from joblens.pipeline.evaluate.model_card import tested_model_card
from joblens.pipeline.evaluate.models import fold_models, read_models, trained_probabilities
from joblens.pipeline.evaluate.report import render_report
from joblens.pipeline.evaluate.rows import Rows, one_per_group, read_rows
from joblens.storage import read_json, write_json, write_table, write_text
from joblens.tracking import build_tracker

logger = logging.getLogger(__name__)


def run(config: Config, layout: Layout) -> None:
    """Read what the other stages wrote; write everything below `reports/` except the training log.

    Raises:
        DataError: A file is missing, damaged, or not of the same ads as the others.
        BundleError: The classifier is damaged, or of another encoder or other labels.
        DeviceError: A GPU is asked for and there is none.
    """
    rows = read_rows(layout)
    baseline, bundle = read_models(layout, rows)
    device = choose_device(config.compute.device)
    tracker = build_tracker(config, layout, "evaluate")
    try:
        metrics = _evaluate(config, layout, rows, baseline, bundle, device)
        tracker.log(tracked_figures(metrics))
        for path in (layout.metrics, layout.model_card, *sorted(layout.plots.glob("*.png"))):
            tracker.log_file(path)
    finally:
        tracker.finish()
    logger.info("%s %s", *verdict(metrics))


def tracked_figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of metrics.json that a tracker gets: `test/<model>/<figure>` and means over the folds."""
    on_test = {
        f"test/{model}/{name}": value
        for model in MODELS
        for name, value in metrics[model].items()
        if isinstance(value, int | float)  # not an interval
    }
    means = {
        f"cross_validation/{model}/{name}": spread["mean"]
        for model, scores in metrics["cross_validation"].items()
        for name, spread in scores.items()
    }
    return on_test | means


def _evaluate(
    config: Config,
    layout: Layout,
    rows: Rows,
    baseline: CosineBaseline,
    bundle: Bundle,
    device: torch.device,
) -> dict[str, Any]:
    """Fit, compare and write; returns what reports/metrics.json holds."""
    evaluation = config.evaluation
    features = LexicalFeatures(rows.texts, config.baseline.lexical)
    probabilities = trained_probabilities(rows, baseline, bundle, features, config)  # (N, C) each
    issues: list[LabelIssue] | None = None
    result: CrossValidation | None = None
    if evaluation.cross_validation:
        models = fold_models(rows, baseline, features, config, layout, device)
        result = cross_validate(rows, models, evaluation.split, config.classifier)
        issues = label_issues(rows, result.probabilities[result.best])
    metrics = _metrics(rows, probabilities, bundle, config, result, issues)
    _write_predictions(layout, rows, probabilities["classifier"], bundle)
    write_table(layout.label_issues, issues_table(issues or []))
    _write_pages(layout, rows, probabilities, bundle, config, metrics, issues or [])
    write_json(layout.metrics, metrics)
    return metrics


def _metrics(
    rows: Rows,
    probabilities: Mapping[str, Tensor],
    bundle: Bundle,
    config: Config,
    folds: CrossValidation | None,
    issues: Sequence[LabelIssue] | None,
) -> dict[str, Any]:
    """What reports/metrics.json holds; see the module docstring."""
    test = rows.where("test")
    single = one_per_group(test, rows.groups)
    evaluation = config.evaluation
    on_test = {name: values[test] for name, values in probabilities.items()}
    labels = rows.labels[test]
    tested = figures.HeldOut.of(on_test["classifier"], labels, bundle.calibration)
    origin, held = ("test", tested) if folds is None else ("cross_validation", folds.held["classifier"])
    return {
        **{name: figures.model_figures(values, labels, evaluation) for name, values in on_test.items()},
        "comparison": figures.differences(on_test, labels, evaluation),
        "without_near_duplicates": {
            name: figures.model_figures(values[single], rows.labels[single], evaluation)
            for name, values in probabilities.items()
        },
        "abstain": figures.abstain_figures(tested, bundle.calibration),
        "accuracy_at_coverage": figures.coverage_figures(origin, held, bundle.calibration),
        "cross_validation": {} if folds is None else folds.figures,
        "data": {
            **figures.data_figures(rows),
            "label_issues": None if issues is None else len(issues),
        },
    }


def _write_predictions(layout: Layout, rows: Rows, probabilities: Tensor, bundle: Bundle) -> None:
    """The classifier's guess for every ad, whatever its split; (N, C) probabilities."""
    guesses = best_class(probabilities)
    names = rows.names
    write_table(
        layout.predictions,
        pl.DataFrame(
            {
                "id": rows.ids,
                "split": rows.splits,
                "label": [names[label] for label in rows.labels.tolist()],
                "guess": [names[guess] for guess in guesses.tolist()],
                "probability": [round(value, figures.DIGITS) for value in probabilities.amax(dim=1).tolist()],
                "prediction_set": [
                    [names[label] for label in labels]
                    for labels in prediction_sets(probabilities, bundle.calibration)
                ],
                "abstained": abstains(probabilities, bundle.calibration).tolist(),
            },
            schema_overrides={"prediction_set": pl.List(pl.String)},
        ),
    )


def _write_pages(
    layout: Layout,
    rows: Rows,
    probabilities: Mapping[str, Tensor],
    bundle: Bundle,
    config: Config,
    metrics: Mapping[str, Any],
    issues: Sequence[LabelIssue],
) -> None:
    """Plots, report and model card."""
    test = rows.where("test")
    labels = rows.labels[test]
    guesses = {name: best_class(values[test]) for name, values in probabilities.items()}
    tables = {
        name: reliability_table(values[test], labels, config.evaluation.ece_bins)
        for name, values in probabilities.items()
    }
    folder = layout.plots
    plots.write_confusion_table(folder / "confusion.csv", guesses["classifier"], labels, rows.names)
    plots.write_reliability_table(folder / "reliability.csv", tables)
    plots.write_coverage_table(folder / "coverage.csv", metrics["accuracy_at_coverage"])
    plots.draw_coverage(folder / "coverage.png", metrics["accuracy_at_coverage"])
    plots.draw_confusion(folder / "confusion.png", guesses["classifier"], labels, rows.names)
    plots.draw_reliability(
        folder / "reliability.png", tables, {name: metrics[name]["ece"] for name in tables}
    )
    plots.draw_comparison(
        folder / "comparison.png", {name: metrics[name] for name in tables}, metrics["cross_validation"]
    )
    log = _training_log(layout)
    if log:
        plots.draw_training(folder / "training.png", log)
    else:
        (folder / "training.png").unlink(missing_ok=True)  # of an older run
    settings = {
        "cleaning": bundle.cleaning.model_dump(mode="json"),
        "embedding": bundle.embedding.model_dump(mode="json"),
        "baseline": {"lexical": config.baseline.lexical.model_dump(mode="json")},
        "classifier": bundle.classifier.model_dump(mode="json"),
        "evaluation": config.evaluation.model_dump(mode="json"),
    }
    counts = {"ads": read_json(layout.ads_counts), "clean_ads": read_json(layout.clean_counts)}
    page = render_report(metrics, rows.names, guesses, labels, issues, counts, settings, folder)
    write_text(layout.report, page)
    scores = per_class(guesses["classifier"], labels, rows.classes)
    write_text(layout.model_card, tested_model_card(bundle, metrics, scores))


def _training_log(layout: Layout) -> list[dict[str, float | None]]:
    """The rows of reports/training.csv as numbers; an empty cell is None. No file, no rows."""
    if not layout.training_log.exists():
        return []
    with layout.training_log.open(encoding="utf-8", newline="") as file:
        return [
            {name: float(value) if value else None for name, value in line.items()}
            for line in csv.DictReader(file)
        ]

"""All models side by side, for people: the table on a terminal, and the verdict."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError

if TYPE_CHECKING:
    from rich.table import Table

MODELS = ("zero_shot", "centroid", "lexical", "classifier")
"""In the order of what they cost."""

TITLES = {
    "zero_shot": "Zero-shot (label text)",
    "centroid": "Centroid",
    "lexical": "Lexical (TF-IDF + SVM)",
    "classifier": "Classifier",
}
"""What each model is called in tables, pictures and prose."""


def comparison_table(metrics: Mapping[str, Any]) -> "Table":
    """The table of `joblens compare`: one line per model, its best figures in bold.

    Args:
        metrics: What reports/metrics.json holds.

    Raises:
        DataError: A model or a figure is missing.
    """
    from rich.table import Table

    try:
        data = metrics["data"]
        table = Table(
            title=f"{data['test']} test ads, {data['classes']} labels",
            caption="\n".join(verdict(metrics)),
            caption_justify="left",
            title_justify="left",
        )
        table.add_column("Model")
        for heading in ("Macro-F1 [95 %]", "Accuracy [95 %]", "Top 3", "ECE"):
            table.add_column(heading, justify="right")
        folds = metrics.get("cross_validation") or {}
        if folds:
            table.add_column("Macro-F1, folds", justify="right")
        best = {
            key: max(metrics[model][key] for model in MODELS)
            for key in ("macro_f1", "accuracy", "top_3_accuracy")
        }
        best["ece"] = min(metrics[model]["ece"] for model in MODELS)
        for model in MODELS:
            figures = metrics[model]
            cells = [
                TITLES[model],
                _bold(f"{figures['macro_f1']:.3f}", figures["macro_f1"] == best["macro_f1"])
                + _interval(figures["ci_macro_f1"]),
                _bold(f"{figures['accuracy']:.3f}", figures["accuracy"] == best["accuracy"])
                + _interval(figures["ci_accuracy"]),
                _bold(
                    f"{figures['top_3_accuracy']:.3f}", figures["top_3_accuracy"] == best["top_3_accuracy"]
                ),
                _bold(f"{figures['ece']:.3f}", figures["ece"] == best["ece"]),
            ]
            if folds:
                fold = folds[model]["macro_f1"]
                cells.append(f"{fold['mean']:.3f} ± {fold['std']:.3f}")
            table.add_row(*cells)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"reports/metrics.json has no figure {error}; run `dvc repro` to write it again"
        ) from error
    return table


def verdict(metrics: Mapping[str, Any]) -> tuple[str, str]:
    """Who wins on test ads: one honest sentence, and the figures behind it.

    The classifier is compared with the best other model by macro-F1. It wins or loses only when the 95 %
    interval of the paired difference leaves out 0; otherwise nobody does.
    """
    rival = max(
        (model for model in MODELS if model != "classifier"), key=lambda name: metrics[name]["macro_f1"]
    )
    result = metrics["comparison"][f"classifier_minus_{rival}"]["macro_f1"]
    low, high = result["ci"]
    name = TITLES[rival]
    if low > 0:
        sentence = f"The classifier wins: it beats the best other model, {name}."
    elif high < 0:
        sentence = f"The classifier loses to {name}: use that one, or train on more ads."
    else:
        sentence = f"No clear winner between the classifier and {name}."
    figures = (
        f"Macro-F1 {metrics['classifier']['macro_f1']:.3f} against {metrics[rival]['macro_f1']:.3f}: "
        f"difference {result['difference']:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}."
    ).replace("-0", "−0")
    return sentence, figures


def _bold(text: str, is_best: bool) -> str:
    return f"[bold]{text}[/bold]" if is_best else text


def _interval(bounds: list[float]) -> str:
    return rf" \[{bounds[0]:.3f}, {bounds[1]:.3f}]"

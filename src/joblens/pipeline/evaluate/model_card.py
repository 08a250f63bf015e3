"""`reports/model_card.md`: the bundle's card, with what test rows say added."""

from collections.abc import Mapping, Sequence
from typing import Any

from joblens.metrics import ClassScores
from joblens.models.bundle import Bundle
from joblens.models.card import coverage_table, model_card
from joblens.pipeline.evaluate.comparison import MODELS, TITLES, verdict


def tested_model_card(bundle: Bundle, metrics: Mapping[str, Any], per_class: Sequence[ClassScores]) -> str:
    """The card of a bundle, with test figures, as Markdown. Equal arguments give equal text.

    Args:
        bundle: The trained classifier.
        metrics: What reports/metrics.json holds.
        per_class: The classifier's figures for each of the bundle's labels, on test rows.
    """
    data, abstain = metrics["data"], metrics["abstain"]
    answered = (
        f"It answers {abstain['share_answered']:.1%} of the test ads"
        + (
            f" and is right in {abstain['precision_when_answering']:.1%} of them"
            if abstain["precision_when_answering"] is not None
            else ""
        )
        + f" (wanted: {abstain['precision_wanted']:.0%}); the others go to a person."
    )
    held = metrics["accuracy_at_coverage"]
    models = "\n".join(_model_line(TITLES[model], metrics[model]) for model in MODELS)
    labels = "\n".join(
        f"| {_inline(bundle.labels[row.label])} | {row.support} | {row.precision:.3f} | {row.recall:.3f} "
        f"| {row.f1:.3f} |"
        for row in per_class
    )
    return (
        model_card(bundle)
        + f"""
## Quality on test rows

{" ".join(verdict(metrics))}

{data["test"]:,} test ads ({data["test_without_near_duplicates"]:,} without near-duplicates).
In brackets: 95 % bootstrap intervals.

| Model | Macro-F1 | Accuracy | Top 3 | ECE |
|---|---:|---:|---:|---:|
{models}

Prediction sets hold the true label in {abstain["coverage"]:.1%} of the test ads
(wanted: {abstain["coverage_wanted"]:.0%}), with {abstain["mean_set_size"]:.2f} labels on average.
{answered}

How right it is on the ads it is surest of. {_origin(held)}

{coverage_table(held["accuracy"])}

| Label | Test ads | Precision | Recall | F1 |
|---|---:|---:|---:|---:|
{labels}
"""
    )


def _origin(held: Mapping[str, Any]) -> str:
    """Which ads `accuracy_at_coverage` is about, and what its rules are worth on them."""
    if held["rows"] == "test":
        return "These are test ads."
    rule = held["abstain"]
    precision = rule["precision_when_answering"]
    right = "" if precision is None else f" and {precision:.1%} of the answers are right"
    return (
        f"These are all {held['ads']:,} ads, each judged by a fold of the\n"
        "cross-validation that had not seen it. "
        f"There prediction sets hold the true label in {rule['coverage']:.1%},\n"
        f"{rule['share_answered']:.1%} are answered{right}."
    )


def _inline(text: str) -> str:
    """Text that stays in its table cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _model_line(title: str, figures: Mapping[str, Any]) -> str:
    macro, exact = figures["ci_macro_f1"], figures["ci_accuracy"]
    return (
        f"| {title} | {figures['macro_f1']:.3f} [{macro[0]:.3f}, {macro[1]:.3f}] "
        f"| {figures['accuracy']:.3f} [{exact[0]:.3f}, {exact[1]:.3f}] "
        f"| {figures['top_3_accuracy']:.3f} | {figures['ece']:.3f} |"
    )

"""`reports/report.html`: one page with all figures and pictures, which opens without a network."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from joblens.metrics import confusion_matrix, per_class
from joblens.pipeline.evaluate.comparison import MODELS, TITLES, verdict
from joblens.pipeline.evaluate.label_issues import LabelIssue

MOST_CONFUSIONS = 15
MOST_DOUBTFUL = 25

ORIGINS = {"test": "test ads", "cross_validation": "ads of the cross-validation"}
"""What the rows behind `accuracy_at_coverage` are called."""

SECTIONS = {
    "comparison": "Models compared",
    "duplicates": "Before and after near-duplicates",
    "folds": "Cross-validation",
    "labels": "Label by label",
    "confusion": "What is taken for what",
    "probabilities": "Do probabilities come true?",
    "abstain": "Prediction sets and abstaining",
    "training": "Training",
    "issues": "Labels that look wrong",
    "data": "Ads and where they went",
    "reproduce": "Configuration and how to reproduce",
}


def render_report(
    metrics: Mapping[str, Any],
    names: Sequence[str],
    guesses: Mapping[str, Tensor],
    labels: Tensor,
    issues: Sequence[LabelIssue],
    counts: Mapping[str, Mapping[str, Any]],
    config: Mapping[str, Any],
    plots: Path,
) -> str:
    """The page as HTML. Equal arguments give equal text.

    Args:
        metrics: What reports/metrics.json holds.
        names: The C labels.
        guesses: (n,) of each model on test rows.
        labels: (n,) class indices of the same rows.
        issues: Labels that look wrong, most doubtful first.
        counts: What `ingest` (key `ads`) and `clean` (key `clean_ads`) counted.
        config: The sections of the configuration to show.
        plots: The folder with the pictures, already drawn.
    """
    import yaml
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(figure=_figure, signed=_signed, percent=_percent, plain=_plain, words=_words)
    pictures = {
        name: _base64(plots / f"{name}.png")
        for name in ("comparison", "confusion", "coverage", "reliability", "training")
    }
    absent = {"folds": not metrics["cross_validation"], "training": pictures["training"] is None}
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        data=metrics["data"],
        titles=TITLES,
        best=max(MODELS, key=lambda model: metrics[model]["macro_f1"]),
        verdict=verdict(metrics),
        sections={name: title for name, title in SECTIONS.items() if not absent.get(name, False)},
        per_class=_label_rows(guesses, labels, names),
        confusions=_confusions(guesses["classifier"], labels, names),
        issues=issues[:MOST_DOUBTFUL],
        ads_counts=counts["ads"],
        clean_counts=counts["clean_ads"],
        pictures=pictures,
        origin=ORIGINS[metrics["accuracy_at_coverage"]["rows"]],
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=100).rstrip(),
    )


def _label_rows(guesses: Mapping[str, Tensor], labels: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    ours = per_class(guesses["classifier"], labels, len(names))
    lexical = per_class(guesses["lexical"], labels, len(names))
    return [
        {
            "number": row.label + 1,
            "name": names[row.label],
            "support": row.support,
            "precision": row.precision,
            "recall": row.recall,
            "f1": row.f1,
            "f1_lexical": peer.f1,
        }
        for row, peer in zip(ours, lexical, strict=True)
    ]


def _confusions(guesses: Tensor, labels: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    """The most frequent mistakes, most frequent first, then in label order."""
    counts = confusion_matrix(guesses, labels, len(names)).fill_diagonal_(0)
    cells = [(int(counts[truth, guess]), truth, guess) for truth, guess in counts.nonzero().tolist()]
    cells.sort(key=lambda cell: (-cell[0], cell[1], cell[2]))
    return [
        {"truth": names[truth], "guess": names[guess], "count": count}
        for count, truth, guess in cells[:MOST_CONFUSIONS]
    ]


def _base64(path: Path) -> str | None:
    return b64encode(path.read_bytes()).decode() if path.exists() else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\u2212")


def _percent(value: float) -> str:
    return f"{100 * value:.1f}\u00a0%"


def _plain(value: object) -> str:
    """A count with thousands separated, or anything else as it is; lists joined by commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")

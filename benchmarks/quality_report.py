"""Tables and picture of `quality.py`."""

from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from joblens.metrics import confusion_accuracy, confusion_macro_f1, paired_difference

REPOSITORY = Path(__file__).parents[1]
DRAWS = 2000
REAL = ("ph", "pl1", "pl2", "es")
"""The sets of the claim; the others are shown beside them."""

Figures = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By set and model."""


def tables(figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> str:
    """Everything as Markdown: quality, what it costs, and what probabilities are worth."""
    parts = [_quality(figures, sets, models)]
    if all("ours" in figures[name] and len(figures[name]) > 1 for name in figures):
        parts.append(_differences(figures, sets, models))
    parts += [_costs(figures, sets, models), _probabilities(figures, sets)]
    return "\n\n".join(parts)


def best_peer(of_set: Mapping[str, Mapping[str, Any]], measure: str) -> str:
    """The key of the model that is hardest to beat by one measure."""
    return max((name for name in of_set if name != "ours"), key=lambda name: float(of_set[name][measure]))


def difference(of_set: Mapping[str, Mapping[str, Any]], measure: str) -> tuple[str, float, float, float]:
    """Ours minus the best peer: its key, the difference, and a 95 % interval over redrawn rows."""
    peer = best_peer(of_set, measure)
    statistic = confusion_macro_f1 if measure == "macro_f1" else confusion_accuracy
    labels, mine, theirs = (
        torch.tensor(values)
        for values in (of_set["ours"]["labels"], of_set["ours"]["guesses"], of_set[peer]["guesses"])
    )
    found = paired_difference(
        statistic, mine, theirs, labels, int(of_set["ours"]["classes"]), draws=DRAWS, seed=7
    )
    return peer, found.difference, found.low, found.high


def mean_difference(figures: Figures, measure: str) -> tuple[float, float, float]:
    """The mean over sets, each as good as another, and a 95 % interval.

    Sets of other adverts are independent, so variances add up, each taken from the width of its own interval.
    The two Polish sets are the same adverts: their widths are added as if they always erred together.
    """
    found = {name: difference(figures[name], measure) for name in REAL}
    mean = fmean(row[1] for row in found.values())
    half = {name: (row[3] - row[2]) / 2 for name, row in found.items()}
    width = sqrt(half["ph"] ** 2 + (half["pl1"] + half["pl2"]) ** 2 + half["es"] ** 2) / len(found)
    return mean, mean - width, mean + width


def _quality(figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> str:
    lines = [
        "| Model | " + " | ".join(sets[name] for name in figures) + " |",
        "|---|" + "---:|" * len(figures),
    ]
    known = [of_set.get("ours", {}) for of_set in figures.values()]
    sizes = [f"{one['rows']:,} adverts, {one['classes']} labels" if one else "" for one in known]
    lines.append("| | " + " | ".join(sizes) + " |")
    for model, title in models.items():
        cells = []
        for of_set in figures.values():
            found = of_set.get(model)
            cells.append(f"{found['macro_f1']:.3f} / {found['accuracy']:.3f}" if found else "")
        name = f"**{title}**" if model == "ours" else title
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "Macro-F1 / accuracy, all five folds together:\n\n" + "\n".join(lines)


def _differences(figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> str:
    headings = ["Adverts", "Best peer by macro-F1", "Points", "Best peer by accuracy", "Points"]
    lines = ["| " + " | ".join(headings) + " |", "|---|---|---:|---|---:|"]
    for name, of_set in figures.items():
        cells = []
        for measure in ("macro_f1", "accuracy"):
            peer, *found = difference(of_set, measure)
            cells += [models[peer], _points(*found)]
        lines.append(f"| {sets[name]} | " + " | ".join(cells) + " |")
    if all(name in figures for name in REAL):
        means = [_points(*mean_difference(figures, measure)) for measure in ("macro_f1", "accuracy")]
        lines.append(f"| **Mean of the first {len(REAL)}** | | **{means[0]}** | | **{means[1]}** |")
    return (
        "Ours minus the best peer of each set, in points, and the 95 % interval of the paired difference:\n\n"
        + "\n".join(lines)
    )


def _points(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})".replace("-", "−")


def _costs(figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> str:
    lines = [
        "| Model | " + " | ".join(sets[name] for name in figures) + " |",
        "|---|" + "---:|" * len(figures),
    ]
    for model, title in models.items():
        cells = []
        for of_set in figures.values():
            found = of_set.get(model)
            cells.append(_cost(found) if found else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return (
        "Seconds to train, adverts guessed per second and peak memory, medians over folds; vectors are ready "
        "before:\n\n" + "\n".join(lines)
    )


def _cost(found: Mapping[str, Any]) -> str:
    speed = f"{found['ads_per_second']:,.0f}/s"
    return f"{found['train_seconds']:.1f} s, {speed}, {found['memory_mb']:,.0f} MB"


def _probabilities(figures: Figures, sets: Mapping[str, str]) -> str:
    headings = ["Adverts", "ECE", "ECE of the best peer", "Coverage at 90 %", "Labels in a set", "Answered",
                "Right when answered"]  # fmt: skip
    lines = ["| " + " | ".join(headings) + " |", "|---|" + "---:|" * 6]
    for name, of_set in figures.items():
        if "ours" not in of_set or len(of_set) < 2:
            continue
        found = of_set["ours"]
        peer = of_set[best_peer(of_set, "macro_f1")]
        right = "–" if found["precision_answered"] is None else f"{found['precision_answered']:.1%}"
        lines.append(
            f"| {sets[name]} | {found['ece']:.3f} | {peer['ece']:.3f} | {found['coverage']:.1%} "
            f"| {found['set_size']:.2f} | {found['answered']:.1%} | {right} |"
        )
    return (
        "What our probabilities are worth on rows nobody learned from; answering asks for 95 % precision:\n\n"
        + "\n".join(lines)
    )


def publish(text: str, figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> None:
    """Write docs/source/quality.md and docs/source/quality.svg."""
    draw(REPOSITORY / "docs/source/quality.svg", figures, sets, models)
    head = (
        "# Quality beside the peers\n\n"
        "Written by `invoke bench quality --options --docs`, with `JOBLENS_REAL_DATA` naming the folder of "
        "real adverts; `benchmarks/quality.py` says what is compared and how. What is missing was not "
        "measured. Times are wall-clock times on two cores; other programs ran beside some of them. "
        "SetFit lists all pairs of adverts and is measured with few only: "
        "[few adverts](benchmarks.md#few-adverts).\n\n"
        "![Macro-F1 against adverts per second](quality.svg)\n\n"
    )
    (REPOSITORY / "docs/source/quality.md").write_text(head + text + "\n", encoding="utf-8")


def draw(path: Path, figures: Figures, sets: Mapping[str, str], models: Mapping[str, str]) -> None:
    """Quality against speed: one panel per set, one point per model."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "joblens", "font.size": 8})
    from matplotlib import pyplot

    columns = min(3, len(figures))
    rows = -(-len(figures) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(4 * columns, 3 * rows), squeeze=False)
    for axis, (name, of_set) in zip(axes.flat, figures.items(), strict=False):
        for place, (model, title) in enumerate(models.items()):
            if model in of_set:
                found = of_set[model]
                axis.scatter(
                    found["ads_per_second"],
                    found["macro_f1"],
                    s=60 if model == "ours" else 25,
                    marker="*" if model == "ours" else "o",
                    color=f"C{place}",
                    label=title,
                )
        axis.set(title=sets[name], xscale="log", xlabel="adverts per second", ylabel="macro-F1")
        axis.grid(alpha=0.3)
    for axis in list(axes.flat)[len(figures) :]:
        axis.axis("off")
    handles, titles = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.08 if rows > 1 else 0.16, 1, 1))
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)

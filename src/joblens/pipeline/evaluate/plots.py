"""The pictures of the report and the tables behind them.

Tables are for `dvc plots show` and `dvc plots diff`, pictures for people. Equal figures give equal bytes.
"""

import csv
import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from joblens.metrics import ReliabilityBin, confusion_matrix
from joblens.pipeline.evaluate.comparison import TITLES
from joblens.storage import atomic_write, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"zero_shot": "#8a8f98", "centroid": "#3a86c8", "lexical": "#d9822b", "classifier": "#0b7a75"}
"""Told apart by people who do not see red and green alike, and each 3:1 or more against white."""

MOST_CLASSES = 60
"""The confusion picture shows this many of the most frequent classes; the table holds all."""

_INK, _GRID = "#1f2933", "#d5dae1"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.parse_math": False,  # a label may hold a dollar sign
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "figure.facecolor": "white",
}


def write_confusion_table(path: Path, guesses: Tensor, labels: Tensor, names: Sequence[str]) -> None:
    """One line per row (n,): the true label and the guessed one, by name."""
    pairs = zip(labels.tolist(), guesses.tolist(), strict=True)
    _write_csv(path, ["actual", "predicted"], ([names[truth], names[guess]] for truth, guess in pairs))


def write_reliability_table(path: Path, tables: Mapping[str, Sequence[ReliabilityBin]]) -> None:
    """One line per model and bin that has rows."""
    lines = [
        [model, f"{row.confidence:.6f}", f"{row.accuracy:.6f}", row.count]
        for model, table in tables.items()
        for row in table
        if row.count
    ]
    _write_csv(path, ["model", "confidence", "accuracy", "count"], lines)


def write_coverage_table(path: Path, figures: Mapping[str, Any]) -> None:
    """One line per share of the ads; `figures` is the entry `accuracy_at_coverage` of metrics.json."""
    _write_csv(path, ["coverage", "accuracy"], ([*point] for point in figures["accuracy"].items()))


def draw_confusion(path: Path, guesses: Tensor, labels: Tensor, names: Sequence[str]) -> None:
    """The confusion matrix: numbers are rows, shades are shares of the true class, columns are numbered."""
    counts = confusion_matrix(guesses, labels, len(names))
    shown = counts.sum(dim=1).argsort(descending=True, stable=True)[:MOST_CLASSES].sort().values
    counts = counts[shown][:, shown]  # (c, c)
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    size = len(shown)
    side = max(4.0, 0.36 * size)
    with _picture(path, side + 4.6, side + 1.6) as figure:
        axes = figure.subplots()
        axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
        for truth, guess in counts.nonzero().tolist():
            ink = "white" if shares[truth, guess] > 0.55 else _INK
            axes.text(
                guess,
                truth,
                str(int(counts[truth, guess])),
                ha="center",
                va="center",
                color=ink,
                fontsize=9.5,
            )
        labelled = [f"{_wrapped(names[place], 56)}  {place + 1}" for place in shown.tolist()]
        axes.set_yticks(range(size), labelled, fontsize=9.5)
        axes.set_xticks(range(size), [str(place + 1) for place in shown.tolist()], fontsize=9.5)
        axes.tick_params(length=0)
        axes.set_xticks([place - 0.5 for place in range(size + 1)], minor=True)
        axes.set_yticks([place - 0.5 for place in range(size + 1)], minor=True)
        axes.grid(which="minor", color="#eef1f4", linewidth=0.8)
        axes.tick_params(which="minor", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("guessed (number of the label on the left)")
        axes.set_ylabel("true label")
        part = "" if size == len(names) else f", the {size} most frequent of {len(names)} labels"
        axes.set_title(f"What the classifier takes for what{part}", loc="left", pad=12)


def draw_reliability(
    path: Path, tables: Mapping[str, Sequence[ReliabilityBin]], errors: Mapping[str, float]
) -> None:
    """Reliability diagrams: on the dashed line, a probability of 80 % is right in 80 % of the rows."""
    with _picture(path, 9.6, 9.2) as figure:
        panels = figure.subplots(2, 2, sharex=True, sharey=True, gridspec_kw={"hspace": 0.18, "wspace": 0.08})
        for axes, (model, table) in zip(panels.flat, tables.items(), strict=True):
            most = max(row.count for row in table)
            filled = [row for row in table if row.count]
            axes.plot([0, 1], [0, 1], linestyle=(0, (4, 3)), color="#6b7480", linewidth=1.2)
            axes.bar(
                [(row.low + row.high) / 2 for row in filled],
                [row.count / most * 0.22 for row in filled],
                width=0.94 / len(table),
                color=COLOURS[model],
                alpha=0.22,
            )
            places = [row.confidence for row in filled if row.confidence is not None]
            heights = [row.accuracy for row in filled if row.accuracy is not None]
            axes.plot(places, heights, color=COLOURS[model], linewidth=1.4, alpha=0.7)
            # A dot's area is its share of the rows: a dot that is hard to see should not be believed.
            axes.scatter(
                places, heights, s=[6 + 90 * row.count / most for row in filled], color=COLOURS[model]
            )
            axes.set_title(f"{TITLES[model]}: ECE {errors[model]:.3f}", fontsize=12)
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1.02)
            axes.set_aspect("equal", adjustable="box")
            axes.grid(linewidth=0.7)
        for axes in panels[1]:
            axes.set_xlabel("promised probability")
        for axes in panels[:, 0]:
            axes.set_ylabel("share that was right")
        figure.suptitle(
            "Do probabilities come true? Dashed: perfectly calibrated; pale bars, dot sizes: how many rows",
            x=0.07,
            y=0.945,
            ha="left",
            fontsize=12,
        )


def draw_comparison(path: Path, figures: Mapping[str, Mapping[str, Any]], folds: Mapping[str, Any]) -> None:
    """Macro-F1 of each model with its 95 % interval, and of each cross-validation fold if there are any."""
    with _picture(path, 9.6, 0.85 * len(figures) + 1.9) as figure:
        axes = figure.subplots()
        for place, (model, values) in enumerate(figures.items()):
            low, high = values["ci_macro_f1"]
            centre = values["macro_f1"]
            axes.barh(place, centre, height=0.56, color=COLOURS[model], alpha=0.9)
            axes.plot([low, high], [place, place], color=_INK, linewidth=1.8, solid_capstyle="butt")
            for end in (low, high):
                axes.plot([end, end], [place - 0.13, place + 0.13], color=_INK, linewidth=1.8)
            if model in folds:
                scores = folds[model]["macro_f1"]["folds"]
                axes.scatter(
                    scores,
                    [place + 0.4] * len(scores),
                    s=20,
                    color=COLOURS[model],
                    edgecolor="white",
                    linewidth=0.5,
                )
                high = max(high, *scores)
            axes.text(high + 0.015, place, f"{centre:.3f}", va="center", fontweight="bold")
        axes.set_yticks(range(len(figures)), [TITLES[model] for model in figures])
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.05)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.grid(axis="x", linewidth=0.7)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("macro-F1 on test rows" + (" (dots: folds of the cross-validation)" if folds else ""))
        axes.set_title("Macro-F1 with 95 % intervals", loc="left", pad=10)


def draw_coverage(path: Path, figures: Mapping[str, Any]) -> None:
    """Accuracy on the ads that the classifier is surest of, by share, and where its abstain rule stands.

    Args:
        path: The picture.
        figures: The entry `accuracy_at_coverage` of metrics.json.
    """
    shares = [float(share) for share in figures["accuracy"]]
    heights = list(figures["accuracy"].values())
    rule = figures["abstain"]
    colour = COLOURS["classifier"]
    with _picture(path, 9.6, 4.2) as figure:
        axes = figure.subplots()
        axes.plot(shares, heights, color=colour, linewidth=2, marker="o", markersize=4, label="surest ads")
        axes.axhline(
            rule["precision_wanted"],
            color="#6b7480",
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            label="precision wanted of the answers",
        )
        lowest = min(*heights, rule["precision_wanted"])
        if rule["precision_when_answering"] is not None:
            lowest = min(lowest, rule["precision_when_answering"])
            axes.scatter(
                rule["share_answered"],
                rule["precision_when_answering"],
                s=90,
                color=COLOURS["lexical"],
                edgecolor="white",
                zorder=3,
                label="its abstain rule",
            )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(max(0.0, lowest - 0.05), 1.01)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.grid(linewidth=0.7)
        axes.set_xlabel("share of ads that are answered, surest first (coverage)")
        axes.set_ylabel("share that is right")
        axes.set_title("How right is the classifier where it is sure?", loc="left", pad=10)
        axes.legend(frameon=False, loc="best")


def draw_training(path: Path, log: Sequence[Mapping[str, float | None]]) -> None:
    """The classifier's learning curve: losses on the left, validation scores on the right, by epoch."""
    with _picture(path, 9.6, 3.9) as figure:
        left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.22})
        columns = [name for name in log[0] if name not in {"epoch", "step"}]
        _draw_columns(left, log, [name for name in columns if "loss" in name], "Loss")
        _draw_columns(
            right,
            log,
            [name for name in columns if name.startswith("val/") and "loss" not in name],
            "Validation",
        )


def _draw_columns(
    axes: "Axes", log: Sequence[Mapping[str, float | None]], columns: Sequence[str], title: str
) -> None:
    for name, colour in zip(columns, ["#0b7a75", "#d9822b", "#3a86c8", "#8a8f98"], strict=False):
        points = [(x, y) for row in log if (x := row["epoch"]) is not None and (y := row[name]) is not None]
        axes.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=2, label=name)
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.grid(linewidth=0.7)
    if columns:
        axes.legend(frameon=False)


def _write_csv(path: Path, header: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """A CSV table with Unix line ends, written whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    write_text(path, text.getvalue())


def _wrapped(name: str, width: int) -> str:
    return "\n".join(textwrap.wrap(name, width)[:2])


@contextmanager
def _picture(path: Path, width: float, height: float) -> Iterator["Figure"]:
    """A figure of so many inches in our own style, written as PNG at the end.

    It uses no window system and no global state, and leaves the software's name out: equal figures give
    equal bytes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=120)
        yield figure
        with atomic_write(path) as temporary:
            figure.savefig(
                temporary, format="png", bbox_inches="tight", pad_inches=0.18, metadata={"Software": None}
            )

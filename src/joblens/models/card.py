"""The model card: what a bundle is for, what it was made from, how good it is, and how to load it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joblens.models.bundle import Bundle

_MOST_LABELS = 60
_SHARES = ("0.20", "0.40", "0.60", "0.80", "0.90", "1.00")
"""Of those in `accuracy_at_coverage`, which the card shows."""


def model_card(bundle: "Bundle") -> str:
    """The card as Markdown (Mitchell et al. 2019). Equal bundles give equal text.

    Of `bundle.card` it shows `data` (row counts by name), `metrics` (fractions by name) and
    `accuracy_at_coverage` (fractions by share of the rows), when there.
    """
    sections = [
        "# Job advert classifier",
        _intended_use(bundle),
        _data(bundle),
        _metrics(bundle),
        _limits(bundle),
        _loading(),
    ]
    return "\n\n".join(sections) + "\n"


def _intended_use(bundle: "Bundle") -> str:
    names = [
        f"- {_inline(label)}" + (" (cuts across the others)" if row in bundle.crosscutting else "")
        for row, label in enumerate(bundle.labels[:_MOST_LABELS])
    ]
    if len(bundle.labels) > _MOST_LABELS:
        names.append(f"- and {len(bundle.labels) - _MOST_LABELS} more in `labels.json`")
    reads = "title and text" if bundle.uses_title else "text"
    return (
        f"Sorts job adverts into {len(bundle.labels)} categories by their {reads}. "
        "It proposes; a person decides. "
        "Do not use it to judge people, and do not use it on text that is not a job advert.\n\n"
        + "\n".join(names)
    )


def _data(bundle: "Bundle") -> str:
    rows = "\n".join(
        f"| {_inline(name)} | {value:,} |" for name, value in _numbers(bundle.card.get("data")).items()
    )
    table = f"\n\n| Rows | Count |\n|---|---:|\n{rows}" if rows else ""
    encoder = _inline(bundle.embedding.name)
    return (
        f"## Data\n\nVectors of `{encoder}` ({bundle.dimensions} numbers), "
        f"cleaning `{bundle.cleaning.extractor}`. "
        f"{_landmarks(bundle)}; `card.json` has the hashes of the data.{_snapshot(bundle)}{table}"
    )


def _snapshot(bundle: "Bundle") -> str:
    if bundle.snapshot is None:
        return ""
    return (
        f" `snapshot.safetensors` holds the vectors of {len(bundle.snapshot.vectors):,} of the cleaned "
        "training adverts, drawn by chance, to tell when new adverts differ: none of their words, but what "
        "they were about can be told from them (`classifier.snapshot=0` holds none)."
    )


def _landmarks(bundle: "Bundle") -> str:
    found = getattr(getattr(bundle.network, "shape", None), "landmarks", 0)
    if not found:
        return "The weights hold no adverts"
    return (
        f"The weights hold the vectors of {found:,} cleaned training adverts, but none of their words "
        "(`classifier.landmarks=0` holds none)"
    )


def _metrics(bundle: "Bundle") -> str:
    calibration = bundle.calibration
    rows = "\n".join(
        f"| {_inline(name)} | {value:.4f} |" for name, value in _numbers(bundle.card.get("metrics")).items()
    )
    table = f"\n\n| Metric | Value |\n|---|---:|\n{rows}" if rows else ""
    reached = (
        f"reaches {calibration.precision:.1%} precision on {calibration.answered:.1%} of them"
        if calibration.precision >= calibration.target_precision
        else f"reaches only {calibration.precision:.1%} precision, on {calibration.answered:.1%} of them: "
        f"no threshold reached {calibration.target_precision:.1%}"
    )
    return (
        f"## Quality on {_measured_on(bundle)}, so expect a little less on new adverts."
        f"{table}\n\nProbabilities are calibrated with temperature {calibration.temperature:.3f}, "
        f"then the odds of each guess with power {calibration.slope:.3f} and shift {calibration.shift:+.3f}. "
        f"Prediction sets aim to hold the true label {calibration.coverage:.0%} of the time. "
        f"Abstaining below probability {calibration.abstain_below:.3f} {reached}."
        f"{_coverage(bundle)}"
    )


def coverage_table(curve: Mapping[str, float]) -> str:
    """`accuracy_at_coverage` in short, as a Markdown table; empty without figures."""
    shown = {f"{float(share):.0%}": curve[share] for share in _SHARES if share in curve}
    if not shown:
        return ""
    return (
        f"| Answered, surest first | {' | '.join(shown)} |\n|---|{'---:|' * len(shown)}\n"
        f"| Right | {' | '.join(f'{value:.1%}' for value in shown.values())} |"
    )


def _coverage(bundle: "Bundle") -> str:
    table = coverage_table(_numbers(bundle.card.get("accuracy_at_coverage")))
    if not table:
        return ""
    return (
        "\n\nHow right it is on the rows it is surest of. These are the rows of the calibration, since "
        "training sees no test rows; `reports/model_card.md`, which `joblens evaluate` writes, has the "
        f"figures of rows held out.\n\n{table}"
    )


def _measured_on(bundle: "Bundle") -> str:
    if bundle.classifier.network == "wide_deep":
        return (
            "unseen rows\n\nEvery training and validation row was guessed by experts that had not learned "
            "from it. The same guesses gave the calibration"
        )
    return "validation rows\n\nThese rows also chose the best epoch and the calibration"


def _limits(bundle: "Bundle") -> str:
    return (
        "## Limits\n\n"
        "- It knows only the categories above, and always proposes one of them.\n"
        "- It repeats the habits, mistakes and gaps of the labels it learned from; "
        "rare categories suffer most.\n"
        "- Adverts of another country, year or language than the training data get worse guesses and "
        "probabilities that promise too much.\n"
        "- It works only with vectors of the encoder named above; joblens refuses any other."
    )


def _loading() -> str:
    return (
        "## How to load it\n\n```python\nfrom joblens import Classifier\n\n"
        'guesses = Classifier.load("path/to/this/folder").predict(["the text of an advert"])\n```'
    )


def _numbers(values: Any) -> Mapping[str, float]:
    if not isinstance(values, Mapping):
        return {}
    return {str(name): value for name, value in values.items() if isinstance(value, int | float)}


def _inline(text: str) -> str:
    """Text that stays on its line and in its table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")

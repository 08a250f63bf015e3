"""A day's guesses beside those of the training: what moved, in a paragraph and in an Evidently report."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from joblens.errors import ConfigError, DataError, nearest, one_line
from joblens.models.bundle import read_bundle
from joblens.shift import population_stability_index, psi_by_chance
from joblens.sources.files import kind_of, must_be_file
from joblens.sources.writing import FORMULA_STARTS
from joblens.storage import atomic_write

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("label", "probability", "abstained")
_NAMED = 3  # labels that the summary names


@dataclass(frozen=True, slots=True)
class LabelDrift:
    """How the guesses of one file differ from the reference."""

    label_psi: float
    """Population stability index of the guessed labels."""
    label_psi_by_chance: float
    """What it stays below 99 % of the time when nothing moved."""
    adverts: int
    """Adverts with a label."""
    without_label: int
    """Adverts that had nothing to read."""
    reference: int
    """Guesses that they are compared with."""
    moved: tuple[tuple[str, float, float], ...]
    """The labels that moved most: label, share before, share now."""
    abstained: tuple[float, float]
    """Shares of the adverts with a label that a person should see: before, now."""

    def __str__(self) -> str:
        """One paragraph."""
        if self.label_psi <= self.label_psi_by_chance:
            verdict = "no more than chance explains"
        elif self.label_psi < 0.1:
            verdict = "more than chance, but little"
        else:
            verdict = "moved" if self.label_psi < 0.25 else "moved far"
        moved = ", ".join(f"{label} {before:.1%} → {now:.1%}" for label, before, now in self.moved)
        before, now = self.abstained
        return (
            f"{self.adverts:,} adverts with a label ({self.without_label:,} more without words) beside "
            f"{self.reference:,} of the reference. Label PSI {self.label_psi:.3f}: {verdict} "
            f"(99 % of samples that did not move stay below {self.label_psi_by_chance:.3f}). "
            f"Most moved: {moved}. Abstained {before:.1%} → {now:.1%}."
        )


def drift_report(scored: Path, output: Path, *, bundle: Path, reference: Path | None = None) -> LabelDrift:
    """Compare a scored file with the training, and write an Evidently report that opens offline.

    Args:
        scored: What `joblens predict` wrote: csv, parquet or jsonl.
        output: The HTML file to write.
        bundle: The bundle that scored it; only read when `reference` is None.
        reference: Guesses to compare with: another scored file, or `reports/predictions.parquet`, of which
            the training rows are left out. None: the bundle's snapshot, which has labels and abstentions.

    Raises:
        ConfigError: Evidently is not installed.
        DataError: A file is missing or damaged, lacks a column or has no labels, or the labels are not those
            of the bundle.
        BundleError: The bundle is missing or damaged.
    """
    now = read_guesses(scored)
    before = _guesses_of(bundle, scored, now) if reference is None else read_guesses(reference)
    found = compare_guesses(before, now)
    _write_report(before, now, output)
    return found


def compare_guesses(before: "pl.DataFrame", now: "pl.DataFrame") -> LabelDrift:
    """What moved between two frames of `read_guesses`."""
    import polars as pl

    earlier, later = (frame.filter(pl.col("label").is_not_null()) for frame in (before, now))
    labels = sorted({*earlier["label"], *later["label"]})
    old, new = (
        [dict(frame["label"].value_counts().iter_rows()).get(label, 0) for label in labels]
        for frame in (earlier, later)
    )
    shares = [
        (label, count / earlier.height, count_now / later.height)
        for label, count, count_now in zip(labels, old, new, strict=True)
    ]
    shares.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
    return LabelDrift(
        label_psi=population_stability_index(old, new),
        label_psi_by_chance=psi_by_chance(old, new),
        adverts=later.height,
        without_label=now.height - later.height,
        reference=earlier.height,
        moved=tuple(shares[:_NAMED]),
        abstained=(_mean(earlier["abstained"]), _mean(later["abstained"])),
    )


def read_guesses(path: Path) -> "pl.DataFrame":
    """The guesses of a file as columns `label` (null without words), `probability` and `abstained`.

    A column `guess` goes before one called `label`, which is then the true one. Rows whose `split` is `train`
    are left out: the model is too sure of what it has learned from.

    Raises:
        DataError: The file is missing or damaged, lacks a column, or no row has a label.
    """
    import polars as pl

    must_be_file(path)
    kind = kind_of(path)
    try:
        if kind == "csv":
            separator = "\t" if ".tsv" in path.suffixes else ","
            frame = pl.read_csv(path, separator=separator, infer_schema=False)
        else:
            frame = pl.read_parquet(path) if kind == "parquet" else pl.read_ndjson(path)
        label = "guess" if "guess" in frame.columns else "label"
        for column in (label, "probability", "abstained"):
            if column not in frame.columns:
                raise DataError(
                    f"{path} has no column {column!r}{nearest(column, frame.columns)}; give a file that "
                    "`joblens predict` wrote"
                )
        if "split" in frame.columns:
            frame = frame.filter(pl.col("split") != "train")
        found = frame.select(
            label=pl.col(label).cast(pl.String).replace("", None),
            probability=pl.col("probability").cast(pl.Float64),
            abstained=pl.col("abstained").cast(pl.String).str.to_lowercase() == "true",
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"cannot read {path} ({one_line(str(error))}); write it again") from error
    if kind == "csv":
        found = found.with_columns(pl.col("label").map_elements(_without_guard, return_dtype=pl.String))
    if found["label"].null_count() == found.height:
        raise DataError(f"{path} has {found.height} rows to compare and none with a label; check the file")
    return found


def _guesses_of(folder: Path, scored: Path, now: "pl.DataFrame") -> "pl.DataFrame":
    """The guesses that a bundle's snapshot counts, one row each; which of them abstained it does not say."""
    import polars as pl

    bundle = read_bundle(folder)
    if bundle.snapshot is None:
        raise DataError(
            f"the bundle {folder} has no snapshot; train it again with classifier.snapshot above 0, or name "
            "guesses to compare with by --reference reports/predictions.parquet"
        )
    unknown = sorted({*now["label"].drop_nulls()} - {*bundle.labels})
    if unknown:
        raise DataError(
            f"{scored} has {len(unknown)} labels that the bundle {folder} does not know, such as "
            f"{unknown[0]!r}; name the bundle that scored it"
        )
    counts = bundle.snapshot.label_counts.tolist()
    labels = [label for label, count in zip(bundle.labels, counts, strict=True) for _ in range(count)]
    unsure = bundle.snapshot.abstained
    return pl.DataFrame(
        {
            "label": labels,
            "probability": [None] * len(labels),
            "abstained": [row < unsure for row in range(len(labels))],
        },
        schema={"label": pl.String, "probability": pl.Float64, "abstained": pl.Boolean},
    )


def _write_report(before: "pl.DataFrame", now: "pl.DataFrame", output: Path) -> None:
    """The report on those columns that both have."""
    os.environ["DO_NOT_TRACK"] = "1"  # read by Evidently when it is imported and used
    shared = [name for name in _COLUMNS if before[name].count() and now[name].count()]
    with warnings.catch_warnings():
        # Evidently's own libraries warn of each other.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            import pandas
            from evidently import DataDefinition, Dataset, Report
            from evidently.presets import DataDriftPreset
        except ImportError as error:
            raise ConfigError(
                f"the report needs Evidently ({one_line(str(error))}); run `pip install 'joblens[drift]'`"
            ) from error
        definition = DataDefinition(
            categorical_columns=[name for name in shared if name != "probability"],
            numerical_columns=[name for name in shared if name == "probability"],
        )

        def dataset(frame: "pl.DataFrame") -> Dataset:
            rows = {name: frame[name].to_list() for name in shared}
            rows["label"] = [label or "(no words)" for label in rows["label"]]
            rows["abstained"] = ["yes" if unsure else "no" for unsure in rows["abstained"]]
            return Dataset.from_pandas(pandas.DataFrame(rows), data_definition=definition)

        report = Report([DataDriftPreset(columns=shared, cat_method="psi", num_method="psi")])
        found = report.run(dataset(now), dataset(before))
        with atomic_write(output) as temporary:
            found.save_html(str(temporary))


def _mean(column: "pl.Series") -> float:
    return float(column.to_numpy().mean())


def _without_guard(label: str) -> str:
    """A cell of a csv without the apostrophe that keeps spreadsheets from running it as a formula."""
    return label[1:] if label.startswith("'") and label[1:].startswith(FORMULA_STARTS) else label

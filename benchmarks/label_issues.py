"""How many of the sample's wrong labels `evaluate` finds, and how many of those it lists are wrong.

    python benchmarks/label_issues.py            # after `dvc repro` here
    python benchmarks/label_issues.py PROJECT    # of another folder, with a sample of its own

Reads `reports/label_issues.parquet` and the truth of `data/sample/ads.jsonl`, whose generator swapped some
labels. "Suggestion right" is the share of the wrong labels found for which the right one is suggested.
"""

import json
import sys
from pathlib import Path

import polars as pl

from joblens.errors import DataError, JoblensError
from joblens.paths import Layout
from joblens.storage import read_table

COLUMNS = ("id", "label", "suggested", "quality")


def read_truth(path: Path) -> pl.DataFrame:
    """The columns `id`, `given` and `true` of every advert of a sample.

    Raises:
        DataError: There is no sample, or an advert of it has no true label.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        rows = [(line["id"], line["label"], line["true_label"]) for line in lines]
    except FileNotFoundError:
        raise DataError(
            f"there is no {path}; write one with `joblens sample --output {path.parent}`"
        ) from None
    except KeyError as error:
        raise DataError(f"{path} has no {error}; the truth is known of `joblens sample` alone") from None
    return pl.DataFrame(rows, schema=["id", "given", "true"], orient="row")


def judge(issues: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """The issues in their order, with whether the label `is_wrong` and the suggestion `is_right`.

    Raises:
        DataError: The issues are not of this sample.
    """
    table = issues.join(truth, on="id", how="left", maintain_order="left")
    strangers = table.filter(pl.col("given").is_null() | (pl.col("given") != pl.col("label")))
    if len(strangers):
        raise DataError(
            f"advert {strangers['id'][0]!r} is not in the sample with that label; run `dvc repro` on it"
        )
    return table.with_columns(
        is_wrong=pl.col("given") != pl.col("true"), is_right=pl.col("suggested") == pl.col("true")
    )


def print_row(title: str, judged: pl.DataFrame, asked: int, wrong: int) -> None:
    """One list: of `asked` adverts those in `judged` were listed; `wrong` are wrong in the whole sample."""
    found = judged.filter("is_wrong")
    right = f"{found['is_right'].mean():.3f}" if len(found) else "-"
    precision = f"{len(found) / asked:.3f}" if asked else "-"
    print(f"| {title} | {asked} | {len(found)} | {precision} | {len(found) / wrong:.3f} | {right} |")


def main() -> None:
    """Print one table."""
    project = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    truth = read_truth(project / "data/sample/ads.jsonl")
    judged = judge(read_table(Layout(project).label_issues, columns=COLUMNS), truth)
    wrong = truth.filter(pl.col("given") != pl.col("true")).height
    if wrong == 0:
        raise DataError("no label of the sample is wrong; there is nothing to find")
    print(f"{len(truth)} adverts, {wrong} with a wrong label, {len(judged)} listed\n")
    print(
        "| list | adverts | wrong | precision | recall | suggestion right |\n|---|---:|---:|---:|---:|---:|"
    )
    print_row(f"the {wrong} most doubtful", judged.head(wrong), wrong, wrong)
    print_row("all", judged, len(judged), wrong)


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"label_issues: {error}", file=sys.stderr)
        sys.exit(2)

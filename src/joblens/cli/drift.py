"""`joblens drift`: a day's guesses beside those of the training."""

from pathlib import Path
from typing import Annotated

import typer

from joblens.cli.options import CLASSIFIER, Bundle

EXAMPLE = "Example: joblens drift guesses.csv --reference reports/predictions.parquet --output drift.html"


def drift(
    scored: Annotated[Path, typer.Argument(metavar="SCORED", help="csv, parquet or jsonl of `predict`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write.")] = Path("drift.html"),
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="Guesses to compare with; none: the bundle's snapshot."),
    ] = None,
    bundle: Bundle = CLASSIFIER,
) -> None:
    """Say how a day's guesses differ from those of the training, and write an Evidently report."""
    from joblens.inference.drift import drift_report

    typer.echo(str(drift_report(scored, output, reference=reference, bundle=bundle)))
    typer.echo(f"wrote {output}")

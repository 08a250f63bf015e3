"""`joblens explain`: why an advert gets its guess."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joblens.cli.options import CLASSIFIER, Bundle, Device
from joblens.paths import Layout

if TYPE_CHECKING:
    from rich.table import Table

    from joblens.inference.explain import Explanation

EXAMPLE = 'Example: joblens explain "Vi søger en tømrer med svendebrev" --title Tømrer'


def explain(
    text: Annotated[str, typer.Argument(help="The advert's text.")],
    title: Annotated[str, typer.Option("--title", "-t", help="The advert's title.")] = "",
    bundle: Bundle = CLASSIFIER,
    most: Annotated[int, typer.Option("--most", help="How many words and entities to name at most.")] = 5,
    nearest: Annotated[
        int, typer.Option("--nearest", help="How many training adverts to name; 0 looks for none.")
    ] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    device: Device = "auto",
) -> None:
    """Classify one advert, and name what moved the guess and the training adverts most like it.

    Training adverts are looked up in the project that the bundle lies in, when it has their vectors.
    """
    from dataclasses import asdict

    from rich.console import Console

    from joblens.inference.classify import Classifier
    from joblens.inference.explain import explain as explain_ad
    from joblens.inference.neighbours import TrainingAds

    layout = project_of(bundle) if nearest else None
    classifier = Classifier.load(bundle, device=device)
    training = None if layout is None else TrainingAds.load(layout, classifier)
    explanation = explain_ad(classifier, title, text, most, training=training, count=nearest)
    if as_json:
        import json

        found = asdict(explanation)
        del found["ad"]
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    guess = explanation.guess
    typer.echo(f"{guess.label}: {guess.probability:.0%}")
    if guess.abstained:
        typer.echo(f"  abstained: {guess.reason}")
    if explanation.evidence:
        Console(width=100).print(evidence_table(explanation))
        typer.echo(f"without all of these: {explanation.without:.0%}")
    else:
        typer.echo("no word or entity alone makes this guess likelier")
    if layout is None and nearest:
        typer.echo("nearest training adverts: none, for no project with their vectors is around the bundle")
    for ad in explanation.nearest:
        typer.echo(f"near: {ad.id} ({ad.cosine:.2f})")


def project_of(bundle: Path) -> Layout | None:
    """The project around a bundle's folder; None when there is none, or it has no vectors."""
    layout = Layout(bundle.resolve().parent.parent)
    is_here = layout.classifier.resolve() == bundle.resolve() and layout.embeddings.is_file()
    return layout if is_here else None


def evidence_table(explanation: "Explanation") -> "Table":
    """One row for each word and entity: what it adds to the probability, in points, and to the odds."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(f"What speaks for {explanation.guess.label}"))
    table.add_column("phrase")
    table.add_column("kind")
    table.add_column("points", justify="right")
    table.add_column("odds", justify="right")
    for found in explanation.evidence:
        table.add_row(escape(found.phrase), found.kind, f"{100 * found.effect:+.1f}", f"× {found.odds:.2f}")
    return table

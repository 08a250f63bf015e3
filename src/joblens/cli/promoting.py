"""`joblens promote`: a better bundle takes the place of the served one, or the one before comes back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joblens.cli.options import CLASSIFIER, HERE, SERVING, Device, Project, UrlEnv
from joblens.paths import Layout

if TYPE_CHECKING:
    from joblens.inference.promote import LabelledAds, Promotion

EXAMPLE = "Example: joblens promote models/classifier --to models/serving && joblens serve -b models/serving"


def promote(
    new: Annotated[Path, typer.Argument(help="Folder of the new bundle; it stays as it is.")] = CLASSIFIER,
    to: Annotated[Path, typer.Option("--to", help="Folder of the bundle that is served.")] = SERVING,
    ads: Annotated[
        str | None,
        typer.Option(
            "--ads", help="Labelled adverts that neither has seen; else the test split of --project."
        ),
    ] = None,
    text: Annotated[str, typer.Option("--text", help="Column with the text.")] = "text",
    title: Annotated[
        str | None,
        typer.Option("--title", help="Column with the title, '' for none; else 'title' if it is there."),
    ] = None,
    label: Annotated[str, typer.Option("--label", help="Column with the label.")] = "label",
    url_env: UrlEnv = "JOBLENS_DB_URL",
    labels_may_change: Annotated[
        bool, typer.Option("--labels-may-change", help="Compare although the labels of the two differ.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Let the bundle before and the present one change places.")
    ] = False,
    project: Project = HERE,
    device: Device = "auto",
) -> None:
    """Serve a new bundle if it is better on the same held-out adverts, and keep the old one; exit 1 if not.

    Better: the 95 % interval of the difference in macro-F1 lies above 0, and that in accuracy not below 0.
    """
    if rollback:
        return _roll_back(to)
    from joblens.inference.promote import promote as promote_bundle

    held = Layout(project) if ads is None else _rows(ads, text, title, label, url_env)
    promotion = promote_bundle(new, to, held, labels_may_change=labels_may_change, device=device)
    for line in _lines(promotion):
        typer.echo(line)
    if not promotion.is_done:
        typer.echo(f"not better: {to} stays as it is")
        raise typer.Exit(1)
    kept = f"; the one before is {to}.previous" if promotion.old is not None else ""
    typer.echo(f"promoted: {to} is now {promotion.new.version}{kept}")


def _roll_back(to: Path) -> None:
    from joblens.models.bundle.replacing import bundle_version, roll_back, turn_of

    with turn_of(to):
        roll_back(to)
        typer.echo(f"rolled back: {to} is now {bundle_version(to)}; the other one is {to}.previous")


def _rows(ads: str, text: str, title: str | None, label: str, url_env: str) -> "LabelledAds":
    from joblens.inference.promote import file_rows
    from joblens.sources import Columns, title_if_there
    from joblens.sources.database import check_url_env

    check_url_env(url_env)
    columns = Columns(
        text=text,
        title="title" if title is None else title or None,
        label=label,
        advice="name the right ones with --text, --title or --label; --title '' when there is none",
    )
    if title is None:
        columns = title_if_there(ads, columns, url_env=url_env)
    return file_rows(ads, columns, url_env=url_env)


def _lines(promotion: "Promotion") -> list[str]:
    """Figures of both, and the two differences with their intervals."""
    lines = [f"{promotion.ads:,} held-out ads, {promotion.where}"]
    for name, figures in (("new", promotion.new), ("now", promotion.old)):
        if figures is not None:
            shown = f"macro-F1 {figures.macro_f1:.3f}, accuracy {figures.accuracy:.3f}"
            lines.append(f"  {name} {figures.version}: {shown}")
    for name, difference in (("macro-F1", promotion.macro_f1), ("accuracy", promotion.accuracy)):
        if difference is not None:
            bounds = f"{difference.low:+.3f} to {difference.high:+.3f}"
            lines.append(f"  difference in {name} {difference.difference:+.3f}, 95 % interval {bounds}")
    if promotion.old is None:
        lines.append("  nothing was served there yet: no comparison")
    return lines

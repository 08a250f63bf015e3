"""`joblens sweep` and `joblens experiments`: search for settings, and rank what was tried."""

from typing import TYPE_CHECKING, Annotated

import typer

from joblens.cli.options import HERE, Project
from joblens.paths import Layout

if TYPE_CHECKING:
    from rich.console import Console


def sweep(
    name: Annotated[
        str, typer.Option("--name", "-n", help="Of the sweep, and of the experiment it writes.")
    ] = "best",
    trials: Annotated[
        int, typer.Option("--trials", help="Finished trials in all, those of an interrupted run included.")
    ] = 40,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Begin no trial after so many minutes.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many trials to print.")] = 5,
    project: Project = HERE,
) -> None:
    """Search for settings of the classifier, on grouped folds of training and validation ads.

    Run `dvc repro baseline` before. What is tried stands in configs/search/; the test part is never read.
    Stopped or killed, the same command goes on where it was. The best settings become an experiment.
    """
    from joblens.config import load
    from joblens.search.sweep import sweep as run
    from joblens.search.tables import trials_table

    layout = Layout(project)
    swept = run(load(layout.params), layout, name, trials=trials, minutes=minutes)
    title = f"Sweep {name}: {swept.finished} trials on {swept.ads:,} ads, {len(swept.best)} judged in full"
    _console().print(trials_table(title, swept.best[:top]))
    typer.echo(f"wrote {swept.experiment}; to train with it and measure it on test ads:")
    typer.echo(f"  joblens params experiment={name}")
    typer.echo("  dvc repro")


def experiments(
    top: Annotated[int, typer.Option("--top", min=1, help="How many lines of each table.")] = 10,
    commits: Annotated[int, typer.Option("--commits", min=1, help="Of how many last commits.")] = 5,
    project: Project = HERE,
) -> None:
    """Rank DVC experiments by macro-F1 on test ads, and the trials of each sweep by that on its folds."""
    from joblens.errors import ConfigError, DataError
    from joblens.search.experiments import read_experiments
    from joblens.search.journal import read_studies
    from joblens.search.tables import experiments_table, trials_table
    from joblens.search.trials import best_trials, finished

    if not project.is_dir():
        raise ConfigError(f"there is no folder {project}; give --project the folder with params.yaml")
    layout, console = Layout(project), _console()
    try:
        found = read_experiments(layout, commits)
    except DataError as error:  # a project without Git has no experiments, and may have sweeps
        typer.echo(str(error))
    else:
        if not found.count:
            typer.echo("no DVC experiments yet; make some with `dvc exp run -S classifier.dropout=0.2`")
        if found.ranked:
            title = f"DVC experiments: {found.count}, beside their commits"
            console.print(experiments_table(title, found.ranked[:top]))
        if found.without_figures:
            typer.echo(f"without figures of `evaluate`: {', '.join(found.without_figures)}")
    studies = read_studies(layout)
    if not studies:
        typer.echo("no sweeps yet; begin one with `joblens sweep`")
    for name, study in studies.items():
        best, done = best_trials(study), len(finished(study))
        title = f"Sweep {name}: {done} trials, {len(best)} judged in full"
        console.print(trials_table(title, best[:top]))


def _console() -> "Console":
    """As wide as the terminal; a log or a pipe gives no reason to break lines."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=140)

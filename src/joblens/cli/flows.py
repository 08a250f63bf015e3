"""`joblens finetune …`: the flows."""

from pathlib import Path
from typing import Annotated

import typer

from joblens.cli.options import CLEANER, HERE, Device, Project, PublicData
from joblens.paths import Layout

finetune = typer.Typer(
    name="finetune",
    help="Flows that turn a model and data into a better model; no stages of the pipeline.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@finetune.command(epilog="Example: JOBLENS_REAL_DATA=../data joblens finetune ner compute=gpu")
def ner(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Hydra overrides of configs/finetune/ner.yaml.")
    ] = None,
    data: PublicData = None,
    project: Project = HERE,
) -> None:
    """Train the GLiNER that cleans adverts, measure it, and write its bundle with a card."""
    from joblens.config import NerFlow, compose_flow
    from joblens.finetune import data_folder
    from joblens.finetune.ner import run

    layout = Layout(project)
    flow = compose_flow("ner", NerFlow, overrides or [], layout.configs)
    figures = run(flow, layout, data or data_folder(flow.data_env))
    typer.echo(f"wrote {flow.output} in {figures['seconds'] / 60:.0f} minutes; its README.md has the tables")


@finetune.command(epilog="Example: JOBLENS_REAL_DATA=../data joblens finetune titles compute=cpu steps=400")
def titles(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Hydra overrides of configs/finetune/titles.yaml.")
    ] = None,
    data: PublicData = None,
    project: Project = HERE,
) -> None:
    """Train the encoder of job titles on synonyms in many languages, and write it with a card."""
    from joblens.config import TitlesFlow, compose_flow
    from joblens.finetune import data_folder
    from joblens.finetune.titles import run

    layout = Layout(project)
    flow = compose_flow("titles", TitlesFlow, overrides or [], layout.configs)
    figures = run(flow, layout, data or data_folder(flow.data_env))
    typer.echo(
        f"wrote {flow.output} in {figures['seconds'] / 60:.0f} minutes; MRR of the concepts held out "
        f"{figures['held_out_mrr']:.3f}, measure it with `joblens bench titles`"
    )


@finetune.command(name="job-words", epilog="Example: joblens finetune job-words --data ../data")
def job_words(
    data: PublicData = None,
    output: Annotated[Path, typer.Option("--output", help="The list to write.")] = Path(
        "src/joblens/extractors/job_words.json"
    ),
    project: Project = HERE,
) -> None:
    """Collect the words of ESCO's occupations, which are no names in the title of an advert."""
    from joblens.config import TitlesFlow, compose_flow
    from joblens.finetune import data_folder
    from joblens.finetune import job_words as collecting
    from joblens.storage import write_json

    layout = Layout(project)
    flow = compose_flow("titles", TitlesFlow, [], layout.configs)
    found = collecting.job_words(flow, data or data_folder(flow.data_env))
    write_json(layout.root / output, found)
    typer.echo(f"wrote {output}: {', '.join(f'{len(words):,} {key}' for key, words in found.items())}")


@finetune.command(
    name="measure-ner",
    epilog="Example: joblens finetune measure-ner skillspan_dev.json --kind skillspan --language en",
)
def measure_ner(
    file: Annotated[Path, typer.Argument(help="Texts with marked entities.")],
    kind: Annotated[str, typer.Option("--kind", help="skillspan, conll, uner, gliner, presidio or sample.")],
    language: Annotated[str, typer.Option("--language", help="ISO 639-1 code.")] = "en",
    labels: Annotated[str, typer.Option("--labels", help="Which labels, with commas.")] = "skill,task",
    bundle: Annotated[Path, typer.Option("--bundle", "-b", help="Folder of the cleaner.")] = CLEANER,
    device: Device = "auto",
) -> None:
    """Compare the spans a cleaner finds with the ones people marked."""
    from rich.console import Console

    from joblens.finetune.ner.measuring import measure, score_table

    Console(width=100).print(score_table(measure(bundle, file, kind, language, labels.split(","), device)))

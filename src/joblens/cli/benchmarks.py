"""`joblens bench …`: shipped models on public benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from joblens.cli.options import HERE, TITLES, Project
from joblens.paths import Layout

bench = typer.Typer(
    name="bench",
    help="Measure a shipped model on a public benchmark, beside its peers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@bench.command(
    name="titles", epilog="Example: joblens bench titles ../data/melo/melo.tar.xz --set deu_q_de_c_de"
)
def bench_titles(
    benchmark: Annotated[
        Path | None,
        typer.Argument(help="melo.tar.xz or its folder; none: melo/melo.tar.xz below $JOBLENS_REAL_DATA."),
    ] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="Only this set; may be repeated.")] = None,
    peers: Annotated[
        bool, typer.Option(help="Measure the default sentence transformer too, which takes minutes.")
    ] = True,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Title encoder; none: models/titles of the project."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the figures.")] = None,
    project: Project = HERE,
) -> None:
    """The title encoder on MELO: MRR, MAP and hit rates beside its peers, robustness, and speed."""
    from rich.console import Console

    from joblens.config import compose
    from joblens.encoders import build_encoder
    from joblens.finetune import data_folder
    from joblens.finetune.titles.report import measure, speed_line, tables
    from joblens.storage import write_json

    layout = Layout(project)
    path = benchmark or data_folder("JOBLENS_REAL_DATA") / "melo/melo.tar.xz"
    others = {}
    if peers:
        config = compose(["embedding=minilm"], layout.configs)
        others = {config.embedding.model: build_encoder(config.embedding, config.compute)}
    figures = measure(path, model or project / TITLES, others, sets or [])
    for table in tables(figures):
        Console(width=110).print(table)
    typer.echo(speed_line(figures))
    if output is not None:
        write_json(output, figures)


@bench.command(name="codes", epilog="Example: joblens bench codes pl_ads.parquet --title title --code isco2")
def bench_codes(
    file: Annotated[Path, typer.Argument(help="csv, parquet or jsonl file of titles with their codes.")],
    title: Annotated[str, typer.Option("--title", help="Column with the title.")] = "title",
    code: Annotated[str, typer.Option("--code", help="Column with the ISCO-08 code.")] = "code",
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder of the title encoder.")] = TITLES,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the figures.")] = None,
) -> None:
    """ISCO-08 codes from titles alone against codes that people gave, and what backing off gains."""
    from rich.console import Console

    from joblens.finetune.titles.coding import code_tables, measure_codes, read_titles
    from joblens.inference.code import TitleCoder
    from joblens.storage import write_json

    figures = measure_codes(TitleCoder.load(model), *read_titles(file, title, code))
    for table in code_tables(figures):
        Console(width=110).print(table)
    if output is not None:
        write_json(output, figures)

"""The only door for people: one command per stage and server."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from joblens.cli.benchmarks import bench
from joblens.cli.drift import EXAMPLE as DRIFT_EXAMPLE
from joblens.cli.drift import drift
from joblens.cli.explaining import EXAMPLE, explain
from joblens.cli.flows import finetune
from joblens.cli.options import CLASSIFIER, CLEANER, HERE, TITLES, Bundle, Device, Project, UrlEnv
from joblens.cli.page import EXAMPLE as UI_EXAMPLE
from joblens.cli.page import ui
from joblens.cli.promoting import EXAMPLE as PROMOTE_EXAMPLE
from joblens.cli.promoting import promote
from joblens.cli.search import experiments, sweep
from joblens.cli.serving import serve
from joblens.errors import DataError, JoblensError, nearest
from joblens.paths import Layout

app = typer.Typer(
    name="joblens",
    help="Make sense of job text: clean adverts, embed them, classify them, and say how sure that is.",
    epilog="Example: joblens params data=csv data.path=ads.csv data.text=body data.label=area && dvc repro",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

SAMPLE = Path("data/sample/ads.jsonl")
EXTRACTED = Path("data/raw/ads.parquet")


@app.command(epilog="Example: joblens params data=csv data.path=ads.csv data.text=body data.label=area")
def params(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Hydra overrides: group=option or section.key=value.")
    ] = None,
    project: Project = HERE,
) -> None:
    """Compose configs/ with overrides, check the result and write params.yaml for `dvc repro`."""
    from joblens.config import compose, to_yaml
    from joblens.storage import write_text

    layout = Layout(project)
    config = compose(overrides or [], layout.configs)
    for file in (config.data.path, config.data.taxonomy):
        if file is not None and not (project / file).exists():
            folder = (project / file).parent
            beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
            close = nearest(Path(file).name, beside)
            raise DataError(f"there is no file {file}{close}; check data.path and data.taxonomy")
    changes = _changes(layout.params, config.model_dump(mode="json"))
    write_text(layout.params, to_yaml(config))
    typer.echo(f"wrote {layout.params}" + (f", {len(changes)} changed:" if changes else ", nothing changed"))
    for change in changes:
        typer.echo(f"  {change}")


@app.command(epilog="Example: joblens sample --ads 5000 --seed 1 --output data/big")
def sample(
    ads: Annotated[int, typer.Option("--ads", help="How many adverts.")] = 900,
    seed: Annotated[int, typer.Option("--seed", help="Seed; the same seed gives the same bytes.")] = 7,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")] = Path("data/sample"),
) -> None:
    """Make synthetic adverts in Danish and English, every entity's place known."""
    from joblens.sources.sample import write_sample

    write_sample(output, ads, seed)
    typer.echo(f"wrote {ads:,} synthetic adverts to {output}")


@app.command(epilog="Example: JOBLENS_DB_URL=sqlite:///jobs.db joblens extract --output data/raw/ads.parquet")
def extract(
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")] = EXTRACTED,
    project: Project = HERE,
) -> None:
    """Copy the table or query that params.yaml names to a parquet file that `dvc add` can track."""
    from joblens.config import load
    from joblens.sources.sql import extract as extract_table

    report = extract_table(load(Layout(project).params).data, output)
    typer.echo(f"wrote {report.rows:,} rows to {report.path}, their count and query hash beside it")


def _stage(name: str, project: Path) -> None:
    from joblens.config import load
    from joblens.pipeline import run_stage

    layout = Layout(project)
    run_stage(name, load(layout.params), layout)


@app.command()
def ingest(project: Project = HERE) -> None:
    """Stage 1: read adverts from the source into one checked table."""
    _stage("ingest", project)


@app.command()
def clean(project: Project = HERE) -> None:
    """Stage 2: keep what matters of each advert, drop personal data."""
    _stage("clean", project)


@app.command()
def split(project: Project = HERE) -> None:
    """Stage 3: choose rows to train, validate and test on; near-duplicates stay together."""
    _stage("split", project)


@app.command()
def embed(project: Project = HERE) -> None:
    """Stage 4: one vector per advert."""
    _stage("embed", project)


@app.command()
def baseline(project: Project = HERE) -> None:
    """Stage 5: cosine to label texts and to class centroids."""
    _stage("baseline", project)


@app.command()
def train(project: Project = HERE) -> None:
    """Stage 6: train and calibrate the classifier."""
    _stage("train", project)


@app.command()
def evaluate(project: Project = HERE) -> None:
    """Stage 7: compare all models on the same rows and write the report."""
    _stage("evaluate", project)


@app.command(epilog="Example: joblens audit kompetencer.conll --kind conll --language da")
def audit(
    file: Annotated[
        Path | None, typer.Argument(help="Texts with marked entities; none: the stage, on synthetic adverts.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="skillspan, conll, uner, gliner, presidio or sample.")
    ] = "sample",
    language: Annotated[str, typer.Option("--language", help="ISO 639-1 code of the texts.")] = "en",
    fill: Annotated[bool, typer.Option(help="Fill placeholders such as <NAME> with surrogates.")] = True,
    limit: Annotated[int | None, typer.Option("--limit", help="Only the first so many texts.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the figures.")] = None,
    project: Project = HERE,
) -> None:
    """Stage 8: what personal data the cleaning lets through; or the same on a labelled file."""
    if file is None:
        return _stage("audit", project)
    from rich.console import Console

    from joblens.config import load
    from joblens.extractors import in_project
    from joblens.pipeline.audit.labelled import as_report, audit_file, tables
    from joblens.storage import write_json

    config = load(Layout(project).params)
    config = config.model_copy(update={"cleaning": in_project(config.cleaning, project)})
    found = audit_file(file, kind=kind, language=language, config=config, fill=fill, limit=limit)
    for table in tables(found):
        Console(width=110).print(table)
    if output is not None:
        write_json(output, as_report(found, {"file": file.name, "kind": kind, "language": language}))


@app.command()
def compare(project: Project = HERE) -> None:
    """Print the table that compares all models, from reports/metrics.json."""
    from rich.console import Console

    from joblens.pipeline.evaluate.comparison import comparison_table
    from joblens.storage import read_json

    console = Console()
    if not console.is_terminal:  # a log or a pipe: no reason to break lines
        console = Console(width=110)
    console.print(comparison_table(read_json(Layout(project).metrics)))


app.command(epilog="Example: dvc repro baseline && joblens sweep --trials 60 --name tuned")(sweep)
app.command(epilog="Example: joblens experiments --top 3")(experiments)


@app.command(epilog='Example: joblens classify "Vi søger en tømrer med svendebrev" --title Tømrer')
def classify(
    text: Annotated[str, typer.Argument(help="The advert's text.")],
    title: Annotated[str, typer.Option("--title", "-t", help="The advert's title.")] = "",
    bundle: Bundle = CLASSIFIER,
    device: Device = "auto",
) -> None:
    """Classify one advert."""
    from joblens.inference.classify import Classifier

    (guess,) = Classifier.load(bundle, device=device).predict([text], titles=[title])
    typer.echo(f"{guess.label}: {guess.probability:.0%}")
    for label, probability in guess.top[1:]:
        typer.echo(f"  or {label}: {probability:.0%}")
    typer.echo(f"  very likely one of: {', '.join(guess.prediction_set)}")
    if guess.crossing:
        typer.echo(f"  {guess.crossing}")
    if guess.abstained:
        typer.echo(f"  abstained: {guess.reason}")


app.command(epilog=EXAMPLE)(explain)


@app.command(
    epilog="Example: joblens predict ads.parquet --output guesses.csv --text body --title headline --id id"
)
def predict(
    source: Annotated[str, typer.Argument(metavar="IN", help="csv, parquet or jsonl file, or sql:TABLE.")],
    output: Annotated[str, typer.Option("--output", "-o", help="File or sql:TABLE to write.")],
    text: Annotated[str, typer.Option("--text", help="Column with the text.")] = "text",
    title: Annotated[
        str | None,
        typer.Option("--title", help="Column with the title, '' for none; else 'title' if it is there."),
    ] = None,
    id: Annotated[str, typer.Option("--id", help="Column with the id; '' numbers the rows.")] = "",
    bundle: Bundle = CLASSIFIER,
    url_env: UrlEnv = "JOBLENS_DB_URL",
    device: Device = "auto",
) -> None:
    """Classify every advert of a file or table."""
    from joblens.inference.files import predict_file
    from joblens.sources import Columns, title_if_there
    from joblens.sources.database import check_url_env

    check_url_env(url_env)
    columns = Columns(
        text=text,
        title="title" if title is None else title or None,
        id=id or None,
        advice="name the right ones with --text, --title or --id; --title '' when there is none",
    )
    if title is None:
        columns = title_if_there(source, columns, url_env=url_env)
    done = predict_file(bundle, source, output, columns, url_env=url_env, device=device)
    typer.echo(f"wrote {done.rows:,} guesses to {output}, {done.abstained:,} of them unsure")


app.command(epilog=DRIFT_EXAMPLE)(drift)
app.command(epilog="Example: joblens serve --bundle models/classifier --port 8000")(serve)

app.command(epilog=PROMOTE_EXAMPLE)(promote)
app.command(epilog=UI_EXAMPLE)(ui)
app.add_typer(finetune)
app.add_typer(bench)


@app.command(epilog='Example: joblens code "Tømrer søges (m/k)" --confidence 0.7')
def code(
    titles: Annotated[list[str], typer.Argument(metavar="TITLE...", help="Job titles, in nine languages.")],
    confidence: Annotated[
        float, typer.Option("--confidence", help="Least probability of the code; unsure ones get shorter.")
    ] = 0.5,
    nearest: Annotated[int, typer.Option("--nearest", help="How many occupations to name.")] = 3,
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder of the title encoder.")] = TITLES,
) -> None:
    """The ISCO-08 code of job titles, as precise as is sure enough, and the nearest ESCO occupations."""
    from joblens.inference.code import TitleCoder

    for title, found in zip(
        titles, TitleCoder.load(model).code(titles, confidence=confidence, nearest=nearest), strict=True
    ):
        answer = f"{found.code} {found.name} ({found.probability:.0%})" if found.code else "not sure enough"
        typer.echo(f"{title}: {answer}")
        if found.levels:
            typer.echo(f"  by digits: {', '.join(f'{group} {sure:.0%}' for group, sure in found.levels)}")
        for occupation in found.occupations:
            typer.echo(
                f"  {occupation.similarity:.2f} {occupation.name} ({occupation.code}) {occupation.uri}"
            )


@app.command(name="export-cleaner", epilog="Example: joblens export-cleaner --backend openvino_bf16")
def export_cleaner(
    backend: Annotated[str, typer.Option("--backend", help="onnx, onnx_int8, openvino or openvino_bf16.")],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Folder of the cleaner; else params.yaml's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write; else MODEL/BACKEND."),
    ] = None,
    project: Project = HERE,
) -> None:
    """Write the cleaner for a faster runtime, if it finds what torch finds in the sample's sentences."""
    from rich.console import Console

    from joblens.config import load
    from joblens.extractors import in_project
    from joblens.finetune.exporting import agreement_table, export, sentences_of

    layout = Layout(project)
    cleaning = load(layout.params).cleaning
    known = cleaning.model if cleaning.extractor == "gliner" and cleaning.model else str(CLEANER)
    cleaning = cleaning.model_copy(update={"extractor": "gliner", "model": known, "backend": backend})
    if model is None:
        cleaning = in_project(cleaning, layout.root)
    else:
        cleaning = cleaning.model_copy(update={"model": str(model)})
    found = export(cleaning, sentences_of(project / SAMPLE), output)
    Console(width=100).print(agreement_table(found))
    typer.echo(f"wrote {output or Path(cleaning.model or '') / backend}")


def main() -> None:
    """Run the command line; a JoblensError becomes one line on stderr and exit code 2."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("joblens").setLevel(logging.INFO)
    try:
        app()
    except JoblensError as error:
        typer.echo(f"joblens: {error}", err=True)
        sys.exit(2)


def _changes(path: Path, new: dict[str, object]) -> list[str]:
    """What a new configuration changes in the file at `path`, one line per key; empty for a first file."""
    import yaml

    from joblens.config.compose import URL_ENVS

    try:
        old = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    before, after = _flat(old), _flat(new)
    return [
        # What stood there may be a URL with a password, from before it was refused.
        key if key in URL_ENVS else f"{key}: {before.get(key)} → {after.get(key)}"
        for key in {**after, **before}
        if before.get(key) != after.get(key)
    ]


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, object] = {}
    for key, inner in value.items():
        flat.update(_flat(inner, f"{prefix}.{key}" if prefix else str(key)))
    return flat

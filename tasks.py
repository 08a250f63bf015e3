"""Daily commands: `invoke --list`. Each is a line or two of shell that could be typed."""

import os
import shlex
import sys
from pathlib import Path

from invoke import Context, task

# Commands of this environment come first, also when it was not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
os.environ.setdefault("DVC_NO_ANALYTICS", "1")

DEMO_AD = "Vi søger en tømrer til renovering af tage og facader. Du har svendebrev og kan læse tegninger."


def _compose(c: Context, overrides: str) -> None:
    if overrides:
        c.run(f"joblens params {shlex.join(shlex.split(overrides))}")


@task
def setup(c):
    """Install everything a developer needs, and the commit hooks."""
    c.run("pip install -r requirements_dev.txt")
    c.run("pre-commit install")


@task(help={"ad": "The advert to classify at the end."})
def demo(c, ad=DEMO_AD):
    """Run the whole pipeline on the bundled sample and classify one advert."""
    c.run("joblens params experiment=demo")
    c.run("dvc repro")
    c.run("joblens compare")
    print("\nReport: reports/report.html\n")
    c.run(f"joblens classify {shlex.quote(ad)}")


@task(positional=["set"], help={"set": 'Overrides, such as "data=csv data.path=ads.csv data.text=body".'})
def params(c, set=""):
    """Compose configs/ into params.yaml."""
    c.run(f"joblens params {shlex.join(shlex.split(set))}")


@task(help={"set": 'Overrides, such as "classifier=linear"; else params.yaml stays.'})
def repro(c, set=""):
    """Run every stage whose inputs changed."""
    _compose(c, set)
    c.run("dvc repro")


@task(help={"set": 'Overrides, such as "classifier=linear compute=cpu"; else params.yaml stays.'})
def train(c, set=""):
    """Run the pipeline up to the trained classifier."""
    _compose(c, set)
    c.run("dvc repro train")


@task(help={"set": "Overrides; else params.yaml stays."})
def evaluate(c, set=""):
    """Run the pipeline up to the report."""
    _compose(c, set)
    c.run("dvc repro evaluate")


@task(help={"set": 'Single values, such as "classifier.dropout=0.2,0.4".', "queue": "Queue, run later."})
def experiment(c, set="", queue=False):
    """Try values as DVC experiments, leaving the working tree alone."""
    values = " ".join(f"-S {shlex.quote(value)}" for value in shlex.split(set))
    c.run(f"dvc exp run {'--queue ' if queue else ''}{values}")


@task
def compare(c):
    """Print the table of all models, what changed since the last commit, and experiments by rank."""
    c.run("joblens compare")
    c.run("dvc metrics diff --md")
    c.run("joblens experiments")


@task(
    positional=["input"],
    help={
        "input": "csv, parquet or jsonl file.",
        "output": "File to write.",
        "text": "Column with the text.",
        "title": "Column with the title, '' for none.",
        "id": "Column with the id.",
    },
)
def predict(c, input, output="reports/guesses.csv", text=None, title=None, id=None):
    """Classify every advert of a file."""
    given = {"--output": output, "--text": text, "--title": title, "--id": id}
    options = [part for name, value in given.items() if value is not None for part in (name, value)]
    c.run(shlex.join(["joblens", "predict", input, *options]))


@task
def api(c, port=8000):
    """Serve the trained bundle on this machine."""
    c.run(f"joblens serve --port {port}")


@task(help={"api": "Address of the API.", "language": "da or en."})
def ui(c, api="http://127.0.0.1:8000", port=8501, language="en"):
    """Show the page of a running API, which `invoke api` starts."""
    c.run(f"joblens ui --api {shlex.quote(api)} --port {port} --language {language}")


@task
def lint(c):
    """Check style, types and architecture."""
    c.run("ruff check .")
    c.run("ruff format --check .")
    c.run("mypy")
    c.run("lint-imports")
    c.run("hadolint dockerfiles/*.Dockerfile")


@task(help={"fast": "Leave out tests marked slow or real."})
def test(c, fast=False):  # noqa: PT028
    """Run the tests."""
    c.run('pytest -m "not slow and not real"' if fast else "pytest --cov")


@task
def notebooks(c):
    """Run the notebooks from top to bottom."""
    c.run("pytest --nbmake --no-cov notebooks")


@task
def docs(c, serve=False):
    """Refresh the generated pages and build the documentation."""
    c.run("python docs/generate.py")
    c.run(f"mkdocs {'serve' if serve else 'build --strict'} -f docs/mkdocs.yaml")


@task
def check(c):
    """Everything a pull request must pass; the CI calls this."""
    lint(c)
    test(c)
    notebooks(c)
    c.run("python docs/generate.py --check")
    c.run("mkdocs build --strict -f docs/mkdocs.yaml")


@task(help={"gpu": "Build for CUDA instead of CPU."})
def docker(c, gpu=False):
    """Build the images of the pipeline, the API and the page."""
    backend = "--build-arg TORCH_BACKEND=cu130" if gpu else ""
    for image in ("train", "api", "ui"):
        c.run(f"docker build -f dockerfiles/{image}.Dockerfile {backend} -t joblens-{image} .")


@task(
    positional=["name"],
    help={"name": "A file of benchmarks/, without .py.", "options": 'What it takes, such as "--ads 50".'},
)
def bench(c, name, options=""):
    """Run one benchmark."""
    c.run(f"python benchmarks/{name}.py {options}".rstrip())

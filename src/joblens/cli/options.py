"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Project = Annotated[Path, typer.Option("--project", "-C", help="Folder with params.yaml and dvc.yaml.")]
Bundle = Annotated[Path, typer.Option("--bundle", "-b", help="Folder of the trained bundle.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or gpu.")]
UrlEnv = Annotated[str, typer.Option("--url-env", help="Environment variable with the database URL.")]
PublicData = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the public data; else the variable that the flow's data_env names."
    ),
]

HERE = Path()
CLASSIFIER = Path("models/classifier")
SERVING = Path("models/serving")
CLEANER = Path("models/cleaner")
TITLES = Path("models/titles")

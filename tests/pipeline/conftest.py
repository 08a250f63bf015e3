"""A project folder of its own for each test, with the toy twins of every heavy part."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from joblens.config import Config, compose, to_yaml
from joblens.paths import Layout
from joblens.pipeline import STAGES, run_stage
from joblens.sources.sample import write_sample

REPOSITORY = Path(__file__).parents[2]
MakeProject = Callable[..., tuple[Config, Layout]]


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Make a folder with a sample and a params.yaml: `make_project("classifier=mlp", ads=200)`."""

    def make(*overrides: str, ads: int = 200, folder: str = "project") -> tuple[Config, Layout]:
        layout = Layout(tmp_path / folder)
        write_sample(layout.root / "data/sample", ads=ads, seed=1)
        shutil.copytree(REPOSITORY / "configs", layout.configs)
        shutil.copy(REPOSITORY / "dvc.yaml", layout.dvc_yaml)
        small = ("experiment=toy", "data.min_class_size=8", "evaluation.split.folds=2", *overrides)
        config = compose(small, layout.configs)
        layout.params.write_text(to_yaml(config), encoding="utf-8")
        return config, layout

    return make


@pytest.fixture
def run_stages() -> Callable[[Config, Layout], None]:
    """Run all stages, or the named ones, in order."""

    def run(config: Config, layout: Layout, *names: str) -> None:
        for name in names or STAGES:
            run_stage(name, config, layout)

    return run

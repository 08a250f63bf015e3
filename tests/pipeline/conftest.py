"""A project folder of its own for each test, with the toy twins of every heavy part."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from joblens.config import Config, compose, to_yaml
from joblens.encoders.titles import Shape, TitleEncoder, quantised, write_encoder
from joblens.inference.code import INDEX, NAMES
from joblens.paths import Layout
from joblens.pipeline import STAGES, run_stage
from joblens.sources.sample import write_sample
from joblens.storage import write_json, write_tensors

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


@pytest.fixture
def write_titles() -> Callable[[Path], None]:
    """Write a title encoder of width 4 with three occupations: 2221, 2222 and 5120."""

    def write(folder: Path) -> None:
        dice = np.random.default_rng(0)
        table = dice.normal(size=(256, 4)).astype(np.float32)
        shape = Shape(buckets=256, dimensions=4, shortest=3, longest=5)
        write_encoder(folder, TitleEncoder(shape, *quantised(table)))
        codes = torch.tensor([[127, 0, 0, 0], [0, 127, 0, 0], [0, 0, 90, 90]], dtype=torch.int8)
        write_tensors(folder / INDEX, {"codes": codes, "scales": torch.ones(3, dtype=torch.float16)})
        rows = [
            {"uri": f"esco/{code}", "name": name, "code": code}
            for name, code in (("nurse", "2221"), ("midwife", "2222"), ("cook", "5120"))
        ]
        temperatures = [0.1, 0.2, 0.3, 0.4]
        write_json(folder / NAMES, {"occupations": rows, "groups": {}, "temperatures": temperatures})

    return write

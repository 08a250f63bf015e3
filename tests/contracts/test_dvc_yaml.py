"""dvc.yaml says what each stage really reads, so that `dvc repro` runs what changed and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from joblens.config import Config, Section, load
from joblens.paths import Layout
from joblens.pipeline import STAGES

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src"
DVC = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text("utf-8"))["stages"]
WRITTEN = ("outs", "metrics", "plots")
CLEANER = ("models/cleaner/config.json", "models/cleaner/glossary.json", "models/cleaner/model.safetensors")
"""The default extractor, which Git holds and no stage writes."""
TITLES = ("models/titles/config.json", "models/titles/model.safetensors")
"""The title encoder, of which the same is true."""
OCCUPATIONS = ("models/titles/occupations.json", "models/titles/occupations.safetensors")
"""And the occupations that titles are compared with."""


def modules_imported_by(path: Path) -> set[str]:
    """Modules of joblens that a file imports anywhere, functions included, but not for annotations only."""
    package = path.relative_to(SOURCE).with_suffix("").parts
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: -node.level] if node.level else ()
            module = ".".join([*parent, *([node.module] if node.module else [])])
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))
    return {name for name in names if name.split(".")[0] == "joblens"}


def file_of(module: str) -> Path | None:
    """The file a module's code is in; None for a name inside a module, and for an empty `__init__`.

    A module may have its data in a folder of the same name beside it.
    """
    path = SOURCE.joinpath(*module.split("."))
    package = path / "__init__.py"
    if package.is_file():
        return package if package.read_text("utf-8").strip() else None
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


def resources_of(path: Path) -> set[Path]:
    """Files and folders of data beside a module that it opens by name, such as a template or a vocabulary."""
    constants = (
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
    )
    names = {node.value for node in constants if isinstance(node.value, str)}
    return {beside for beside in path.parent.iterdir() if beside.name in names and is_data(beside)}


def is_data(path: Path) -> bool:
    """A file, or a folder without code."""
    return path.is_file() or not any(path.rglob("*.py"))


def files_run_by(stage: str) -> list[str]:
    """Source files that the stage imports, directly or not, and the data they read; relative and sorted.

    The package's own front door, `joblens/__init__.py`, only says where its public names are.
    """
    found: set[Path] = set()
    waiting = [f"joblens.pipeline.{stage}"]
    while waiting:
        file = file_of(waiting.pop())
        if file is None or file in found or file == SOURCE / "joblens/__init__.py":
            continue
        found.add(file)
        waiting.extend(modules_imported_by(file))
    found.update(*(resources_of(file) for file in found))
    return sorted(str(file.relative_to(REPOSITORY)) for file in found)


def paths(entries: list[str | dict[str, Any]]) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def section_at(dotted: str) -> Any:
    """The annotation of a key of params.yaml, such as `evaluation.split`."""
    annotation: Any = Config
    for part in dotted.split("."):
        assert issubclass(annotation, Section), f"{dotted}: {part} is inside a value"
        assert part in annotation.model_fields, f"{dotted}: there is no key {part}"
        annotation = annotation.model_fields[part].annotation
    return annotation


def test_the_stages_are_those_of_the_pipeline_in_their_order():
    assert tuple(DVC) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_source_files_it_imports(stage):
    listed = [path for path in paths(DVC[stage]["deps"]) if path.startswith("src/")]
    expected = files_run_by(stage)
    assert expected, f"there is no joblens/pipeline/{stage}"
    as_yaml = "".join(f"      - {path}\n" for path in expected)
    missing, idle = sorted(set(expected) - set(listed)), sorted(set(listed) - set(expected))
    assert listed == expected, (
        f"{stage} in dvc.yaml lacks {missing}, lists {idle} for nothing; its source files are:\n{as_yaml}"
    )


@pytest.mark.parametrize(
    ("stage", "data"),
    [
        ("evaluate", "pipeline/evaluate/report.html.j2"),
        ("audit", "sources/personal/vocabulary"),
        ("audit", "sources/sample/vocabulary"),
        ("audit", "sources/sample/vocabulary.py"),  # the module, not the folder of the same name
    ],
)
def test_data_beside_a_module_count_as_its_source(stage, data):
    assert f"src/joblens/{data}" in files_run_by(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_one_plain_command_with_a_description(stage):
    assert DVC[stage]["cmd"] == f"joblens {stage}"
    assert DVC[stage]["desc"].endswith(".")


@pytest.mark.parametrize("stage", STAGES)
def test_paths_and_params_are_literal_but_for_the_watched_data(stage):
    described = DVC[stage]
    templated = re.findall(r"\$\{([^}]*)\}", yaml.safe_dump(described))
    assert set(templated) <= ({"data.watch", "data.watch_taxonomy"} if stage == "ingest" else set())
    assert not [path for kind in WRITTEN for path in paths(described.get(kind, [])) if "$" in path]


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_keys_that_can_change_a_result(stage):
    for dotted in DVC[stage]["params"]:
        section_at(dotted)
        assert dotted.split(".")[0] not in {"compute", "tracking"}


def test_every_key_that_can_change_a_result_is_a_param_of_some_stage():
    tracked = {dotted for described in DVC.values() for dotted in described["params"]}
    idle = [
        f"{name}.{key}"
        for name, field in Config.model_fields.items()
        if name not in {"compute", "tracking", "seed"}
        for key in field.annotation.model_fields
        if not tracked & {name, f"{name}.{key}"}
    ]
    assert idle == []


def test_what_a_stage_reads_was_written_by_an_earlier_one():
    written = {*CLEANER, *TITLES, *OCCUPATIONS}
    for stage, described in DVC.items():
        read = [p for p in paths(described["deps"]) if not p.startswith("src/") and "$" not in p]
        assert not [path for path in read if path not in written], (
            f"{stage} reads what nobody wrote before it"
        )
        written.update(path for kind in WRITTEN for path in paths(described.get(kind, [])))


@pytest.mark.parametrize("stage", STAGES)
def test_the_stages_that_read_or_copy_the_cleaner_depend_on_it(stage):
    cleaner = CLEANER if stage in {"clean", "train", "audit"} else ()
    titles = TITLES if stage in {"embed", "baseline", "train", "evaluate"} else ()
    occupations = OCCUPATIONS if stage in {"train", "evaluate"} else ()
    found = [path for path in paths(DVC[stage]["deps"]) if path in {*CLEANER, *TITLES, *OCCUPATIONS}]
    assert found == [*cleaner, *titles, *occupations]


def test_every_written_path_is_one_that_the_layout_names():
    root = Path("/project")
    layout = Layout(root)
    named = [
        value for name in dir(Layout) if isinstance(value := getattr(layout, name), Path) and value != root
    ]
    for described in DVC.values():
        for written in (root / path for kind in WRITTEN for path in paths(described.get(kind, []))):
            assert any(written == path or path in written.parents for path in named), written


def test_the_watched_files_exist():
    data = load(REPOSITORY / "params.yaml").data
    for watched in (data.watch, data.watch_taxonomy):
        assert (REPOSITORY / watched).is_file(), watched

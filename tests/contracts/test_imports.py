"""Importing joblens is free: no files, no network, and nothing heavy before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.name != "__main__.py"
)
HEAVY = (
    "cleanlab dvc fastapi gliner hydra mapie matplotlib numpy optuna pandas pandera polars "
    "pyarrow pytorch_lightning scipy sentence_transformers sklearn sqlalchemy streamlit torch transformers "
    "uvicorn wandb"
).split()
WATCH_IMPORTS = """
import importlib, json, os, sys
events = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        events.append(f"{event} {args}")
    elif event == "open" and isinstance(args[0], str) and set("wax+") & set(args[1] or ""):
        if "__pycache__" not in args[0] and args[0] != os.devnull:
            events.append(f"write {args[0]}")
sys.addaudithook(hook)
seen = {}
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
    if events:
        seen[name] = list(events)
        events.clear()
print(json.dumps({"events": seen, "files": os.listdir()}))
"""


def run_python(code: str, *arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_importing_any_module_writes_no_file_and_reaches_no_network(tmp_path):
    report = json.loads(run_python(WATCH_IMPORTS, json.dumps(MODULES), cwd=tmp_path).splitlines()[-1])
    assert report == {"events": {}, "files": []}


@pytest.mark.parametrize(
    "command",
    [["--help"], ["params", "--help"], ["train", "--help"], ["predict", "--help"], ["sweep", "--help"]],
)
def test_asking_for_help_loads_nothing_heavy(command, tmp_path):
    code = (
        "import json, sys\n"
        "sys.argv = ['joblens', *json.loads(sys.argv[1])]\n"
        "from joblens.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as exit:\n"
        "    assert not exit.code, exit.code\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    loaded = json.loads(run_python(code, json.dumps(command), cwd=tmp_path).splitlines()[-1])
    assert sorted(set(loaded) & set(HEAVY)) == []


def test_the_package_offers_the_classifier_without_loading_it(tmp_path):
    code = "import joblens, sys; print('Classifier' in joblens.__all__, 'torch' in sys.modules)"
    assert run_python(code, cwd=tmp_path).split() == ["True", "False"]

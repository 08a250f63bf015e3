"""What the documents say exists, exists: commands, tasks, files, pages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from invoke import Collection
from invoke.loader import FilesystemLoader
from typer.main import get_command

from joblens.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *(path for path in (REPOSITORY / "docs/source").rglob("*.md") if path.name != "cli.md"),
    ]
)
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
COMMAND = re.compile(r"\b(joblens|invoke) ([a-z][a-z_-]*)((?:[^\S\n]+[^\n`|&;]*)?)")


def tasks() -> set[str]:
    module, _ = FilesystemLoader(start=str(REPOSITORY)).load("tasks")
    return set(Collection.from_module(module).task_names)


def code_in(document: Path) -> str:
    """The fenced blocks and `spans` of a page: where commands are written."""
    text = document.read_text("utf-8")
    fenced = re.findall(
        r"^```(?:bash|console|text|sh|yaml)?\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE
    )
    without_fences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*fenced, *re.findall(r"`([^`\n]+)`", without_fences)]).replace("\\\n", " ")


def mentioned(document: Path) -> list[tuple[str, str, str]]:
    found = COMMAND.findall(code_in(document))
    return [(program, name, rest) for program, name, rest in found if name not in {"import", "package"}]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_exists(document):
    known = {"joblens": set(COMMANDS), "invoke": tasks()}
    unknown = {f"{program} {name}" for program, name, _ in mentioned(document) if name not in known[program]}
    assert unknown == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_of_a_command_in_a_document_exists(document):
    unknown = []
    for program, name, rest in mentioned(document):
        if program != "joblens" or name not in COMMANDS:
            continue
        commands = [COMMANDS[name], *getattr(COMMANDS[name], "commands", {}).values()]  # a group's, too
        options = {"--help", *(o for command in commands for param in command.params for o in param.opts)}
        given = [word.split("=")[0] for word in shlex.split(rest.replace("'", "")) if word.startswith("-")]
        unknown += [f"joblens {name} {option}" for option in given if option not in options]
    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document):
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert broken == []


def test_the_readme_names_the_two_commands():
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert "pip install -r requirements.txt && invoke demo" in text
    assert "pip install -r requirements_dev.txt && invoke test" in text


def test_the_generated_pages_are_current():
    command = [sys.executable, str(REPOSITORY / "docs/generate.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_page_is_in_the_navigation_once():
    settings = yaml.safe_load((REPOSITORY / "docs/mkdocs.yaml").read_text("utf-8"))

    def leaves(entry):
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [leaf for value in values for leaf in leaves(value)]

    source = REPOSITORY / "docs/source"
    assert sorted(leaves(settings["nav"])) == sorted(
        path.relative_to(source).as_posix() for path in source.rglob("*.md")
    )


def test_the_decisions_are_numbered_without_a_gap():
    names = sorted(path.name for path in (REPOSITORY / "docs/source/decisions").glob("[0-9]*.md"))
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "docs/source/decisions").glob("[0-9]*.md")), ids=lambda path: path.stem
)
def test_a_decision_has_context_options_decision_and_consequences(path):
    headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), flags=re.MULTILINE)
    assert headings == ["Context", "Options", "Decision", "Consequences"]

"""Write the pages that follow from the program: the CLI and config reference, and the picture of the DAG.

`python docs/generate.py` writes them; with `--check` it only says which are out of date, and exits 1.
"""

import os
import sys
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from dag import dag_picture
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from joblens.cli import app
from joblens.config import Config, Section

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "docs/source"
HEADER = "<!-- Written by `python docs/generate.py`; change the program, not this page. -->\n"


def main() -> None:
    """Write or check every generated page."""
    pages = generated_pages()
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text("utf-8") != text]
    names = ", ".join(str(path.relative_to(REPOSITORY)) for path in stale)
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"out of date: {names}; run `python docs/generate.py`")
        return
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path], encoding="utf-8")
    print(f"wrote {names}" if stale else "nothing to write")


def generated_pages() -> dict[Path, str]:
    """Every generated page and what it should hold."""
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text("utf-8"))["stages"]
    return {
        SOURCE / "reference/cli.md": cli_page(),
        SOURCE / "reference/config.md": config_page(),
        SOURCE / "dag.svg": dag_picture(stages),
    }


def cli_page() -> str:
    """One section per command: the text of its `--help`."""
    parts = [HEADER, "# Commands\n", "`joblens --help` and `joblens COMMAND --help` print the same.\n"]
    parts.append(_fenced(_help()))
    parts.extend(f"## joblens {name}\n\n{_fenced(_help(name))}" for name in command_names())
    return "\n".join(parts)


def command_names() -> list[str]:
    """The commands of the command line, in the order of `--help`."""
    from typer.main import get_command

    return list(get_command(app).commands)  # type: ignore[attr-defined]


def _help(*command: str) -> str:
    columns = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="joblens", env={**os.environ, **columns})
    if result.exit_code != 0:
        raise SystemExit(f"joblens {' '.join(command)} --help failed: {result.output}")
    return result.output


def _fenced(text: str) -> str:
    return "```text\n" + "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n```\n"


def config_page() -> str:
    """One table per section of params.yaml, with the option files that fill it."""
    parts = [
        HEADER,
        "# Configuration\n",
        "Each section of `params.yaml` is a group of `configs/`: `joblens params GROUP=OPTION` takes another "
        "option file, `joblens params GROUP.KEY=VALUE` changes one value. Unknown keys and values out of "
        "range are refused.\n",
    ]
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            parts.append(_section(name, field.annotation))
        else:
            parts.append(f"## {name}\n\n{field.description} Type: {_type(field.annotation)}.\n")
    parts.append(_experiments())
    return "\n".join(parts)


def _section(name: str, section: type[Section], level: int = 2) -> str:
    lines = [f"{'#' * level} {name}\n", f"{(section.__doc__ or '').strip()}\n"]
    options = sorted((REPOSITORY / "configs" / name).glob("*.yaml")) if level == 2 else []
    lines.extend(f"- `{name}={path.stem}`: {_first_comment(path)}" for path in options)
    lines.extend(["", "| Key | Type | Default | Meaning |", "|---|---|---|---|"])
    inner = []
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            inner.append(_section(f"{name}.{key}", field.annotation, level + 1))
            continue
        described = " ".join((field.description or "").split()).replace("|", "\\|")
        lines.append(
            f"| `{key}` | {_type(field.annotation)}{_bounds(field)} | {_default(field)} | {described} |"
        )
    return "\n".join([*lines, "", *inner])


def _experiments() -> str:
    lines = [
        "## experiment\n",
        "Differences from the defaults, under a name. Each file starts with its command.\n",
    ]
    for path in sorted((REPOSITORY / "configs/experiment").glob("*.yaml")):
        comments = [
            line.lstrip("# ") for line in path.read_text("utf-8").splitlines() if line.startswith("#")
        ]
        command, *why = (line for line in comments if not line.startswith("@package"))
        lines.append(f"- `{path.stem}`: {' '.join(why)} `{command}`")
    return "\n".join(lines) + "\n"


def _first_comment(path: Path) -> str:
    first = path.read_text("utf-8").splitlines()[0]
    if not first.startswith("# "):
        raise SystemExit(
            f"{path.relative_to(REPOSITORY)} should start with a comment that says what it is for"
        )
    return first.removeprefix("# ")


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"list of {_type(arguments[0])}"
        return f"{len(arguments)} × {_type(arguments[0])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names[annotation]


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(bound, word):g}"
        for bound in field.metadata
        for word, sign in signs.items()
        if getattr(bound, word, None) is not None
    ]
    return f", {', '.join(found)}" if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "by option file"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}`"


if __name__ == "__main__":
    main()

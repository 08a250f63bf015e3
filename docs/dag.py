"""The picture of the DAG, drawn from dvc.yaml without any library: stages as boxes, in columns by depth."""

from html import escape
from textwrap import wrap
from typing import Any

WIDTH, HEIGHT = 176, 92
"""Of a box, in pixels."""
GAP_X, GAP_Y, MARGIN = 44, 26, 8
LETTERS = 25
"""That fit beside each other in a box."""
STYLE = """
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #333 }
  .name { font-size: 15px; font-weight: 600; fill: #0b4f6c }
  rect { fill: #f4f9fb; stroke: #0b4f6c; stroke-width: 1.2 }
  path { fill: none; stroke: #666; stroke-width: 1.4; marker-end: url(#tip) }
"""


def dag_picture(stages: dict[str, Any]) -> str:
    """An SVG. An arrow means that a stage reads what another writes.

    Arrows that a longer way implies are left out.
    """
    read_from = _read_from(stages)
    columns: dict[int, list[str]] = {}
    for stage in stages:
        columns.setdefault(_depth(stage, read_from), []).append(stage)
    tallest = max(len(column) for column in columns.values())
    total_height = 2 * MARGIN + tallest * HEIGHT + (tallest - 1) * GAP_Y
    places: dict[str, tuple[float, float]] = {}
    for depth, column in columns.items():
        top = (total_height - len(column) * HEIGHT - (len(column) - 1) * GAP_Y) / 2
        for row, stage in enumerate(column):
            places[stage] = (MARGIN + depth * (WIDTH + GAP_X), top + row * (HEIGHT + GAP_Y))
    total_width = 2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP_X
    arrows = [
        _arrow(places[source], places[stage])
        for stage in stages
        for source in read_from[stage]
        if not any(source in _all_before(other, read_from) for other in read_from[stage] if other != source)
    ]
    boxes = [_box(stage, described["desc"], *places[stage]) for stage, described in stages.items()]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width} {total_height}" '
            f'width="{total_width}" height="{total_height}" role="img">',
            "<title>The stages of the pipeline</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><polygon points="0,0 8,4 0,8" fill="#666"/></marker></defs>',
            f'<rect width="{total_width}" height="{total_height}" style="fill:#fff;stroke:none"/>',
            *arrows,
            *boxes,
            "</svg>\n",
        ]
    )


def _read_from(stages: dict[str, Any]) -> dict[str, list[str]]:
    """For each stage, those whose outputs it reads."""
    writer = {
        _path_of(out): stage
        for stage, described in stages.items()
        for kind in ("outs", "metrics", "plots")
        for out in described.get(kind, ())
    }
    return {
        stage: list(
            dict.fromkeys(writer[path] for path in map(_path_of, described["deps"]) if path in writer)
        )
        for stage, described in stages.items()
    }


def _depth(stage: str, read_from: dict[str, list[str]]) -> int:
    return max((_depth(source, read_from) + 1 for source in read_from[stage]), default=0)


def _all_before(stage: str, read_from: dict[str, list[str]]) -> set[str]:
    before = set(read_from[stage])
    return before.union(*(_all_before(source, read_from) for source in read_from[stage]))


def _path_of(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))


def _box(stage: str, description: str, x: float, y: float) -> str:
    lines = wrap(description.rstrip("."), LETTERS)
    text = "".join(
        f'<text x="{x + 10:g}" y="{y + 42 + 15 * number:g}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<text class="name" x="{x + 10:g}" y="{y + 22:g}">{escape(stage)}</text>{text}'
    )


def _arrow(source: tuple[float, float], target: tuple[float, float]) -> str:
    x, y = source[0] + WIDTH, source[1] + HEIGHT / 2
    to_x, to_y = target[0], target[1] + HEIGHT / 2
    middle = (x + to_x) / 2
    return f'<path d="M{x:g},{y:g} C{middle:g},{y:g} {middle:g},{to_y:g} {to_x - 1:g},{to_y:g}"/>'

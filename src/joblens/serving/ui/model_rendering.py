"""The model page's table and curve as HTML and SVG, escaped."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

from joblens.serving.ui.answers import Accuracy
from joblens.serving.ui.rendering import bar
from joblens.serving.ui.style import COLOURS
from joblens.serving.ui.words import Words

MOST_MIX_UPS = 8

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 386.0, 14.0, 176.0  # of the curve's plane, in a view of 400 by 220


def mix_ups(counts: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """(truth, guess, count) of the commonest wrong guesses, at most `MOST_MIX_UPS`; ties by label."""
    found = [
        (truth, guess, count)
        for truth, row in enumerate(counts)
        for guess, count in enumerate(row)
        if truth != guess and count > 0
    ]
    return sorted(found, key=lambda one: -one[2])[:MOST_MIX_UPS]


def mix_up_table(words: Words, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """The commonest wrong guesses as a table."""
    rows = "".join(
        f"<tr><td>{escape(labels[truth])}</td><td>{escape(labels[guess])}</td>"
        f'<td class="jl-number">{words.number(count)}</td></tr>'
        for truth, guess, count in mix_ups(counts)
    )
    if not rows:
        return f"<p>{words('confusion_none')}</p>"
    return (
        f'<table class="jl-plain"><thead><tr><th scope="col">{words("confusion_truth")}</th>'
        f'<th scope="col">{words("confusion_guess")}</th>'
        f'<th scope="col" class="jl-number">{words("confusion_count")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def confusion_table(words: Words, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """The whole matrix; columns carry the numbers of the rows. Stronger grounds: larger shares of a row."""
    head = "".join(
        f'<th scope="col" title="{escape(label)}" aria-label="{escape(label)}">{number}</th>'
        for number, label in enumerate(labels, start=1)
    )
    body = "".join(
        f'<tr><th scope="row">{truth + 1} {escape(label)}</th>'
        + "".join(_cell(words, labels, truth, guess, count, sum(row)) for guess, count in enumerate(row))
        + "</tr>"
        for truth, (label, row) in enumerate(zip(labels, counts, strict=True))
    )
    name = escape(words("confusion_head"))
    return (
        f'<div class="jl-scroll" tabindex="0" role="region" aria-label="{name}"><table class="jl-matrix">'
        f'<thead><tr><th scope="col">{words("confusion_truth")}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(words: Words, labels: Sequence[str], truth: int, guess: int, count: int, total: int) -> str:
    if not count:
        return "<td></td>"
    said = words("confusion_cell", truth=labels[truth], guess=labels[guess], count=words.number(count))
    colour = COLOURS["hit" if truth == guess else "miss"]
    ground = mixed(colour, COLOURS["ground"], 0.25 + 0.75 * count / total)
    return f'<td style="background:{ground}" title="{escape(said)}">{words.number(count)}</td>'


def mixed(colour: str, ground: str, share: float) -> str:
    """A colour thinned with another, both `#rrggbb`."""
    pairs = [(int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * one + (1 - share) * other):02x}" for one, other in pairs)


def right_of_the_rest(curve: Sequence[Accuracy], checked: float) -> float:
    """How much of the rest is right when people check a share of the adverts, the most doubtful first.

    Args:
        curve: At least one share.
        checked: In [0, 1); of the shares measured, the nearest is taken.
    """
    return min(curve, key=lambda one: abs(one.coverage - (1 - checked))).accuracy


def coverage_curve(words: Words, curve: Sequence[Accuracy], checked: float) -> str:
    """The curve as a picture: to the right people check more; a dot where the slider stands.

    It stands in the address of an `<img>`, because Streamlit takes `<svg>` out of HTML.
    """
    points = sorted((1 - one.coverage, one.accuracy) for one in curve)
    low = min(min(right for _, right in points), 0.95)
    low = int(low * 20) / 20  # a multiple of 5 %

    def place(share: float, right: float) -> tuple[float, float]:
        span = (1 - low) or 1
        return _LEFT + share * (_RIGHT - _LEFT), _BOTTOM - (right - low) / span * (_BOTTOM - _TOP)

    text = f'font-size="12" fill="{COLOURS["quiet"]}"'
    lines = []
    for value in _ticks(low):
        x, y = place(0, value)
        lines.append(f'<line x1="{x}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{COLOURS["line"]}"/>')
        lines.append(
            f'<text x="{x - 6}" y="{y + 4:.1f}" text-anchor="end" {text}>{words.share(value)}</text>'
        )
    for share in (0.0, 0.25, 0.5, 0.75):
        x, _ = place(share, low)
        lines.append(
            f'<text x="{x:.1f}" y="{_BOTTOM + 20}" text-anchor="middle" {text}>{words.share(share)}</text>'
        )
    middle = (_LEFT + _RIGHT) / 2
    lines.append(
        f'<text x="{middle}" y="214" text-anchor="middle" {text}>{escape(words("coverage_axis"))}</text>'
    )
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    x, y = place(checked, right_of_the_rest(curve, checked))
    name = escape(f"{words('coverage_right')}; {words('coverage_axis')}")
    dot = f'fill="{COLOURS["main"]}" stroke="{COLOURS["ground"]}" stroke-width="2"'
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 220" font-family="sans-serif">'
        f"{''.join(lines)}"
        f'<polyline points="{drawn}" fill="none" stroke="{COLOURS["main"]}" stroke-width="2.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" {dot}/></svg>'
    )
    encoded = b64encode(drawing.encode()).decode()
    return f'<img class="jl-chart" alt="{name}" src="data:image/svg+xml;base64,{encoded}">'


def _ticks(low: float) -> list[float]:
    """Round values from 1 down to `low`, a multiple of 0.05; not too many."""
    step = next(step for step in (5, 10, 20) if (1 - low) * 100 <= 5 * step or step == 20)
    return [value / 100 for value in range(100, round(100 * low) - 1, -step)]


def label_bars(words: Words, sizes: Mapping[str, int]) -> str:
    """How many adverts of each label the model learned from, the most first."""
    most = max(sizes.values(), default=1) or 1
    rows = "".join(
        f"<span>{escape(label)}</span>"
        + bar(size / most, f"{label}: {words.number(size)}")
        + f'<span class="jl-number">{words.number(size)}</span>'
        for label, size in sorted(sizes.items(), key=lambda pair: -pair[1])
    )
    return f'<div class="jl-rows">{rows}</div>'


def details_table(pairs: Sequence[tuple[str, str]]) -> str:
    """Facts by name, as a table."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in pairs
    )
    return f'<table class="jl-plain"><tbody>{rows}</tbody></table>'

"""`reports/cleaning.html`: one page with the meter's figures, which opens without a network.

Its examples are of synthetic adverts; a page about other texts is never written.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from joblens.pipeline.audit.meter import ALL, Count, wilson
from joblens.pipeline.audit.readings import Audit, Reading
from joblens.pipeline.audit.surfaces import APART, PERSONAL

MODE_TITLES = {
    "extract": "Extract: only what is kept leaves",
    "redact": "Redact: the text leaves, masked by type",
    "unchanged": "Unchanged: nothing is removed",
}
TYPE_TITLES = {
    "person": "names",
    "email": "e-mail addresses",
    "url": "web addresses",
    "address": "street addresses",
    "phone": "telephone numbers",
    "cpr": "CPR numbers",
    "cvr": "CVR numbers",
    "iban": "IBANs",
    "rut": "RUT (Chile)",
    "inn": "INN (Russia)",
    "snils": "SNILS (Russia)",
    "passport": "passport numbers",
    APART: "organisations (no personal data)",
}
_COLOURS = {"extract": "#0b7a75", "redact": "#d9822b", "unchanged": "#8a8f98"}
_INK, _GRID = "#1f2933", "#d5dae1"


def render_page(audit: Audit, report: Mapping[str, Any]) -> str:
    """The page as HTML. Equal arguments give equal text.

    Args:
        audit: The readings on synthetic adverts.
        report: What reports/cleaning.json holds.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(percent=_percent, points=_points)
    return environment.get_template("cleaning.html.j2").render(
        audit=audit,
        report=report,
        verdict=verdict(audit),
        picture=draw_removal(audit),
        readings=[(reading, _rows(reading), _languages(reading)) for reading in audit.readings],
        mode_titles=MODE_TITLES,
        type_titles=TYPE_TITLES,
        wilson=wilson,
        all=ALL,
    )


def verdict(audit: Audit) -> tuple[str, str]:
    """One honest sentence about the configured mode, and the figures behind it."""
    reading = next(reading for reading in audit.readings if reading.mode == audit.configured)
    leaking = reading.leaks.leaking_ads[ALL]
    interval = wilson(leaking)
    sentence = f"{leaking.hits:,} of {leaking.total:,} adverts still hold personal data after cleaning."
    if leaking.hits == 0:
        sentence = f"None of {leaking.total:,} adverts holds personal data after cleaning."
    shares = ", ".join(
        f"{name} {_percent(row.removed.share)}"
        for name, row in (
            ("names", reading.leaks.removal("person")),
            ("addresses", reading.leaks.removal("address")),
            ("numbers, e-mail and web addresses", reading.leaks.pattern_types),
        )
    )
    between = f"{_percent(interval[0])} to {_percent(interval[1])}" if interval else "–"
    return sentence, f"Leaking adverts: 95 % interval {between}. Removed: {shares}."


def draw_removal(audit: Audit) -> str:
    """Bars of the share removed by type and mode with 95 % intervals, as PNG in base64."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    labels = [label for label in (*PERSONAL, APART) if _known(audit, label)]
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 11, "text.parse_math": False}):
        figure = Figure(figsize=(9.6, 1.6 + 0.46 * len(labels)), dpi=120, facecolor="white")
        axes = figure.subplots()
        height = 0.8 / len(audit.readings)
        for number, reading in enumerate(audit.readings):
            for place, label in enumerate(labels):
                count = reading.leaks.removal(label).removed
                interval = wilson(count)
                if count.share is None or interval is None:
                    continue
                at = place + (number - (len(audit.readings) - 1) / 2) * height
                name = reading.mode if place == 0 else None
                axes.barh(at, count.share, height * 0.88, color=_COLOURS[reading.mode], label=name)
                axes.plot(interval, [at, at], color=_INK, linewidth=1.6, solid_capstyle="butt")
        axes.set_yticks(range(len(labels)), [TYPE_TITLES.get(label, label) for label in labels])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.01)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
        axes.grid(axis="x", color=_GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_title("Share removed, with 95 % intervals", loc="left", fontweight="bold", pad=10)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
        written = BytesIO()
        figure.savefig(
            written, format="png", bbox_inches="tight", pad_inches=0.18, metadata={"Software": None}
        )
    return b64encode(written.getvalue()).decode()


def _known(audit: Audit, label: str) -> bool:
    return any(reading.leaks.removal(label).entities for reading in audit.readings)


def _languages(reading: Reading) -> list[str]:
    return list(reading.leaks.leaking_ads)


def _rows(reading: Reading) -> list[tuple[str, list[Count]]]:
    """Per type the counts removed in each language, "all" first."""
    labels = [label for label in (*PERSONAL, APART) if reading.leaks.removal(label).entities]
    return [
        (label, [reading.leaks.removal(label, language).removed for language in _languages(reading)])
        for label in labels
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}\u00a0%"


def _points(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")

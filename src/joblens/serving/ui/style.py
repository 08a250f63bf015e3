"""Colours and style sheet of the page. Text and ground of each pair keep WCAG 2.2's contrast of 4.5 to 1."""

from pathlib import Path
from string import Template

COLOURS = {
    "text": "#1d2b33",
    "quiet": "#50606b",
    "ground": "#ffffff",
    "soft": "#f3f6f7",
    "line": "#d5dde2",
    "track": "#e3e9ec",
    "main": "#0b6660",
    "main_soft": "#e2f1ef",
    "warn": "#6d3b00",
    "warn_soft": "#fff1d9",
    "occupation": "#1c3d82",
    "occupation_soft": "#dfe9fb",
    "skill": "#17512f",
    "skill_soft": "#dbf1e4",
    "task": "#54257f",
    "task_soft": "#efe5fa",
    "pii": "#8a1f1c",
    "pii_soft": "#fce4e2",
    "hit": "#8fcbc5",
    "miss": "#f5c27a",
}
"""By what they are for; `hit` and `miss` are the strongest grounds of the confusion matrix."""

PAIRS = (
    ("text", "ground"), ("text", "soft"), ("text", "hit"), ("text", "miss"), ("quiet", "ground"),
    ("quiet", "soft"), ("main", "ground"), ("main", "soft"), ("ground", "main"), ("main", "main_soft"),
    ("warn", "warn_soft"), ("occupation", "occupation_soft"), ("skill", "skill_soft"), ("task", "task_soft"),
    ("pii", "pii_soft"),
)  # fmt: skip
"""Which colour is written on which."""

BARS = (("main", "track"), ("main", "ground"))
"""Which colour a bar is drawn in on which; shapes need 3 to 1."""

THEME = {
    "base": "light",
    "primaryColor": COLOURS["main"],
    "backgroundColor": COLOURS["ground"],
    "secondaryBackgroundColor": COLOURS["soft"],
    "textColor": COLOURS["text"],
    "linkColor": COLOURS["main"],
    "borderColor": "#7d8c96",
    "baseRadius": "0.5rem",
    "showWidgetBorder": "true",
    "headingFontSizes": '["1.6rem", "1.25rem", "1.1rem"]',
}
"""Streamlit's own theme options."""


def sheet() -> str:
    """The style sheet in a `<style>` element."""
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return f"<style>{Template(text).substitute(COLOURS)}</style>"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance in [0, 1] (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

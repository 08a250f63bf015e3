"""Trials and experiments as tables for a terminal, best first."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from joblens.search.experiments import Experiment
from joblens.search.trials import Tried, as_words

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 6
"""Changed settings named in a line; more are counted."""


def trials_table(title: str, trials: Sequence[Tried]) -> "Table":
    """The best trials of a sweep: macro-F1 on its folds, and what differs from the settings it began with."""
    table = _table(title, "Trial", "Macro-F1, folds", "Lowest")
    for tried in trials:
        low = f"{min(tried.folds):.3f}"
        table.add_row(str(tried.number), f"{tried.macro_f1:.3f}", low, _words(tried.changed, "as before"))
    return table


def experiments_table(title: str, experiments: Sequence[Experiment]) -> "Table":
    """DVC's experiments and commits: macro-F1 and accuracy on test ads, and what differs from the commit."""
    table = _table(title, "Experiment", "Macro-F1, test", "Accuracy, test")
    for found in experiments:
        name = f"{found.name} (commit)" if found.kind == "commit" else found.name
        same = "" if found.kind == "commit" else "as committed"
        figures = (f"{found.macro_f1:.3f}", f"{found.accuracy:.3f}")
        table.add_row(name, *figures, _words(found.changed, same))
    return table


def _table(title: str, name: str, *figures: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column(name)
    for heading in figures:
        table.add_column(heading, justify="right")
    table.add_column("Settings that differ", overflow="fold")
    return table


def _words(changed: Mapping[str, Any], nothing: str) -> str:
    from rich.markup import escape

    shown = dict(list(changed.items())[:_SHOWN])
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return escape(as_words(shown)) + more if changed else nothing

"""`joblens audit FILE`: the leak meter on a file in which people, or a generator, have marked entities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError
from joblens.pipeline.audit.meter import ALL, Leaks, as_figures, wilson
from joblens.pipeline.audit.page import TYPE_TITLES
from joblens.pipeline.audit.readings import Audit, read_meter
from joblens.sources.personal.surrogates import fill_placeholders
from joblens.sources.spans import read_spans

if TYPE_CHECKING:
    from rich.table import Table

    from joblens.config import Config

TITLED = "sample"
"""The kind of file whose texts begin with a title and an empty line."""


def audit_file(
    path: Path, *, kind: str, language: str, config: Config, fill: bool = True, limit: int | None = None
) -> Audit:
    """Read a labelled file, fill its placeholders, clean it as configured, and measure.

    Args:
        path: The file.
        kind: One of `joblens.sources.spans.KINDS`.
        language: Of texts whose file names none.
        config: The sections `cleaning`, `compute` and `audit` are read.
        fill: Whether placeholders such as `<NAME>` become surrogates of use "audit".
        limit: Only the first so many texts; None takes all.

    Raises:
        DataError: The file is missing, of another format, or has no texts.
        ModelError: The extractor's model is missing.
        DeviceError: The device that was asked for is not there.
    """
    texts = read_spans(path, kind=kind, language=language)[:limit]
    if not texts:
        raise DataError(f"{path} has no labelled texts; give a file of the format {kind!r} with at least one")
    if fill:
        texts = fill_placeholders(texts, config.audit.seed, "audit")
    return read_meter(texts, config.cleaning, config.compute, titled=kind == TITLED)


def as_report(audit: Audit, data: dict[str, Any]) -> dict[str, Any]:
    """What is written as JSON: where the texts are from, and the figures of each output mode."""
    return {
        "data": data,
        "extractor": audit.extractor,
        "fingerprint": audit.fingerprint,
        "configured": audit.configured,
        "modes": {reading.mode: as_figures(reading.leaks) for reading in audit.readings},
    }


def tables(audit: Audit) -> list[Table]:
    """For a terminal, per output mode: what was removed, and how much useful content is left."""
    found: list[Table] = []
    for reading in audit.readings:
        configured = ", as configured" if reading.mode == audit.configured else ""
        found += [
            _removal_table(reading.leaks, f"{audit.extractor}, {reading.mode}{configured}"),
            _useful_table(reading.leaks, reading.mode),
        ]
    return [table for table in found if table.row_count]


def _removal_table(leaks: Leaks, title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption=_leaking(leaks), caption_justify="left")
    table.add_column("Personal data")
    table.add_column("Language")
    for heading in ("Known", "Still there", "Removed [95 %]", "Not measured"):
        table.add_column(heading, justify="right")
    for row in leaks.removals:
        if row.language in _shown(leaks):
            table.add_row(
                TYPE_TITLES.get(row.label, row.label),
                row.language,
                f"{row.entities:,}",
                f"{row.leaked:,}",
                share_text(row.removed.share, wilson(row.removed)),
                f"{row.not_measured:,}" if row.not_measured else "",
            )
    return table


def _useful_table(leaks: Leaks, mode: str) -> Table:
    from rich.table import Table

    table = Table(title=f"Useful content, {mode}", title_justify="left")
    table.add_column("Label")
    table.add_column("Language")
    for heading in ("Spans", "Words kept", "Without scrubbing", "Lost by scrubbing"):
        table.add_column(heading, justify="right")
    for row in leaks.recalls:
        if row.language in _shown(leaks):
            table.add_row(
                row.label,
                row.language,
                f"{row.spans:,}",
                f"{row.recall:.1%}",
                f"{row.without_scrubbing:.1%}",
                f"{row.lost:.2f} points",
            )
    return table


def _leaking(leaks: Leaks) -> str:
    return "\n".join(
        f"{language}: {count.hits:,} of {count.total:,} texts leak, {share_text(count.share, wilson(count))}"
        for language, count in leaks.leaking_ads.items()
        if language in _shown(leaks)
    )


def _shown(leaks: Leaks) -> list[str]:
    """The languages worth a line: "all" only when there are several."""
    languages = list(leaks.leaking_ads)
    return languages if len(languages) > 2 else [language for language in languages if language != ALL]


def share_text(share: float | None, interval: tuple[float, float] | None) -> str:
    """A share with its interval in percent; a dash when there was nothing to count."""
    if share is None or interval is None:
        return "–"
    return f"{share:.2%} [{interval[0]:.2%}, {interval[1]:.2%}]"

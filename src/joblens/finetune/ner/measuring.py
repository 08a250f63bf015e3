"""Measure a cleaner on any file of marked texts, read as the stage `clean` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from joblens.config import Cleaning, Compute
from joblens.device import choose_device
from joblens.extractors import build_extractor
from joblens.finetune.ner.evaluation import as_table, score_spans
from joblens.sources.spans import read_spans

if TYPE_CHECKING:
    from rich.table import Table


def measure(
    bundle: Path, file: Path, kind: str, language: str, labels: Sequence[str], device: str
) -> list[dict[str, Any]]:
    """One row per label and one for all: marked spans, exact precision, recall and F1, overlapping F1.

    Raises:
        DataError: The file is missing or of another format.
        ModelError: The bundle is missing or damaged.
        DeviceError: `device` is `gpu` and there is none, or none of `auto`, `cpu` and `gpu`.
    """
    choose_device(device)
    texts = read_spans(file, kind=kind, language=language)
    cleaning = Cleaning(extractor="gliner", model=str(bundle), keep=tuple(labels), drop=())
    wanted = cast(Literal["auto", "cpu", "gpu"], device)
    extractor = build_extractor(cleaning, Compute(device=wanted, workers=1, encode_batch_size=32))
    found = extractor.extract([text.text for text in texts])
    return as_table(score_spans(texts, found, labels), score_spans(texts, found, labels, overlap=True))


def score_table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows of `measure` for a terminal."""
    from rich.table import Table

    table = Table("label", "marked", "precision", "recall", "F1", "overlap F1")
    for row in rows:
        rates = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1", "overlap_f1"))
        table.add_row(str(row["label"]), f"{row['marked']:,}", *rates)
    return table

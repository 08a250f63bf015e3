"""Measure a cleaner on any file of marked texts, read as the stage `clean` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from joblens.config import Cleaning, Compute
from joblens.device import choose_device
from joblens.extractors import build_extractor
from joblens.finetune.ner.evaluation import RATES, as_table, by_language
from joblens.sources.spans import read_spans

if TYPE_CHECKING:
    from rich.table import Table


def measure(
    bundle: Path, file: Path, kind: str, language: str, labels: Sequence[str], device: str
) -> list[dict[str, Any]]:
    """One row a label and one for all: marked spans, exact and overlapping precision, recall and F1.

    Where the file has texts in several languages, the same rows follow for each, with its `language`.

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
    rows = as_table(texts, found, labels)
    for spoken, table in by_language(texts, found, labels).items():
        rows += [{**row, "language": spoken} for row in table]
    return rows


def score_table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows of `measure` for a terminal."""
    from rich.table import Table

    table = Table("label", "marked", *(rate.replace("_", " ").replace("f1", "F1") for rate in RATES))
    for row in rows:
        name = f"{row['label']}, {row['language']}" if "language" in row else str(row["label"])
        table.add_row(name, f"{row['marked']:,}", *(f"{row[rate]:.3f}" for rate in RATES))
    return table

"""What a person takes home: results and decisions as CSV that no spreadsheet runs, and as JSON."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from joblens.serving.ui.answers import Result
from joblens.serving.ui.batches import Batch
from joblens.sources.writing import safe_cell

FIELDS = (
    "row", "id", "title", "label", "probability", "second", "second_probability", "prediction_set", "unsure",
    "problem", "model_version",
)  # fmt: skip


def result_rows(batch: Batch) -> list[dict[str, Any]]:
    """One row for each advert that was sent, in their order, with the names `FIELDS`; no advert's text."""
    rows = []
    version = batch.model.version if batch.model else ""
    for number, (advert, outcome) in enumerate(zip(batch.adverts, batch.outcomes, strict=False), start=1):
        row: dict[str, Any] = dict.fromkeys(FIELDS)
        row |= {"row": number, "id": advert.id, "title": advert.title, "model_version": version}
        if isinstance(outcome, Result):
            row |= {
                "label": outcome.label,
                "probability": round(outcome.probability, 4),
                "prediction_set": outcome.prediction_set,
                "unsure": outcome.abstained,
            }
            if len(outcome.top) > 1:
                row |= {
                    "second": outcome.top[1].label,
                    "second_probability": round(outcome.top[1].probability, 4),
                }
        else:
            row["problem"] = outcome.kind
        rows.append(row)
    return rows


def as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows that share their names, as UTF-8 with a mark that makes Excel read it as such.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = list(rows[0]) if rows else list(FIELDS)
    writer.writerow([safe_cell(name) for name in names])
    writer.writerows([safe_cell(row[name]) for name in names] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """The rows as one JSON array."""
    return json.dumps(list(rows), ensure_ascii=False, indent=1).encode()

"""Guesses for a whole file or table, read and written a bounded number of adverts at a time."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from joblens.device import track
from joblens.errors import DataError
from joblens.inference.classify import NO_TEXT, Classifier
from joblens.sources import DATABASE, Columns, read_records, write_rows
from joblens.sources.files import kind_of

if TYPE_CHECKING:
    import polars as pl

    from joblens.records import Guess

logger = logging.getLogger(__name__)

PIECE = 500
"""Adverts classified between two steps of the progress bar."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """How many adverts were read and written, and how many of them a person should look at."""

    rows: int
    """Adverts read; as many guesses were written."""
    abstained: int
    """Guesses the model was not sure enough of, those without text included."""
    without_text: int
    """Adverts that had nothing to read."""


def predict_file(
    bundle: str | Path | Classifier,
    source: str | Path,
    output: str | Path,
    columns: Columns,
    *,
    url_env: str = "JOBLENS_DB_URL",
    device: str = "auto",
) -> Predicted:
    """Classify every advert of a file or table, and write one row for each, in the same order.

    The source is read twice: once to count, so that a fault in its last row is found before the work starts.
    The output has the columns `id` (that of the source; the row number from 1 when no id column is named),
    `label`, `probability`, `top_3` (as text), `prediction_set`, `abstained`, `reason` and `crossing`. It is
    written whole or not at all.

    Args:
        bundle: A trained bundle's folder, or a classifier that is loaded already.
        source: A csv, parquet or jsonl file, or `sql:TABLE`.
        output: Another such file, or another, new table.
        columns: Which columns of the source hold text, title and id.
        url_env: The environment variable with the database URL, for tables.
        device: `auto`, `cpu` or `gpu`.

    Raises:
        DataError: The source is missing, damaged or empty, lacks a column, or is also the output; an ending
            is unknown; or the output table is there already.
        SourceError: The database cannot be reached.
        BundleError: The bundle is missing, damaged or made for another encoder.
        StorageError: The disk is full; an older output is untouched.
    """
    _check_places(source, output)
    expected = [frame.height for frame in read_records(source, columns, url_env=url_env)]
    if sum(expected) == 0:
        raise DataError(f"{source} has no rows, expected adverts; check the file or table")
    classifier = bundle if isinstance(bundle, Classifier) else Classifier.load(bundle, device=device)
    if classifier.bundle.uses_title and columns.title is None:
        logger.warning(
            "the bundle was trained with titles and none are read; name the column that holds them"
        )
    run = _Run(classifier, has_ids=columns.id is not None)
    steps = sum(-(-height // PIECE) for height in expected)
    pieces = (
        piece
        for frame in read_records(source, columns, url_env=url_env)
        for piece in frame.iter_slices(PIECE)
    )
    written = write_rows(
        output, (run.guess(piece) for piece in track(pieces, steps, "classifying")), url_env=url_env
    )
    if written != sum(expected):
        logger.warning(
            "%s had %d rows at first and %d later; it changed meanwhile", source, sum(expected), written
        )
    logger.info(
        "%s ads → %s guesses: %s abstained, %s of them without text",
        f"{run.rows:,}",
        f"{written:,}",
        f"{run.abstained:,}",
        f"{run.without_text:,}",
    )
    return Predicted(rows=run.rows, abstained=run.abstained, without_text=run.without_text)


class _Run:
    """Turns pieces of the source into pieces of the output, and counts."""

    def __init__(self, classifier: Classifier, *, has_ids: bool) -> None:
        self.classifier = classifier
        self.has_ids = has_ids
        self.rows = self.abstained = self.without_text = 0

    def guess(self, piece: "pl.DataFrame") -> "pl.DataFrame":
        """A frame with one guess for each row of `piece`."""
        texts = piece["text"].fill_null("").to_list()
        guesses = self.classifier.predict(texts, titles=piece["title"].to_list())
        first = self.rows + 1
        ids = piece["id"].to_list() if self.has_ids else [str(first + row) for row in range(piece.height)]
        self.rows += piece.height
        self.abstained += sum(guess.abstained for guess in guesses)
        self.without_text += sum(guess.reason == NO_TEXT for guess in guesses)
        return _frame(ids, guesses)


def _frame(ids: list[str | None], guesses: "list[Guess]") -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(
        {
            "id": ids,
            "label": [guess.label or None for guess in guesses],
            "probability": [guess.probability for guess in guesses],
            "top_3": [", ".join(f"{label} {chance:.1%}" for label, chance in guess.top) for guess in guesses],
            "prediction_set": [list(guess.prediction_set) for guess in guesses],
            "abstained": [guess.abstained for guess in guesses],
            "reason": [guess.reason for guess in guesses],
            "crossing": [guess.crossing for guess in guesses],
        },
        schema={
            "id": pl.String,
            "label": pl.String,
            "probability": pl.Float64,
            "top_3": pl.String,
            "prediction_set": pl.List(pl.String),
            "abstained": pl.Boolean,
            "reason": pl.String,
            "crossing": pl.String,
        },
    )


def _check_places(source: str | Path, output: str | Path) -> None:
    """Refuse, before any work, places of an unknown kind and an output that would overwrite the source."""
    for place in (source, output):
        if not str(place).startswith(DATABASE):
            kind_of(Path(place))
    is_same_file = Path(source).exists() and Path(output).exists() and Path(source).samefile(output)
    if is_same_file or str(source) == str(output):
        raise DataError(
            f"{output} is also the input, and joblens does not overwrite what it reads; name another output"
        )

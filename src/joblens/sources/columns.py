"""Which columns carry what, and how any value becomes text or nothing."""

import datetime
import decimal
import math
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joblens.errors import DataError, nearest

if TYPE_CHECKING:
    import polars as pl

    from joblens.config import Data

FIELDS = ("id", "title", "text", "label", "language")
"""The columns every source is turned into, in this order, all of them text or null."""

MISSING = ("", "nan", "NaN", "NAN", "<NA>", "null", "NULL")
"""What other programs write where there is no value; as a whole cell it means null."""

ADVICE = "name the right ones with data.text, data.title, data.label, data.id or data.language"


class MissingColumns(DataError):
    """Some of the wanted columns are not there."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)
        """The columns that are missing."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names that a source gives to the fields of an ad; None for a field that it does not have."""

    text: str
    title: str | None = None
    label: str | None = None
    id: str | None = None
    language: str | None = None
    advice: str = ADVICE
    """What to do when one of them is missing."""

    @property
    def named(self) -> dict[str, str]:
        """Field to column, for the fields that have one."""
        return {field: name for field in FIELDS if (name := getattr(self, field)) is not None}

    @property
    def wanted(self) -> list[str]:
        """The columns to read, each once, in the order of `FIELDS`."""
        return list(dict.fromkeys(self.named.values()))


def columns_of(data: "Data") -> Columns:
    """The column names that the configuration maps."""
    return Columns(text=data.text, title=data.title, label=data.label, id=data.id, language=data.language)


def check_columns(wanted: Sequence[str], found: Collection[str], where: str, *, advice: str = ADVICE) -> None:
    """Make sure that every wanted column is there, once.

    Raises:
        MissingColumns: Some are missing; all are named, each with its nearest.
        DataError: A name occurs twice.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        named = " and no column ".join(f"{name!r}{nearest(name, found)}" for name in missing)
        message = f"{where} has no column {named} (it has {', '.join(found) or 'none'}); {advice}"
        raise MissingColumns(message, missing)
    twice = [name for name in wanted if list(found).count(name) > 1]
    if twice:
        raise DataError(f"{where} has more than one column {twice[0]!r}; rename all but one of them")


def to_text(value: object, column: str, where: str) -> str | None:
    """One value as text: whole numbers without a decimal point, dates in ISO 8601, NaN as None.

    Raises:
        DataError: The value is bytes, a list or another thing that is not text.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime.date | datetime.time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, int | decimal.Decimal | uuid.UUID):
        return str(value)
    raise DataError(
        f"{where} holds {type(value).__name__} in column {column!r}, expected text; "
        "choose another column or turn it into text first"
    )


def to_fields(frame: "pl.DataFrame", columns: Columns) -> "pl.DataFrame":
    """A frame of the source's text columns turned into `FIELDS`; what marks a missing value becomes null."""
    import polars as pl

    named = columns.named
    return frame.select(
        pl.when(pl.col(named[field]).str.strip_chars().is_in(MISSING))
        .then(None)
        .otherwise(pl.col(named[field]))
        .alias(field)
        if field in named
        else pl.lit(None, dtype=pl.String).alias(field)
        for field in FIELDS
    )

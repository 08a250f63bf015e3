"""Corrections from people in SQLite or PostgreSQL: each is kept, the last one of an advert counts.

The URL of the database stays in the environment, see `joblens.sources.database`. What is stored must be
without personal data already; the reviewer is a pseudonym.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from joblens.errors import SourceError
from joblens.sources.database import CONNECT_SECONDS, open_database, reason_of
from joblens.storage import content_hash
from joblens.text import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

logger = logging.getLogger(__name__)

TABLE = "joblens_corrections"
STATEMENT_SECONDS = CONNECT_SECONDS
"""PostgreSQL gives a statement up after so long, and SQLite waits so long for other writers."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The label that a person gave an advert. All texts are as they are stored: without personal data."""

    id: str
    """The advert's id in its source; empty when it has none."""
    title: str
    text: str
    label: str
    """What the person says."""
    guess: str | None
    """What the model had said; equal to `label` when the person agreed."""
    model_version: str | None
    """Of the bundle that guessed."""
    reviewer: str
    """A pseudonym, see `pseudonym`; empty when nobody is named."""
    created_at: datetime
    """When it was stored, in UTC."""

    @property
    def ad_id(self) -> str:
        """The advert's id, or one made from its content: corrections of one advert share it."""
        return self.id or f"feedback-{content_hash(self.title, self.text)[:16]}"


def pseudonym(name: str) -> str:
    """16 hex digits that stand for a reviewer, however the name's letters are cased; nothing for no name.

    It keeps names out of the table, no more: who has a list of the names can hash them too.
    """
    spelled = normalise(name).casefold()
    return content_hash("joblens reviewer", spelled)[:16] if spelled else ""


def store_corrections(url_env: str, corrections: Sequence[Correction]) -> int:
    """Add corrections to the table, all of them or none; the table, or the SQLite file, is made when missing.

    Returns:
        How many were stored.

    Raises:
        SourceError: The database cannot be reached or refuses; the message quotes neither URL nor rows.
    """
    import sqlalchemy as sa

    rows = [asdict(correction) for correction in corrections]
    with open_database(url_env, may_create=True) as engine:
        try:
            table = _made_table(engine)
            with engine.begin() as connection:
                _limit_time(connection)
                if rows:
                    connection.execute(table.insert(), rows)
        except sa.exc.SQLAlchemyError as error:
            raise SourceError(
                f"the database that {url_env} names does not store corrections: {reason_of(error)}; "
                "mend that and send them again"
            ) from None
    return len(rows)


def read_corrections(url_env: str) -> list[Correction]:
    """Every correction that was ever stored, in the order they came; none when there is no table yet.

    Raises:
        SourceError: The database cannot be reached, or its table is another one.
    """
    import sqlalchemy as sa

    table = _table()
    with open_database(url_env) as engine, engine.connect() as connection:
        if not sa.inspect(connection).has_table(TABLE):
            logger.warning("the database that %s names has no table %s yet", url_env, TABLE)
            return []
        columns = [table.c[name] for name in Correction.__dataclass_fields__]
        found = connection.execute(sa.select(*columns).order_by(table.c.number))
        return [_correction(dict(row)) for row in found.mappings()]


def last_ones(corrections: Iterable[Correction]) -> list[Correction]:
    """The last correction of each advert; those without an id are of one advert when title and text agree."""
    last: dict[str, Correction] = {}
    for correction in corrections:
        last.pop(correction.ad_id, None)  # a later one takes its own place in the order
        last[correction.ad_id] = correction
    return list(last.values())


def _correction(row: dict[str, Any]) -> Correction:
    at = row["created_at"]
    return Correction(
        **{**row, "created_at": at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)}
    )


def _table() -> "Table":
    import sqlalchemy as sa

    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only an INTEGER counts by itself there
    return sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("guess", sa.Text()),
        sa.Column("model_version", sa.Text()),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )


def _made_table(engine: "Engine") -> "Table":
    """The table, made now if it is not there; two processes may try that at the same moment."""
    import sqlalchemy as sa

    table = _table()
    if sa.inspect(engine).has_table(TABLE):
        return table
    try:
        with engine.begin() as connection:
            _limit_time(connection)
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
    except sa.exc.SQLAlchemyError:
        if not sa.inspect(engine).has_table(TABLE):
            raise
    return table


def _limit_time(connection: "Connection") -> None:
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL statement_timeout = {1000 * STATEMENT_SECONDS}"))

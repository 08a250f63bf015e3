"""Reach a database without ever showing how: the URL stays in the environment, messages are joblens' own.

The configuration holds the name of an environment variable. Its value is read when used and kept as a
`SecretStr`. What a driver says about a failed connection is never repeated, since a URL with an unescaped `@`
puts a piece of the password into the host name.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from joblens.config.base import check_variable_name
from joblens.errors import ConfigError, SourceError, nearest

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

CONNECT_SECONDS = 5

_REASONS = (
    (("password", "authentication", "no pg_hba.conf", 'role "'), "it refuses the user or the password"),
    (("timeout", "timed out"), f"no answer within {CONNECT_SECONDS} seconds"),
    (("refused",), "nothing listens there"),
    (("translate host", "resolve host", "getaddrinfo", "name or service"), "its host name is unknown"),
    (("does not exist",), "the server has no database of that name"),
    (("locked",), f"another process has written to it for more than {CONNECT_SECONDS} seconds"),
    (("readonly", "read-only", "permission denied"), "it may only be read"),
    (("is full", "no space left"), "its disk is full"),
)


@contextmanager
def open_database(url_env: str, *, may_create: bool = False) -> "Iterator[Engine]":
    """An engine for the URL in the environment; what the driver raises becomes one line without secrets.

    Args:
        url_env: Name of the environment variable.
        may_create: Whether a SQLite file that is not there may be made, in a folder that is.
    """
    import sqlalchemy as sa

    secret = _secret(url_env)
    url = _parse(secret, url_env, may_create=may_create)
    connect: dict[str, dict[str, int]] = {
        "postgresql": {"connect_timeout": CONNECT_SECONDS},
        "mysql": {"connect_timeout": CONNECT_SECONDS},
        "sqlite": {"timeout": CONNECT_SECONDS},
    }
    try:
        engine = sa.create_engine(
            url,
            connect_args=connect.get(url.get_backend_name(), {}),
            poolclass=sa.pool.NullPool,
            hide_parameters=True,
        )
    except (ImportError, sa.exc.ArgumentError):  # an unknown dialect is an ArgumentError
        raise SourceError(
            f"{url_env} names a {url.get_backend_name()!r} database, and no driver for it is installed; "
            "joblens brings those for postgresql and sqlite, install any other that SQLAlchemy knows"
        ) from None
    try:
        with engine.connect():
            pass
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(
            f"cannot connect to the database that {url_env} names: {reason_of(error)}; "
            "check the variable, and that the server is up"
        ) from None
    try:
        yield engine
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(f"the database refuses the statement: {_first_line(error, url)}") from None
    finally:
        engine.dispose()


def check_url_env(url_env: str, option: str = "--url-env") -> None:
    """Make sure that `url_env` is a name and not the URL itself, which would end up in messages.

    Args:
        url_env: What was given.
        option: How messages call it.

    Raises:
        ConfigError: It is no name; the message does not repeat it.
    """
    try:
        check_variable_name(url_env)
    except ValueError as error:
        raise ConfigError(f"{option} {error}") from None


def _secret(url_env: str) -> SecretStr:
    check_url_env(url_env)
    value = os.environ.get(url_env, "")
    if not value:
        raise SourceError(
            f"the environment variable {url_env} is not set, expected a database URL in it; "
            f"run `export {url_env}=postgresql://user:password@host/database`, or name another variable"
        )
    return SecretStr(value)


def _parse(secret: SecretStr, url_env: str, *, may_create: bool) -> "URL":
    """The URL, with the driver that joblens brings, and a SQLite file that is there or may be made."""
    import sqlalchemy as sa

    try:
        url = sa.make_url(secret.get_secret_value())
    except (sa.exc.ArgumentError, ValueError):
        raise SourceError(
            f"{url_env} does not hold a database URL, expected postgresql://user:password@host/database "
            "or sqlite:///file; write special characters of the password as %xx"
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and url.database and not url.database.startswith((":memory:", "file:")):
        path = Path(url.database)
        if not path.is_file() and not (may_create and path.parent.is_dir() and not path.exists()):
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise SourceError(
                f"{url_env} names a SQLite file that is not there{nearest(path.name, beside)}; check its path"
            )
    return url


def reason_of(error: Exception) -> str:
    """Why the database refused, in joblens' words: a driver may quote pieces of the URL, or of a row."""
    words = str(getattr(error, "orig", None) or error).lower()
    for signs, reason in _REASONS:
        if any(sign in words for sign in signs):
            return reason
    return type(getattr(error, "orig", None) or error).__name__


def _first_line(error: Exception, url: "URL") -> str:
    """The first line of what the driver says about a statement, without the password should it be there."""
    words = str(getattr(error, "orig", None) or error).strip().splitlines()
    line = words[0] if words else type(error).__name__
    password = str(url.password) if url.password is not None else ""
    return line.replace(password, "***") if password else line

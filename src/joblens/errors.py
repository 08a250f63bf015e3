"""Everything joblens raises on purpose.

    JoblensError
    ├── ConfigError    params.yaml, configs/ or an override is wrong
    ├── DataError      a file, a column or a row is not what it should be
    ├── SourceError    a database cannot be reached or refuses us
    ├── StorageError   a file is locked or cannot be written, or the disk is full
    ├── ModelError     encoder or extractor weights are missing or not the expected ones
    ├── BundleError    a trained bundle is missing, damaged or made for another encoder
    └── DeviceError    the asked-for device is not there

Each message is one line: what was found, what was expected, what to do next. Only several wrong values of
a configuration are listed one per line below the first. The command line prints it without a traceback and
exits with code 2. Anything else that escapes is a bug.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class JoblensError(Exception):
    """The parent of every error a user can cause or mend."""


class ConfigError(JoblensError):
    """`params.yaml`, `configs/` or an override is wrong."""


class DataError(JoblensError):
    """A file, a column or a row is not what it should be."""


class SourceError(JoblensError):
    """A database cannot be reached, or refuses the query."""


class StorageError(JoblensError):
    """A file is locked by another process or cannot be written, or the disk is full."""


class ModelError(JoblensError):
    """Encoder or extractor weights are missing, or not the expected ones."""


class BundleError(JoblensError):
    """A trained bundle is missing, damaged, or made for another encoder."""


class DeviceError(JoblensError):
    """The asked-for device is not on this machine."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`"; nearest is 'title'"` for a near miss, otherwise the empty string, ready to append to a message."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; nearest is {by_lower[found[0]]!r}" if found else ""


def wrong_value(error: "ValidationError") -> str:
    """Where the first wrong value stands and what is wrong with it."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return one_line(f"{place}: {problem['msg']}" if place else problem["msg"])


def one_line(text: str) -> str:
    """One line of a library's words, not too long, so that a hostile file cannot fill the terminal."""
    return short(" ".join(text.split()), quote=False)


def short(value: object, *, quote: bool = True) -> str:
    """A value as text, cut after 300 characters; in quotes, a line break is shown as `\\n`."""
    text = repr(value) if quote else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"

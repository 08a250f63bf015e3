"""Memory that is free, given back to the system."""

import ctypes
from functools import cache


def give_back() -> bool:
    """Have the C library return the pages that nobody uses; whether it could.

    Batches differ in size, and glibc keeps what the largest of them needed, in pieces that the next does not
    fit into: the process grows by tens of megabytes. Takes about a millisecond. Other C libraries than glibc
    are left alone.
    """
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None

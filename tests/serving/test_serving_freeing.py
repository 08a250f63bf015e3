import sys

import psutil
import pytest

from joblens.serving.freeing import give_back


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone is asked")
def test_memory_between_what_is_kept_goes_back_to_the_system():
    process = psutil.Process()
    pieces = [bytearray(100_000) for _ in range(2_000)]  # 200 MB, each too small for pages of its own
    for piece in pieces:
        piece[::4096] = b"x" * len(piece[::4096])
    kept = pieces[::50]
    held = process.memory_info().rss
    del pieces, piece
    give_back()
    assert held - process.memory_info().rss > 150_000_000
    assert len(kept) == 40

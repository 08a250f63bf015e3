"""Requests at hand when the server is told to end; `invoke bench drain` does it 20 times."""

import re
import sys

import pytest


@pytest.mark.slow
def test_none_of_20_requests_in_flight_is_lost_at_sigterm(run, repository, bundle_folder):
    script = str(repository / "benchmarks/drain.py")
    options = ("--bundle", str(bundle_folder), "--times", "2", "--ads", "5")
    printed = run(repository, sys.executable, script, *options)
    rows = re.findall(
        r"^\| [12] \| (\{.*?\}) \| (\d+) \| (\d+) \| [\d.]+ \| (-?\d+) \|", printed, re.MULTILINE
    )
    assert [(statuses, lost, code) for statuses, _, lost, code in rows] == [("{200: 20}", "0", "0")] * 2
    assert all(int(after) > 0 for _, after, _, _ in rows), "nothing was in flight any more"

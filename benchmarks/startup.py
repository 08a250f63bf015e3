"""How long `joblens --help` takes: the median of ten runs, beside an empty Python process."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10


def seconds(*command: str) -> float:
    """Wall time of one run of `command`."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print both medians and their ratio."""
    joblens = str(Path(sys.executable).with_name("joblens"))
    ours, bare = [], []
    for _ in range(RUNS):  # one after the other, so that both see the same machine
        ours.append(seconds(joblens, "--help"))
        bare.append(seconds(sys.executable, "-c", "pass"))
    median, empty = statistics.median(ours), statistics.median(bare)
    ratio = f"ratio {median / empty:.1f}, {RUNS} runs"
    print(f"joblens --help: {median:.3f} s, an empty Python: {empty:.3f} s, {ratio}")


if __name__ == "__main__":
    main()

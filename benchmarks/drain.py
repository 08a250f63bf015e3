"""What becomes of the requests at hand when a server is told to end: 20 in flight, 20 times.

    invoke bench drain
    python benchmarks/drain.py --bundle FOLDER --times 2

Each time a server starts and 20 clients send one request each, of a few adverts, so that most still wait when
SIGTERM comes; the server is told to let them wait, else it would refuse some at once. Then it is counted who
got the answer to what was asked, and how long the process lived on. A request is lost when its connection
ends without an answer, or the answer is not status 200.
"""

import argparse
import http.client
import json
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from servers import REPOSITORY, Server, free_port, joblens_serve, print_promises, read_bodies, running

from joblens.errors import ConfigError, JoblensError

MOST_SECONDS = 30.0
"""From SIGTERM until the process is gone."""
SETTLE = 0.3
"""Seconds between the last byte sent and the signal: the server has accepted every connection by then."""
LOST = 0


@dataclass(slots=True)
class Drain:
    """What one SIGTERM did."""

    statuses: list[int] = field(default_factory=list)
    """Of each request; 0 where there was no answer."""
    after: int = 0
    """Answers that came after the signal."""
    seconds: float = 0.0
    """Until the process was gone."""
    code: int | None = None
    """It ended with."""

    @property
    def lost(self) -> int:
        """Requests without the answer they asked for."""
        return sum(status != 200 for status in self.statuses)


def drain(server: Server, bodies: list[bytes]) -> Drain:
    """Send every body at once, then SIGTERM, and wait for the answers and the end."""
    found, told = Drain(), threading.Event()
    lock, sent = threading.Lock(), threading.Barrier(len(bodies) + 1)

    def ask(body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=2 * MOST_SECONDS)
        status = LOST
        try:
            connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
            sent.wait()
            answer = connection.getresponse()
            results = json.loads(answer.read()).get("results", ())
            is_whole = answer.status != 200 or len(results) == len(json.loads(body)["ads"])
            status = answer.status if is_whole else LOST
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            connection.close()
        with lock:
            found.statuses.append(status)
            found.after += told.is_set() and status == 200

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    sent.wait()
    time.sleep(SETTLE)
    start = time.monotonic()
    told.set()
    server.process.send_signal(signal.SIGTERM)
    found.code = server.process.wait(2 * MOST_SECONDS)
    found.seconds = time.monotonic() - start
    for thread in threads:
        thread.join()
    return found


def requests_of(ads: int, requests: int, seed: int) -> list[bytes]:
    """So many requests of so many adverts of the sample each."""
    singles = [json.loads(body) for body in read_bodies(seed)]
    chosen = (singles * (1 + ads * requests // len(singles)))[: ads * requests]
    return [json.dumps({"ads": chosen[row * ads : (row + 1) * ads]}).encode() for row in range(requests)]


def main() -> bool:
    """Drain, print, and say whether the promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=REPOSITORY / "models/classifier")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--ads", type=int, default=2, help="in each request")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if min(arguments.times, arguments.requests, arguments.ads) < 1:
        raise ConfigError("--times, --requests and --ads should be 1 or more")
    bodies = requests_of(arguments.ads, arguments.requests, arguments.seed)
    print("| SIGTERM | statuses (0: no answer) | answered after it | lost | seconds to the end | exit code |")
    print("|---:|---|---:|---:|---:|---:|")
    drains = []
    for number in range(1, arguments.times + 1):
        port = free_port()
        with running([*joblens_serve(arguments.bundle, port), "--wait-seconds", "600"], port) as server:
            found = drain(server, bodies)
        drains.append(found)
        statuses = dict(sorted(Counter(found.statuses).items()))
        cells = (number, statuses, found.after, found.lost, f"{found.seconds:.2f}", found.code)
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
    lost, longest = sum(one.lost for one in drains), max(one.seconds for one in drains)
    waiting = statistics.median(one.after for one in drains)
    return print_promises(
        [
            ("requests lost", "0", str(lost), lost == 0),
            ("longest end", f"≤ {MOST_SECONDS:g} s", f"{longest:.2f} s", longest <= MOST_SECONDS),
            (
                "exit code",
                "0",
                str(sorted({one.code for one in drains})),
                {one.code for one in drains} == {0},
            ),
            ("in flight at the signal, median", "> 0", f"{waiting:g}", waiting > 0),
        ]
    )


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except JoblensError as error:
        print(f"drain: {error}", file=sys.stderr)
        sys.exit(2)

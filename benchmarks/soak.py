"""Whether the API's memory grows: a quarter of an hour of requests, one in twenty broken off by its client.

    invoke bench soak
    python benchmarks/soak.py --bundle FOLDER --minutes 1 --warm-up 20

Eight clients ask without a pause: one advert or a few, mostly `/classify`, some `/extract` and `/match`, now
and then a body that is refused. The adverts are the sample's, each with a sentence of its own at its end, so
that the server reads some that it has not read before. A request that is broken off has its connection closed
up to 50 ms after it was sent. The resident memory of the server's process is read every five seconds. Growth
is the median of the last tenth of the time, at least a minute, less that of the minute after the warm-up.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
from servers import REPOSITORY, Server, free_port, joblens_serve, print_promises, read_bodies, running

from joblens.errors import ConfigError, JoblensError

MOST_GROWTH = 50.0
"""Megabytes (10^6 bytes) after the warm-up."""
ABORTED = 0.05
"""Share of the requests that their clients break off."""
LONGEST_PATIENCE = 0.050
"""Seconds until one is broken off."""
CLIENTS = 8
EVERY = 5.0
"""Seconds between two readings of the memory."""
KINDS = ("/classify",) * 7 + ("/extract", "/match", "refused")


@dataclass(slots=True)
class Soak:
    """What was asked and measured."""

    asked: Counter[str] = field(default_factory=Counter)
    """Requests by path and status, or `broken off`."""
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start, and megabytes."""

    def growth(self, warm_up: float) -> float:
        """Megabytes from after the warm-up to the end."""
        end = self.memory[-1][0]
        last = max(60.0, end / 10) if end > warm_up + 120 else (end - warm_up) / 2
        first = min(60.0, (end - warm_up) / 2)
        before = [size for at, size in self.memory if warm_up <= at <= warm_up + first]
        after = [size for at, size in self.memory if at >= end - last]
        return statistics.median(after) - statistics.median(before)


def body_of(kind: str, ads: list[dict[str, str]], dice: random.Random) -> bytes:
    """A body of one kind, with adverts that nobody sent before."""
    chosen = [
        {"title": ad["title"], "text": f"{ad['text']}\n\nReference {dice.getrandbits(48):x}."}
        for ad in dice.sample(ads, dice.choice((1, 1, 1, 4)))
    ]
    if kind == "/match":
        profiles = [{"title": ad["title"], "text": ad["text"]} for ad in dice.sample(ads, 2)]
        return json.dumps({"ads": chosen, "profiles": profiles}).encode()
    wrong: dict[str, Any] = {"surprise": 1} if kind == "refused" else {}
    return json.dumps({"ads": chosen} | wrong).encode()


async def break_off(server: Server, path: str, body: bytes, patience: float) -> None:
    """Send a request and close the connection before the answer, as a client that loses patience."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await asyncio.sleep(patience)
    writer.transport.abort()
    del reader


async def one_client(
    server: Server, ads: list[dict[str, str]], found: Soak, end: float, dice: random.Random
) -> None:
    """Ask until the time is over."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=120.0) as client:
        while time.monotonic() < end:
            kind = dice.choice(KINDS)
            path, body = "/classify" if kind == "refused" else kind, body_of(kind, ads, dice)
            if dice.random() < ABORTED:
                await break_off(server, path, body, dice.uniform(0, LONGEST_PATIENCE))
                found.asked[f"{path} broken off"] += 1
                continue
            headers = {"Content-Type": "application/json"}
            status = (await client.post(path, content=body, headers=headers)).status_code
            found.asked[f"{path} {status}"] += 1
            if status == 429:
                await asyncio.sleep(0.2)


async def watch(server: Server, found: Soak, end: float) -> None:
    """Read the server's memory, and print it each minute."""
    process, start, minute = psutil.Process(server.process.pid), time.monotonic(), 0
    print("\n| Minute | resident memory, MB | requests so far |\n|---:|---:|---:|")
    while time.monotonic() < end:
        at = time.monotonic() - start
        found.memory.append((at, process.memory_info().rss / 1e6))
        if at >= 60 * minute:
            print(f"| {minute} | {found.memory[-1][1]:.0f} | {found.asked.total():,} |", flush=True)
            minute += 1
        await asyncio.sleep(EVERY)


async def soak(server: Server, ads: list[dict[str, str]], seconds: float, seed: int) -> Soak:
    """All clients and the watch, for so long."""
    found, end = Soak(), time.monotonic() + seconds
    clients = [one_client(server, ads, found, end, random.Random(seed + number)) for number in range(CLIENTS)]
    await asyncio.gather(watch(server, found, end), *clients)
    return found


def main() -> bool:
    """Soak, print, and say whether the promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=REPOSITORY / "models/classifier")
    parser.add_argument("--minutes", type=float, default=15, help="after the warm-up")
    parser.add_argument("--warm-up", type=float, default=120, help="seconds")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.minutes * 60 < 8 * EVERY:
        raise ConfigError(f"--minutes is {arguments.minutes:g}, expected {8 * EVERY / 60:.2g} or more")
    ads = [json.loads(body) for body in read_bodies(arguments.seed)]
    port = free_port()
    with running(joblens_serve(arguments.bundle, port), port) as server:
        seconds = 60 * arguments.minutes + arguments.warm_up
        found = asyncio.run(soak(server, ads, seconds, arguments.seed))
    print("\n" + ", ".join(f"{what}: {count:,}" for what, count in sorted(found.asked.items())))
    growth = found.growth(arguments.warm_up)
    broken = sum(count for what, count in found.asked.items() if what.endswith("off"))
    failed = sum(count for what, count in found.asked.items() if what[-3:] >= "500" and what[-3:].isdigit())
    return print_promises(
        [
            ("memory after warm-up", f"≤ +{MOST_GROWTH:g} MB", f"{growth:+.1f} MB", growth <= MOST_GROWTH),
            ("answers from 500 on", "0", str(failed), failed == 0),
            ("broken off", "> 0", f"{broken} of {found.asked.total()}", broken > 0),
        ]
    )


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except JoblensError as error:
        print(f"soak: {error}", file=sys.stderr)
        sys.exit(2)

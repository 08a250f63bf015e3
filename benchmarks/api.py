"""How much the API answers, how fast, and what it does when asked for more; beside a plain loop in one run.

    joblens params experiment=demo && dvc repro train && invoke bench api
    python benchmarks/api.py --bundle FOLDER --seconds 10 --rounds 1 --overload-seconds 10

Two servers run on this machine, each a process of its own around the same bundle: `joblens serve`, and
`peers/plain_api.py`, which calls the classifier once for each request. Both are asked with the sample's
adverts, one in each request, title and text, shuffled, none twice in a round.

1. A closed loop: 32 clients, each asks again when it has its answer. Rounds alternate between the servers,
   on the same adverts. For the answers a second only those with status 200 inside the round count; how long
   they took is told of all that were asked in it. A round ends early when all its adverts were asked. Ours
   remembers sentences, and the sample's come again in other adverts: `--remember 0` shows what batching alone
   brings.
2. An open loop: three times what ours can answer, for a minute, whether or not there are answers yet, at
   random intervals (exponential, seeded). Its adverts are those of the rounds, whose sentences ours remembers
   by now; what it can answer is measured with them in one more closed loop. Beside it `/livez` is asked ten
   times a second.
3. Recovery: after the last request, how long until an advert asked then is answered.

The clients are one asyncio process on the same cores, which slows both servers alike.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from servers import (
    REPOSITORY,
    Server,
    free_port,
    joblens_serve,
    percentile,
    plain_api,
    print_promises,
    read_bodies,
    running,
)

from joblens.errors import JoblensError

LEAST_RATIO = 2.0
"""Ours over the plain loop's answers a second."""
OVERLOAD = 3
"""Times the sustainable rate."""
MOST_SECONDS = 0.100
"""Of a refusal and of `/livez`, 99th percentile."""
MOST_RECOVERY = 5.0
"""Seconds."""
TIMEOUT = 60.0
LOST = 0
"""Stands for the status of a request without an answer."""


@dataclass(slots=True)
class Answers:
    """What came back."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    """How long each answer took, by status."""
    elapsed: float = 0.0
    late: int = 0
    """Of those with status 200, how many came after `elapsed`."""

    def add(self, status: int, took: float) -> None:
        """Count one answer."""
        self.seconds.setdefault(status, []).append(took)

    @property
    def statuses(self) -> Counter[int]:
        """How many of each."""
        return Counter({status: len(times) for status, times in sorted(self.seconds.items())})

    @property
    def throughput(self) -> float:
        """Answers with status 200 a second."""
        return (len(self.seconds.get(200, ())) - self.late) / self.elapsed

    def percentile(self, status: int, share: float) -> float:
        """Of the seconds of one status."""
        return percentile(self.seconds.get(status, []), share)


async def ask(
    client: httpx2.AsyncClient, answers: Answers, body: bytes | None, path: str = "/classify"
) -> int:
    """One request, its status and seconds counted; a body makes it a POST."""
    start = time.perf_counter()
    try:
        if body is None:
            status = (await client.get(path)).status_code
        else:
            headers = {"Content-Type": "application/json"}
            status = (await client.post(path, content=body, headers=headers)).status_code
    except httpx2.HTTPError:
        status = LOST
    answers.add(status, time.perf_counter() - start)
    return status


def client_of(server: Server) -> httpx2.AsyncClient:
    """A client that opens as many connections as it needs."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64)
    return httpx2.AsyncClient(base_url=server.url, timeout=TIMEOUT, limits=limits)


async def closed_loop(
    server: Server, bodies: Sequence[bytes], clients: int, seconds: float, *, again: bool = False
) -> Answers:
    """Each client asks, waits for the answer, and asks again until the time is over.

    It is over as well when every advert was asked, unless they may be asked `again`.
    """
    answers, left = Answers(), itertools.cycle(bodies) if again else iter(bodies)
    async with client_of(server) as client:
        start = time.perf_counter()
        end = start + seconds

        async def one() -> None:
            while time.perf_counter() < end and (body := next(left, None)) is not None:
                status = await ask(client, answers, body)
                answers.late += status == 200 and time.perf_counter() > end
                if status != 200:
                    await asyncio.sleep(0.1)  # else a server that refuses is asked for nothing but refusals

        await asyncio.gather(*(one() for _ in range(clients)))
        answers.elapsed = min(seconds, time.perf_counter() - start)
    return answers


async def open_loop(
    server: Server, bodies: Sequence[bytes], rate: float, seconds: float, seed: int
) -> tuple[Answers, Answers, float]:
    """Requests at a rate, whatever comes back: their answers, those of `/livez`, and seconds to recover."""
    answers, lives, left = Answers(), Answers(), itertools.cycle(bodies)
    dice = random.Random(seed)
    async with client_of(server) as client, client_of(server) as prober:
        start = time.perf_counter()
        due, tasks = 0.0, []
        probing = asyncio.create_task(_probe(prober, lives))
        while (due := due + dice.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, start + due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(client, answers, next(left))))
        stopped = time.perf_counter()
        after = Answers()
        while await ask(prober, after, next(left)) != 200 and time.perf_counter() < stopped + TIMEOUT:
            await asyncio.sleep(0.1)
        recovery = time.perf_counter() - stopped
        await asyncio.gather(*tasks)
        probing.cancel()
    answers.elapsed = seconds
    return answers, lives, recovery


async def _probe(client: httpx2.AsyncClient, lives: Answers) -> None:
    while True:
        await ask(client, lives, None, "/livez")
        await asyncio.sleep(0.1)


async def warm_up(server: Server, bodies: Sequence[bytes]) -> None:
    """A few requests that nobody counts, one after the other."""
    async with client_of(server) as client:
        for body in bodies:
            await ask(client, Answers(), body)


def slices(bodies: Sequence[bytes], rounds: int) -> Iterator[Sequence[bytes]]:
    """As many equal parts of the adverts as there are rounds, so that no round knows those of another."""
    size = len(bodies) // rounds
    return (bodies[number * size : (number + 1) * size] for number in range(rounds))


def asked_in(rounds: Sequence[Answers], bodies: Sequence[bytes]) -> list[bytes]:
    """The adverts that were asked in the rounds, each once."""
    known: list[bytes] = []
    for part, found in zip(slices(bodies, len(rounds)), rounds, strict=True):
        known += part[: found.statuses.total()]
    return known


def print_rounds(rounds: dict[str, list[Answers]]) -> None:
    """Each server's rounds: answers a second and how long they took."""
    print("\n| Server | answers/s by round | median | p50, ms | p99, ms | statuses |")
    print("|---|---|---:|---:|---:|---|")
    for name, found in rounds.items():
        each = ", ".join(f"{answers.throughput:.1f}" for answers in found)
        middle = statistics.median(answers.throughput for answers in found)
        half, most = (
            statistics.median(1000 * one.percentile(200, share) for one in found) for share in (0.5, 0.99)
        )
        statuses = dict(sum((answers.statuses for answers in found), Counter()))
        print(f"| {name} | {each} | {middle:.1f} | {half:.0f} | {most:.0f} | {statuses} |")


def compare(rounds: dict[str, list[Answers]]) -> list[tuple[str, str, str, bool]]:
    """The promises about throughput and latency."""
    ours, plain = rounds["joblens"], rounds["plain loop"]
    pairs = list(zip(ours, plain, strict=True))
    ratio = statistics.median(one.throughput / max(other.throughput, 1e-9) for one, other in pairs)
    slow, other = (statistics.median(one.percentile(200, 0.99) for one in found) for found in (ours, plain))
    return [
        (
            "throughput over the plain loop's",
            f"≥ {LEAST_RATIO:g} times",
            f"{ratio:.2f} times",
            ratio >= LEAST_RATIO,
        ),
        (
            "p99 no worse than the plain loop's",
            f"≤ {1000 * other:.0f} ms",
            f"{1000 * slow:.0f} ms",
            slow <= other,
        ),
        (
            "answered, or told to come back",
            "200, 429",
            str(sorted({status for one in ours for status in one.seconds})),
            all(set(one.seconds) <= {200, 429} for one in ours),
        ),
    ]


def judge_overload(
    answers: Answers, lives: Answers, recovery: float, rate: float
) -> list[tuple[str, str, str, bool]]:
    """The promises about overload."""
    statuses, refused = answers.statuses, answers.percentile(429, 0.99)
    alive = lives.percentile(200, 0.99)
    print(
        f"\nasked {rate:.1f} times a second for {answers.elapsed:.0f} s: {dict(statuses)} (0: no answer), "
        f"answers/s {answers.throughput:.1f}, answered p50 {1000 * answers.percentile(200, 0.5):.0f} ms, "
        f"p99 {1000 * answers.percentile(200, 0.99):.0f} ms; /livez {dict(lives.statuses)}"
    )
    most = f"≤ {1000 * MOST_SECONDS:.0f} ms"
    return [
        ("statuses", "200 and 429", str(sorted(statuses)), set(statuses) == {200, 429}),
        ("refusals, p99", most, f"{1000 * refused:.0f} ms", refused <= MOST_SECONDS),
        (
            "/livez, p99",
            most,
            f"{1000 * alive:.0f} ms",
            alive <= MOST_SECONDS and set(lives.statuses) == {200},
        ),
        ("recovery", f"≤ {MOST_RECOVERY:g} s", f"{recovery:.2f} s", recovery <= MOST_RECOVERY),
    ]


def main() -> bool:
    """Measure and print; whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=REPOSITORY / "models/classifier")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=30, help="of each round at most")
    parser.add_argument(
        "--remember", type=int, default=50_000, help="sentences; the plain loop remembers none"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--overload-seconds", type=float, default=60, help="0 leaves this part out")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    bodies = read_bodies(arguments.seed)
    warm, bodies = bodies[:8], bodies[8:]
    ports = free_port(), free_port()
    rounds: dict[str, list[Answers]] = {"joblens": [], "plain loop": []}
    command = [*joblens_serve(arguments.bundle, ports[0]), "--remember", str(arguments.remember)]
    with (
        running(command, ports[0]) as ours,
        running(plain_api(arguments.bundle, ports[1]), ports[1]) as plain,
    ):
        print(
            f"{arguments.clients} clients, {os.cpu_count()} cores, ready after {ours.ready_seconds:.1f} s, "
            f"{os.getloadavg()[0]:.1f} programs at work before this one"
        )
        servers = {"joblens": ours, "plain loop": plain}
        for server in servers.values():
            asyncio.run(warm_up(server, warm))
        for part in slices(bodies, arguments.rounds):
            for name, server in servers.items():
                found = asyncio.run(closed_loop(server, part, arguments.clients, arguments.seconds))
                rounds[name].append(found)
        print_rounds(rounds)
        promises = compare(rounds)
        if arguments.overload_seconds:
            known = asked_in(rounds["joblens"], bodies)
            again = asyncio.run(closed_loop(ours, known, arguments.clients, arguments.seconds, again=True))
            print(f"\nours on the {len(known)} adverts that it knows now: {again.throughput:.1f} answers/s")
            rate = OVERLOAD * again.throughput
            promises += judge_overload(
                *asyncio.run(open_loop(ours, known, rate, arguments.overload_seconds, arguments.seed)), rate
            )
    return print_promises(promises)


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except JoblensError as error:
        print(f"api: {error}", file=sys.stderr)
        sys.exit(2)

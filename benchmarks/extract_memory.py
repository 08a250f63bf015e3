"""Peak memory of `joblens extract`: a PostgreSQL table of synthetic adverts, copied in a process of its own.

    python benchmarks/extract_memory.py --rows 200000

It starts a PostgreSQL server in a temporary folder (as the user `postgres` when run by root), fills a table
with adverts of about 1 kB, runs the extract and prints its peak resident memory. Exit code 1 above the limit.
"""

import argparse
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_MB = 400

WORDS = (
    "vi søger en erfaren kollega til drift udvikling kunder økonomi rapporter salg lager pleje børn og team"
).split()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server that lives as long as the block."""
    on_path = shutil.which("pg_ctl")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if not on_path and not found:
        sys.exit("PostgreSQL is not installed; run `apt-get install postgresql`")
    binaries = Path(on_path or found[-1]).parent
    folder = Path(tempfile.mkdtemp(prefix="joblens-bench-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [*prefix, str(binaries / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        call("initdb", "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://bench@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def fill(url: str, rows: int) -> None:
    """Make the table `ads` with `rows` adverts of random words; the same every time."""
    import psycopg

    chance = random.Random(0)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ads (id bigint, title text, text text, label text)")
        with cursor.copy("COPY ads FROM STDIN") as copy:
            for row in range(rows):
                text = " ".join(chance.choices(WORDS, k=160))
                copy.write_row((row, f"Stilling {row}", text, f"område {row % 22}"))


def extract(out: Path) -> None:
    """What `joblens extract` does, then this process's peak memory as JSON."""
    from joblens.config import Data
    from joblens.sources.sql import extract as extract_table

    data = Data(
        source="sql", table="ads", text="text", title="title", label="label", id="id", watch="", seed=0
    )
    started = time.perf_counter()
    report = extract_table(data, out)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"rows": report.rows, "seconds": round(seconds, 1), "peak_mb": round(peak / 1e6)}))


def main() -> None:
    """Fill, extract in a subprocess, print, compare with the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.out:
        extract(arguments.out)
        return
    with postgres() as url, tempfile.TemporaryDirectory() as folder:
        fill(url, arguments.rows)
        command = [sys.executable, __file__, "--out", str(Path(folder) / "ads.parquet")]
        done = subprocess.run(
            command, env={**os.environ, "JOBLENS_DB_URL": url}, check=True, capture_output=True, text=True
        )
        found = json.loads(done.stdout)
        size = (Path(folder) / "ads.parquet").stat().st_size / 1e6
    print(
        f"extract of {found['rows']:,} rows: peak memory {found['peak_mb']} MB (limit {LIMIT_MB} MB), "
        f"{found['seconds']} s, file of {size:.0f} MB"
    )
    sys.exit(found["peak_mb"] > LIMIT_MB)


if __name__ == "__main__":
    main()

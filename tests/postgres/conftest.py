"""A PostgreSQL server of this test run's own, with a password, and a fresh database for each test.

PostgreSQL refuses to run as root, so root starts it as the user `postgres`, which Debian's package makes.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from port_for import get_port
from pytest_postgresql.janitor import DatabaseJanitor

PASSWORD = "canary-7h3-p4ssw0rd"
USER = "tester"


@dataclass(frozen=True)
class Server:
    port: int

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"


def _binaries() -> Path | None:
    """The folder of the newest installed server; Debian keeps it off the PATH."""
    on_path = shutil.which("pg_ctl")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return Path(on_path).parent if on_path else (found[-1].parent if found else None)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    binaries = _binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed; run `apt-get install postgresql`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="joblens-postgres-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    password_file.chmod(0o644)
    port = get_port(None) or 0
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*prefix, str(binaries / program), *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )

    try:
        call(
            "initdb",
            "-D",
            str(data),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            f"--pwfile={password_file}",
            "-E",
            "UTF8",
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Server(port)
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database_url(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database, which `JOBLENS_DB_URL` holds too."""
    janitor = DatabaseJanitor(
        user=USER,
        host="127.0.0.1",
        port=server.port,
        dbname="adverts",
        password=PASSWORD,
    )
    with janitor:
        url = server.url("adverts")
        monkeypatch.setenv("JOBLENS_DB_URL", url)
        yield url

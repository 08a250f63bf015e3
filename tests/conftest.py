"""What every test shares: no network, no accounts, and markers that skip what this machine cannot run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Set before any library reads them: no hub, no telemetry, no account.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    TRANSFORMERS_OFFLINE="1",
    WANDB_MODE="offline",
    WANDB_SILENT="true",
    DVC_NO_ANALYTICS="1",
    DO_NOT_TRACK="1",
    MPLBACKEND="Agg",
)
os.environ.pop("WANDB_API_KEY", None)

REPOSITORY = Path(__file__).resolve().parents[1]
"""The folder that holds pyproject.toml, configs and data/sample."""

LOCAL_ADDRESSES = ("127.", "::1", "localhost", "0.0.0.0")


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _has_real_data() -> bool:
    folder = os.environ.get("JOBLENS_REAL_DATA")
    return folder is not None and Path(folder).is_dir()


def _has_browser() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


MACHINE_NEEDS = {
    "gpu": (_has_gpu, "no CUDA device"),
    "real": (_has_real_data, "JOBLENS_REAL_DATA names no folder"),
    "network": (lambda: os.environ.get("JOBLENS_NETWORK") == "1", "JOBLENS_NETWORK is not 1"),
    "browser": (_has_browser, "no Chromium"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, the marked tests that this machine cannot run."""
    for name, (is_met, reason) in MACHINE_NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(name)]
        if marked and not is_met():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _refuse_the_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A connection to anything but this machine fails the test, unless it is marked `network`."""
    if request.node.get_closest_marker("network"):
        yield
        return
    connect = socket.socket.connect

    def connect_locally(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOCAL_ADDRESSES):
            raise AssertionError(f"a test without the marker `network` connects to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_locally)
    yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root, for tests that read configs, docs or the sample."""
    return REPOSITORY


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """`run(folder, *command)`: what a command of this environment prints in a folder, on both streams."""

    def run_there(folder: Path, *command: str) -> str:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run_there

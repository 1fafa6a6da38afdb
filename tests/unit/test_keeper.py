"""Servers of the run end with it, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import keeper
from tests.processes import LIMIT_S, until

# A server with a child, as Prefect's may have; it says who they are.
SERVER = """
import os, subprocess, sys
one = subprocess.Popen(["sleep", "600"])
with open(sys.argv[1] + ".new", "w") as told:
    told.write(f"{os.getpid()} {one.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
one.wait()
"""


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def kept(owner: subprocess.Popen[bytes], tmp_path: Path) -> Iterator[list[psutil.Process]]:
    """The keeper, the server and its child."""
    told = tmp_path / "pids"
    command = [sys.executable, "-S", "-c", SERVER, str(told)]
    keeper.start(owner.pid, tmp_path / "pid", command, dict(os.environ), tmp_path / "log")
    until(told.exists)
    pids = [int((tmp_path / "pid").read_text()), *map(int, told.read_text().split())]
    yield [psutil.Process(pid) for pid in pids]
    keeper.end(tmp_path / "pid")


def test_what_is_kept_lives_until_it_is_ended(kept: list[psutil.Process], tmp_path: Path) -> None:
    assert all(one.is_running() for one in kept)
    keeper.end(tmp_path / "pid")
    assert psutil.wait_procs(kept, LIMIT_S)[1] == []
    keeper.end(tmp_path / "pid")


def test_what_is_kept_ends_with_an_owner_that_is_killed(
    kept: list[psutil.Process], owner: subprocess.Popen[bytes]
) -> None:
    owner.kill()
    owner.wait()
    assert psutil.wait_procs(kept, LIMIT_S)[1] == []

"""A server whose files may not grow, as on a full disk (`ulimit -f`), and then may again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from core.database import warden
from core.database.embedded import EmbeddedServer
from core.errors import StoreError
from tests.chaos.fleet import Fleet

N = 20_000
# A WAL segment is 16 MiB and must still fit.
LIMIT_BYTES = 17 * 2**20
# Bytes added to each result: all of them need twice the limit.
PAD = 1_700


@contextmanager
def full_disk(server: EmbeddedServer) -> Iterator[int]:
    """No file of the server grows beyond the limit; its pid."""
    pid = warden.postmaster(server.home)
    assert pid is not None
    limit(pid, str(LIMIT_BYTES))
    yield pid
    limit(pid, "unlimited")


def limit(pid: int, soft: str) -> None:
    """For the postmaster and every backend that lives; new ones inherit it. Only their own user may do so."""
    postmaster = psutil.Process(pid)
    uid, gid = postmaster.uids().real, postmaster.gids().real
    identity: dict[str, Any] = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    for process in [postmaster, *postmaster.children()]:
        command = ["prlimit", f"--pid={process.pid}", f"--fsize={soft}:"]
        done = subprocess.run(command, check=False, capture_output=True, **identity)
        # A backend may have ended meanwhile.
        assert done.returncode == 0 or not psutil.pid_exists(process.pid), done.stderr


def test_work_goes_on_after_a_full_disk(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    own_fleet.fill(N, 1_000)
    with full_disk(server) as pid:
        workers = [own_fleet.start(f"worker-{n}", pad=PAD) for n in range(2)]
        refusals = [worker.wait_for("refused", 2) for worker in workers]
        with pytest.raises(StoreError, match="the database refused"):
            own_fleet.queue.enqueue(own_fleet.flow, [{"n": 0, "pad": "x" * 900}] * 20_000)
        assert warden.postmaster(server.home) == pid
        n_done = sum(len(worker.said("done")) for worker in workers)
        assert 0 < n_done < N // 1_000
    own_fleet.drain()
    found = own_fleet.check(N)
    assert warden.postmaster(server.home) == pid
    figures(
        f"disk full: sqlstate {refusals[0]['sqlstate']} after {n_done} of {N // 1_000} batches, server up, "
        f"the rest after the limit was lifted, lost {found.lost}, twice {found.twice}"
    )

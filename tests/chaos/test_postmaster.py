"""The server itself is killed, or has no connection left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
import psycopg

from core.database import warden
from core.database.embedded import EmbeddedServer
from tests.chaos.fleet import Fleet, until

N = 40_000
KILLS = 2
RERUN = """
SELECT extract(epoch FROM min(started_at))::double precision FROM queue_history
WHERE flow_name = :f AND extract(epoch FROM started_at) > :t
"""


def test_kill_of_the_postmaster_loses_no_acknowledged_row(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    """Every batch that a worker was told is done is done after the restart; all others are done again."""
    own_fleet.fill(N, 500)
    workers = [own_fleet.start(f"worker-{n}", work_s=0.05) for n in range(2)]
    back = []
    for n in range(1, KILLS + 1):
        for worker in workers:
            worker.wait_for("done", 4 * n)
        pid = warden.postmaster(server.home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        killed_at = time.time()
        # A zombie that init has not reaped yet still counts as a living postmaster for its successor.
        until(lambda pid=pid: not psutil.pid_exists(pid), "the postmaster is gone")  # type: ignore[misc]
        server.ensure_running()
        answer = [(None,)]
        while answer == [(None,)]:
            until(lambda: not own_fleet.drained(), "the server answers")
            answer = own_fleet.db.execute_query("rerun", RERUN, {"f": own_fleet.flow, "t": killed_at})
        back.append(answer[0][0] - killed_at)
    own_fleet.drain()
    found = own_fleet.check(N)
    refused = sum(len(worker.said("refused")) for worker in workers)
    assert refused > 0
    figures(
        f"kill -9 of the postmaster: {N:,} rows, {KILLS} kills, work again after {max(back):.1f} s at most, "
        f"{found.rescues} rescues, lost {found.lost}, twice {found.twice}"
    )


@contextmanager
def crowded(server: EmbeddedServer) -> Iterator[int]:
    """Every connection that the server has left is taken."""
    with ExitStack() as stack:
        taken = 0
        while True:
            try:
                stack.enter_context(psycopg.connect(server.url()))
            except psycopg.OperationalError:
                break
            taken += 1
        yield taken


def test_a_server_without_a_free_connection_is_waited_for(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    own_fleet.fill(10_000, 500)
    with crowded(server) as taken:
        worker = own_fleet.start("worker")
        assert worker.wait_for("refused", 3)["error"] == "StoreUnavailable"
    own_fleet.drain()
    found = own_fleet.check(10_000)
    figures(f"no connection left: {taken} taken, 10,000 rows after that, lost {found.lost}, twice {found.twice}")

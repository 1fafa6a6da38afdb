"""The server itself is killed, or has no connection left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from core.database.embedded import EmbeddedServer
from tests.chaos.fleet import Fleet, until
from tests.chaos.server import crowded, kill_postmaster
from tests.profiles import is_long

N, KILLS = (40_000, 2) if is_long() else (16_000, 1)
RERUN = """
SELECT extract(epoch FROM min(started_at))::double precision FROM queue_history
WHERE flow_name = :f AND extract(epoch FROM started_at) > :t HAVING count(*) > 0
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
        killed_at = kill_postmaster(server)
        began = partial(own_fleet.db.execute_query, "rerun", RERUN, {"f": own_fleet.flow, "t": killed_at})
        until(began, "work goes on")
        back.append(began()[0][0] - killed_at)
    own_fleet.drain()
    found = own_fleet.check(N)
    refused = sum(len(worker.said("refused")) for worker in workers)
    assert refused > 0
    figures(
        f"kill -9 of the postmaster: {N:,} rows, {KILLS} kills, work again after {max(back):.1f} s at most, "
        f"{found.rescues} rescues, lost {found.lost}, twice {found.twice}"
    )


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

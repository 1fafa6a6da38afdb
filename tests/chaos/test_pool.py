"""A worker that gets no connection when it needs one."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.fleet import Fleet


def test_a_worker_without_a_connection_for_its_beats_loses_the_batch_and_nothing_else(
    fleet: Fleet, figures: Callable[[str], None]
) -> None:
    """Its only connection is busy in a COPY beyond the lease: no beat gets through, another worker takes over."""
    fleet.db.execute_query("make", "CREATE TABLE chaos_sink (batch_id bigint, worker_id text)")
    (batch_id,) = fleet.fill(1_000, 1_000)
    starved = fleet.start("starved", pool_size=1, pool_timeout_s=0.1, hold="copying", sink=True)
    starved.wait_for("holding")
    heir = fleet.start("heir", sink=True)
    assert heir.wait_for("done")["batch"] == batch_id
    heir.close()
    starved.write_line("go")
    assert starved.wait_for("lost")["batch"] == batch_id
    fleet.fill(9_000, 500, first=1_000)
    starved.wait_for("done", 18)
    fleet.drain()
    found = fleet.check(10_000)
    assert fleet.db.execute_query("sunk", "SELECT count(*) FROM chaos_sink") == [(19,)]
    figures(f"exhausted pool: 10,000 rows, {found.rescues} rescue, lost {found.lost}, twice {found.twice}")

"""Connections that are cut by the server in the middle of what they do."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.fleet import Fleet, until
from tests.profiles import is_long

N, CUTS = (40_000, 8) if is_long() else (20_000, 4)
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE :n AND pid <> pg_backend_pid()
"""


def test_a_backend_ended_in_mid_copy_costs_nothing_but_the_time(fleet: Fleet, figures: Callable[[str], None]) -> None:
    fleet.db.execute_query("make", "CREATE TABLE chaos_sink (batch_id bigint, worker_id text)")
    (batch_id,) = fleet.fill(2_000, 2_000)
    worker = fleet.start("worker", hold="copying", sink=True)
    worker.wait_for("holding")
    assert fleet.db.execute_query("end", TERMINATE, {"n": "headrace:worker"}) == [(1,)]
    worker.write_line("go")
    assert worker.wait_for("done")["batch"] == batch_id
    fleet.drain()
    found = fleet.check(2_000)
    assert fleet.db.execute_query("sunk", "SELECT batch_id FROM chaos_sink") == [(batch_id,)]
    figures(f"backend ended in mid-COPY: written again under the same lease, twice {found.twice}")


def test_backends_ended_at_any_moment_lose_nothing(fleet: Fleet, figures: Callable[[str], None]) -> None:
    fleet.fill(N, 1_000)
    workers = [fleet.start(f"worker-{n}", work_s=0.05) for n in range(2)]
    for worker in workers:
        worker.wait_for("done")
    n_ended = 0
    for n in range(CUTS):
        until(lambda n=n: sum(len(w.said("done")) for w in workers) > 2 * n, "the workers get on")  # type: ignore[misc]
        # The test's own connections are called headrace too; a completing transaction bears its worker's name.
        n_ended += fleet.db.execute_query("end", TERMINATE, {"n": "headrace%"})[0][0]
    fleet.drain()
    found = fleet.check(N)
    figures(
        f"pg_terminate_backend: {N:,} rows, {n_ended} backends ended, {found.rescues} rescues, "
        f"lost {found.lost}, twice {found.twice}"
    )

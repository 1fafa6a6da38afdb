"""A worker whose clock jumps: leases are measured by the database's clock and beats by the monotonic one."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.fleet import Fleet, until

TTL_S = 4.0
DAY_S = 86_400
LEASE = "SELECT extract(epoch FROM lease_until)::double precision FROM processing_queue WHERE worker_id = 'jumpy'"
# Times of day in the history must come from the server.
STRAYED = """
SELECT count(*) FROM queue_history WHERE flow_name = :f
  AND (abs(extract(epoch FROM now() - finished_at)) > 3600 OR abs(extract(epoch FROM now() - started_at)) > 3600)
"""


def test_a_jumping_clock_neither_loses_nor_steals_a_lease(fleet: Fleet, figures: Callable[[str], None]) -> None:
    (batch_id,) = fleet.fill(1_000, 1_000)
    jumpy = fleet.start("jumpy", hold="claimed", lease_ttl_s=TTL_S, beat_s=0.4)
    jumpy.wait_for("holding")
    # Another one with a clock of tomorrow, which leads if it can: it must not think the lease over.
    ahead = fleet.start("ahead")
    ahead.wait_for("ready")
    ahead.write_line(f"jump {DAY_S}")
    ahead.wait_for("jumped")
    (first_until,) = fleet.db.execute_query("l", LEASE)[0]
    jumps = (DAY_S, -2 * DAY_S)
    for n, jump in enumerate(jumps, 1):
        jumpy.write_line(f"jump {jump}")
        jumpy.wait_for("jumped", n)
        enough = first_until + n * TTL_S / 2 + 0.5
        until(lambda enough=enough: fleet.db.execute_query("l", LEASE)[0][0] > enough, "beats go on")  # type: ignore[misc]
    jumpy.write_line("go")
    assert jumpy.wait_for("done")["batch"] == batch_id
    fleet.drain()
    found = fleet.check(1_000)
    assert (found.rescues, ahead.said("claimed")) == (0, [])
    assert fleet.db.execute_query("strayed", STRAYED, {"f": fleet.flow}) == [(0,)]
    figures(f"clock jumps of +1 and -2 days: held {TTL_S:g} s beyond the claim, {found.rescues} rescues")

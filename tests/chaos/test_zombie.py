"""Workers that are stopped beyond their lease and then go on as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.chaos.fleet import Fleet, Process, until

BACKENDS = "SELECT state FROM pg_stat_activity WHERE application_name = :n AND datname = current_database()"
SUNK = "SELECT batch_id, worker_id FROM chaos_sink ORDER BY 1, 2"


@pytest.fixture
def sink(fleet: Fleet) -> Fleet:
    """The fleet, with an empty table for what sinks write."""
    fleet.db.execute_query("drop", "DROP TABLE IF EXISTS chaos_sink")
    fleet.db.execute_query("make", "CREATE TABLE chaos_sink (batch_id bigint, worker_id text)")
    return fleet


def stopped_while_copying(fleet: Fleet) -> Process:
    """A worker that beats, and stands still with a COPY half done in its completing transaction."""
    zombie = fleet.start("zombie", hold="copying", sink=True)
    zombie.wait_for("holding")
    listed = "SELECT 1 FROM workers WHERE worker_id = 'zombie'"
    until(lambda: fleet.db.execute_query("beats", listed), "the worker beats")
    zombie.send(signal.SIGSTOP)
    assert fleet.db.execute_query("b", BACKENDS, {"n": "headrace:zombie"}) == [("active",)]
    return zombie


def test_a_zombie_writes_nothing_and_works_on(fleet: Fleet, figures: Callable[[str], None]) -> None:
    (batch_id,) = fleet.fill(1_000, 1_000)
    zombie = fleet.start("zombie", hold="claimed")
    zombie.wait_for("holding")
    stopped_at = zombie.send(signal.SIGSTOP)
    heir = fleet.start("heir")
    assert heir.wait_for("done")["batch"] == batch_id
    heir.close()
    zombie.send(signal.SIGCONT)
    zombie.write_line("go")
    assert zombie.wait_for("lost")["batch"] == batch_id
    fleet.fill(1_000, 1_000, first=1_000)
    zombie.wait_for("done")
    fleet.drain()
    found = fleet.check(2_000)
    (seconds,) = fleet.reruns_s("zombie", stopped_at)
    figures(f"SIGSTOP: {found.rescues} rescue, stop to rerun {seconds:.1f} s with a lease of 2 s, twice {found.twice}")


def test_a_zombie_in_mid_copy_does_not_block_the_rescue(sink: Fleet, figures: Callable[[str], None]) -> None:
    (batch_id,) = sink.fill(1_000, 1_000)
    zombie = stopped_while_copying(sink)
    heir = sink.start("heir", sink=True)
    assert heir.wait_for("done")["batch"] == batch_id
    # Its transaction is still open: the rescue did not wait for it.
    assert sink.db.execute_query("b", BACKENDS, {"n": "headrace:zombie"}) == [("active",)]
    zombie.send(signal.SIGCONT)
    zombie.write_line("go")
    assert zombie.wait_for("lost")["batch"] == batch_id
    sink.drain()
    found = sink.check(1_000)
    assert sink.db.execute_query("sunk", SUNK) == [(batch_id, "heir")]
    figures(f"SIGSTOP in mid-COPY: {found.rescues} rescue while the COPY stood open, twice {found.twice}")


def test_the_backends_of_a_silent_worker_are_ended(sink: Fleet) -> None:
    """After four leases without a beat its open transaction goes, and with it whatever it locks."""
    (batch_id,) = sink.fill(500, 500)
    zombie = stopped_while_copying(sink)
    heir = sink.start("heir", sink=True)
    until(
        lambda: not sink.db.execute_query("b", BACKENDS, {"n": "headrace:zombie"}),
        "the backend of the silent worker is ended",
    )
    assert heir.wait_for("done")["batch"] == batch_id
    zombie.send(signal.SIGCONT)
    zombie.write_line("go")
    assert zombie.wait_for("lost")["batch"] == batch_id
    sink.drain()
    sink.check(500)
    assert sink.db.execute_query("sunk", SUNK) == [(batch_id, "heir")]

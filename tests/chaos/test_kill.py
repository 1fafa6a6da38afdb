"""Workers that are killed."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.chaos.fleet import ROOT, Fleet, until
from tests.profiles import is_long

N, KILLS = (60_000, 3) if is_long() else (20_000, 2)
PAGE = (ROOT / "docs/explain/queue-states.md").read_text()


def questions() -> list[str]:
    """The queries of the page that tell whether every item was acknowledged once; no row means yes."""
    found = [query for query in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if "queue_history" in query]
    assert len(found) >= 2
    return [query.replace(":", "\\:") for query in found[:2]]


def test_killed_workers_lose_nothing_and_repeat_nothing(fleet: Fleet, figures: Callable[[str], None]) -> None:
    """One after the other is killed at work, at whatever step it is; the last one is let live."""
    survivor = fleet.start("survivor", work_s=0.2)
    killed = {}
    for n in range(KILLS):
        victim = fleet.start(f"victim-{n}", work_s=0.01 * n)
        victim.wait_for("ready")
        fleet.fill(N // KILLS, 500, first=n * (N // KILLS))
        victim.wait_for("claimed", 2)
        killed[victim.orders.worker_id] = victim.kill()
    survivor.wait_for("done")
    fleet.drain()
    found = fleet.check(N)
    assert [fleet.db.execute_query("question", query) for query in questions()] == [[], []]
    reruns = [seconds for name, at in killed.items() for seconds in fleet.reruns_s(name, at)]
    assert len(reruns) <= found.rescues
    figures(
        f"SIGKILL: {N:,} rows, {KILLS} kills, {found.rescues} rescues, lost {found.lost}, twice {found.twice}, "
        f"kill to rerun {max(reruns, default=0.0):.1f} s at most with a lease of 2 s"
    )


def test_a_killed_worker_is_rescued_with_what_it_held(fleet: Fleet, figures: Callable[[str], None]) -> None:
    (batch_id,) = fleet.fill(1_000, 1_000)
    victim = fleet.start("victim", hold="claimed")
    assert victim.wait_for("holding")["batch"] == batch_id
    at = victim.kill()
    heir = fleet.start("heir")
    assert heir.wait_for("done")["batch"] == batch_id
    fleet.drain()
    found = fleet.check(1_000)
    assert found.rescues >= 1
    (seconds,) = fleet.reruns_s("victim", at)
    figures(f"SIGKILL of a holder: kill to rerun {seconds:.1f} s with a lease of 2 s")


def test_the_death_of_the_leader_hands_its_duties_on(fleet: Fleet) -> None:
    """The leader is killed; the other worker takes the lead, and only then can rescue what the leader held."""
    (batch_id,) = fleet.fill(500, 500)
    leader = fleet.start("leader", hold="claimed")
    leader.wait_for("holding")
    holder = "SELECT holder FROM leases WHERE name = 'queue-leader'"
    until(lambda: fleet.db.execute_query("l", holder) == [("leader",)], "the first worker leads")
    heir = fleet.start("heir")
    heir.wait_for("ready")
    leader.kill()
    assert heir.wait_for("done")["batch"] == batch_id
    assert fleet.db.execute_query("l", holder) == [("heir",)]
    fleet.drain()
    fleet.check(500)

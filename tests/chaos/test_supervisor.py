"""Workers of `headrace consume`, with the default lease of 30 s: what runs again sooner does so by the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.chaos.fleet import LIMIT_S, Fleet, supervise, until

HOLDERS = """
SELECT w.worker_id, w.pid FROM processing_queue q JOIN workers w USING (worker_id)
WHERE q.flow_name = :f AND q.state = 'running' ORDER BY q.batch_id
"""
LEASE_S = 30.0


@contextmanager
def supervised(fleet: Fleet, processes: int, grace_s: float) -> Iterator[subprocess.Popen[bytes]]:
    popen = supervise(fleet.url, fleet.flow, "number", processes=processes, grace_s=grace_s)
    try:
        yield popen
    finally:
        popen.terminate()
        popen.wait(LIMIT_S)


def fill(fleet: Fleet, n_batches: int, work_ms: int) -> None:
    """Batches of a hundred rows that take so long each."""
    rows = [{"n": n, "work_ms": work_ms} for n in range(n_batches * 100)]
    fleet.queue.enqueue(fleet.flow, rows, batch_rows=100)


def test_the_batch_of_a_killed_worker_runs_again_at_once(fleet: Fleet, figures: Callable[[str], None]) -> None:
    fill(fleet, 4, work_ms=1_500)
    with supervised(fleet, processes=2, grace_s=5):
        until(lambda: len(fleet.db.execute_query("holders", HOLDERS, {"f": fleet.flow})) == 2, "both work")
        worker_id, pid = fleet.db.execute_query("holders", HOLDERS, {"f": fleet.flow})[0]
        os.kill(pid, signal.SIGKILL)
        killed_at = time.time()
        until(fleet.drained, "all is done")
    found = fleet.check(400)
    (seconds,) = fleet.reruns_s(worker_id, killed_at)
    assert seconds < LEASE_S
    figures(
        f"SIGKILL under a supervisor: kill to rerun {seconds:.2f} s with a lease of {LEASE_S:g} s, lost {found.lost}"
    )


def test_after_sigterm_the_batch_is_claimable_when_the_process_is_gone(
    fleet: Fleet, figures: Callable[[str], None]
) -> None:
    """Its grace is too short for the batch, so it is given back, and the attempt does not count."""
    fill(fleet, 1, work_ms=60_000)
    with supervised(fleet, processes=1, grace_s=0.2) as popen:
        until(lambda: fleet.db.execute_query("holders", HOLDERS, {"f": fleet.flow}), "it works")
        popen.send_signal(signal.SIGTERM)
        popen.wait(LIMIT_S)
    left_at = time.monotonic()
    (batch,) = fleet.queue.claim(fleet.flow)
    seconds = time.monotonic() - left_at
    assert batch.attempt == 1
    frame = fleet.queue.items(batch)
    fleet.queue.complete(batch, frame.select("seq", output=frame["seq"].cast(str)))
    fleet.check(100)
    figures(f"SIGTERM: the batch given back was claimed {seconds:.2f} s after the exit")

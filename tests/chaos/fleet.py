"""Worker processes under the control of a test, and the sums that tell whether a row was lost or done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.database import DatabaseManager
from core.errors import StoreError
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from tests.chaos.worker import Orders

ROOT = Path(__file__).resolve().parents[2]
# Generous: these bounds are reached only when something hangs.
LIMIT_S = 90.0
QUICK = QueueSettings(lease_ttl_s=2, beat_s=0.5, rescue_every_s=0.5)
# A crash counts as an attempt, and chaos is nobody's fault.
PATIENT = {"max_attempts": 100, "backoff_s": 0.05}

TALLY = """
SELECT (SELECT count(*) FROM queue_items i JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT coalesce(sum((i.payload->>'n')::bigint), 0)::bigint
        FROM queue_items i JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       count(*), count(DISTINCT (r.batch_id, r.seq)), coalesce(sum((r.output#>>'{}')::bigint), 0)::bigint,
       (SELECT count(*) FROM processing_queue WHERE flow_name = :f),
       (SELECT count(*) FROM queue_retries WHERE flow_name = :f),
       (SELECT count(*) FROM dead_letters WHERE flow_name = :f),
       (SELECT count(*) FROM queue_history WHERE flow_name = :f AND outcome = 'expired'),
       (SELECT count(*) FROM queue_batches WHERE flow_name = :f)
FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f
"""
DONE_BY = "SELECT batch_id FROM queue_history WHERE flow_name = :f AND worker_id = :w AND outcome = 'completed'"
# From a kill to the next claim of what the dead worker held.
RERUNS = """
SELECT extract(epoch FROM min(later.started_at))::double precision
FROM queue_history held JOIN queue_history later
  ON later.origin_batch_id = held.origin_batch_id AND later.batch_id = held.batch_id AND later.attempt > held.attempt
WHERE held.flow_name = :f AND held.worker_id = :w AND held.outcome = 'expired'
GROUP BY held.batch_id, held.attempt
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the tables hold of a flow. Sums are those of the payloads' numbers."""

    items: int
    items_sum: int
    results: int
    results_once: int
    results_sum: int
    live: int
    retries: int
    dead: int
    rescues: int
    batches: int

    @property
    def lost(self) -> int:
        """Items without a result, once nothing is live any more."""
        return self.items - self.results_once - self.retries - self.dead

    @property
    def twice(self) -> int:
        """Results beyond the first of an item."""
        return self.results - self.results_once


def tally(db: DatabaseManager, flow: str) -> Tally:
    """Count and add up. Cost: a scan of the flow's items and results."""
    return Tally(*db.execute_query("tally", TALLY, {"f": flow})[0])


def until(holds: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> None:
    """Look until it holds; AssertionError when the bound is over."""
    give_up = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < give_up, f"not within {limit_s:g} s: {what}"
        time.sleep(0.02)


class Process:
    """One worker or producer, and everything it said."""

    def __init__(self, orders: Any, module: str = "tests.chaos.worker") -> None:
        self.orders = orders
        self.events: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self.popen = subprocess.Popen(
            [sys.executable, "-m", module, orders.as_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            # A killed process may leave half a line.
            with suppress(ValueError), self._heard:
                self.events.append(json.loads(line))
                self._heard.notify_all()

    def wait_for(self, what: str, n: int = 1, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """The n-th event of that name."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.said(what)) >= n, limit_s), (
                f"{self.orders.worker_id} did not say {what} within {limit_s:g} s, but {self.events[-5:]}"
                f"\n{self.complaints()}"
            )
            return self.said(what)[n - 1]

    def said(self, what: str) -> list[dict[str, Any]]:
        """All events of that name so far."""
        return [event for event in self.events if event["what"] == what]

    def complaints(self) -> str:
        """The end of what it wrote to stderr."""
        self._complaints.seek(0)
        return self._complaints.read()[-2_000:]

    def write_line(self, line: str) -> None:
        """A line to its ears; one that is dead hears nothing."""
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.write(line + "\n")
            self.popen.stdin.flush()

    def send(self, number: signal.Signals) -> float:
        """A signal; returns the time of day at which it was sent."""
        self.popen.send_signal(number)
        return time.time()

    def kill(self) -> float:
        """SIGKILL; returns when, once it is gone."""
        at = self.send(signal.SIGKILL)
        self.popen.wait()
        return at

    def close(self) -> int:
        """Let it stop, by force if need be; its exit code."""
        if self.popen.poll() is None:
            self.send(signal.SIGCONT)
            self.write_line("stop")
        try:
            code = self.popen.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -1
        self._reader.join()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        if not self._complaints.closed:
            self._complaints.close()
        return code


def supervise(url: str, flow: str, handler: str, *, processes: int, grace_s: float) -> subprocess.Popen[bytes]:
    """`headrace consume` with default settings: a lease of 30 s, so what runs again sooner does so because of it."""
    program = str(Path(sys.executable).parent / "headrace")
    spec = f"tests.chaos.handlers:{handler}"
    how = ["--processes", str(processes), "--grace-seconds", str(grace_s)]
    return subprocess.Popen(
        [program, "consume", "--flow", flow, "--handler", spec, *how],
        cwd=ROOT,
        env={**os.environ, "HEADRACE_DATABASE__URL": url, "HEADRACE_LOG__LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@dataclass(slots=True)
class Fleet:
    """The workers of one flow."""

    db: DatabaseManager
    url: str
    flow: str
    queue: BatchQueue
    processes: list[Process] = field(default_factory=list)

    def start(self, worker_id: str, **orders: Any) -> Process:
        """A worker; it says `ready` when it begins."""
        process = Process(Orders(**{"url": self.url, "worker_id": worker_id, "flow": self.flow, **orders}))
        self.processes.append(process)
        return process

    def fill(self, n_rows: int, batch_rows: int, first: int = 0) -> list[int]:
        """Rows with the numbers from `first` on."""
        rows = [{"n": n} for n in range(first, first + n_rows)]
        return self.queue.enqueue(self.flow, rows, batch_rows=batch_rows)

    def drained(self) -> bool:
        """True once nothing is live; False also while the database is away."""
        query = "SELECT count(*) FROM processing_queue WHERE flow_name = :f"
        try:
            return self.db.execute_query("left", query, {"f": self.flow}) == [(0,)]
        except StoreError:
            return False

    def drain(self) -> None:
        """Wait until all is done, then let the workers go."""
        until(self.drained, "the flow is drained")
        self.close()

    def close(self) -> None:
        """End all workers."""
        for process in self.processes:
            process.close()

    def check(self, n_rows: int) -> Tally:
        """Nothing lost, nothing twice, and nobody was told of a success that is not in the history."""
        found = tally(self.db, self.flow)
        expected = n_rows * (n_rows - 1) // 2
        assert (found.lost, found.twice, found.live, found.dead) == (0, 0, 0, 0), asdict(found)
        assert (found.items, found.results_once) == (n_rows, n_rows), asdict(found)
        assert (found.items_sum, found.results_sum) == (expected, expected), asdict(found)
        for process in self.processes:
            params = {"f": self.flow, "w": process.orders.worker_id}
            in_history = {batch_id for (batch_id,) in self.db.execute_query("done", DONE_BY, params)}
            told = {event["batch"] for event in process.said("done")}
            assert told <= in_history, f"{process.orders.worker_id} was told of batches that it did not complete"
        return found

    def reruns_s(self, worker_id: str, killed_at: float) -> list[float]:
        """Seconds from the death of a worker to the next claim of each batch it held."""
        rows = self.db.execute_query("reruns", RERUNS, {"f": self.flow, "w": worker_id})
        return [started_at - killed_at for (started_at,) in rows]


@contextmanager
def fleet_on(db: DatabaseManager, url: str, flow: str) -> Iterator[Fleet]:
    """A flow of its own with its workers; they end with the block."""
    queue = BatchQueue(db, QUICK, f"{flow}-test")
    queue.register_flow(FlowPolicy(flow, **PATIENT))  # type: ignore[arg-type]
    fleet = Fleet(db, url, flow, queue)
    try:
        yield fleet
    finally:
        for process in fleet.processes:
            if process.popen.poll() is None:
                os.kill(process.popen.pid, signal.SIGKILL)
            process.close()

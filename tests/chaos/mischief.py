"""What the long chaos run does to workers, producers and server, and who suffers it."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from core.database import DatabaseManager
from core.database.embedded import EmbeddedServer
from core.errors import StoreError
from tests.chaos import producer, worker
from tests.chaos.fleet import Process, supervise, until
from tests.chaos.proxy import Proxy
from tests.chaos.server import crowded, full_disk, kill_postmaster

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'headrace%' AND pid <> pg_backend_pid()
  AND random() < :share
"""
HELD = "SELECT count(*) FROM processing_queue WHERE state = 'running' AND worker_id LIKE :like"
BIGGEST_MIN = 20 * 2**20
LEADER = "SELECT holder FROM leases WHERE name = 'queue-leader' AND lease_until > now()"
# A supervisor waits so long for its workers at the end.
GRACE_S = 1.0


@dataclass(slots=True)
class Event:
    """One piece of mischief. `until`: when its cause was gone; `hit`: who suffered; `led`: who led just before."""

    kind: str
    at: float
    until: float
    hit: str = ""
    led: str = ""


@dataclass(slots=True)
class Supervised:
    """`headrace consume` in a process of its own."""

    popen: subprocess.Popen[bytes]

    def children(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return [child for child in psutil.Process(self.popen.pid).children() if child.is_running()]
        return []


@dataclass
class Stage:
    """All that takes part. `dice` decides what is left to chance; every other worker goes through `proxy`."""

    server: EmbeddedServer
    proxy: Proxy
    db: DatabaseManager
    dice: random.Random
    lease_ttl_s: float
    n_workers: int
    workers: list[Process] = field(default_factory=list)
    producers: list[Process] = field(default_factory=list)
    gone: list[Process] = field(default_factory=list)
    supervised: Supervised | None = None
    events: list[Event] = field(default_factory=list)
    wakes: list[tuple[float, Process]] = field(default_factory=list)
    claimable_s: list[float] = field(default_factory=list)
    n_started: int = 0
    # No new producers.
    quiet: bool = False

    def _name(self, role: str) -> str:
        self.n_started += 1
        return f"{role}-{self.n_started}"

    def start_worker(self) -> None:
        beat_s = self.lease_ttl_s / 3
        url = self.server.url()
        if self.n_started % 2:
            url = url.replace(str(self.server.socket_dir), str(self.proxy.folder))
        orders = worker.Orders(
            url=url,
            worker_id=self._name("worker"),
            flow="leased",
            lease_ttl_s=self.lease_ttl_s,
            beat_s=beat_s,
            rescue_every_s=min(5.0, beat_s),
            work_s=self.dice.choice([0.0, 0.1, 0.3, 1.0]),
        )
        self.workers.append(Process(orders, "tests.chaos.worker"))

    def start_producer(self, flow: str) -> None:
        work_ms = self.dice.choice([100, 300]) if flow == "supervised" else 0
        orders = producer.Orders(self.server.url(), self._name("producer"), flow, work_ms=work_ms)
        self.producers.append(Process(orders, "tests.chaos.producer"))

    def start_supervised(self) -> None:
        self.supervised = Supervised(supervise(self.server.url(), "supervised", "moody", processes=2, grace_s=GRACE_S))

    def tend(self) -> None:
        """Wake whom it is time for, replace who is gone."""
        now = time.time()
        for wake in [wake for wake in self.wakes if wake[0] <= now]:
            self.wakes.remove(wake)
            wake[1].send(signal.SIGCONT)
        for group in (self.workers, self.producers):
            for dead in [process for process in group if process.popen.poll() is not None]:
                group.remove(dead)
                self.gone.append(dead)
                dead.close()
        while len(self.workers) < self.n_workers:
            self.start_worker()
        for flow in ("leased", "supervised"):
            if not self.quiet and all(process.orders.flow != flow for process in self.producers):
                self.start_producer(flow)
        if self.supervised is None or self.supervised.popen.poll() is not None:
            self.start_supervised()

    def stopped(self) -> list[Process]:
        return [process for _, process in self.wakes]

    def note(self, kind: str, at: float, hit: str = "", led: str = "") -> None:
        self.events.append(Event(kind, at, time.time(), hit, led))

    def leader(self) -> str:
        """Whose lease on the leader's duties stands, or nobody's."""
        rows = self.db.execute_query("leader", LEADER)
        return str(rows[0][0]) if rows else ""


def kill_worker(stage: Stage) -> None:
    victim = stage.dice.choice(stage.workers)
    stage.wakes = [wake for wake in stage.wakes if wake[1] is not victim]
    led = stage.leader()
    stage.note("SIGKILL worker", victim.kill(), victim.orders.worker_id, led)


def stop_worker(stage: Stage) -> None:
    """Beyond its lease: a zombie."""
    _stop(stage, "SIGSTOP beyond the lease", stage.lease_ttl_s + stage.dice.uniform(3, 20))


def stop_worker_briefly(stage: Stage) -> None:
    _stop(stage, "SIGSTOP within the lease", stage.dice.uniform(0.5, stage.lease_ttl_s / 3))


def _stop(stage: Stage, kind: str, seconds: float) -> None:
    awake = [process for process in stage.workers if process not in stage.stopped()]
    # One always works, or nothing would be learned.
    if len(awake) > 1:
        victim, led = stage.dice.choice(awake), stage.leader()
        at = victim.send(signal.SIGSTOP)
        stage.wakes.append((at + seconds, victim))
        stage.note(kind, at, victim.orders.worker_id, led)


def kill_producer(stage: Stage) -> None:
    victim = stage.dice.choice(stage.producers)
    stage.note("SIGKILL producer", victim.kill(), victim.orders.worker_id)


def end_backends(stage: Stage) -> None:
    at = time.time()
    stage.db.execute_query("end", TERMINATE, {"share": stage.dice.choice([0.3, 1.0])})
    stage.note("pg_terminate_backend", at)


def kill_server(stage: Stage) -> None:
    at = time.time()
    kill_postmaster(stage.server)
    stage.note("kill -9 postmaster", at)


def crowd_server(stage: Stage) -> None:
    at = time.time()
    with contextlib.suppress(StoreError):
        stage.db.execute_query("end", TERMINATE, {"share": 1.0})
    with crowded(stage.server):
        time.sleep(stage.dice.uniform(1, 4))
    stage.note("no connection left", at)


def fill_disk(stage: Stage) -> None:
    """The biggest file may not grow any more for a while."""
    at = time.time()
    sizes = [path.stat().st_size for path in stage.server.data.glob("base/*/*") if path.is_file()]
    with full_disk(stage.server, max(BIGGEST_MIN, *sizes)):
        time.sleep(stage.dice.uniform(1, 3))
    stage.note("disk full", at)


def swallow_packets(stage: Stage) -> None:
    """Half-open connections: what goes through the proxy vanishes, and nobody is told until it is over."""
    at = time.time()
    stage.proxy.swallow(stage.dice.uniform(1, stage.lease_ttl_s / 2))
    stage.note("packets swallowed", at)


def jump_clock(stage: Stage) -> None:
    victim = stage.dice.choice(stage.workers)
    victim.write_line(f"jump {stage.dice.uniform(-1e6, 1e6):.0f}")
    stage.note("clock jump", time.time(), victim.orders.worker_id)


def kill_supervised_worker(stage: Stage) -> None:
    children = stage.supervised.children() if stage.supervised else []
    if not children:
        return
    victim = stage.dice.choice(children)
    named = stage.db.execute_query("who", "SELECT worker_id FROM workers WHERE pid = :p", {"p": victim.pid})
    led, at = stage.leader(), time.time()
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        # It ended by itself while we asked for its name.
        return
    stage.note("SIGKILL supervised worker", at, named[0][0] if named else "", led)


def end_supervisor(stage: Stage) -> None:
    """SIGTERM in mid-work: what the workers held must be claimable at once."""
    if stage.supervised is None or not stage.supervised.children():
        return
    popen = stage.supervised.popen
    at = time.time()
    popen.send_signal(signal.SIGTERM)
    popen.wait(60)
    left_at = time.monotonic()
    # Its workers bear its pid in their names.
    like = {"like": f"%-{popen.pid}-%"}
    until(lambda: stage.db.execute_query("held", HELD, like) == [(0,)], "its batches are given back")
    stage.claimable_s.append(time.monotonic() - left_at)
    stage.supervised = None
    stage.note("SIGTERM supervisor", at)


# Each with its weight.
MISCHIEF: list[tuple[Callable[[Stage], None], float]] = [
    (kill_worker, 10),
    (stop_worker, 5),
    (stop_worker_briefly, 4),
    (kill_producer, 3),
    (end_backends, 6),
    (kill_server, 1),
    (crowd_server, 0.5),
    (fill_disk, 0.5),
    (swallow_packets, 3),
    (jump_clock, 4),
    (kill_supervised_worker, 8),
    (end_supervisor, 4),
]


def next_one(dice: random.Random) -> Callable[[Stage], None]:
    return dice.choices([act for act, _ in MISCHIEF], [weight for _, weight in MISCHIEF])[0]


def settle(stage: Stage) -> None:
    """No more mischief: everybody awake, producers at rest, until nothing is live any more."""
    for _, process in stage.wakes:
        process.send(signal.SIGCONT)
    stage.wakes.clear()
    stage.quiet = True
    for process in stage.producers:
        process.close()
    stage.gone += stage.producers
    stage.producers.clear()


def finish(stage: Stage) -> None:
    """End all processes."""
    everyone: list[Any] = [*stage.workers, *stage.producers]
    for process in everyone:
        process.close()
    if stage.supervised is not None:
        stage.supervised.popen.terminate()
        stage.supervised.popen.wait(60)

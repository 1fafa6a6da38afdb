"""How soon consumers come and go: bursts on a database of its own, scaled by `headrace scale run` on this machine."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
from pydantic import SecretStr

from core.bench.harness.database import own_database, session
from core.bench.scaling.handler import BATCH_S
from core.database import DatabaseManager
from core.database.queries import Connection, load, run
from core.errors import QueueError
from core.processes import python
from core.queue import BatchQueue, FlowPolicy
from core.scaling.simulation.world import rises_after_falls
from core.settings import DatabaseSettings, QueueSettings

Q = load("bench")

FLOW = "bench-scale"
LOOK_S = 0.05
LIMIT_S = 180.0
# Bursts come at any moment between two of the autoscaler's looks.
PAUSE_S_MOST = 7.0
DRAIN_S = 5

Moved = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Bursts:
    """How many, of how many batches of half a second, for how many consumers at most; `seed`: when they come."""

    rounds: int = 10
    batches: int = 24
    consumers: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One burst: until the first batch was begun, until the last was done, from then until no consumer was left."""

    first_s: float
    drained_s: float
    zero_s: float
    peak: int
    oscillations: int


@dataclass(frozen=True, slots=True)
class Watched:
    """What a burst goes into, and who is seen of its consumers: `alive` counts those at work or on their way."""

    conn: Connection
    queue: BatchQueue
    flow_name: str
    alive: Callable[[], int]
    look_s: float = LOOK_S


@dataclass(frozen=True, slots=True)
class Reaction:
    """All rounds in figures, seconds; the slowest of ten is their p95. `by`: who scaled; `load_before`: machine."""

    by: str
    rounds: int
    batches: int
    consumers: int
    first_p50_s: float
    first_p95_s: float
    first_max_s: float
    drained_p50_s: float
    zero_p50_s: float
    zero_max_s: float
    peak: int
    oscillations_max: int
    work: str
    load_before: float
    measured_at: str


def measure(url: str, bursts: Bursts, moved: Moved) -> Reaction:
    """Run the bursts one after another, each when the last one's consumers have gone. Cost: about 20 s each."""
    busy = round(os.getloadavg()[0], 1)
    with own_database(url, migrated=True) as own, session(own) as conn:
        db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(own)))
        queue = BatchQueue(db, QueueSettings(), "bench")
        queue.register_flow(FlowPolicy(FLOW))
        try:
            with _autoscaler(own, bursts.consumers) as scaler:
                watched = Watched(conn, queue, FLOW, lambda: _alive(scaler))
                found = list(rounds(watched, bursts, moved, lambda rng: rng.uniform(0, PAUSE_S_MOST)))
        finally:
            db.dispose()
    return figures("headrace scale run", bursts, found, busy)


def rounds(
    watched: Watched, bursts: Bursts, moved: Moved, pause_s: Callable[[random.Random], float]
) -> Iterator[Round]:
    """One burst after another, each `pause_s` after the last one's consumers had gone. Raises QueueError: none came."""
    rng = random.Random(bursts.seed)
    for number in range(bursts.rounds):
        moved("bursts", number, bursts.rounds)
        threading.Event().wait(pause_s(rng))
        yield _round(watched, bursts.batches)
    moved("bursts", bursts.rounds, bursts.rounds)


@contextmanager
def _autoscaler(url: str, consumers: int) -> Iterator[psutil.Process]:
    command = python("core.cli", "scale", "run", "--flow", FLOW, "--max", str(consumers))
    command += ["--handler", "core.bench.scaling.handler:wait", "--drain-seconds", str(DRAIN_S)]
    env = os.environ | {"HEADRACE_DATABASE__URL": url}
    process = subprocess.Popen(  # noqa: S603 - our own words
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _round(watched: Watched, batches: int) -> Round:
    """One burst, watched until nobody is left."""
    watched.queue.enqueue(watched.flow_name, ["0"] * batches, batch_rows=1)
    since: Any = run(watched.conn, Q["bench_now"])[0][0]
    began = time.monotonic()
    counts = [0]
    n_done, first_s, drained_s = 0, None, None
    while n_done < batches or counts[-1]:
        if time.monotonic() - began > LIMIT_S:
            raise QueueError(
                f"{n_done} of {batches} batches were done and {counts[-1]} consumers left after {LIMIT_S:g} s"
            )
        threading.Event().wait(watched.look_s)
        counts.append(watched.alive())
        if n_done < batches:
            asked = {"since": since, "flow_name": watched.flow_name}
            n_done, first_s, drained_s = run(watched.conn, Q["bench_burst_done"], asked)[0]
    zero_s = time.monotonic() - began - float(drained_s or 0)
    return Round(float(first_s or 0), float(drained_s or 0), zero_s, max(counts), rises_after_falls(counts))


def _alive(scaler: psutil.Process) -> int:
    """Consumers that run; those that ended are not counted, though their parent may look for them seconds later."""
    alive = 0
    for child in scaler.children():
        try:
            alive += child.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            continue
    return alive


def figures(by: str, bursts: Bursts, found: list[Round], busy: float) -> Reaction:
    """What all rounds come to; percentiles by nearest rank."""
    firsts = sorted(one.first_s for one in found)
    zeros = sorted(one.zero_s for one in found)
    return Reaction(
        by=by,
        rounds=bursts.rounds,
        batches=bursts.batches,
        consumers=bursts.consumers,
        first_p50_s=round(statistics.median(firsts), 2),
        first_p95_s=round(firsts[max(-(-95 * len(firsts) // 100) - 1, 0)], 2),
        first_max_s=round(firsts[-1], 2),
        drained_p50_s=round(statistics.median(one.drained_s for one in found), 2),
        zero_p50_s=round(statistics.median(zeros), 2),
        zero_max_s=round(zeros[-1], 2),
        peak=max(one.peak for one in found),
        oscillations_max=max(one.oscillations for one in found),
        work=f"{BATCH_S:g} s a batch, drain target {DRAIN_S} s",
        load_before=busy,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )

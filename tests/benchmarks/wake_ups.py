"""How soon idle consumers wake, and what it costs: `python -m tests.benchmarks.wake_ups`.

Starts a PostgreSQL of its own and removes it. Figures go to docs/explain/wake-ups.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
from pydantic import SecretStr

from core.database import DatabaseManager, connect, migrations
from core.database.embedded import EmbeddedServer
from core.queue import BatchQueue, FlowPolicy, LeaseKeeper
from core.queue.store import wake
from core.queue.store.wake import Wake
from core.settings import DatabaseSettings, EmbeddedSettings, QueueSettings

WAYS = ("silent", "always", "ours, nobody idle", "ours, one idle")


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """URL of a migrated database and pid of the postmaster."""
    with tempfile.TemporaryDirectory(prefix="hr-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        one = EmbeddedServer(Path(folder) / "pg", EmbeddedSettings(shared_buffers_mb=128))
        one.join()
        try:
            migrations.migrate(connect.Source(one.url()), DatabaseSettings())
            with psycopg.connect(one.url()) as conn:
                (row,) = conn.execute("SELECT pg_backend_pid()").fetchall()
                pid = psutil.Process(row[0]).ppid()
            yield one.url(), pid
        finally:
            one.leave()


def cpu_s(postmaster: int) -> float:
    """CPU seconds so far of the server and all its children, living and ended."""
    parent = psutil.Process(postmaster)
    times = [parent.cpu_times(), *(child.cpu_times() for child in parent.children(recursive=True))]
    ended = parent.cpu_times()
    return sum(each.user + each.system for each in times) + ended.children_user + ended.children_system


def idle(url: str, stop: threading.Event, name: str) -> None:
    """A consumer with nothing to do: its pool, its keeper, its wake-up connection."""
    db = DatabaseManager(name, DatabaseSettings(url=SecretStr(url)))
    queue = BatchQueue(db, QueueSettings(), name)
    with LeaseKeeper(queue), Wake(db, queue.settings, ["idle"]) as waker:
        while not stop.is_set():
            queue.claim("idle")
            waker.wait()
    db.dispose()


def idle_share(url: str, postmaster: int, consumers: int, seconds: float) -> float:
    """Per cent of one core that the server spends."""
    stop = threading.Event()
    threads = [threading.Thread(target=idle, args=(url, stop, f"idle-{n}")) for n in range(consumers)]
    for thread in threads:
        thread.start()
    time.sleep(12)
    before, began = cpu_s(postmaster), time.perf_counter()
    time.sleep(seconds)
    share = 100 * (cpu_s(postmaster) - before) / (time.perf_counter() - began)
    stop.set()
    for thread in threads:
        thread.join()
    return share


def delays_ms(url: str, n: int) -> list[float]:
    """From the commit of an enqueue to the end of an idle consumer's wait, sorted."""
    db = DatabaseManager("woken", DatabaseSettings(url=SecretStr(url)))
    queue = BatchQueue(db, QueueSettings(), "woken")
    woken_at: list[float] = []
    with Wake(db, queue.settings, ["idle"]) as waker:
        for _ in range(n):
            told_at: list[float] = []
            while waker.wait(0.0):
                pass
            teller = threading.Timer(
                0.2, lambda told=told_at: (queue.enqueue("idle", [1]), told.append(time.perf_counter()))
            )
            teller.start()
            assert waker.wait(60.0)
            now = time.perf_counter()
            teller.join()
            woken_at.append((now - told_at[0]) * 1e3)
            queue.complete(queue.claim("idle")[0])
    db.dispose()
    return sorted(woken_at)


def produce(url: str, way: str, seconds: float, counted: multiprocessing.Queue[int]) -> None:
    """Commit small transactions as fast as it goes."""
    db = DatabaseManager("producer", DatabaseSettings(url=SecretStr(url)))
    told: dict[str, Callable[[psycopg.Connection], object]] = {
        "silent": lambda conn: conn.execute("SELECT 1"),
        "always": lambda conn: conn.execute("SELECT pg_notify('headrace_0', 'idle')"),
    }
    tell = told.get(way, lambda conn: wake.notify(conn, "idle"))
    n, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        with db.transaction() as conn:
            conn.execute("INSERT INTO queue_inbox (flow_name, payload) VALUES ('idle', '{}')")
            tell(conn)
        n += 1
    counted.put(n)


def commits_per_s(url: str, way: str, producers: int, seconds: float) -> float:
    """Of all producers together, in processes of their own."""
    stop = threading.Event()
    with ExitStack() as stack:
        if way == "ours, one idle":
            consumer = threading.Thread(target=idle, args=(url, stop, "idle-0"))
            consumer.start()
            stack.callback(consumer.join)
            stack.callback(stop.set)
            time.sleep(2)
        context = multiprocessing.get_context("spawn")
        counted: multiprocessing.Queue[int] = context.Queue()
        processes = [context.Process(target=produce, args=(url, way, seconds, counted)) for _ in range(producers)]
        for process in processes:
            process.start()
        total = sum(counted.get(timeout=seconds + 120) for _ in processes)
        for process in processes:
            process.join()
    return total / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consumers", type=int, default=10)
    parser.add_argument("--wakes", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--producers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with server() as (url, postmaster):
        db = DatabaseManager("owner", DatabaseSettings(url=SecretStr(url)))
        BatchQueue(db, QueueSettings(), "owner").register_flow(FlowPolicy("idle"))
        db.dispose()
        delays = delays_ms(url, given.wakes)
        print(f"woken after: p50 {delays[len(delays) // 2]:.1f} ms, p95 {delays[len(delays) * 95 // 100]:.1f} ms")
        nobody = idle_share(url, postmaster, 0, given.seconds)
        print(f"server alone: {nobody:.2f} % of a core")
        share = idle_share(url, postmaster, given.consumers, given.seconds)
        print(f"with {given.consumers} idle consumers: {share:.2f} % of a core")
        for _ in range(given.rounds):
            for way in WAYS:
                rate = commits_per_s(url, way, given.producers, 5.0)
                print(f"{given.producers} producers, {way}: {rate:,.0f} commits/s")


if __name__ == "__main__":
    main()

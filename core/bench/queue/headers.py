"""What a deep backlog costs: claims and depth with many ready headers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import psycopg
from pydantic import SecretStr

from core.bench.harness.database import own_database, session
from core.bench.harness.meters import held_snapshot
from core.bench.queue.payloads import payloads
from core.bench.queue.side import timed_ms
from core.bench.queue.throughput import OnProgress
from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError
from core.queue import BatchQueue, FlowPolicy
from core.settings import DatabaseSettings, QueueSettings

Q = load("bench")

FLOW = "bench"
CALL_HEADERS = 10_000
N_COMPUTED = 50
N_CACHED = 500


@dataclass(frozen=True, slots=True)
class HeaderFigures:
    """Milliseconds over `claims` claims of one batch each, and over repeated questions for the depth."""

    headers: int
    claims: int
    claim_p50_ms: float
    claim_p95_ms: float
    depth_computed_p50_ms: float
    depth_computed_p95_ms: float
    depth_cached_p50_ms: float
    depth_cached_p95_ms: float
    held_xmin: bool
    measured_at: str


def measure_headers(
    url: str, n_headers: int, n_claims: int, on_progress: OnProgress, *, held_xmin: bool = False
) -> HeaderFigures:
    """Enqueue `n_headers` batches of one row in a database of its own, then claim some and ask for the depth.

    Statistics are those the server has by then: none is ANALYZEd for us.
    """
    with own_database(url, migrated=True) as own, held_snapshot(own, held=held_xmin):
        db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(own)))
        queue = BatchQueue(db, QueueSettings(), f"bench-{os.getpid()}")
        try:
            queue.register_flow(FlowPolicy(FLOW))
            for at in range(0, n_headers, CALL_HEADERS):
                n_rows = min(CALL_HEADERS, n_headers - at)
                queue.enqueue(FLOW, payloads(n_rows, at).to_frame(), batch_rows=1)
                on_progress("headers", at + n_rows, n_headers)
            claims = _timed(n_claims, lambda: _claim(queue))
            with session(own) as conn:
                computed = _timed(N_COMPUTED, lambda: run(conn, Q["bench_depth_live"]))
                queue.sweep()
                cached = _timed(N_CACHED, lambda: _cached(conn, queue))
        finally:
            db.dispose()
    return HeaderFigures(
        n_headers,
        n_claims,
        *_quantiles(claims),
        *_quantiles(computed),
        *_quantiles(cached),
        held_xmin=held_xmin,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _claim(queue: BatchQueue) -> None:
    if not queue.claim(FLOW, 1):
        raise QueueError("the bench flow has no ready batch left: ask for more headers than claims")


def _cached(conn: psycopg.Connection[object], queue: BatchQueue) -> None:
    _, cached = run(conn, Q["bench_depth_cached"])[0]
    if not cached:
        # It grew old on a slow machine; the next question is timed with a fresh one.
        queue.sweep()


def _timed(n: int, ask: Callable[[], object]) -> list[float]:
    times_ms = []
    for _ in range(n):
        started = time.perf_counter()
        ask()
        times_ms.append(timed_ms(started))
    return times_ms


def _quantiles(times_ms: list[float]) -> tuple[float, float]:
    series = pl.Series(times_ms, dtype=pl.Float64)
    return round(float(series.quantile(0.5) or 0.0), 3), round(float(series.quantile(0.95) or 0.0), 3)

"""How fast rows go through a queue: enqueue, then drain by worker processes; ours and others alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from core.bench.harness.database import own_database, session
from core.bench.harness.meters import Meter, Reading, held_snapshot, metered
from core.bench.queue.crew import Crew, hired
from core.bench.queue.payloads import mean_bytes
from core.bench.queue.systems import Setup, version
from core.database.queries import load, run

Q = load("bench")

# Rows that one process prepares at once: about 150 MB.
ROUND_ROWS = 500_000
# Called with what is done, how far, of how much.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Load:
    """Size of a run. `drain_limit_s` bounds a drain; rows left then are neither lost nor done."""

    rows: int
    batch_rows: int
    workers: int
    held_xmin: bool = False
    drain_limit_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one system under one set of settings.

    Rates are rows a second of wall time; a drain ends with its last acknowledgement. WAL is the server's log, with and
    without full-page images (None: the server does not let us read its log). CPU is that of the server and of all our
    processes, for enqueue and drain (None: the server is not on this machine). `ratio`: our drain rate over this one;
    `cpu_ratio`: its CPU seconds a row over ours, which a machine that others load changes less.
    """

    system: str
    version: str
    settings: dict[str, Any]
    rows: int
    payload_bytes: int
    enqueue_rows_per_s: float
    enqueue_2_rows_per_s: float | None
    drain_rows_per_s: float
    wal_bytes_per_row: float
    wal_bytes_per_row_no_fpi: float | None
    enqueue_wal_bytes_per_row: float
    drain_wal_bytes_per_row: float
    claims: int
    claim_p50_ms: float
    claim_p95_ms: float
    complete_p50_ms: float
    complete_p95_ms: float
    cpu_s_per_million_rows: float | None
    client_cpu_s_per_million_rows: float
    commits_per_row: float
    dead_tuples: int
    left: int
    lost: int
    duplicated: int
    sum_is_right: bool
    held_xmin: bool
    server: dict[str, str]
    measured_at: str
    ratio: float | None = None
    cpu_ratio: float | None = None


def measure(url: str, size: Load, setups: Sequence[Setup], on_progress: OnProgress) -> list[Measured]:
    """Run each set-up in turn in a database of its own on the server of `url`.

    Raises QueueError: a worker process ended with an error; StoreError.
    """
    found = [_measure(url, size, setup, on_progress) for setup in setups]
    base = next((one for one in found if one.system == "headrace"), None)
    return [one if base is None else with_ratio(one, base) for one in found]


def with_ratio(one: Measured, ours: Measured) -> Measured:
    """`one` beside our own figures; we are not compared with ourselves."""
    if one.system == "headrace":
        return one
    ratio = ours.drain_rows_per_s / one.drain_rows_per_s if one.drain_rows_per_s else None
    cpu_ratio = None
    if one.cpu_s_per_million_rows and ours.cpu_s_per_million_rows:
        cpu_ratio = one.cpu_s_per_million_rows / ours.cpu_s_per_million_rows
    return replace(
        one,
        ratio=None if ratio is None else round(ratio, 1),
        cpu_ratio=None if cpu_ratio is None else round(cpu_ratio, 1),
    )


def rows_of(size: Load, setup: Setup) -> int:
    """Slow systems get fewer rows."""
    return size.rows if setup.rows_max is None else min(size.rows, setup.rows_max)


@dataclass(frozen=True, slots=True)
class _Phases:
    """What the processes reported, and the counters between."""

    first: int
    enqueue_s: float
    enqueue_2_s: float | None
    drains: list[dict[str, Any]]
    client_cpu_s: float
    readings: tuple[Reading, Reading, Reading]
    image_bytes: int | None


def _measure(url: str, size: Load, setup: Setup, on_progress: OnProgress) -> Measured:
    rows = rows_of(size, setup)
    with ExitStack() as stack:
        own = stack.enter_context(own_database(url, migrated=setup.system == "headrace"))
        _install(own, setup)
        meter = stack.enter_context(metered(own))
        stack.enter_context(held_snapshot(own, held=size.held_xmin))
        phases = _phases(own, meter, size, setup, on_progress)
        return _figures(size, setup, phases, meter, judge(own, setup, rows, phases.drains))


def _install(url: str, setup: Setup) -> None:
    """Imported here: the other systems need not be installed."""
    match setup.system:
        case "headrace":
            from core.bench.queue import side_headrace

            side_headrace.install(url)
        case "pgqueuer":
            from core.bench.queue import side_pgqueuer

            side_pgqueuer.install(url, autovac=setup.options["autovac"])
        case "procrastinate":
            from core.bench.queue import side_procrastinate

            side_procrastinate.install(url)


def _phases(url: str, meter: Meter, size: Load, setup: Setup, on_progress: OnProgress) -> _Phases:
    rows, name = rows_of(size, setup), f"{setup.system} ({setup.name})"
    # The second half of our own rows comes in through two sessions.
    unit = setup.options.get("batch_rows", 1)
    first = rows // 2 // unit * unit
    two = setup.system == "headrace" and size.workers > 1 and first > 0
    first = first if two else rows
    with hired(setup.system, url, setup.options, max(size.workers, 2 if two else 1)) as crew:
        begin = meter.read()
        enqueue_s, cpu_s = _enqueue(crew, (1, unit), (0, first), lambda n: on_progress(f"{name}: enqueue", n, rows))
        enqueue_2_s = None
        if two:
            span = (first, rows)
            enqueue_2_s, more_s = _enqueue(
                crew, (2, unit), span, lambda n: on_progress(f"{name}: enqueue", first + n, rows)
            )
            cpu_s += more_s
        middle = meter.read()
        images = meter.image_bytes(begin, middle)
        meter.analyse()
        start = meter.read()
        order = {"do": "drain", "limit_s": size.drain_limit_s}
        drains = crew.do([order] * size.workers, lambda n: on_progress(f"{name}: drain", n, rows))
    end = meter.read()
    more = meter.image_bytes(start, end)
    return _Phases(
        first,
        enqueue_s,
        enqueue_2_s,
        drains,
        cpu_s + sum(one["cpu_s"] for one in drains),
        (begin, middle, _since(start, middle, end)),
        None if images is None or more is None else images + more,
    )


def _since(start: Reading, middle: Reading, end: Reading) -> Reading:
    """`end` as if nothing had happened between `middle` and `start`: there the log is read, and tables analysed."""
    cpu_s = None
    if start.server_cpu_s is not None and middle.server_cpu_s is not None and end.server_cpu_s is not None:
        cpu_s = end.server_cpu_s - (start.server_cpu_s - middle.server_cpu_s)
    wal_bytes = end.wal_bytes - (start.wal_bytes - middle.wal_bytes)
    return Reading(wal_bytes, end.commits - (start.commits - middle.commits), cpu_s)


def _enqueue(
    crew: Crew, sessions: tuple[int, int], span: tuple[int, int], on_rows: Callable[[int], None]
) -> tuple[float, float]:
    """Wall and CPU seconds of sessions that put in the rows [lo, hi), in rounds that all begin together.

    `sessions`: how many, and the rows that stay together (a batch).
    """
    n, unit = sessions
    wall_s = cpu_s = 0.0
    lo, hi = span
    step = max(1, ROUND_ROWS // unit) * unit * n
    for at in range(lo, hi, step):
        rows = min(step, hi - at)
        cuts = [at + rows * i // n // unit * unit for i in range(n)] + [at + rows]
        shares = [(cuts[i], cuts[i + 1]) for i in range(n) if cuts[i] < cuts[i + 1]]
        crew.do([{"do": "prepare", "first": first, "rows": last - first} for first, last in shares])
        started = time.perf_counter()
        done = crew.do([{"do": "enqueue"}] * len(shares))
        wall_s += time.perf_counter() - started
        cpu_s += sum(one["cpu_s"] for one in done)
        on_rows(at + rows - lo)
    return wall_s, cpu_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """Rows left when the time was up, lost, done twice; the sum of the payload numbers that arrived; the server."""

    left: int
    lost: int
    duplicated: int
    total: int
    server: dict[str, str]


def judge(url: str, setup: Setup, rows: int, drains: Sequence[dict[str, Any]]) -> Verdict:
    """By our tables; for others by what their handlers saw and their tables hold."""
    names = ("version", "fsync", "synchronous_commit", "shared_buffers")
    with session(url) as conn:
        server = dict(zip(names, run(conn, Q["bench_server"])[0], strict=True))
        if setup.system == "headrace":
            n_in, n_out, n_once, total = run(conn, Q["bench_verdict"])[0]
            left = n_in - sum(one["n_rows"] for one in drains)
            return Verdict(left, rows - left - n_once, n_out - n_once, total, server)
        query = "bench_pgqueuer" if setup.system == "pgqueuer" else "bench_procrastinate"
        left, n_done, n_once = run(conn, Q[query])[0]
    seen = pl.Series([n for one in drains for n in one["seen"]], dtype=pl.Int64)
    n_seen, total = seen.n_unique(), sum(one["total"] for one in drains)
    # A drain that was cut short has seen rows that it did not acknowledge.
    lost = max(0, rows - max(n_seen, n_once) - left)
    return Verdict(left, lost, max(seen.len() - n_seen, n_done - n_once), total, server)


def _figures(size: Load, setup: Setup, phases: _Phases, meter: Meter, verdict: Verdict) -> Measured:
    rows = rows_of(size, setup)
    begin, middle, end = phases.readings
    done = sum(one["n_rows"] for one in phases.drains)
    drain_s = max((one["busy_s"] for one in phases.drains), default=0.0)
    claims = pl.Series([one for each in phases.drains for one in each["claim_ms"]], dtype=pl.Float64)
    ends = pl.Series([one for each in phases.drains for one in each["complete_ms"]], dtype=pl.Float64)
    wal = end.wal_bytes - begin.wal_bytes
    server_s = None
    if end.server_cpu_s is not None and begin.server_cpu_s is not None:
        server_s = end.server_cpu_s - begin.server_cpu_s
    return Measured(
        system=setup.system,
        version=version(setup.system),
        settings={"name": setup.name, "workers": size.workers, **setup.options},
        rows=rows,
        payload_bytes=mean_bytes(),
        enqueue_rows_per_s=_rate(phases.first, phases.enqueue_s),
        enqueue_2_rows_per_s=None if phases.enqueue_2_s is None else _rate(rows - phases.first, phases.enqueue_2_s),
        drain_rows_per_s=_rate(done, drain_s),
        wal_bytes_per_row=round(wal / rows, 1),
        wal_bytes_per_row_no_fpi=None if phases.image_bytes is None else round((wal - phases.image_bytes) / rows, 1),
        enqueue_wal_bytes_per_row=round((middle.wal_bytes - begin.wal_bytes) / rows, 1),
        drain_wal_bytes_per_row=round((end.wal_bytes - middle.wal_bytes) / rows, 1),
        claims=claims.len(),
        claim_p50_ms=_quantile(claims, 0.5),
        claim_p95_ms=_quantile(claims, 0.95),
        complete_p50_ms=_quantile(ends, 0.5),
        complete_p95_ms=_quantile(ends, 0.95),
        cpu_s_per_million_rows=None if server_s is None else round((server_s + phases.client_cpu_s) / rows * 1e6, 3),
        client_cpu_s_per_million_rows=round(phases.client_cpu_s / rows * 1e6, 3),
        commits_per_row=round((end.commits - begin.commits) / rows, 6),
        dead_tuples=meter.dead_tuples(),
        left=verdict.left,
        lost=verdict.lost,
        duplicated=verdict.duplicated,
        sum_is_right=verdict.total == rows * (rows - 1) // 2,
        held_xmin=size.held_xmin,
        server=verdict.server,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _rate(rows: int, seconds: float) -> float:
    return round(rows / seconds, 1) if seconds else 0.0


def _quantile(values: pl.Series, share: float) -> float:
    return round(float(values.quantile(share) or 0.0), 3)

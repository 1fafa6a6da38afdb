"""How fast batches go through the queue: enqueue, then drain with results by worker processes."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any

import polars as pl
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from core.database import DatabaseManager, connect, migrations
from core.database.queries import load, run
from core.errors import QueueError
from core.queue import BatchQueue, FlowPolicy
from core.settings import DatabaseSettings, QueueSettings

Q = load("bench")

FLOW = "bench"
SCHEMA = {
    "n": pl.Int64,
    "name": pl.String,
    "street": pl.String,
    "city": pl.String,
    "amount": pl.Float64,
    "note": pl.String,
}
# Rows handed to one call of enqueue.
CALL_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Load:
    """Size of a run."""

    rows: int
    batch_rows: int
    workers: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one run; rates in rows a second of wall time, WAL with full-page images."""

    system: str
    settings: dict[str, Any]
    rows: int
    payload_bytes: int
    enqueue_rows_per_s: float
    drain_rows_per_s: float
    enqueue_wal_bytes_per_row: float
    drain_wal_bytes_per_row: float
    wal_bytes_per_row: float
    commits_per_row: float
    claim_p50_ms: float
    claim_p95_ms: float
    complete_p95_ms: float
    lost: int
    duplicated: int
    sum_is_right: bool


def payloads(n_rows: int, first: int = 0) -> pl.DataFrame:
    """Column `payload`: JSON objects of about 200 bytes; `n` counts from `first`."""
    n = pl.int_range(first, first + n_rows, dtype=pl.Int64)
    fields = pl.select(
        n.alias("n"),
        pl.format("{} Example", pl.lit("Persephone")).alias("name"),
        pl.format("{} Long Meadow Avenue", n % 9_973).alias("street"),
        pl.format("Springfield {}", n % 997).alias("city"),
        (n % 100_000).cast(pl.Float64).alias("amount") / 100,
        pl.lit("an ordinary remark of some eighty characters, so that a payload has its usual size").alias("note"),
    )
    return fields.select(pl.struct(pl.all()).struct.json_encode().alias("payload"))


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """URL of a migrated database beside the given one, dropped afterwards."""
    name = f"headrace_bench_{secrets.token_hex(4)}"
    fields = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    own = make_conninfo("", **{**fields, "dbname": name})
    _admin(url, "bench_create", name)
    try:
        migrations.migrate(connect.Source(own), DatabaseSettings(url=SecretStr(own)))
        yield own
    finally:
        _admin(url, "bench_drop", name)


def _admin(url: str, query: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql.SQL(Q[query].sql).format(name=sql.Identifier(name)))


def measure(url: str, size: Load, say: Callable[[str], None]) -> Measured:
    """Run the benchmark on the server of `url`; `say` gets progress for people.

    Raises QueueError: a worker ended with an error.
    """
    with own_database(url) as own:
        db = DatabaseManager("bench", DatabaseSettings(url=SecretStr(own)))
        try:
            return _measure(db, own, size, say)
        finally:
            db.dispose()


def _measure(db: DatabaseManager, url: str, size: Load, say: Callable[[str], None]) -> Measured:
    queue = BatchQueue(db, QueueSettings(), "bench-producer")
    queue.register_flow(FlowPolicy(FLOW))
    frames = [payloads(min(CALL_ROWS, size.rows - at), at) for at in range(0, size.rows, CALL_ROWS)]
    n_bytes = int(frames[0]["payload"].str.len_bytes().cast(pl.Int64).sum()) // frames[0].height
    wal, commits = _one(db, "bench_wal"), _one(db, "bench_commits")
    started = time.perf_counter()
    for frame in frames:
        queue.enqueue(FLOW, frame, batch_rows=size.batch_rows)
    enqueue_s = time.perf_counter() - started
    wal_in = _one(db, "bench_wal") - wal
    say(f"enqueued {size.rows:,} rows in {enqueue_s:.2f} s")
    drain_s, reports = _drain(url, size.workers)
    wal_out = _one(db, "bench_wal") - wal - wal_in
    say(f"drained them in {drain_s:.2f} s")
    with db.transaction() as conn:
        n_in, n_out, n_once, total = run(conn, Q["bench_verdict"])[0]
    claims = pl.Series([one for report in reports for one in report["claim_ms"]], dtype=pl.Float64)
    ends = pl.Series([one for report in reports for one in report["complete_ms"]], dtype=pl.Float64)
    return Measured(
        system="headrace",
        settings=asdict(size),
        rows=size.rows,
        payload_bytes=n_bytes,
        enqueue_rows_per_s=round(size.rows / enqueue_s, 1),
        drain_rows_per_s=round(size.rows / drain_s, 1),
        enqueue_wal_bytes_per_row=round(wal_in / size.rows, 1),
        drain_wal_bytes_per_row=round(wal_out / size.rows, 1),
        wal_bytes_per_row=round((wal_in + wal_out) / size.rows, 1),
        commits_per_row=round((_one(db, "bench_commits") - commits) / size.rows, 6),
        claim_p50_ms=_quantile(claims, 0.5),
        claim_p95_ms=_quantile(claims, 0.95),
        complete_p95_ms=_quantile(ends, 0.95),
        lost=n_in - n_once + (size.rows - n_in),
        duplicated=n_out - n_once,
        sum_is_right=total == size.rows * (size.rows - 1) // 2,
    )


def _one(db: DatabaseManager, query: str) -> int:
    with db.transaction() as conn:
        return int(run(conn, Q[query])[0][0])


def _quantile(values: pl.Series, share: float) -> float:
    return round(float(values.quantile(share) or 0.0), 3)


def _drain(url: str, n_workers: int) -> tuple[float, list[dict[str, Any]]]:
    """Wall seconds from the common start to the last worker's end, and the workers' reports."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(n_workers)]
        for worker in workers:
            _pipe(worker.stdin).write(url + "\n")
            _pipe(worker.stdin).flush()
        for worker in workers:
            if _pipe(worker.stdout).readline().strip() != "ready":
                raise QueueError("a bench worker did not start")
        started = time.perf_counter()
        for worker in workers:
            _pipe(worker.stdin).write("go\n")
            _pipe(worker.stdin).flush()
        reports = [_pipe(worker.stdout).readline() for worker in workers]
        drain_s = time.perf_counter() - started
        for worker in workers:
            _pipe(worker.stdin).close()
            if worker.wait() != 0:
                raise QueueError("a bench worker ended with an error; its message is above")
    return drain_s, [json.loads(report) for report in reports]


@contextmanager
def _worker() -> Iterator[subprocess.Popen[str]]:
    command: Sequence[str] = [sys.executable, "-m", "core.bench.queue_worker"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait()
        _pipe(worker.stdout).close()
        if not _pipe(worker.stdin).closed:
            _pipe(worker.stdin).close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream

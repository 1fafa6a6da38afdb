"""What a mark costs through the record-level API, beside a bare durable commit on the same server at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from core.bench.harness.database import own_database, session
from core.bench.queue.crew import hired
from core.bench.queue.side_records import RecordsSide
from core.database.queries import load, run

Q = load("bench")

LIMIT_S = 600.0
OnDone = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class RecordFigures:
    """Marks a second of all workers together, claims included; `commits_per_s`: bare durable commits by as many."""

    records: int
    workers: int
    flush_every: int
    claim: int
    marks_per_s: float
    mark_p50_ms: float
    mark_p95_ms: float
    commits_per_s: float
    share_of_commits: float
    lost: int
    duplicated: int
    measured_at: str


@dataclass(frozen=True, slots=True)
class RecordLoad:
    """Size of a run: `claim` records a claim."""

    records: int
    workers: int
    flush_every: int
    claim: int


def measure_records(url: str, size: RecordLoad, on_done: OnDone) -> RecordFigures:
    """Put records in, mark them by `workers` processes, count results; in a database of its own.

    The bare commits run before and after, so that a disk that slows down meanwhile is seen in both.
    """
    with own_database(url, migrated=True) as own:
        with session(own) as conn:
            run(conn, Q["bench_commit_table"])
        before = _commits_per_s(own, size)
        side = RecordsSide(own, {"flush_every": 1, "claim": 1})
        side.prepare(0, size.records)
        side.enqueue()
        side.close()
        options = {"flush_every": size.flush_every, "claim": size.claim}
        with hired("records", own, options, size.workers) as crew:
            orders = [{"do": "drain", "limit_s": LIMIT_S}] * size.workers
            ended = crew.do(orders, lambda n: on_done("records", n, size.records))
        after = _commits_per_s(own, size)
        with session(own) as conn:
            _, n_results, n_once, _ = run(conn, Q["bench_verdict"])[0]
    busy_s = max(one["busy_s"] for one in ended)
    marks = pl.Series([ms for one in ended for ms in one["complete_ms"]], dtype=pl.Float64)
    marks_per_s, commits_per_s = size.records / busy_s, (before + after) / 2
    return RecordFigures(
        records=size.records,
        workers=size.workers,
        flush_every=size.flush_every,
        claim=size.claim,
        marks_per_s=round(marks_per_s, 1),
        mark_p50_ms=round(float(marks.quantile(0.5) or 0.0), 3),
        mark_p95_ms=round(float(marks.quantile(0.95) or 0.0), 3),
        commits_per_s=round(commits_per_s, 1),
        share_of_commits=round(marks_per_s / commits_per_s, 3),
        lost=size.records - n_once,
        duplicated=n_results - n_once,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _commits_per_s(url: str, size: RecordLoad) -> float:
    rows = max(100, min(2_000, size.records // 4))
    with hired("commits", url, {"rows": rows}, size.workers) as crew:
        ended = crew.do([{"do": "drain", "limit_s": LIMIT_S}] * size.workers)
    return float(sum(one["n_rows"] for one in ended) / max(one["busy_s"] for one in ended))

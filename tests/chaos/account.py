"""What the tables say after a long run: lost, twice, and how long work lay still."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.database import DatabaseManager

# Batch by batch, in one snapshot. Count, sum of seqs and sum of numbers tell a doubled row from a missing one.
STAND = """
WITH i AS (
    SELECT batch_id, count(*) AS n, sum(seq) AS seqs, sum((payload->>'n')::bigint) AS total
    FROM queue_items GROUP BY batch_id
), r AS (
    SELECT batch_id, count(*) AS n, sum(seq) AS seqs, sum((output#>>'{}')::bigint) AS total
    FROM queue_results GROUP BY batch_id
), live AS (
    SELECT origin_batch_id AS batch_id, sum(n_items) AS n FROM processing_queue WHERE kind = 'new' GROUP BY 1
), dead AS (
    SELECT origin_batch_id AS batch_id, count(*) AS n FROM dead_letters GROUP BY 1
), fate AS (
    SELECT i.n, i.seqs, i.total, coalesce(r.n, 0) AS done, r.seqs AS done_seqs, r.total AS done_total,
           coalesce(live.n, 0) AS live, coalesce(dead.n, 0) AS dead
    FROM i LEFT JOIN r USING (batch_id) LEFT JOIN live USING (batch_id) LEFT JOIN dead USING (batch_id)
)
SELECT count(*), coalesce(sum(n), 0)::bigint, coalesce(sum(done), 0)::bigint, coalesce(sum(live), 0)::bigint,
       coalesce(sum(dead), 0)::bigint,
       coalesce(sum(greatest(n - done - live - dead, 0)), 0)::bigint,
       coalesce(sum(greatest(done + live + dead - n, 0)), 0)::bigint
       + count(*) FILTER (WHERE done = n AND (seqs <> done_seqs OR total <> done_total))
FROM fate
"""
DOUBLES = """
SELECT count(*) FROM (SELECT batch_id, seq FROM queue_results GROUP BY batch_id, seq HAVING count(*) > 1) doubles
"""
STAGES = "SELECT s.job_id, s.stage, s.n_items FROM job_stages s"
STAGE_ITEMS = """
SELECT b.job_id, b.stage, count(*) FROM queue_items i JOIN queue_batches b USING (batch_id) GROUP BY 1, 2
"""
OUTCOMES = "SELECT outcome, count(*) FROM queue_history GROUP BY 1 ORDER BY 1"
# The end of each attempt that was not ended by its worker, and the next claim of the same batch.
RERUNS = """
SELECT held.worker_id, extract(epoch FROM min(later.started_at))::double precision
FROM queue_history held JOIN queue_history later
  ON later.origin_batch_id = held.origin_batch_id AND later.batch_id = held.batch_id
 AND later.history_id > held.history_id
WHERE held.outcome = 'expired' GROUP BY held.history_id, held.worker_id, held.origin_batch_id
"""


@dataclass(frozen=True, slots=True)
class Stand:
    """Rows by what became of them, in one snapshot."""

    batches: int
    rows: int
    done: int
    live: int
    dead: int
    lost: int
    twice: int


def stand(db: DatabaseManager) -> Stand:
    """Cost: a scan of items and results."""
    return Stand(*db.execute_query("stand", STAND)[0])


def doubles(db: DatabaseManager) -> int:
    """Rows with more than one result, row by row."""
    return int(db.execute_query("doubles", DOUBLES)[0][0])


def missing_chunks(db: DatabaseManager, sent: Sequence[Mapping[str, int | str]]) -> int:
    """Chunks of which a producer was certain, and that are not there whole and once."""
    planned = {(job, stage): n for job, stage, n in db.execute_query("stages", STAGES)}
    stored = {(job, stage): n for job, stage, n in db.execute_query("stage_items", STAGE_ITEMS)}
    keys = [(event["job"], event["stage"], event["rows"]) for event in sent]
    return sum(not (planned.get((job, stage)) == stored.get((job, stage)) == rows) for job, stage, rows in keys)


def outcomes(db: DatabaseManager) -> dict[str, int]:
    """Attempts by how they ended."""
    return dict(db.execute_query("outcomes", OUTCOMES))


def reruns(db: DatabaseManager) -> dict[str, list[float]]:
    """Per worker: times of day at which others began what it held when it was given up."""
    found: dict[str, list[float]] = {}
    for worker_id, at in db.execute_query("reruns", RERUNS):
        found.setdefault(worker_id, []).append(at)
    return found


def p95(values: Sequence[float]) -> float:
    """The nearest rank; 0 for nothing."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else 0.0

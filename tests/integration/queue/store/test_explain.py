"""Hot statements use their index and look at few rows, whatever the statistics say and however they are planned.

100,000 ready headers, a million attempts in the history, 1,000 dead letters; figures from EXPLAIN (ANALYZE).
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

from core.database import DatabaseManager
from core.database.queries import Query, load
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings

Q = load("queue")
RECORDS = load("records")
BENCH = load("bench")

N_DEEP, N_TENANT, N_RUNNING, N_LATER = 80_000, 10_000, 300, 5_000
N_HISTORY, N_UNROLLED, N_DEAD, N_RETRIES = 1_000_000, 200, 1_000, 2_000
N_STAGE = 4_000
# Ids of the history come first, then the live headers.
FIRST = N_HISTORY + 1
TOKEN = uuid.UUID(int=7)

FILL = f"""
ALTER TABLE processing_queue SET (autovacuum_enabled = false);
ALTER TABLE dead_letters SET (autovacuum_enabled = false);
ALTER TABLE queue_retries SET (autovacuum_enabled = false);
SELECT setval('queue_batch_id_seq', {FIRST + 200_000}), queue_partitions_ahead();
INSERT INTO jobs (flow_name, job_key) SELECT 'deep', 'key-' || n FROM generate_series(1, 2000) n;
UPDATE jobs SET sealed_at = now() WHERE job_id % 2 = 0;
INSERT INTO processing_queue (batch_id, origin_batch_id, flow_name, tenant_id, priority, n_items, item_hi,
    job_id, stage)
SELECT {FIRST} + n, {FIRST} + n, 'deep', 'default', n % 7 * 100, 1000, 1000,
       CASE WHEN n <= {2 * N_STAGE} THEN 1 END, CASE WHEN n <= {N_STAGE} THEN 'one' WHEN n <= {2 * N_STAGE} THEN 'two'
       ELSE 'main' END
FROM generate_series(1, {N_DEEP}) n;
INSERT INTO processing_queue (batch_id, origin_batch_id, flow_name, tenant_id, priority, n_items, item_hi)
SELECT {FIRST + N_DEEP} + n, {FIRST + N_DEEP} + n, 'shared', CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, n % 5, 1000, 1000
FROM generate_series(1, {2 * N_TENANT}) n;
INSERT INTO processing_queue (batch_id, origin_batch_id, flow_name, tenant_id, n_items, item_hi, state, attempt,
    lease_token, worker_id, lease_until, deadline_at, claimed_at)
SELECT {FIRST + 110_000} + n, {FIRST + 110_000} + n, CASE n % 2 WHEN 0 THEN 'deep' ELSE 'shared' END,
       CASE n % 2 WHEN 0 THEN 'default' ELSE 'a' END, 1000, 1000, 'running', 1, '{TOKEN}', 'w',
       now() + CASE WHEN n <= 10 THEN -1 ELSE 1 END * interval '1 hour', now() + interval '1 day', now()
FROM generate_series(1, {N_RUNNING}) n;
INSERT INTO processing_queue (batch_id, origin_batch_id, flow_name, n_items, item_hi, state, not_before)
SELECT {FIRST + 120_000} + n, {FIRST + 120_000} + n, 'deep', 1000, 1000, 'scheduled',
       now() + CASE WHEN n <= 10 THEN -1 ELSE 1 END * interval '1 hour'
FROM generate_series(1, {N_LATER}) n;
INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, stage, flow_name, kind, item_lo, item_hi, attempt,
    outcome, lease_token, n_ok, rolled, finished_at)
SELECT n, n, 'default', 'main', 'deep', 'new', 0, 1000, 1, 'completed', '{TOKEN}', 1000, n <= {N_HISTORY - N_UNROLLED},
       now() - (({N_HISTORY} - n) * interval '1 ms')
FROM generate_series(1, {N_HISTORY}) n;
INSERT INTO queue_items (batch_id, seq, payload)
SELECT {FIRST} + n / 200, n % 200, '1' FROM generate_series(0, 39999) n;
INSERT INTO queue_retries (origin_batch_id, seq, tenant_id, flow_name, stage, payload, error_class, due_at)
SELECT n, 0, 'default', 'deep', 'main', '1', 'E', now() + CASE WHEN n <= 20 THEN -1 ELSE 1 END * interval '1 hour'
FROM generate_series(1, {N_RETRIES}) n;
INSERT INTO dead_letters (origin_batch_id, seq, tenant_id, flow_name, stage, payload, error_class)
SELECT 5000 + n, 0, 'default', CASE WHEN n % 10 = 0 THEN 'shared' ELSE 'deep' END, 'main', '1', 'E' || n % 5
FROM generate_series(1, {N_DEAD}) n;
"""

PARENTS = "SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits"
CLAIM = {
    "flow_name": "deep", "tenant_id": None, "job_id": 1, "stage": None, "locked": False, "limit": 5, "room": 1e18,
    "together_rows": None,
    "oldest": False, "low": 0, "worker_id": "w", "flow_run_id": None, "ttl_s": 30.0,
}  # fmt: skip
LANES = {
    "flow_names": ["deep", "shared"], "tenant_id": None, "lane_flows": [], "lane_tenants": [], "lane_lows": [],
}  # fmt: skip
HELD = {"batch_id": FIRST + 110_050, "token": TOKEN}
BEATS = {"batch_ids": [FIRST + 110_000 + n for n in range(20, 40)], "tokens": [TOKEN] * 20, "ttl_s": 30.0}
END = {**HELD, "n_ok": 1000, "n_failed": 0, "n_dead": 0, "n_rows": 1000, "n_bytes": 9, "cpu_ms": 1.0}
DEAD = {"flow_name": "shared", "error_class": "E0", "fault": None, "job_id": None, "limit": 50, "open_jobs": []}


@dataclass(frozen=True)
class Guard:
    """A statement, the indexes it has to use, and the most rows that may be looked at in each table."""

    query: Query
    params: Mapping[str, Any]
    indexes: set[str]
    most: dict[str, int]
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.query.name + self.label


GUARDS = [
    # Five batches: looked up, then updated by their keys.
    Guard(Q["batch_claim"], CLAIM, {"processing_queue_turn"}, {"processing_queue": 10}),
    Guard(
        Q["batch_claim"],
        CLAIM | {"together_rows": 2_000},
        {"processing_queue_turn"},
        {"processing_queue": 10},
        "-together",
    ),
    Guard(Q["batch_claim"], CLAIM | {"oldest": True}, {"processing_queue_oldest"}, {"processing_queue": 10}, "-oldest"),
    Guard(
        Q["batch_claim"],
        CLAIM | {"flow_name": "shared", "tenant_id": "b", "locked": True, "low": FIRST + 90_000},
        {"processing_queue_turn"},
        {"processing_queue": 10},
        "-tenant",
    ),
    Guard(RECORDS["record_heads"], CLAIM, {"processing_queue_turn"}, {"processing_queue": 5}),
    Guard(
        RECORDS["record_heads"],
        CLAIM | {"oldest": True},
        {"processing_queue_oldest"},
        {"processing_queue": 5},
        "-oldest",
    ),
    Guard(Q["batch_claim_job"], CLAIM | {"stage": "two"}, {"processing_queue_ready_stage"}, {"processing_queue": 10}),
    # One probe a tenant, and a count up to the cap of "a".
    Guard(Q["claim_lanes"], LANES, {"processing_queue_oldest", "processing_queue_running"}, {"processing_queue": 53}),
    Guard(Q["claim_low"], CLAIM, {"processing_queue_oldest", "processing_queue_running"}, {"processing_queue": 2}),
    Guard(Q["batch_heartbeat"], BEATS, {"processing_queue_pkey"}, {"processing_queue": 40}),
    Guard(Q["batch_check_token"], HELD | {"application_name": "a"}, {"processing_queue_pkey"}, {"processing_queue": 1}),
    Guard(Q["batch_complete"], END, {"processing_queue_pkey"}, {"processing_queue": 1, "queue_history": 0}),
    Guard(Q["fence_retry"], HELD | {"pause_s": 0.0}, {"processing_queue_pkey"}, {"processing_queue": 1}),
    Guard(Q["batch_release"], BEATS, {"processing_queue_pkey"}, {"processing_queue": 40}),
    Guard(
        Q["token_in_history"],
        {"origin": 77, "batch_id": 77, "token": TOKEN},
        {"queue_history_token"},
        {"queue_history": 1},
    ),
    Guard(Q["items_new"], {"origin": FIRST + 9, "lo": 0, "hi": 200}, {"queue_items_batch"}, {"queue_items": 200}),
    Guard(BENCH["bench_depth_cached"], {}, set(), {"processing_queue": 0, "queue_retries": 0}),
    # Leader's duties: what runs, what is due, what is new; never what waits.
    Guard(Q["batch_expired"], {"after": -1, "limit": 100}, set(), {"processing_queue": N_RUNNING}),
    Guard(Q["batch_promote"], {"limit": 100}, {"processing_queue_scheduled"}, {"processing_queue": 20}),
    Guard(
        Q["retries_stamp"],
        {"limit": 100, "rows_max": 1000},
        {"queue_retries_due"},
        {"queue_retries": 80, "processing_queue": 0},
    ),
    Guard(Q["history_roll_up"], {"limit": 100}, {"queue_history_unrolled"}, {"queue_history": 2 * N_UNROLLED}),
    Guard(Q["jobs_drained"], {"limit": 10}, {"processing_queue_job"}, {"processing_queue": 0, "jobs": 1_000}),
    # A thousand letters may be read through; each that fits is looked up among the headers.
    Guard(Q["dead_summary"], {"flow_name": None}, set(), {"dead_letters": N_DEAD}),
    Guard(Q["redrive_count"], DEAD, set(), {"dead_letters": N_DEAD}),
    Guard(
        Q["redrive_rows"], DEAD, set(), {"dead_letters": 2 * N_DEAD, "processing_queue": 0, "queue_retries": N_RETRIES}
    ),
]


@pytest.fixture(scope="module")
def conn(db: DatabaseManager, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session on the filled database, without statistics at first."""
    queue = BatchQueue(db, QueueSettings(), "w")
    for policy in (FlowPolicy("deep"), FlowPolicy("shared", "a", max_running=50), FlowPolicy("shared", "b")):
        queue.register_flow(policy)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(FILL.encode())
        yield conn


@pytest.fixture(scope="module", params=["never analysed", "analysed"])
def filled(conn: psycopg.Connection[Any], request: pytest.FixtureRequest) -> psycopg.Connection[Any]:
    if request.param == "analysed":
        conn.execute("ANALYZE")
    return conn


def scanned(plan: dict[str, Any]) -> Iterator[tuple[str, str | None, int]]:
    """Table (of a partition: its parent), index and rows looked at, for each scan that ran."""
    loops = plan["Actual Loops"]
    if loops and ("Relation Name" in plan or "Index Name" in plan) and plan["Node Type"] != "ModifyTable":
        kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        rows = (
            0 if plan["Node Type"] == "Bitmap Index Scan" else round(sum(plan.get(kind, 0) for kind in kinds) * loops)
        )
        yield re.sub(r"_p\d+$", "", plan.get("Relation Name", "")), plan.get("Index Name"), rows
    for child in plan.get("Plans", []):
        yield from scanned(child)


def explained(conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """The plan that the statement has when prepared, run once and taken back."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", query.sql)))
    text = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", query.sql).replace("%%", "%")
    given = sql.SQL(", ").join(sql.Literal(params[name]) for name in names)
    call = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE guard") + (
        sql.SQL(" ({})").format(given) if names else sql.SQL("")
    )
    with conn.transaction(force_rollback=True):
        conn.execute(f"SET LOCAL plan_cache_mode = {mode}".encode())
        conn.execute(f"PREPARE guard AS {text}".encode())
        try:
            row = conn.execute(call).fetchone()
        finally:
            conn.execute("DEALLOCATE guard")
    return cast(dict[str, Any], row[0][0]["Plan"])  # type: ignore[index]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_hot_statements_use_their_index(filled: psycopg.Connection[Any], guard: Guard, mode: str) -> None:
    filled.execute(b"DELETE FROM queue_depth_cache")
    filled.execute(Q["depth_refresh"].sql.encode())
    found = list(scanned(explained(filled, guard.query, guard.params, mode)))
    rows: Counter[str] = Counter()
    for table, _, n_rows in found:
        rows[table] += n_rows
    over = {table: rows[table] for table, most in guard.most.items() if rows[table] > most}
    assert not over, f"looked at {over}, allowed are {guard.most}: {found}"
    parents = dict(filled.execute(PARENTS).fetchall())
    used = {parents.get(index, index) for _, index, _ in found}
    assert guard.indexes <= used, f"used {used}"

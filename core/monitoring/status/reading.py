"""Reads the status of the database in one transaction."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from core.database import DatabaseManager
from core.database.queries import Connection, Row, load, run
from core.errors import StoreError
from core.monitoring.performance import metrics
from core.monitoring.queue_report import FlowState, assess
from core.monitoring.status.figures import Attempt, Ended, Host, Server, Statement, Status, work
from core.monitoring.top import NEWEST_ATTEMPTS, FlowReading
from core.queue.records.records import Counts

Q = load("status")
T = load("top")
M = load("monitoring")

WINDOW_S = 600.0
"""Rates are taken over the last ten minutes, or over the newest 2,000 attempts where these ended in less."""

STATEMENTS = 5


def read_status(db: DatabaseManager, hours: float = 1.0) -> Status:
    """How everything stands; `hours`: what success and records an hour look back on, above 0.

    Raises StoreError. Cost: nine statements, some 20 ms; never items.
    """
    with db.transaction() as conn:
        began = time.perf_counter()
        at_s, _ = run(conn, T["top_clock"])[0]
        answer_ms = (time.perf_counter() - began) * 1e3
        flows = [FlowReading(*row) for row in run(conn, T["top_flows"])]
        attempts = [Attempt(*row) for row in run(conn, Q["status_attempts"], _newest())]
        hosts = tuple(Host(*row) for row in run(conn, Q["status_hosts"]))
        window = {"window_s": hours * 3600.0, "flow_name": None}
        ended = run(conn, M["performance"], window)
        errors = run(conn, M["recent_errors"], window)
        used, most = run(conn, M["server_connections"])[0]
        statements, lost = _statements(conn)
    health, issues = assess([_state(flow) for flow in flows], _counts(ended))
    span_s = WINDOW_S if len(attempts) < NEWEST_ATTEMPTS else attempts[-1].age_s
    by_flow: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_flow[attempt.flow_name].append(attempt)
    return Status(
        at_s=at_s,
        hours=hours,
        health=health,
        overall=work(flows, attempts, span_s),
        flows={flow.flow_name: work([flow], by_flow[flow.flow_name], span_s) for flow in flows},
        ended=_ended([row[1:] for row in ended], [(one, n) for _, one, n in errors], hours),
        ended_by_flow={
            row[0]: _ended([row[1:]], [(one, n) for flow, one, n in errors if flow == row[0]], hours) for row in ended
        },
        hosts=hosts,
        server=Server(answer_ms, used, most, statements, lost),
        issues=tuple(issues),
    )


def _newest() -> dict[str, float]:
    return {"window_s": WINDOW_S, "limit": NEWEST_ATTEMPTS}


def _statements(conn: Connection) -> tuple[tuple[Statement, ...], str | None]:
    """The costliest, and else why there are none: neither a missing extension nor a missing right is a failure."""
    if not run(conn, Q["status_statements_there"])[0][0]:
        return (), "pg_stat_statements is not in this database: a superuser creates it (CREATE EXTENSION)"
    try:
        # Of a savepoint: the rest of the transaction goes on.
        with conn.transaction():
            rows = run(conn, Q["status_statements"], {"limit": STATEMENTS})
    except StoreError:
        return (), "pg_stat_statements does not answer: it is not in shared_preload_libraries, or this role may not ask"
    return tuple(Statement(*row) for row in rows), None


def _state(flow: FlowReading) -> FlowState:
    return FlowState(
        flow.flow_name,
        flow.ready_batches,
        flow.running_batches,
        flow.expired_batches,
        flow.retries,
        flow.oldest_age_s,
        flow.paused,
    )


def _counts(ended: Sequence[Row]) -> Counts:
    return Counts(completed=sum(row[1] for row in ended), failed=sum(row[2] for row in ended))


def _ended(rows: Sequence[Row], errors: Sequence[tuple[str, int]], hours: float) -> Ended:
    found = metrics(rows, hours)
    n_rows = int(found["total_records_processed"])
    classes: Counter[str] = Counter()
    for name, n in errors:
        classes[name] += n
    return Ended(
        n_rows=n_rows,
        n_failed=int(found["failed_records"]),
        rows_per_hour=found["avg_processing_rate_per_hour"],
        success_percent=found["success_rate_percent"] if n_rows else None,
        record_min=found["avg_processing_time_minutes"] if n_rows else None,
        error_class=classes.most_common(1)[0][0] if classes else None,
    )

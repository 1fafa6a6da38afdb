"""How much was processed in a window of time, how fast, and how well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import ConfigError
from core.monitoring.store import reported

Q = load("monitoring")

MS_PER_MINUTE = 60_000.0


def processing_performance_monitoring(
    time_window_hours: float = 24, db: DatabaseManager | str | None = None, flow_name: str | None = None
) -> dict[str, Any]:
    """What ended within the last hours; `db`: a manager or a name, by default the database `rpa_db`.

    Returns `overall_metrics` and the same per flow in `by_flow`: total_records_processed (completed + failed for
    good), completed_records, failed_records, success_rate_percent, avg_processing_rate_per_hour (over the window),
    avg_processing_time_minutes (from claim to end, per record), attempts; all 0 for an empty window, never None. Also
    `errors`: what died of what.
    Raises ConfigError: the window is not positive; StoreUnavailable.
    """
    if not time_window_hours > 0:
        raise ConfigError(f"time_window_hours is {time_window_hours}, it must be above 0")
    params = {"window_s": time_window_hours * 3600.0, "flow_name": flow_name}
    with reported(db) as manager, manager.transaction() as conn:
        rows = run(conn, Q["performance"], params)
        errors = run(conn, Q["recent_errors"], params)
    return {
        "monitoring_timestamp": datetime.now(UTC).isoformat(),
        "time_window_hours": time_window_hours,
        "overall_metrics": metrics([row[1:] for row in rows], time_window_hours),
        "by_flow": {row[0]: metrics([row[1:]], time_window_hours) for row in rows},
        "errors": [{"flow_name": flow, "error_class": error_class, "records": n} for flow, error_class, n in errors],
    }


def metrics(rows: Sequence[Row], time_window_hours: float) -> dict[str, float]:
    """Sums of (n_ok, n_dead, attempts, completed attempts, wall_ms, cpu_ms, record_wall_ms) as rates; pure."""
    n_ok, n_dead, n_attempts, n_completed, wall_ms, cpu_ms, record_wall_ms = (
        sum(row[i] for row in rows) for i in range(7)
    )
    n_all = n_ok + n_dead
    return {
        "total_records_processed": n_all,
        "completed_records": n_ok,
        "failed_records": n_dead,
        "success_rate_percent": round(100.0 * n_ok / n_all, 2) if n_all else 0.0,
        "avg_processing_rate_per_hour": round(n_all / time_window_hours, 2),
        "avg_processing_time_minutes": round(record_wall_ms / n_all / MS_PER_MINUTE, 6) if n_all else 0.0,
        "attempts": n_attempts,
        "attempts_completed": n_completed,
        "wall_s": round(wall_ms / 1e3, 3),
        "cpu_s": round(cpu_ms / 1e3, 3),
    }

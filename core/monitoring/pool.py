"""How full the connection pool is, and the server behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.database import DatabaseManager
from core.database.queries import load, run
from core.monitoring.store import DEFAULT_NAME, reported

Q = load("monitoring")


def connection_pool_monitoring(name: DatabaseManager | str = DEFAULT_NAME) -> dict[str, Any]:
    """Figures of a manager's pool, or of the database of that name as this process would use it.

    Returns `utilization_percent` (connections lent out of those the pool may open), `size`, `checked_in`,
    `checked_out`, `overflow`, `max_total`, and of the server `server_connections`, `server_max_connections`,
    `server_utilization_percent`. Raises StoreUnavailable, PoolTimeout.
    """
    with reported(name) as manager:
        # Before our own question takes a connection.
        figures = manager.pool_figures()
        with manager.transaction() as conn:
            used, most = run(conn, Q["server_connections"])[0]
        return {
            "monitoring_timestamp": datetime.now(UTC).isoformat(),
            "database": manager.name,
            **figures,
            "server_connections": used,
            "server_max_connections": most,
            "server_utilization_percent": round(100.0 * used / most, 2),
        }

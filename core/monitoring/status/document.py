"""The status as one plain document: what `--json`, the API and `status_monitoring` give."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.database import DatabaseManager
from core.errors import ConfigError
from core.monitoring.status.advice import suggestions
from core.monitoring.status.figures import Status
from core.monitoring.status.reading import read_status
from core.monitoring.status.targets import kpis
from core.monitoring.store import reported


def document(status: Status, environment: str) -> dict[str, Any]:
    """Figures, each target with its verdict, and suggestions; JSON can hold all of it."""
    return {
        "monitoring_timestamp": datetime.fromtimestamp(status.at_s, UTC).isoformat(),
        "environment": environment,
        **asdict(status),
        "workers": status.workers,
        "kpis": [asdict(kpi) for kpi in kpis(status, environment)],
        "suggestions": [asdict(one) for one in suggestions(status, environment)],
    }


def status_monitoring(
    time_window_hours: float = 1, db: DatabaseManager | str | None = None, environment: str = "DEVELOPMENT"
) -> dict[str, Any]:
    """What `headrace status --json` prints; `db`: a manager or a name, by default the database `rpa_db`.

    Raises ConfigError: the window is not positive; StoreUnavailable.
    """
    if not time_window_hours > 0:
        raise ConfigError(f"time_window_hours is {time_window_hours}, it must be above 0")
    with reported(db) as manager:
        return document(read_status(manager, time_window_hours), environment)

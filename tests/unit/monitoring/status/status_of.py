"""A status as a test needs it: nothing waits and all is well, but for what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.monitoring.status.figures import Ended, Host, Server, Status, Work

CALM = Work(0, 0, 0, 0.0, False, 0, None, 0.0, None, None, None, (0.0, 0.0))
LATE = Work(1_000_000, 200, 2, 60.0, False, 50, None, 5_000, 2.0, 3.0, 0.95, (8_000.0, 9_000.0))


def status_of(flows: dict[str, Work] | None = None, **changes: Any) -> Status:
    flows = flows or {}
    overall = replace(CALM, backlog_rows=sum(flow.backlog_rows for flow in flows.values()))
    calm = Status(0.0, 1.0, "healthy", overall, flows, Ended(), {}, (), Server(1.0, 10, 100))
    return replace(calm, **changes)


def host(workers: int = 2, load: float | None = 0.5) -> Host:
    return Host("here", workers, 2, load, 1.0)

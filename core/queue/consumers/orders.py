"""What a supervisor tells a worker that it starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker process is told; `board` is a file descriptor it inherits,
    `load_by` when its handler must be imported, by the machine's monotonic clock in seconds; a supervisor of the
    version before sets no limit, and no settings of the `log`."""

    url: str
    database: dict[str, Any]
    queue: dict[str, Any]
    worker_id: str
    handlers: dict[str, str]
    profile: dict[str, Any]
    options: dict[str, Any]
    grace_s: float
    board: int
    load_by: float | None = None
    log: dict[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        """For the worker's standard input."""
        return json.dumps(asdict(self)).encode() + b"\n"

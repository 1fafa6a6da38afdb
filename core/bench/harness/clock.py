"""Seconds of stages that follow each other."""

from __future__ import annotations

import time


class Clock:
    """Starts when made; each lap closes a stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Close a stage."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._since, 3)
        self._since = now

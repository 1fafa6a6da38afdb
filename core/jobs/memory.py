"""How much memory a job may take, how much it will, and how much it did.

Counted is what only this process holds: anonymous and shared memory (RssAnon + RssShmem). Files of the workspace are
mapped: their pages are the system's cache, which it takes back whenever it needs the room.

The needs are bytes a record and stage, handed in; the fixed part is the interpreter with its libraries and compiled
kernels.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from core.errors import ConfigError
from core.jobs.ports import Stage
from core.jobs.staged_job import StageNeeds
from core.metrics.process import held_bytes

FIXED_BYTES = 450_000_000
DEFAULT_SHARE = 0.6
SAMPLE_S = 0.2
_CGROUP_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True, slots=True)
class Fit:
    """How many batches of a stage may run at once within the limit; stages not named: as many as there are threads."""

    limit_bytes: int
    at_once: Mapping[Stage, int]


def limit_bytes(memory_gb: float | None) -> int:
    """The limit asked for, or six tenths of what is free, by the container's limit where there is one."""
    if memory_gb is not None:
        return int(memory_gb * 1e9)
    free = int(psutil.virtual_memory().available)
    for path in _CGROUP_FILES:
        text = path.read_text().strip() if path.exists() else "max"
        if text.isdigit():
            free = min(free, int(text))
    return int(DEFAULT_SHARE * free)


def need_bytes(needs: StageNeeds, stage: Stage, rows: int, at_once: int) -> int:
    """What a stage takes at most, with so many of its batches at once."""
    return FIXED_BYTES + rows * (needs.whole.get(stage, 0) + at_once * needs.batch.get(stage, 0))


def fit(needs: StageNeeds, rows: int, threads: int, limit_bytes: int) -> Fit:
    """Find out how the job fits into its memory, before any work is done.

    Raises:
        ConfigError: it does not fit, not even one batch at a time; says how much is needed.
    """
    stages = sorted({*needs.whole, *needs.batch})
    worst = max(stages, key=lambda stage: need_bytes(needs, stage, rows, 1))
    needed = need_bytes(needs, worst, rows, 1)
    if needed > limit_bytes:
        raise ConfigError(
            f"{rows:,} records need {_gb(needed)} GB of memory (stage {worst}), the limit is {_gb(limit_bytes)} GB; "
            "raise it with `memory_gb`, or use a machine with more",
            fields=("memory_gb",),
            stage=worst,
            need_bytes=needed,
            limit_bytes=limit_bytes,
        )

    def most(stage: Stage) -> int:
        fitting = (n for n in range(1, threads + 1) if need_bytes(needs, stage, rows, n) <= limit_bytes)
        return max(fitting, default=1)

    return Fit(limit_bytes, {stage: most(stage) for stage in needs.batch})


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f}"


class Watch:
    """Context manager that looks at this process's memory a few times a second; `peak_bytes` is the most it saw."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="headrace-memory", daemon=True)

    def __enter__(self) -> Watch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look once more and stop."""
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        looking = True
        while looking:
            looking = not self._stop.wait(SAMPLE_S)
            self.peak_bytes = max(self.peak_bytes, held_bytes())

"""What a process may use of its machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_CFS = Path("/sys/fs/cgroup/cpu")


def usable_cores() -> int:
    """Cores that this process may keep busy: by its affinity, and by the quota of its container where there is one.

    At least 1. Cost: three system calls.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota()
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def _quota() -> float | None:
    """Cores' worth of time a period, by cgroup v2 or v1; None: no limit."""
    if _CPU_MAX.exists():
        limit, _, period = _CPU_MAX.read_text().partition(" ")
    elif (_CFS / "cpu.cfs_quota_us").exists():
        limit = (_CFS / "cpu.cfs_quota_us").read_text()
        period = (_CFS / "cpu.cfs_period_us").read_text()
    else:
        return None
    return int(limit) / int(period) if limit.strip().isdigit() and int(period) > 0 else None

"""What a process may use of its machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Cores that this process may keep busy: by its affinity, and by the quota of its container where there is one.

    At least 1; a quota of two and a half cores is two. Cost: three system calls.

    Args:
        cgroup: where the kernel shows the container's limits.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def _quota(cgroup: Path) -> float | None:
    """Cores' worth of time a period, by cgroup v2 or v1; None: no limit."""
    v2, v1 = cgroup / "cpu.max", cgroup / "cpu"
    if v2.exists():
        limit, _, period = v2.read_text().partition(" ")
    elif (v1 / "cpu.cfs_quota_us").exists():
        limit = (v1 / "cpu.cfs_quota_us").read_text()
        period = (v1 / "cpu.cfs_period_us").read_text()
    else:
        return None
    # Without a limit it is `max` by v2 and -1 by v1.
    return int(limit) / int(period) if limit.strip().isdigit() and int(period) > 0 else None

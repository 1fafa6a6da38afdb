"""What a flow's limits leave to a claim: pure arithmetic on what the database counted, with the database's clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

# Without burst_rows a flow saves up what it may hand out in so many seconds.
BURST_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one flow and tenant, and what was used of them at `now`.

    `bucket_rows` as of `bucket_at` are the rows that may be handed out at once; below zero, rows lent in advance; None:
    nothing was handed out yet.
    """

    now: datetime
    max_running: int | None = None
    n_running: int = 0
    rows_per_s: float | None = None
    burst_rows: int | None = None
    bucket_rows: float | None = None
    bucket_at: datetime | None = None

    @property
    def any(self) -> bool:
        """Whether claims have to keep count at all."""
        return self.max_running is not None or self.rows_per_s is not None


def slots(limits: Limits, wanted: int) -> int:
    """How many batches more may run, at most `wanted`."""
    if limits.max_running is None:
        return wanted
    return max(0, min(wanted, limits.max_running - limits.n_running))


def room(limits: Limits) -> float:
    """Rows that may be handed out now; 0 while the bucket recovers, infinite without a rate.

    A batch may be taken as long as less than this is taken before it: the last one may exceed it, else a batch larger
    than the burst would never run. So in any window of s seconds at most burst + s * rows_per_s + one batch are taken.
    """
    if limits.rows_per_s is None:
        return math.inf
    return max(0.0, _level(limits, limits.rows_per_s))


def spent(limits: Limits, n_rows: int) -> float | None:
    """The bucket as of `now` after `n_rows` were handed out; None without a rate."""
    if limits.rows_per_s is None:
        return None
    return _level(limits, limits.rows_per_s) - n_rows


def _level(limits: Limits, rows_per_s: float) -> float:
    burst = max(1.0, rows_per_s * BURST_S) if limits.burst_rows is None else float(limits.burst_rows)
    if limits.bucket_rows is None or limits.bucket_at is None:
        return burst
    # A clock that was set back gives nothing, and takes nothing.
    waited_s = max(0.0, (limits.now - limits.bucket_at).total_seconds())
    return min(burst, limits.bucket_rows + waited_s * rows_per_s)

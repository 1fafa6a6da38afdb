"""When a worker holds too much memory, and whether the batch it is at is to blame."""

from __future__ import annotations

from dataclasses import dataclass

from core.queue.consumers.status_board import Shown
from core.queue.leases.failures import Failure

OWN_SHARE = 0.5
"""A batch is to blame where the worker grew by this share of the limit in it: a leak of many batches is no batch's."""


@dataclass(slots=True)
class MemoryGuard:
    """Looks at one worker again and again; a batch is measured against the look before it was begun.

    Args:
        limit_mb: held memory, MiB, above which the worker is killed.
    """

    limit_mb: int
    _batch_id: int | None = None
    _before: int = 0
    _held: int = 0

    def look(self, shown: Shown, held: int) -> Failure | None:
        """Why the worker must be killed, if it must; `held` in bytes, as `core.metrics.process.held_bytes` says.

        A failure without a fault burns no attempt: the batch runs again, in a fresh worker. There it is the first, and
        who passes the limit alone is to blame.
        """
        if shown.batch_id != self._batch_id:
            self._batch_id, self._before = shown.batch_id, self._held
        self._held = held
        limit = self.limit_mb << 20
        if held <= limit:
            return None
        grew = held - self._before
        said = f"the worker used more than {self.limit_mb} MB"
        if shown.batches == 0 or grew >= OWN_SHARE * limit:
            return Failure("MemoryExceeded", said, outcome_if_retried="expired", fault="poison")
        return Failure("MemoryExceeded", f"{said}, {max(grew, 0) >> 20} MB of it since its batch began")

"""The values that go in and out of the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from core.queue.states import BatchKind, Fault, JobStatus, StageStatus

SEQ_BITS = 20
ROWS_MAX = 1 << SEQ_BITS


def record_id(origin_batch_id: int, seq: int) -> int:
    """The identity of one item, for ever: splits and retries keep it."""
    return origin_batch_id << SEQ_BITS | seq


def split_record_id(identity: int) -> tuple[int, int]:
    """(origin_batch_id, seq) of a record id."""
    return identity >> SEQ_BITS, identity & (ROWS_MAX - 1)


@dataclass(frozen=True, slots=True)
class FlowPolicy:
    """How the batches of one flow (and tenant) are treated; stored in queue_flows.

    None is no limit. `max_running` counts batches, exactly. `rows_per_s` limits what is handed out; `burst_rows` is
    what may be saved up meanwhile, None: one second's worth. `weight` is the share against other flows and tenants
    that wait. `depth_limit_rows` bounds what producers may pile up. Consumers find the flow by its `work_queue`, and
    take it if they have the capabilities it `needs`.
    """

    flow_name: str
    tenant_id: str = "default"
    max_attempts: int = 3
    max_runtime_s: int = 1800
    splittable: bool = False
    backoff_s: float = 2.0
    max_running: int | None = None
    rows_per_s: float | None = None
    burst_rows: int | None = None
    weight: float = 1.0
    depth_limit_rows: int | None = None
    work_queue: str = "default"
    needs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WorkerProfile:
    """What a worker tells of itself beside that it lives: the pool it belongs to, and what it can and does (JSON)."""

    pool: str = "default"
    capabilities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch whose items are a range of a file or table: `source` = {"uri"|"table", "lo", "hi"} and what else the
    handler needs. `n_items` is an upper bound. A splittable one must have integer lo and hi, hi - lo = n_items."""

    partition_no: int
    n_items: int
    source: Mapping[str, Any]
    priority: int = 100
    splittable: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A lease: whoever shows `token` before `deadline_at`, beating meanwhile, may end the batch."""

    batch_id: int
    origin_batch_id: int
    token: UUID
    tenant_id: str
    job_id: int | None
    stage: str
    flow_name: str
    kind: BatchKind
    partition_no: int
    priority: int
    attempt: int
    n_items: int
    item_lo: int
    item_hi: int
    splittable: bool
    partial: bool
    source: dict[str, Any] | None = field(hash=False)
    deadline_at: datetime
    worker_id: str


@dataclass(frozen=True, slots=True)
class RowFailure:
    """One row that failed. `reason` must not hold row data: it is shown to people and logged."""

    seq: int
    error_class: str
    reason: str = ""
    fault: Fault = "permanent"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an attempt took. `rows` is the true count where `n_items` is an upper bound; None: n_items."""

    cpu_ms: float = 0.0
    rows: int | None = None
    n_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One submission. `created` is False when the key found an older job."""

    job_id: int
    flow_name: str
    job_key: str
    status: JobStatus
    created: bool
    tenant_id: str
    parameters: dict[str, Any] = field(hash=False)
    input_digest: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class StageProgress:
    """A stage in batches (`total`, `done`, `live`) and rows (`waiting` retries, `dead`, `cancelled`, `rows_done` of
    `rows`)."""

    stage: str
    status: StageStatus
    total: int
    done: int
    live: int
    waiting: int
    dead: int
    rows: int
    rows_done: int
    cancelled: int = 0

    @property
    def drained(self) -> bool:
        """No live batch and no waiting retry is left, whoever owns them."""
        return self.live == 0 and self.waiting == 0

    @property
    def state(self) -> Literal["open", "done", "blocked", "failed", "cancelled"]:
        """In a word for people: `status` stays open where nobody closes the stage, also when all of it is done."""
        if self.status == "failed":
            return "failed"
        if not self.drained:
            return "open"
        if self.dead:
            return "blocked"
        return "cancelled" if self.cancelled else "done"


@dataclass(frozen=True, slots=True)
class JobPlace:
    """How far a job is: the rows of its first stage, its last stage, and how many of that one's batches have ended."""

    rows: int
    stage: str
    batches: int
    ended: int


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits and runs, in batches and items, summed over headers (items of a marked-up batch count in full)."""

    ready_batches: int = 0
    ready_items: int = 0
    running_batches: int = 0
    running_items: int = 0
    expired_batches: int = 0
    scheduled_batches: int = 0
    scheduled_items: int = 0
    due_batches: int = 0
    paused_batches: int = 0
    paused_items: int = 0
    waiting_retries: int = 0
    due_retries: int = 0
    inbox_items: int = 0
    oldest_age_s: float = 0.0

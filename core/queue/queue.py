# budget: parameters, enqueue says seven things about rows, and grouping them would only rename them
"""BatchQueue: the queue as one process sees it, holding what that process knows about itself.

What needs no such knowledge is a function of its module, called with `queue.db`: policies in core.queue.store.flows,
jobs and stages in core.queue.producers, dead letters in core.queue.leases, depth in core.queue.views.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
import polars as pl

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError, StoreError
from core.processes import on_fork
from core.queue import checks, leader, views
from core.queue.batches import (
    ClaimedBatch,
    Cost,
    Depth,
    FlowPolicy,
    Job,
    NewBatch,
    RowFailure,
    WorkerProfile,
)
from core.queue.leases import claim, complete, dead_letters, dead_workers, failures, together
from core.queue.leases.complete import Done
from core.queue.leases.fairness import Turns
from core.queue.leases.heartbeat import LeaseKeeper
from core.queue.leases.sinks import Sink
from core.queue.leases.together import Finished
from core.queue.payloads import OnBad, Payloads
from core.queue.producers import batch_size, enqueue, inbox, jobs, screening, stages
from core.queue.producers.backpressure import Patience
from core.queue.states import Fault, Verdict
from core.queue.store import flows, items, singleton
from core.queue.store.items import Decoded
from core.settings import QueueSettings

Q = load("queue")
LEADER = "queue-leader"
# A leader that has not scanned so many times in a row is replaced.
LEADER_SCANS = 2


class BatchQueue:
    """The queue as one worker process sees it. Thread-safe; holds no connection and starts no thread.

    In a child made by fork it is another worker: under a name of its own, leading nothing.

    Args:
        worker_id: names this process in leases and history; unique among live processes.
        jitter: draws from [0, 1) for pauses before retries.
    """

    def __init__(
        self,
        db: DatabaseManager,
        settings: QueueSettings,
        worker_id: str,
        *,
        jitter: Callable[[], float] = random.random,
        flow_run_id: str | None = None,
    ) -> None:
        self.db = db
        self.settings = settings
        self.worker_id = worker_id
        self.profile = WorkerProfile()
        self.jitter = jitter
        self._flow_run_id = flow_run_id
        self._keepers: list[LeaseKeeper] = []
        self._begin()
        on_fork(self, BatchQueue._in_child)

    def _begin(self) -> None:
        self.patience = Patience(jitter=self.jitter)
        turns = Turns(self.worker_id)
        self.claimant = claim.Claimant(self.worker_id, self.settings.lease_ttl_s, self._flow_run_id, turns)
        self._leader_token = uuid4()
        # Leases whose completion broke off: committed or not, the next try has to look first.
        self._unsure: set[UUID] = set()
        self._leads = False
        self._rounds = 0

    def _in_child(self) -> None:
        self.worker_id = f"{self.worker_id}-{os.getpid()}"
        self._begin()

    # Flows, jobs and stages

    def register_flow(self, policy: FlowPolicy) -> None:
        """Store or replace the policy of a flow."""
        flows.register(self.db, policy)

    def ensure_flow(self, policy: FlowPolicy) -> None:
        """Store the policy of a flow unless it has one."""
        flows.ensure(self.db, policy)

    def submit_job(
        self, flow_name: str, job_key: str, parameters: Mapping[str, Any], input_digest: str, *, rerun: bool = False
    ) -> Job:
        """The key's unfinished or completed job, else a new one; see core.queue.producers.jobs.submit."""
        return jobs.submit(self.db, flow_name, job_key, parameters, input_digest, rerun=rerun)

    def open_stage(
        self, job_id: int, stage: str, batches: Sequence[NewBatch], *, not_before: datetime | None = None
    ) -> bool:
        """Create a stage with its batches once; False if it exists."""
        job = jobs.find(self.db, job_id)
        if job is None:
            raise QueueError(f"there is no job {job_id}; `headrace jobs` lists them", job_id=job_id)
        return stages.open_stage(self.db, job, stage, batches, not_before)

    # Batches

    def enqueue(
        self,
        flow_name: str,
        payloads: Payloads,
        *,
        job_id: int | None = None,
        stage: str = "main",
        batch_rows: int | Literal["auto"] | None = None,
        on_bad: OnBad = "raise",
        priority: int = 100,
        not_before: datetime | None = None,
        unique_keys: Sequence[str] | None = None,
        block_s: float = 0.0,
        tenant_id: str = flows.DEFAULT_TENANT,
    ) -> enqueue.Enqueued:
        """Store payloads as batches; returns their ids, a list that also counts rows.

        Args:
            batch_rows: "auto": by what rows of this flow took lately and by the workers there are now.
            not_before: an aware moment before which none of it is handed out.
            unique_keys: one per payload; rows whose key was enqueued within `dedupe_ttl_s` are left out, unless that
                row is dead or cancelled. See docs/how-to/run-a-handler.md.
            block_s: how long to wait for room under the flow's limit of depth, before QueueFull.
        """
        n_rows = self.settings.batch_rows if batch_rows is None else batch_rows
        if n_rows == "auto":
            payloads = screening.at_hand(payloads)
            n_rows = self.suggest_batch_rows(flow_name, len(payloads))
        checks.check_batch_rows(n_rows, self.settings.batch_rows_max)
        n_rows = self._in_time(flow_name, tenant_id, n_rows)
        place = enqueue.Place(flow_name, job_id, stage, priority, tenant_id=tenant_id, not_before=not_before)
        patience = replace(self.patience, block_s=block_s)
        terms = enqueue.Terms(n_rows, on_bad, unique_keys, self.settings.dedupe_ttl_s, patience)
        return enqueue.enqueue(self.db, place, payloads, terms)

    def _in_time(self, flow_name: str, tenant_id: str, n_rows: int) -> int:
        """Rows a batch, cut to `batch_s_max`. A flow that is not splittable may mean its batches as they are."""
        batch_s_max = self.settings.batch_s_max
        if batch_s_max is None:
            return n_rows
        with self.db.transaction() as conn:
            splittable = flows.policy_of(conn, flow_name, tenant_id).splittable
        row_ms = batch_size.measured_row_ms(self.db, flow_name) if splittable else None
        return batch_size.rows_within(row_ms, batch_s_max, n_rows)

    def suggest_batch_rows(self, flow_name: str, n_rows: int, n_workers: int | None = None) -> int:
        """Rows a batch for some seconds of work, by the measured time of a row.

        `n_workers` None: those that beat now.
        """
        bounds = batch_size.Bounds(self.settings.batch_rows, self.settings.batch_rows_max)
        workers = batch_size.n_workers_alive(self.db) if n_workers is None else n_workers
        return batch_size.rows_per_batch(batch_size.measured_row_ms(self.db, flow_name), n_rows, workers, bounds)

    def put(self, flow_name: str, payload: Any, *, block_s: float = 0.0) -> None:
        """Put one payload into the inbox, for producers that trickle."""
        inbox.put(self.db, flow_name, payload, replace(self.patience, block_s=block_s))

    def claim(
        self,
        flow_name: str,
        limit: int = 1,
        *,
        job_id: int | None = None,
        stage: str | None = None,
        together_rows: int | None = None,
    ) -> list[ClaimedBatch]:
        """Lease up to `limit` ready batches; see core.queue.leases.claim.claim."""
        who, rows = self.claimant, together_rows
        return claim.claim(self.db, who, flow_name, limit, job_id=job_id, stage=stage, together_rows=rows)

    def claim_any(
        self, flow_names: Sequence[str], limit: int = 1, *, together_rows: int | None = None
    ) -> list[ClaimedBatch]:
        """Lease up to `limit` ready batches of several flows, which share by weight."""
        return claim.claim_any(self.db, self.claimant, flow_names, limit, together_rows)

    def items(self, batch: ClaimedBatch) -> pl.DataFrame:
        """seq and payload text of a claimed batch."""
        return items.items(self.db, batch).frame()

    def decode(self, batch: ClaimedBatch, schema: Mapping[str, Any]) -> Decoded:
        """Items as typed columns, and the rows that do not fit as failures."""
        return items.decode(items.items(self.db, batch), schema)

    def heartbeat(self, batches: Sequence[ClaimedBatch]) -> list[int]:
        """Extend leases; ids of batches that are lost."""
        return claim.heartbeat(self.db, batches, self.settings.lease_ttl_s)

    def complete(
        self,
        batch: ClaimedBatch,
        results: pl.DataFrame | None = None,
        *,
        sink: Sink | None = None,
        failures: Sequence[RowFailure] = (),
        cost: Cost | None = None,
    ) -> Done:
        """Results, sink and acknowledgement in one transaction; see core.queue.leases.complete.complete.

        The handler's work is at-least-once; what it writes through `sink` is exactly-once. A sink may run twice when
        a connection breaks, but only one of its transactions commits.
        """
        done = complete.Completion(batch, results, sink, failures, cost or Cost(), self._application_name())
        terms = complete.Terms(self.settings.failed_share_max, self.jitter)
        try:
            with self._ending(batch):
                ended = self._ended_before(batch) or complete.complete(self.db, done, terms)
            if batch.job_id is not None:
                jobs.finish_if_drained(self.db, batch.job_id)
        except StoreError:
            # Whether it was committed may be unknown; whoever tries again must not be told that the lease is lost.
            self._unsure.add(batch.token)
            raise
        return ended

    def complete_together(self, group: Sequence[Finished]) -> None:
        """Several batches in one commit: all of them or none; see core.queue.leases.together.complete.

        If it raises, end each by `complete` or `fail`, which look first whether it was committed after all.
        """
        batches = [one.batch for one in group]
        try:
            with ExitStack() as stack:
                for batch in batches:
                    stack.enter_context(self._ending(batch))
                together.complete(self.db, group, self._application_name())
            for job_id in sorted({batch.job_id for batch in batches if batch.job_id is not None}):
                jobs.finish_if_drained(self.db, job_id)
        except StoreError:
            self._unsure.update(batch.token for batch in batches)
            raise

    def _ended_before(self, batch: ClaimedBatch) -> Done | None:
        """How an earlier call for the same lease ended it, if that call could not tell."""
        if batch.token not in self._unsure:
            return None
        ended = complete.ended_as(self.db, batch)
        self._unsure.discard(batch.token)
        return ended

    def fail(
        self,
        batch: ClaimedBatch,
        error_class: str,
        reason: str,
        *,
        retryable: bool = True,
        fault: Fault | None = None,
        cost: Cost | None = None,
        divisible: bool = True,
    ) -> Verdict:
        """The whole attempt failed: it is retried after a pause, halved, or dead. `reason` must hold no row data.

        `fault` None: transient if retryable, else permanent. `divisible` False: no row is to blame, it is not halved.
        """
        failure = failures.Failure(
            error_class, reason, retryable, fault=fault, cost=cost or Cost(), divisible=divisible
        )
        with self._ending(batch):
            fate = failures.fail(self.db, batch, failure, self.jitter())
        if batch.job_id is not None and fate == "dead":
            jobs.finish_if_drained(self.db, batch.job_id)
        return fate

    def release(self, batches: Sequence[ClaimedBatch]) -> int:
        """Give leases back without counting the attempt."""
        with ExitStack() as stack:
            for batch in batches:
                stack.enter_context(self._ending(batch))
            return claim.release(self.db, batches)

    # Duties

    def rescue(self) -> int:
        """End attempts whose lease ran out."""
        return leader.rescue(self.db, self.jitter)

    def lead(self) -> bool:
        """Become the leader, or stay it; False while another process leads."""
        # Shorter than a batch's: while a dead leader's lease lasts, nobody rescues what other dead workers held.
        ttl_s = min(self.settings.lease_ttl_s, LEADER_SCANS * self.settings.rescue_every_s)
        self._leads = singleton.take_lease(self.db, LEADER, self.worker_id, self._leader_token, ttl_s)
        return self._leads

    def sweep(self) -> leader.Sweep:
        """The leader's duties once; the costly ones in the first round and then now and then."""
        self._rounds += 1
        return leader.sweep(self.db, self.settings, self.jitter, self._rounds - 1)

    def lead_and_sweep(self) -> None:
        """The duties, if this process leads."""
        if self.lead():
            self.sweep()

    def refresh_depth(self) -> None:
        """Renew the cached depth, if this process led when it last asked."""
        if self._leads:
            leader.refresh_depth(self.db)

    def promote(self) -> None:
        """Make batches whose time has come ready, if this process led when it last asked."""
        if self._leads:
            leader.promote(self.db)

    def beat_worker(self, n_leases: int) -> None:
        """Tell that this worker lives. Of several keepers each tells what all of them hold."""
        n_leases = sum(len(keeper.held()) for keeper in self._keepers) or n_leases
        params = {
            "worker_id": self.worker_id,
            "pool": self.profile.pool,
            "capabilities": orjson.dumps(dict(self.profile.capabilities)).decode(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "n_leases": n_leases,
            "load": os.getloadavg()[0],
        }
        with self.db.transaction() as conn:
            run(conn, Q["worker_beat"], params)

    def leave(self) -> None:
        """End of this worker: no longer leader, no longer listed. Leases it holds are not touched.

        While another keeper of this queue beats, nothing ends.
        """
        if any(keeper.running for keeper in self._keepers):
            return
        self._leads = False
        singleton.drop_lease(self.db, LEADER, self._leader_token)
        with self.db.transaction() as conn:
            dead_workers.strike_off(conn, self.worker_id)

    # What operators ask

    def depth(self, flow_name: str | None = None) -> Depth:
        """Batches and items by state."""
        return views.now(self.db, flow_name)

    def dead(self, flow_name: str | None = None) -> list[dead_letters.DeadGroup]:
        """Dead letters by flow and error class."""
        return dead_letters.groups(self.db, flow_name)

    def redrive(
        self,
        flow_name: str,
        *,
        error_class: str | None = None,
        fault: Fault | None = None,
        job_id: int | None = None,
        limit: int = dead_letters.REDRIVE_LIMIT,
    ) -> int:
        """Put dead letters back to work, in bounded transactions; returns how many items."""
        return dead_letters.redrive(self.db, flow_name, dead_letters.Which(error_class, fault, job_id), limit)

    def discard(self, flow_name: str, which: dead_letters.Which = dead_letters.ANY) -> int:
        """Give dead letters up for good; returns how many items."""
        return dead_letters.discard(self.db, flow_name, which)

    def attach(self, keeper: LeaseKeeper) -> None:
        """A keeper tells the queue of itself, so that ending a batch also ends its beats."""
        self._keepers.append(keeper)

    @contextmanager
    def _ending(self, batch: ClaimedBatch) -> Iterator[None]:
        with ExitStack() as stack:
            for keeper in self._keepers:
                stack.enter_context(keeper.ending(batch))
            yield

    def _application_name(self) -> str:
        # PostgreSQL cuts names at 63 bytes; the reaper cuts likewise.
        return f"headrace:{self.worker_id}"[:63]

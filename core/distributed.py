"""The record-level API: single records in, claimed and marked one by one, on top of the batch queue.

    db = DatabaseManager("rpa_db")
    processor = DistributedProcessor(db)
    processor.add_records_to_queue("survey", [{"id": 1}, {"id": 2}])
    while records := processor.claim_records_batch("survey", 50):
        for record in records:
            processor.mark_record_completed(record["id"], {"ok": True})

A record's id is its identity for ever: origin batch << 20 | place in it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import operator
import os
import random
import socket
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from core.database import DatabaseManager
from core.errors import HeadraceError, LeaseLost, QueueError, RowError
from core.processes import leave_to_parent, on_fork
from core.queue import BatchQueue, FlowPolicy, LeaseKeeper, checks, payloads
from core.queue.leases.failures import CLASS_CHARS_MAX, REASON_CHARS_MAX, storable
from core.queue.producers import screening
from core.queue.records import records
from core.queue.records.group_commit import Gathering
from core.queue.records.held_records import Ledger, Taken
from core.queue.records.records import Counts, Mark
from core.queue.states import backoff_s
from core.queue.store import flows
from core.settings import QueueSettings, read_settings

# Sharing out a header of so many records reads them all, so it stays small.
RECORDS_PER_BATCH = 1_000
BACKOFF_BASE_S = 2.0
# What the end of a process waits for its claims to be given back.
EXIT_S = 5.0
# A century: what is older than that has a wrong unit.
TIMEOUT_HOURS_MAX = 876_600


@dataclass(frozen=True, slots=True)
class _Fate:
    """`output`: JSON text if the record is done; else why it failed."""

    output: str | None
    error_class: str = ""
    reason: str = ""


class DistributedProcessor:
    """Claims and marks single records of a flow; thread-safe.

    A mark is durable when the call returns (with `flush_every` > 1: when that many are collected, at `flush()`,
    `get_queue_status()` or `close()`; a crash loses the collected ones and their records run again). The first mark of
    a record wins, later ones do nothing. An id that this processor did not claim, or whose lease it lost, raises
    LeaseLost. Heartbeats start with the first claim; at the end of the process claims without a mark are given back.
    In a child made by fork it is another processor: what the parent has claimed or collected stays with the parent.

    Args:
        db: the store; kept as `rpa_db`.
        settings: None: read the environment. `record_max_attempts` > 1 makes mark_record_failed retry first.
        flush_every: marks per transaction.
    """

    def __init__(self, db: DatabaseManager, settings: QueueSettings | None = None, flush_every: int = 1) -> None:
        if flush_every < 1:
            raise QueueError(f"flush_every is {flush_every}, it must be at least 1")
        self.rpa_db = db
        self.settings = settings or read_settings().queue
        self.flush_every = flush_every
        self.logger = logging.getLogger("headrace.distributed")
        self._begin()
        on_fork(self, DistributedProcessor._in_child)

    def _begin(self) -> None:
        self.instance_id = self._generate_instance_id()
        self._queue = BatchQueue(self.rpa_db, self.settings, self.instance_id)
        self._keeper = LeaseKeeper(self._queue)
        self._ledger = Ledger()
        self._lock = threading.Lock()
        self._waiting: list[tuple[Taken, Mark]] = []
        self._gathering = Gathering(self._write)
        # Ids whose mark met with a lost connection: written or not, nobody knows before looking.
        self._doubtful: set[int] = set()
        self._known: set[str] = set()
        self._started = False

    def _in_child(self) -> None:
        atexit.unregister(self._at_exit)
        # Its locks may be held; the connections behind it are the parent's.
        leave_to_parent((self._queue, self._keeper, self._ledger, self._gathering))
        self._begin()

    def _generate_instance_id(self) -> str:
        """Host, process and a random part: unique among all processors that ever claim."""
        return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> DistributedProcessor:
        """Use as a context manager to give unmarked claims back at its end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `close`."""
        self.close()

    # In

    def add_records_to_queue(self, flow_name: str, records: Sequence[Mapping[str, Any]]) -> int:
        """Store records in one transaction, in order; registers the flow if it is new. Returns how many.

        A record is the payload itself, or {"payload": {...}}: a mapping whose only key is `payload`, holding a mapping,
        stands for that inner one. Raises RowError (line = index) for a value JSON cannot hold; then none is stored.
        """
        texts = [payloads.encode(_payload(one, line), line) for line, one in enumerate(screening.at_hand(records))]
        if not texts:
            return 0
        if flow_name not in self._known:
            max_runtime_s = self.settings.record_max_runtime_s
            policy = FlowPolicy(flow_name, max_attempts=3, splittable=True, max_runtime_s=max_runtime_s)
            flows.ensure(self.rpa_db, policy)
            self._known.add(flow_name)
        n_rows = min(RECORDS_PER_BATCH, self.settings.batch_rows_max)
        self._queue.enqueue(flow_name, texts, batch_rows=n_rows)
        return len(texts)

    # Out

    def claim_records_batch(self, flow_name: str, batch_size: int) -> list[dict[str, Any]]:
        """Up to `batch_size` records as {"id", "payload", "retry_count"}, oldest first.

        [] if none may be handed out now: none is pending, or the flow is paused or at its limits. Records that other
        claims are sharing out are waited for, up to 5 s; if they stay held for longer, the log says so and [] comes.
        So a loop that is to end with its work ends when [] comes and `pending_records` is 0.
        """
        if not checks.is_whole(batch_size, 1):
            raise QueueError(f"batch_size is {batch_size!r}, it must be at least 1, a whole number")
        self._start()
        lots = records.claim(self.rpa_db, self._queue.claimant, flow_name, batch_size)
        for lot in lots:
            self._keeper.add(lot.batch)
        return [
            {"id": one.identity, "payload": json.loads(one.record.payload), "retry_count": one.record.failed_before}
            for one in self._ledger.add(lots)
        ]

    def mark_record_completed(self, record_id: int, result: Any = None) -> None:
        """Done, with any JSON value as the result. Raises LeaseLost; RowError if the result has no JSON form."""
        self.mark_records_completed([(record_id, result)])

    def mark_record_failed(self, record_id: int, error: str | BaseException) -> None:
        """Failed for good (or for now, if `record_max_attempts` allows another attempt). Raises LeaseLost."""
        self.mark_records_failed([(record_id, error)])

    def mark_records_completed(self, results: Iterable[tuple[int, Any]]) -> None:
        """Many at once, in one transaction. LeaseLost names the ids that were lost; the others are marked."""
        self._mark({one: _Fate(payloads.encode(result)) for one, result in _first_of_each(results)})

    def mark_records_failed(self, errors: Iterable[tuple[int, str | BaseException]]) -> None:
        """Many at once, in one transaction."""
        self._mark({one: _why(error) for one, error in _first_of_each(errors)})

    def flush(self) -> None:
        """Commit the marks that `flush_every` has collected. Raises LeaseLost for those that came too late."""
        with self._lock:
            collected, self._waiting = self._waiting, []
        try:
            lost = self._write(collected)
        except BaseException:
            with self._lock:
                self._waiting = collected + self._waiting
            raise
        if lost:
            raise _lease_lost([one.identity for one, _ in lost])

    # Views and care

    def get_queue_status(self, flow_name: str | None = None) -> dict[str, Any]:
        """Counts, exact after every mark: total_, pending_, processing_, completed_ and failed_records, and `by_flow`.

        total = the sum of the four; failed = dead or waiting for a retry. An unknown flow has zeros.
        """
        self.flush()
        by_flow = records.status(self.rpa_db, flow_name)
        if flow_name is not None:
            by_flow.setdefault(flow_name, Counts())
        total = sum(by_flow.values(), Counts())
        named = {name: counts.named() for name, counts in by_flow.items()}
        return {**total.named(), "flow_name": flow_name, "by_flow": named}

    def cleanup_orphaned_records(self, timeout_hours: float | None = None) -> int:
        """Make records claimed at least so long ago available again, whether their owner beats or not; how many.

        `timeout_hours` None: the setting `orphan_hours`, 1.
        """
        if timeout_hours is None:
            timeout_hours = self.settings.orphan_hours
        if not 0 <= timeout_hours <= TIMEOUT_HOURS_MAX:
            raise QueueError(f"timeout_hours is {timeout_hours}, it must be within 0..{TIMEOUT_HOURS_MAX}")
        n_records = records.orphans(self.rpa_db, timeout_hours * 3600)
        if n_records:
            self.logger.warning("%d orphaned records are available again", n_records)
        return n_records

    def health_check(self) -> dict[str, Any]:
        """{"status": "healthy", ...}; raises StoreUnavailable (or StoreError) when the store does not answer."""
        records.check(self.rpa_db)
        return {
            "status": "healthy",
            "database": "healthy",
            "instance_id": self.instance_id,
            "claimed_records": len(self._ledger),
            "pool": self.rpa_db.pool_figures(),
        }

    def close(self) -> None:
        """Flush, stop beating and give back what was claimed and not marked. The processor can be used again."""
        with contextlib.suppress(LeaseLost):
            self.flush()
        unmarked = self._ledger.clear()
        if unmarked:
            self._queue.release(unmarked)
        with self._lock:
            started, self._started = self._started, False
        if started:
            atexit.unregister(self._at_exit)
            self._keeper.stop()

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                self._keeper.start()
                atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        """A bounded time: a database that is away must not keep the process. What stays claimed runs out by itself."""

        def close() -> None:
            try:
                self.close()
            except HeadraceError as error:
                self.logger.warning("claims were not given back: %s", error.message)

        closing = threading.Thread(target=close, name="headrace-closing", daemon=True)
        try:
            closing.start()
        except RuntimeError:
            # Some versions of Python start no thread at the end.
            close()
            return
        closing.join(EXIT_S)
        if closing.is_alive():
            self.logger.warning(
                "claims were not given back within %g s, for the database does not answer; their leases run out", EXIT_S
            )

    # Marks

    def _mark(self, fates: Mapping[int, _Fate]) -> None:
        taken, lost = self._ledger.take(fates)
        marks = [(one, self._as_mark(one, fates[one.identity])) for one in taken]
        if self.flush_every > 1:
            self._ledger.collect(taken)
            with self._lock:
                self._waiting += marks
                ripe = len(self._waiting) >= self.flush_every
            if ripe:
                self.flush()
        else:
            lost += self._write_now(marks)
        if lost:
            raise _lease_lost(lost)

    def _as_mark(self, one: Taken, fate: _Fate) -> Mark:
        attempts = one.record.failed_before + 1
        again = fate.output is None and attempts < self.settings.record_max_attempts
        return Mark(
            one.lease.batch,
            one.record.origin,
            one.record.seq,
            fate.output,
            fate.error_class,
            fate.reason,
            attempts,
            backoff_s(attempts, BACKOFF_BASE_S, random.random()) if again else None,
        )

    def _write_now(self, marks: Sequence[tuple[Taken, Mark]]) -> list[int]:
        if not marks:
            return []
        try:
            return [one.identity for one, _ in self._gathering.submit(marks)]
        except BaseException:
            self._ledger.undo([one for one, _ in marks])
            raise

    def _write(self, marks: Sequence[tuple[Taken, Mark]]) -> list[tuple[Taken, Mark]]:
        """Commit marks; returns those whose lease is lost. After StoreUnavailable the next try looks first."""
        if not marks:
            return []
        taken = [one for one, _ in marks]
        ending = self._ledger.last_of(taken)
        identities = {one.identity for one in taken}
        doubt = not self._doubtful.isdisjoint(identities)
        try:
            fates = [mark for _, mark in marks]
            lost_batches = records.mark(self.rpa_db, fates, ending, self.instance_id, in_doubt=doubt)
        except BaseException:
            self._doubtful |= identities
            raise
        if doubt:
            self._doubtful -= identities
        unended = self._ledger.settle(taken, ending, lost_batches)
        for batch in {one.lease.batch.batch_id: one.lease.batch for one in taken if not one.lease.open}.values():
            self._keeper.remove(batch)
        if unended:
            # The marks are safe; a header that stays is ended by whoever rescues it.
            with contextlib.suppress(LeaseLost), self.rpa_db.transaction() as conn:
                records.close(conn, unended)
        return [pair for pair in marks if pair[0].lease.batch.batch_id in lost_batches]


def _payload(one: Any, line: int) -> Any:
    if not isinstance(one, Mapping):
        reason = f"a record is a mapping, this is one {type(one).__name__}"
        raise RowError(f"record {line}: {reason}", line=line, column="payload", reason=reason)
    inner = one.get("payload") if len(one) == 1 else None
    return inner if isinstance(inner, Mapping) else one


def _first_of_each(marks: Iterable[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """The first mark wins also within one call."""
    first: dict[int, Any] = {}
    for identity, value in marks:
        first.setdefault(_identity(identity), value)
    return list(first.items())


def _identity(given: Any) -> int:
    # numpy's integers have an index, and JSON may have made text of an id; a float would be cut to some other record's.
    try:
        return int(given) if isinstance(given, str) and given.isdecimal() else operator.index(given)
    except TypeError:
        raise QueueError(f"a record id is an integer, as claim_records_batch gave it; this is {given!r}") from None


def _why(error: str | BaseException) -> _Fate:
    name = type(error).__name__ if isinstance(error, BaseException) else "RecordFailed"
    return _Fate(None, storable(name, CLASS_CHARS_MAX), storable(str(error), REASON_CHARS_MAX))


def _lease_lost(identities: Sequence[int]) -> LeaseLost:
    shown = ", ".join(map(str, identities[:5])) + (", ..." if len(identities) > 5 else "")
    return LeaseLost(
        f"{len(identities)} records are not claimed here, or not any more ({shown}); their marks were not written",
        record_ids=list(identities),
        batch_id=identities[0] >> 20,
    )

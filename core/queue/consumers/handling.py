"""The second third of a batch's way: the handler's word on every row, or what is to blame for having none."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import polars as pl

from core.queue import handlers
from core.queue.batches import ClaimedBatch
from core.queue.consumers.outages import Outages
from core.queue.consumers.reading import Readable
from core.queue.handlers import Fates
from core.queue.leases.blame import Blame, blame
from core.queue.queue import BatchQueue
from core.queue.store.flows import policy_of


@dataclass(frozen=True, slots=True)
class Handled:
    """A batch and how it may end: with a fate for each of its rows, misfits too, or as a failure of the whole."""

    batch: ClaimedBatch
    answer: Fates | Blame
    cpu_began_s: float

    def cpu_ms(self) -> float:
        """What the process has used since the batch was read."""
        return (time.process_time() - self.cpu_began_s) * 1e3


def handle(queue: BatchQueue, read: Readable, outages: Outages) -> Handled:
    """Call the handler. Raises nothing of the handler's; cost: a transaction where its rows have to be cornered."""
    answer = _answers(queue, read, outages) if read.frame.height else Fates(None, [], [])
    return Handled(read.batch, _of_the_whole(read, answer), read.cpu_began_s)


def _of_the_whole(read: Readable, answer: Fates | Blame) -> Fates | Blame:
    if isinstance(answer, Blame):
        return answer
    if read.batch.source is not None and answer.failures:
        # It has no rows of its own to fail, so it fails as a whole.
        failure = answer.failures[0]
        return Blame(failure.error_class, failure.reason, failure.fault)
    n_bytes = answer.n_bytes + read.frame.estimated_size()
    n_bytes += 0 if answer.results is None else answer.results.estimated_size()
    return replace(answer, failures=answer.failures + read.misfits, n_bytes=int(n_bytes))


def _answers(queue: BatchQueue, read: Readable, outages: Outages) -> Fates | Blame:
    """The handler's word; rows that make it raise are cornered where the batch may be cut."""
    batch = read.batch

    def answer(frame: pl.DataFrame) -> Fates | Blame:
        try:
            # Columns can be taken out of a frame in place.
            returned = read.work.call(frame.clone())
        except BaseException as error:  # noqa: BLE001 - whatever a handler does, the loop goes on
            handlers.let_ctrl_c_through(error)
            return blame(error)
        return handlers.judged(frame, returned)

    first = answer(read.frame)
    if (
        isinstance(first, Fates)
        or first.fault != "permanent"
        or not first.divisible
        or batch.source is not None
        or not batch.splittable
    ):
        return first
    max_attempts = outages.wait_out(lambda: _max_attempts(queue, batch)) or 1
    # The last attempt corners them all; before it, too many bad rows speak of a bad handler.
    share = queue.settings.failed_share_max if batch.attempt < max_attempts else 1.0
    return handlers.corner(answer, read.frame, first, int(share * batch.n_items))


def _max_attempts(queue: BatchQueue, batch: ClaimedBatch) -> int:
    with queue.db.transaction() as conn:
        return policy_of(conn, batch.flow_name, batch.tenant_id).max_attempts

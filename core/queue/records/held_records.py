"""What one process has claimed record by record, and which marks are on their way; safe between threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.queue.batches import ClaimedBatch, record_id
from core.queue.records.records import Lot, Record

# So many ids are remembered as marked here; marking one of them again is no error.
REMEMBERED = 100_000


@dataclass(slots=True, eq=False)
class Lease:
    """A claimed header: `open` records have no committed mark, `n_busy` of them have one under way."""

    batch: ClaimedBatch
    open: set[int] = field(default_factory=set)
    n_busy: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A record whose mark is under way."""

    identity: int
    record: Record
    lease: Lease


class Ledger:
    """Claims of one process. Every method is atomic; `take` waits while another thread marks one of the records."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._claimed: dict[int, Taken] = {}
        self._busy: set[int] = set()
        self._collected: set[int] = set()
        self._marked: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """Records claimed and not marked."""
        return len(self._claimed)

    def add(self, lots: Sequence[Lot]) -> list[Taken]:
        """Enter what was claimed; in the order in which it is to be served."""
        entered = []
        with self._changed:
            for lot in lots:
                lease = Lease(lot.batch)
                for record in lot.records:
                    identity = record_id(record.origin, record.seq)
                    one = Taken(identity, record, lease)
                    lease.open.add(identity)
                    self._claimed[identity] = one
                    self._marked.pop(identity, None)
                    entered.append(one)
        return entered

    def take(self, identities: Iterable[int]) -> tuple[list[Taken], list[int]]:
        """Records to mark now, and ids that are not ours. Those marked here before are in neither: the first mark wins.

        A record that another thread is marking is waited for, because only that mark's commit decides.
        """
        taken: list[Taken] = []
        foreign: list[int] = []
        with self._changed:
            for identity in identities:
                while identity in self._busy:
                    self._changed.wait()
                one = self._claimed.get(identity)
                if identity in self._collected or (one is None and identity in self._marked):
                    continue
                if one is None:
                    foreign.append(identity)
                    continue
                self._busy.add(identity)
                one.lease.n_busy += 1
                taken.append(one)
        return taken, foreign

    def collect(self, taken: Sequence[Taken]) -> None:
        """The marks wait for a flush; nobody waits for them meanwhile."""
        with self._changed:
            for one in taken:
                self._busy.discard(one.identity)
                self._collected.add(one.identity)
            self._changed.notify_all()

    def last_of(self, taken: Sequence[Taken]) -> list[ClaimedBatch]:
        """Headers that are finished once these marks commit, nobody else being at work on them."""
        counts: dict[Lease, int] = {}
        for one in taken:
            counts[one.lease] = counts.get(one.lease, 0) + 1
        with self._changed:
            ending = [lease for lease, n in counts.items() if n == len(lease.open) == lease.n_busy and not lease.ended]
            return [lease.batch for lease in ending]

    def undo(self, taken: Sequence[Taken]) -> None:
        """The marks could not be written: the records are open again."""
        with self._changed:
            for one in taken:
                self._busy.discard(one.identity)
                one.lease.n_busy -= 1
            self._changed.notify_all()

    def settle(self, taken: Sequence[Taken], ended: Sequence[ClaimedBatch], lost: set[int]) -> list[ClaimedBatch]:
        """The marks are committed, except those of the `lost` headers. Returns headers that nobody has ended yet.

        Two threads that mark the last two records of a header at once each see the other's record open, so neither
        ends the header in its transaction: whoever settles last has to.
        """
        ended_ids = {batch.batch_id for batch in ended}
        unended = []
        with self._changed:
            for one in taken:
                self._leave(one, lost)
            for lease in {one.lease for one in taken}:
                lease.ended = lease.ended or lease.batch.batch_id in ended_ids | lost
                if not lease.open and not lease.ended:
                    lease.ended = True
                    unended.append(lease.batch)
            self._changed.notify_all()
        return unended

    def _leave(self, one: Taken, lost: set[int]) -> None:
        self._busy.discard(one.identity)
        self._collected.discard(one.identity)
        one.lease.n_busy -= 1
        one.lease.open.discard(one.identity)
        if self._claimed.get(one.identity) is one:
            del self._claimed[one.identity]
        if one.lease.batch.batch_id in lost:
            # The whole header is gone, so are its other records.
            for identity in one.lease.open:
                if identity in self._claimed and self._claimed[identity].lease is one.lease:
                    del self._claimed[identity]
            return
        self._marked[one.identity] = None
        while len(self._marked) > REMEMBERED:
            self._marked.popitem(last=False)

    def clear(self) -> list[ClaimedBatch]:
        """Forget all claims; returns their headers, to be given back."""
        with self._changed:
            leases = {one.lease for one in self._claimed.values()}
            self._claimed.clear()
            return [lease.batch for lease in leases if not lease.ended]

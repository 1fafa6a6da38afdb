from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

from core.queue import ClaimedBatch
from core.queue.records.held_records import Ledger
from core.queue.records.records import Lot, Record


def lot(batch_id: int, n: int) -> Lot:
    batch = ClaimedBatch(
        batch_id=batch_id,
        origin_batch_id=batch_id,
        token=uuid4(),
        tenant_id="default",
        job_id=None,
        stage="main",
        flow_name="f",
        kind="new",
        partition_no=0,
        priority=100,
        attempt=1,
        n_items=n,
        item_lo=0,
        item_hi=n,
        splittable=True,
        partial=True,
        source=None,
        deadline_at=datetime(2026, 1, 1, tzinfo=UTC),
        worker_id="w",
    )
    return Lot(batch, [Record(batch_id, seq, "{}", 0) for seq in range(n)])


def test_the_last_mark_ends_the_header_and_only_it() -> None:
    ledger = Ledger()
    first, second = ledger.add([lot(1, 2)])
    (taken,), foreign = ledger.take([first.identity])
    assert (ledger.last_of([taken]), foreign) == ([], [])
    assert ledger.settle([taken], [], set()) == []
    (taken,), _ = ledger.take([second.identity])
    ending = ledger.last_of([taken])
    assert [batch.batch_id for batch in ending] == [1]
    assert ledger.settle([taken], ending, set()) == []
    assert len(ledger) == 0
    assert ledger.take([first.identity, 99]) == ([], [99])


def test_two_marks_at_once_leave_the_header_to_whoever_settles_last() -> None:
    ledger = Ledger()
    one, two = ledger.add([lot(1, 2)])
    (a,), _ = ledger.take([one.identity])
    (b,), _ = ledger.take([two.identity])
    assert (ledger.last_of([a]), ledger.last_of([b])) == ([], [])
    assert ledger.settle([b], [], set()) == []
    assert [batch.batch_id for batch in ledger.settle([a], [], set())] == [1]


def test_a_mark_that_could_not_be_written_leaves_the_record_open() -> None:
    ledger = Ledger()
    (one,) = ledger.add([lot(1, 1)])
    taken, _ = ledger.take([one.identity])
    ledger.undo(taken)
    again, _ = ledger.take([one.identity])
    assert again == taken
    assert [batch.batch_id for batch in ledger.last_of(again)] == [1]


def test_a_second_mark_waits_for_the_first_to_settle() -> None:
    ledger = Ledger()
    (one,) = ledger.add([lot(1, 1)])
    taken, _ = ledger.take([one.identity])
    outcome = []
    late = threading.Thread(target=lambda: outcome.append(ledger.take([one.identity])))
    late.start()
    assert outcome == []
    ledger.settle(taken, ledger.last_of(taken), set())
    late.join()
    assert outcome == [([], [])]


def test_a_lost_header_takes_its_other_records_with_it() -> None:
    ledger = Ledger()
    one, two = ledger.add([lot(1, 2)])
    taken, _ = ledger.take([one.identity])
    assert ledger.settle(taken, [], {1}) == []
    assert ledger.take([one.identity, two.identity]) == ([], [one.identity, two.identity])
    assert ledger.clear() == []


def test_collected_marks_win_over_later_ones() -> None:
    ledger = Ledger()
    one, two = ledger.add([lot(1, 2)])
    taken, _ = ledger.take([one.identity])
    ledger.collect(taken)
    assert ledger.take([one.identity]) == ([], [])
    more, _ = ledger.take([two.identity])
    ledger.collect(more)
    both = taken + more
    assert [batch.batch_id for batch in ledger.last_of(both)] == [1]
    assert ledger.settle(both, ledger.last_of(both), set()) == []

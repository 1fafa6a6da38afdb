"""What is used on both sides of a fork. Children are forked as multiprocessing does, in the middle of threads."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections.abc import Callable

import pytest

from core.database import DatabaseManager
from core.database.queries import Query, run
from core.distributed import DistributedProcessor
from core.errors import LeaseLost, StoreError
from core.queue import BatchQueue
from core.queue.leases.heartbeat import LeaseKeeper
from core.settings import QueueSettings

BACKEND = Query("backend_pid", "one", "who answers", "SELECT pg_backend_pid()")
LIMIT_S = 30


def in_child(act: Callable[[], object]) -> str:
    """What `act` said in a forked child: the text of its answer, or of its error."""
    told, tell = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        signal.alarm(LIMIT_S)
        try:
            answer = str(act())
        except BaseException as error:  # noqa: BLE001 - nothing of a child may come back into pytest
            answer = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        os.write(tell, answer.encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answers:
        answer = answers.read()
    assert os.waitpid(pid, 0)[1] == 0, "the child did not end by itself"
    return answer


@pytest.fixture
def flow(request: pytest.FixtureRequest) -> str:
    return request.node.name


def backend(db: DatabaseManager) -> int:
    with db.transaction() as conn:
        return int(run(conn, BACKEND)[0][0])


def test_a_child_has_connections_of_its_own_and_leaves_its_parents_alone(db: DatabaseManager) -> None:
    pooled, single = backend(db), db.execute_once(BACKEND, {})[0][0]

    def child() -> set[int]:
        found = {backend(db), db.execute_once(BACKEND, {})[0][0]}
        db.dispose()
        return found & {pooled, single}

    assert in_child(child) == "set()"
    assert (backend(db), db.execute_once(BACKEND, {})[0][0]) == (pooled, single)


def test_a_transaction_open_at_a_fork_is_neither_ended_nor_written_to_by_the_child(db: DatabaseManager) -> None:
    with db.transaction() as conn:
        mine = run(conn, BACKEND)

        def child() -> None:
            # As in code that forks within the block: the child leaves it, in its way.
            run(conn, BACKEND)

        assert "StoreUnavailable" in in_child(child)
        conn_is_mine = run(conn, BACKEND)
    assert conn_is_mine == mine


def test_a_child_that_leaves_its_parents_transaction_is_told(db: DatabaseManager) -> None:
    parent = os.getpid()
    told, tell = os.pipe()
    pid = -1
    try:
        with warnings.catch_warnings(), db.transaction() as conn:
            warnings.simplefilter("ignore", DeprecationWarning)
            mine = run(conn, BACKEND)
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)
                assert run(conn, BACKEND) == mine
    except StoreError as error:
        os.write(tell, error.message.encode())
    finally:
        if os.getpid() != parent:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answers:
        assert "begun before a fork" in answers.read()


def test_a_processor_in_a_child_is_another_one_without_claims(db: DatabaseManager, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings()) as parent:
        parent.add_records_to_queue(flow, [{"i": i} for i in range(6)])
        first, second = parent.claim_records_batch(flow, 2)
        name = parent.instance_id

        def child() -> int:
            assert parent.instance_id != name
            with pytest.raises(LeaseLost):
                parent.mark_record_completed(first["id"], {"by": "child"})
            own = parent.claim_records_batch(flow, 2)
            assert parent._keeper.running
            parent.mark_records_completed([(own[0]["id"], 1)])
            # What it claimed and did not mark goes back, what its parent claimed does not.
            parent.close()
            return len(own)

        assert in_child(child) == "2"
        parent.mark_record_completed(first["id"], {"by": "parent"})
        status = parent.get_queue_status(flow)
        figures = tuple(status[f"{kind}_records"] for kind in ("pending", "processing", "completed", "failed"))
        assert figures == (3, 1, 2, 0)
        parent.mark_record_completed(second["id"])


def test_marks_that_wait_for_a_flush_are_written_by_the_parent_alone(db: DatabaseManager, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings(), flush_every=10) as parent:
        parent.add_records_to_queue(flow, [{"i": 1}])
        (only,) = parent.claim_records_batch(flow, 1)
        parent.mark_record_completed(only["id"], {"by": "parent"})
        assert in_child(lambda: (parent.flush(), parent.get_queue_status(flow)["completed_records"])[1]) == "0"
        assert parent.get_queue_status(flow)["completed_records"] == 1


def test_a_queue_in_a_child_beats_under_its_own_name_and_for_no_lease_of_its_parent(db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "forks-parent")
    with LeaseKeeper(queue) as keeper:
        queue.beat_worker(0)

        def child() -> tuple[bool, list[object]]:
            queue.leave()
            return keeper.running, list(keeper.held())

        assert in_child(child) == "(False, [])"
        listed = db.execute_query("w", "SELECT count(*) FROM workers WHERE worker_id = 'forks-parent'")
        assert listed == [(1,)]

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg import sql

from core.database import DatabaseManager
from core.errors import SinkEndedTransaction, StoreBusy
from core.queue import BatchQueue, FlowPolicy
from core.queue.consumers.consumer import Consumer, Options, Report
from core.queue.handlers import HandlerResult

Count = Callable[..., int]
Conn = psycopg.Connection[Any]
ONCE = Options(idle_exit_s=0)
RAISE = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = '078-05-1120'; END $$"


@pytest.fixture
def sunk(db: DatabaseManager) -> str:
    """A table for sinks to write to."""
    name = f"sunk_{uuid.uuid4().hex[:8]}"
    db.execute_query("t", f"CREATE TABLE {name} (n int)")
    return name


def swallowed(act: Callable[[Conn], Any]) -> Callable[[Conn], None]:
    def sink(conn: Conn) -> None:
        try:
            act(conn)
        except (psycopg.Error, SinkEndedTransaction):
            return

    return sink


def rolls_back_in_between(conn: Conn) -> None:
    conn.execute("SELECT 1")
    conn.pgconn.exec_(b"ROLLBACK AND CHAIN")


def uses_it_up(conn: Conn) -> None:
    with conn:
        conn.execute("SELECT 1")


def switches_autocommit(conn: Conn) -> None:
    conn.autocommit = True


ENDINGS: list[Callable[[Conn], Any]] = [
    lambda conn: conn.commit(),
    lambda conn: conn.rollback(),
    lambda conn: conn.close(),
    uses_it_up,
    switches_autocommit,
    lambda conn: conn.execute("COMMIT"),
    lambda conn: conn.cursor().execute(b"rollback"),
    lambda conn: conn.execute(sql.SQL("BEGIN")),
    lambda conn: conn.execute("SELECT 1; COMMIT; SELECT 2"),
    lambda conn: conn.execute("PREPARE TRANSACTION 'x'"),
    rolls_back_in_between,
    lambda conn: conn.pgconn.exec_(b"COMMIT"),
    lambda conn: psycopg.ClientCursor(conn).execute("ROLLBACK"),
    swallowed(lambda conn: conn.commit()),
    swallowed(lambda conn: conn.execute("SELECT * FROM a_table_that_is_not_there")),
]


@pytest.mark.parametrize("act", ENDINGS)
def test_a_sink_that_ends_its_transaction_acknowledges_nothing(
    queue: BatchQueue, flow: str, count: Count, act: Callable[[Conn], Any]
) -> None:
    (batch_id,) = queue.enqueue(flow, [{"n": 1}])
    (batch,) = queue.claim(flow, 1)
    results = queue.items(batch).select("seq", output="payload")
    with pytest.raises(SinkEndedTransaction, match=r"^the sink .* one transaction"):
        queue.complete(batch, results, sink=act)
    assert count("queue_results", batch_id=batch_id) == 0
    assert count("processing_queue", batch_id=batch_id, state="running") == 1
    assert count("queue_history", flow_name=flow) == 0
    assert queue.complete(batch, results) == "completed"


def test_a_sink_may_use_savepoints_and_cursors(queue: BatchQueue, flow: str, count: Count, sunk: str) -> None:
    queue.enqueue(flow, [{"n": 1}])
    (batch,) = queue.claim(flow, 1)

    def sink(conn: Conn) -> None:
        assert isinstance(conn, psycopg.Connection)
        with conn.transaction():
            conn.execute(f"INSERT INTO {sunk} VALUES (1)")
        with pytest.raises(psycopg.errors.UndefinedTable), conn.transaction():
            conn.execute("SELECT * FROM a_table_that_is_not_there")
        conn.execute("SAVEPOINT ours")
        conn.execute(f"INSERT INTO {sunk} VALUES (2)")
        conn.execute("ROLLBACK TO ours")
        with conn.cursor() as cursor, cursor.copy(f"COPY {sunk} FROM STDIN") as copy:
            copy.write_row([3])
        conn.cursor().executemany(f"INSERT INTO {sunk} VALUES (%s)", [(4,), (5,)])

    assert queue.complete(batch, sink=sink) == "completed"
    assert count(sunk) == 4


def consumed(queue: BatchQueue, flow: str, sink: Callable[[Conn], Any]) -> Report:
    def handler(rows: pl.DataFrame) -> HandlerResult:
        return HandlerResult(rows.select("seq", output="payload"), sink=sink)

    return Consumer(queue, [flow], handler, ONCE).run()


LETTERS = (
    "SELECT error_class, fault, attempts, reason, count(*) FROM dead_letters WHERE flow_name = :f GROUP BY 1, 2, 3, 4"
)


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "57014", "25006", "53200", "57P01", "08006"])
def test_a_condition_that_passes_costs_attempts_and_no_halving(
    queue: BatchQueue, flow: str, db: DatabaseManager, code: str
) -> None:
    queue.register_flow(FlowPolicy(flow, max_attempts=2, backoff_s=0, splittable=True))
    queue.enqueue(flow, [{"n": n} for n in range(4)])
    report = consumed(queue, flow, lambda conn: conn.execute(RAISE.format(code)))
    assert report == Report(retried=1, dead=1, rows_failed=4)
    ((_, fault, attempts, reason, n),) = db.execute_query("l", LETTERS, {"f": flow})
    assert (fault, attempts, n) == ("transient", 2, 4)
    assert __name__ in reason
    assert "078" not in reason


def test_what_speaks_of_the_data_stays_permanent(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.enqueue(flow, [{"n": 1}])
    assert consumed(queue, flow, lambda conn: conn.execute("SELECT 1/0")).dead == 1
    ((error_class, fault, attempts, _, _),) = db.execute_query("l", LETTERS, {"f": flow})
    assert (error_class, fault, attempts) == ("DivisionByZero", "permanent", 1)


def test_a_sink_that_ends_its_transaction_kills_its_batch_with_a_sentence(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, [{"n": 1}, {"n": 2}])
    assert consumed(queue, flow, lambda conn: conn.rollback()).dead == 1
    ((error_class, fault, _, reason, n),) = db.execute_query("l", LETTERS, {"f": flow})
    assert (error_class, fault, n) == ("SinkEndedTransaction", "permanent", 2)
    assert reason.startswith("the sink called conn.rollback(): ")


def test_a_sink_that_loses_its_connection_each_time_uses_up_its_attempts(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue = BatchQueue(db, queue.settings.model_copy(update={"poll_s": 0.001}), "worker-a", jitter=lambda: 0.5)
    queue.register_flow(FlowPolicy(flow, max_attempts=1, backoff_s=0))
    queue.enqueue(flow, [{"n": 1}])
    assert consumed(queue, flow, lambda conn: conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")).dead == 1
    ((_, fault, _, _, _),) = db.execute_query("l", LETTERS, {"f": flow})
    assert fault == "transient"


def test_by_hand_a_deadlock_of_the_sink_is_worth_another_try(queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [{"n": 1}])
    (batch,) = queue.claim(flow, 1)
    with pytest.raises(StoreBusy, match="deadlock detected") as caught:
        queue.complete(batch, sink=lambda conn: conn.execute(RAISE.format("40P01")) and None)
    assert caught.value.retryable
    assert queue.complete(batch) == "completed"

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import QueueError, UnknownFlow
from core.queue import BatchQueue, FlowPolicy, NewBatch
from core.queue.consumers.consumer import Consumer, Options, Report
from core.queue.handlers import HandlerResult
from core.queue.producers import stages
from core.settings import QueueSettings
from tests.integration.queue.consumers import misbehaving
from tests.integration.queue.consumers.misbehaving import BAD

ONCE = Options(idle_exit_s=0)
N = 100

FATES = """
SELECT (SELECT count(*) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT count(*) FROM dead_letters WHERE flow_name = :f),
       (SELECT count(*) FROM processing_queue WHERE flow_name = :f)
"""
LETTERS = """
SELECT (payload->>'n')::int, error_class, fault, reason, attempts, worker_id, stage
FROM dead_letters WHERE flow_name = :f
"""

SUM = """
SELECT sum((r.output#>>'{}')::int) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f
"""
COST = """
SELECT min(n_rows), min(n_bytes) > 0, min(cpu_ms) > 0, min(wall_ms) > 0 FROM queue_history WHERE flow_name = :f
"""
LOSE = """
UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE flow_name = :f AND state = 'running'
"""


@pytest.fixture
def cut(queue: BatchQueue) -> str:
    """A flow whose batches may be halved."""
    name = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, max_attempts=2, backoff_s=0, splittable=True))
    return name


@pytest.fixture
def consume(queue: BatchQueue) -> Callable[..., Report]:
    """Run a handler until nothing is ready."""

    def consumed(flow: str, handler: Any, options: Options = ONCE) -> Report:
        return Consumer(queue, [flow], handler, options).run()

    return consumed


def numbers(n: int = N) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def test_results_and_cost_are_written(queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager) -> None:
    queue.enqueue(flow, numbers(), batch_rows=40)
    assert consume(flow, misbehaving.double) == Report(completed=3, rows=N)
    assert db.execute_query("s", SUM, {"f": flow}) == [(N * (N - 1),)]
    assert db.execute_query("c", COST, {"f": flow}) == [(20, True, True, True)]


def test_a_handler_without_schema_gets_text_and_may_return_structs(
    queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager
) -> None:
    queue.enqueue(flow, [{"n": 1}])

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        assert rows.columns == ["seq", "payload"]
        return rows.select("seq", output=pl.struct(text="payload", length=pl.col("payload").str.len_bytes()))

    assert consume(flow, handler).completed == 1
    rows = "SELECT r.output FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f"
    assert db.execute_query("r", rows, {"f": flow}) == [({"text": '{"n":1}', "length": 7},)]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (misbehaving.raises, ("ValueError", "permanent", f"raised at {misbehaving.__name__}:")),
        (
            misbehaving.raises_poison,
            ("PoisonFailure", "poison", f"raised at {misbehaving.__name__}:"),
        ),
        (misbehaving.runs_out_of_memory, ("MemoryError", "poison", "raised at ")),
        (misbehaving.exits_politely, ("SystemExit", "permanent", "raised at ")),
        (misbehaving.leaves_rows_out, ("ResultMissing", "permanent", "nothing for this row")),
        (misbehaving.answers_twice, ("ResultTwice", "permanent", "more than one fate")),
        (misbehaving.invents_rows, ("ResultUnknown", "permanent", "1 seqs were not among the 1 rows")),
        (misbehaving.names_columns_wrongly, ("ResultMalformed", "permanent", "seq Int64, result String")),
        (misbehaving.writes_no_json, ("ResultNotJson", "permanent", "not JSON")),
        (misbehaving.fails_rows, ("TooOld", "permanent", "before 1900")),
    ],
)
def test_the_bad_row_dies_with_its_class_and_its_neighbours_complete(
    queue: BatchQueue, cut: str, consume: Any, db: DatabaseManager, handler: Any, expected: tuple[str, str, str]
) -> None:
    error_class, fault, reason = expected
    queue.enqueue(cut, numbers())
    consume(cut, handler)
    assert db.execute_query("f", FATES, {"f": cut}) == [(N - 1, 1, 0)]
    ((n, told_class, told_fault, told_reason, attempts, worker_id, stage),) = db.execute_query("l", LETTERS, {"f": cut})
    assert (n, told_class, told_fault, worker_id, stage) == (BAD, error_class, fault, queue.worker_id, "main")
    assert reason in told_reason
    assert attempts >= 1
    told = db.execute_query(
        "h", "SELECT coalesce(string_agg(reason, ' '), '') FROM queue_history WHERE flow_name = :f", {"f": cut}
    )
    assert "078" not in told_reason + told[0][0]


def test_a_permanent_error_of_a_batch_that_may_not_be_cut_kills_it_whole(
    queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(), batch_rows=50)
    assert consume(flow, misbehaving.raises) == Report(completed=1, dead=1, rows=50, rows_failed=50)
    assert db.execute_query("f", FATES, {"f": flow}) == [(50, 50, 0)]


def test_a_transient_error_is_tried_again_until_attempts_are_used_up(
    queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(3))
    assert consume(flow, misbehaving.raises_transient) == Report(retried=2, dead=1, rows_failed=3)
    assert {(row[1], row[2], row[4]) for row in db.execute_query("l", LETTERS, {"f": flow})} == {
        ("TransientFailure", "transient", 3)
    }


def test_a_handler_that_is_broken_pauses_the_flow_instead_of_killing_every_row(
    queue: BatchQueue, cut: str, consume: Any, db: DatabaseManager
) -> None:
    queue.register_flow(FlowPolicy(cut, max_attempts=2, backoff_s=60, splittable=True))
    queue.enqueue(cut, numbers(600), batch_rows=100)
    calls = 0

    def broken(rows: pl.DataFrame) -> pl.DataFrame:
        nonlocal calls
        calls += 1
        return misbehaving.always_raises(rows)

    report = consume(cut, broken)
    assert (report.completed, report.dead, report.retried) == (0, 0, 5)
    assert db.execute_query("p", "SELECT paused FROM queue_flows WHERE flow_name = :f", {"f": cut}) == [(True,)]
    assert db.execute_query("f", FATES, {"f": cut})[0][1] == 0
    # Cornering stops once a fifth of the rows was found bad: two calls a row, and the way down.
    assert calls <= 5 * (1 + 2 * 25 + 14)


def test_rows_that_do_not_fit_the_schema_die_and_the_handler_never_sees_them(
    queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager
) -> None:
    queue.enqueue(flow, [*numbers(20), {"n": "x"}])
    assert consume(flow, misbehaving.double) == Report(completed=1, rows=20, rows_failed=1)
    assert db.execute_query("l", "SELECT error_class FROM dead_letters WHERE flow_name = :f", {"f": flow}) == [
        ("SchemaError",)
    ]


def test_a_sink_that_raises_fails_its_batch_and_writes_nothing(
    queue: BatchQueue, flow: str, consume: Any, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(3))

    def handler(rows: pl.DataFrame) -> HandlerResult:
        def sink(conn: Any) -> None:
            raise LookupError("078-05-1120")

        return HandlerResult(misbehaving_text(rows), sink=sink)

    def misbehaving_text(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("seq", output="payload")

    assert consume(flow, handler).dead == 1
    assert db.execute_query("f", FATES, {"f": flow}) == [(0, 3, 0)]
    assert {row[1] for row in db.execute_query("l", LETTERS, {"f": flow})} == {"LookupError"}


def test_a_batch_with_a_source_is_one_row_and_fails_whole(queue: BatchQueue, flow: str, consume: Any) -> None:
    job = queue.submit_job(flow, flow, {}, "")
    ranges = [NewBatch(n, 10, {"uri": "f", "lo": n * 10, "hi": n * 10 + 10}) for n in range(2)]
    queue.open_stage(job.job_id, "read", ranges)
    seen = []

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        seen.append([json.loads(payload) for payload in rows["payload"]])
        return rows.select("seq", output="payload").head(len(seen) % 2)

    report = consume(flow, handler)
    tags = [one.pop("batch") for (one,) in seen]
    assert seen == [[{"uri": "f", "lo": 0, "hi": 10}], [{"uri": "f", "lo": 10, "hi": 20}]]
    assert [(tag["job_id"], tag["stage"], tag["partition"], tag["n_items"]) for tag in tags] == [
        (job.job_id, "read", 0, 10),
        (job.job_id, "read", 1, 10),
    ]
    assert tags[0]["tag"] != tags[1]["tag"]
    assert (report.completed, report.dead) == (1, 1)
    assert stages.progress_of(queue.db, job.job_id, "read").dead == 10


def test_a_lost_lease_is_counted_and_the_loop_goes_on(
    queue: BatchQueue,
    other: BatchQueue,
    flow: str,
    consume: Any,
    db: DatabaseManager,
) -> None:
    queue.enqueue(flow, numbers(2), batch_rows=1)
    taken = []

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        if not taken:
            taken.append(1)
            db.execute_query("x", LOSE, {"f": flow})
            other.rescue()
        return rows.select("seq", output="payload")

    assert consume(flow, handler) == Report(completed=2, lost=1, rows=2)


def test_options_end_a_run(queue: BatchQueue, flow: str, consume: Any) -> None:
    queue.enqueue(flow, numbers(4), batch_rows=1)
    assert consume(flow, misbehaving.double, Options(max_batches=3)).completed == 3
    assert consume(flow, misbehaving.double, Options(max_run_s=0)).completed == 0
    assert consume(flow, misbehaving.double).completed == 1


def test_stop_ends_the_wait_and_the_worker_is_off_the_list(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.enqueue(flow, numbers(1))
    done = threading.Event()

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        beats = db.execute_query("w", "SELECT count(*) FROM workers WHERE worker_id = :w", {"w": queue.worker_id})
        assert beats == [(1,)]
        done.set()
        return rows.select("seq", output="payload")

    consumer = Consumer(queue, [flow], handler)
    reports: list[Report] = []
    thread = threading.Thread(target=lambda: reports.append(consumer.run()))
    thread.start()
    assert done.wait(30)
    consumer.stop()
    thread.join()
    assert reports == [Report(completed=1, rows=1)]
    assert db.execute_query("w", "SELECT count(*) FROM workers WHERE worker_id = :w", {"w": queue.worker_id}) == [(0,)]


def test_batches_get_the_size_that_rows_were_measured_to_need(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    assert queue.suggest_batch_rows(flow, 10**7, 2) == queue.settings.batch_rows
    spell = """INSERT INTO queue_totals (tenant_id, flow_name, hour, n_rows, wall_ms)
               VALUES ('default', :f, now() - :age * interval '1 hour', 1000, :ms)"""
    db.execute_query("t", spell, {"f": flow, "age": 1, "ms": 10_000})
    db.execute_query("t", spell, {"f": flow, "age": 100, "ms": 10**9})
    assert queue.suggest_batch_rows(flow, 10**7, 2) == 300
    # Nobody else beats: forty payloads are twenty batches of two.
    assert queue.suggest_batch_rows(flow, 40) == 10
    assert len(queue.enqueue(flow, numbers(40), batch_rows="auto")) == 4


def test_flows_take_turns(queue: BatchQueue, flow: str, cut: str) -> None:
    for name in (flow, cut):
        queue.enqueue(name, [{"of": name}] * 40, batch_rows=1)
    seen = []

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        seen.append(rows["payload"][0])
        return rows.select("seq", output="payload")

    Consumer(queue, [flow, cut], handler, ONCE).run()
    assert len(seen) == 80
    # Short batches come several a claim, never all of one flow before the other.
    ahead = [abs(2 * seen[:n].count(seen[0]) - n) for n in range(80)]
    assert max(ahead) < 25


def test_what_cannot_be_consumed_is_refused(queue: BatchQueue) -> None:
    with pytest.raises(QueueError):
        Consumer(queue, [], misbehaving.double)
    with pytest.raises(UnknownFlow):
        Consumer(queue, ["nobody registered this"], misbehaving.double, ONCE).run()


def test_batches_that_take_too_long_are_warned_of_once_and_cut_from_then_on(
    db: DatabaseManager, flow: str, cut: str, caplog: pytest.LogCaptureFixture
) -> None:
    # No batch is done in so short a time: each is too long, however fast the machine.
    bounded = BatchQueue(db, QueueSettings(batch_s_max=1e-6), "worker-a")
    for name in (flow, cut):
        assert len(bounded.enqueue(name, numbers(), batch_rows=50)) == 2, "nothing was measured yet"
        assert Consumer(bounded, [name], misbehaving.double, ONCE).run().completed == 2
        warned = [line for line in caplog.messages if f"of {name}: 50 rows took" in line]
        assert len(warned) == 1
        assert warned[0].endswith("batches of 1 rows would fit")
    assert len(bounded.enqueue(cut, numbers(10), batch_rows=5)) == 10
    assert len(bounded.enqueue(flow, numbers(10), batch_rows=5)) == 2, "its batches may be meant as they are"


def test_short_batches_are_completed_together_and_the_bad_one_dies_alone(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(20), batch_rows=1)
    groups = []
    together = queue.complete_together
    queue.complete_together = lambda group: (groups.append(len(group)), together(group))[1]  # type: ignore[method-assign]

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        (payload,) = rows["payload"]
        if json.loads(payload)["n"] == 9:
            raise ValueError("nine")
        return rows.select("seq", output="payload")

    report = Consumer(queue, [flow], handler, ONCE).run()
    assert (report.completed, report.dead, report.rows) == (19, 1, 19)
    assert max(groups) > 2
    assert db.execute_query("f", FATES, {"f": flow}) == [(19, 1, 0)]


def test_batches_of_a_group_that_cannot_be_committed_together_end_one_by_one(
    queue: BatchQueue, other: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(8), batch_rows=1)
    stolen: list[int] = []

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        (payload,) = rows["payload"]
        if json.loads(payload)["n"] == 2 and not stolen:
            db.execute_query("lose", LOSE, {"f": flow})
            other.rescue()
            stolen.extend(batch.batch_id for batch in other.claim(flow, 1))
        return rows.select("seq", output="payload")

    report = Consumer(queue, [flow], handler, ONCE).run()
    assert len(stolen) == 1
    assert report.lost >= 1
    assert report.completed == 7
    assert db.execute_query("f", FATES, {"f": flow}) == [(7, 0, 1)]


def test_what_was_claimed_and_not_begun_is_given_back_when_told_to_stop(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(20), batch_rows=1)
    seen: list[int] = []

    def handler(rows: pl.DataFrame) -> pl.DataFrame:
        seen.append(1)
        if len(seen) == 4:
            # The first of a claim of more.
            consumer.stop()
        return rows.select("seq", output="payload")

    consumer = Consumer(queue, [flow], handler, ONCE)
    assert consumer.run().completed == 4
    states = "SELECT state, attempt, count(*) FROM processing_queue WHERE flow_name = :f GROUP BY 1, 2"
    assert db.execute_query("s", states, {"f": flow}) == [("ready", 0, 16)]

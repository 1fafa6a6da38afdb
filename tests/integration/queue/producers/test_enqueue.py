from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import QueueError, RowError
from core.queue import BatchQueue, FlowPolicy, views
from core.queue.payloads import BYTES_MAX, DEPTH_MAX

Count = Callable[..., int]

FINE = '{"n": 1}'
BAD = {
    "not json": '{"n": ',
    "nan": '{"n": NaN}',
    "nul": '{"n": "\\u0000"}',
    "raw nul": '{"n": "\0"}',
    "too big": '"' + "x" * BYTES_MAX + '"',
    "too deep": "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
    "very deep": "[" * 10_000 + "]" * 10_000,
    "empty": "",
}


@pytest.mark.parametrize("name", BAD)
def test_enqueue_refuses_a_payload_that_cannot_be_read_and_stores_nothing(
    queue: BatchQueue, flow: str, name: str, count: Count
) -> None:
    with pytest.raises(RowError) as caught:
        queue.enqueue(flow, [FINE, FINE, BAD[name], FINE])
    assert (caught.value.line, caught.value.column, caught.value.n_bad) == (2, "payload", 1)
    assert len(caught.value.message) < 200
    assert count("processing_queue", flow_name=flow) == 0
    assert count("queue_batches", flow_name=flow) == 0


def test_enqueue_sends_bad_payloads_to_the_dead_letters_and_keeps_the_others_in_order(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    texts = [f'{{"n":{i}}}' for i in range(7)]
    mixed = [texts[0], BAD["not json"], *texts[1:5], BAD["nul"], *texts[5:]]
    ids = queue.enqueue(flow, mixed, batch_rows=4, on_bad="dead")
    batches = queue.claim(flow, 9)
    assert [b.n_items for b in batches] == [4, 3]
    assert [p for b in batches for p in queue.items(b)["payload"]] == texts
    rows = db.execute_query(
        "d", "SELECT payload_raw, fault, reason FROM dead_letters WHERE flow_name = :f ORDER BY seq", {"f": flow}
    )
    assert [bytes(raw).decode() for raw, _, _ in rows] == [BAD["not json"], BAD["nul"]]
    assert {fault for _, fault, _ in rows} == {"poison"}
    assert [reason.split(":")[0] for _, _, reason in rows] == ["payload 1", "payload 6"]
    assert len(ids) == 2


def test_enqueue_keeps_awkward_text_as_it_is(queue: BatchQueue, flow: str) -> None:
    values = ["tab\t", "new\nline", 'quo"te', "back\\slash", "\\u0000 escaped twice", "ünï€ 😀", "", "\\N", "\x1e"]
    pretty = [json.dumps({"v": value}, indent=2) for value in values]
    queue.enqueue(flow, pretty)
    (batch,) = queue.claim(flow)
    assert queue.items(batch)["payload"].to_list() == pretty
    decoded = queue.decode(batch, {"v": pl.String})
    assert (decoded.frame["v"].to_list(), decoded.misfits) == (values, [])


def test_enqueue_takes_frames_dicts_and_text(queue: BatchQueue, flow: str) -> None:
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    for payloads in (frame, frame.to_dicts(), [json.dumps(row) for row in frame.to_dicts()]):
        queue.enqueue(flow, payloads)
        (batch,) = queue.claim(flow)
        assert queue.decode(batch, {"a": pl.Int64, "b": pl.String}).frame.drop("seq").equals(frame)
    assert queue.enqueue(flow, []) == []
    assert queue.enqueue(flow, pl.DataFrame({"payload": [FINE]})) != []


def test_decode_reports_misfits_as_row_failures(queue: BatchQueue, flow: str, count: Count) -> None:
    queue.enqueue(
        flow, [{"a": 1}, {"a": "one"}, {"b": 5}, {"a": 2.5}, {"a": 3}, [1], {"a": 4}, {"a": 5}, {"a": 6}, {"a": 7}] * 3
    )
    (batch,) = queue.claim(flow)
    decoded = queue.decode(batch, {"a": pl.Int64})
    assert [one.seq for one in decoded.misfits] == [i + 10 * k for k in range(3) for i in (1, 3, 5)]
    assert decoded.frame["a"].to_list() == [1, None, 3, 4, 5, 6, 7] * 3


def test_enqueue_checks_its_numbers(queue: BatchQueue, flow: str) -> None:
    with pytest.raises(QueueError, match=r"batch_rows 0 is outside 1\.\.50000"):
        queue.enqueue(flow, [FINE], batch_rows=0)
    with pytest.raises(QueueError, match="priority 1001 is outside"):
        queue.enqueue(flow, [FINE], priority=1001)
    with pytest.raises(RowError, match="payload 1: Object of type set"):
        queue.enqueue(flow, [{}, {"a": {1}}])


def test_claim_goes_by_priority_then_age(queue: BatchQueue, flow: str) -> None:
    late = queue.enqueue(flow, [FINE], priority=200)
    first = queue.enqueue(flow, [FINE, FINE], batch_rows=1)
    urgent = queue.enqueue(flow, [FINE], priority=1)
    assert [b.batch_id for b in queue.claim(flow, 9)] == urgent + first + late


def test_put_trickles_into_batches_sealed_by_the_leader(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    for n in range(3):
        queue.put(flow, {"n": n})
    assert views.now(queue.db, flow).inbox_items == 3
    age = "UPDATE queue_inbox SET received_at = now() + make_interval(mins => :m) WHERE flow_name = :f"
    db.execute_query("young", age, {"f": flow, "m": 1})
    assert queue.sweep().sealed == 0
    db.execute_query("old", age, {"f": flow, "m": -1})
    assert queue.sweep().sealed == 1
    (batch,) = queue.claim(flow)
    assert queue.items(batch)["payload"].to_list() == ['{"n":0}', '{"n":1}', '{"n":2}']
    assert views.now(queue.db, flow).inbox_items == 0
    with pytest.raises(RowError):
        queue.put(flow, "{")


def test_partitions_stay_ahead_and_rotate_by_rows(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    (before,) = queue.enqueue(flow, [FINE] * 5)
    queue.settings = queue.settings.model_copy(update={"partition_rows": 5})
    queue.sweep()
    (after,) = queue.enqueue(flow, [FINE])
    assert after >= before + 1_000_000
    queue.sweep()
    ((ahead,),) = db.execute_query(
        "p", "SELECT count(*) FROM queue_partitions, queue_batch_id_seq WHERE lo > last_value"
    )
    assert ahead == 2
    # A producer that outran the leader makes its own.
    db.execute_query("s", "SELECT setval('queue_batch_id_seq', (SELECT max(hi) FROM queue_partitions) + 7)")
    (far,) = queue.enqueue(flow, [FINE])
    assert sorted(b.batch_id for b in queue.claim(flow, 9)) == [before, after, far]


def test_enqueue_refuses_a_job_of_another_tenant(queue: BatchQueue, flow: str, count: Count) -> None:
    queue.register_flow(FlowPolicy(flow, "second"))
    job = queue.submit_job(flow, flow, {}, "")
    with pytest.raises(QueueError, match=f"job {job.job_id} belongs to tenant default, not to second: ") as caught:
        queue.enqueue(flow, [FINE], job_id=job.job_id, tenant_id="second")
    assert caught.value.facts == {"job_id": job.job_id, "tenant_id": "second"}
    assert count("queue_batches", flow_name=flow) == 0

"""Bad input at every door: each has its own error, reaches the dead letters if asked, and harms no neighbour."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import HeadraceError, InputError, QueueError, RowError, SchemaError, UnknownFlow
from core.queue import BatchQueue, NewBatch, views
from core.queue.leases import dead_letters
from core.queue.payloads import BYTES_MAX, DEPTH_MAX
from core.queue.producers import stages
from core.queue.producers.enqueue import KEYS_BESIDE_ROWS
from core.queue.producers.screening import RAW_BYTES_MAX

Count = Callable[..., int]

HUGE = 100 * (1 << 20)
DEEP = 10_000


def deep() -> Any:
    value: Any = 1
    for _ in range(DEEP):
        value = [value]
    return value


def circle() -> Any:
    value: list[Any] = []
    value.append(value)
    return {"v": value}


TEXTS: dict[str, tuple[Callable[[], str], str]] = {
    "not JSON": (lambda: '{"n": ', "it is not JSON"),
    "raw NUL": (lambda: '{"n": "\0"}', "it holds the character NUL"),
    "escaped NUL": (lambda: '{"n": "\\u0000"}', "it holds the character NUL"),
    "100 MB": (lambda: '"' + "x" * HUGE + '"', f"{HUGE + 2} bytes, the limit is {BYTES_MAX}"),
    "10,000 deep": (lambda: "[" * DEEP + "]" * DEEP, f"nested deeper than {DEPTH_MAX}"),
    "no Unicode": (lambda: '"\ud800"', "text that is not valid Unicode"),
}
VALUES: dict[str, tuple[Callable[[], Any], str]] = {
    "NUL": (lambda: {"n": "\0"}, "it holds the character NUL"),
    "100 MB": (lambda: {"n": "x" * HUGE}, f"{HUGE + 8} bytes, the limit is {BYTES_MAX}"),
    "10,000 deep": (lambda: {"n": deep()}, f"nested deeper than {DEPTH_MAX}"),
    "no Unicode": (lambda: {"n": "\ud800"}, "text that is not valid Unicode"),
    "circle": (circle, "a number JSON cannot hold (NaN, infinity), or a circular reference"),
    "NaN": (lambda: {"n": float("nan")}, "a number JSON cannot hold (NaN, infinity), or a circular reference"),
    "date": (lambda: {"n": date(2020, 1, 1)}, "Object of type date is not JSON serializable"),
}
DOORS = {
    **{f"text, {name}": case for name, case in TEXTS.items()},
    **{f"value, {name}": case for name, case in VALUES.items()},
}
# 100 MB take a while: each door gets them once, in one form or the other.
TEXT_FORM = [name for name in DOORS if name != "value, 100 MB"]
VALUE_FORM = [name for name in DOORS if name != "text, 100 MB"]


@pytest.fixture
def unharmed(queue: BatchQueue, flow: str, count: Count) -> Callable[[], None]:
    """The neighbour that was there before is handed out whole, and nothing else is."""
    before = queue.enqueue(flow, [{"neighbour": 1}])

    def check() -> None:
        assert count("queue_batches", flow_name=flow) == 1
        (batch,) = queue.claim(flow, 9)
        assert [batch.batch_id] == before
        assert queue.items(batch)["payload"].to_list() == ['{"neighbour":1}']

    return check


@pytest.mark.parametrize("name", TEXT_FORM)
def test_enqueue_refuses_it_by_line_and_reason(
    queue: BatchQueue, flow: str, name: str, unharmed: Callable[[], None]
) -> None:
    make, reason = DOORS[name]
    fine: Any = "{}" if name.startswith("text") else {}
    with pytest.raises(RowError) as caught:
        queue.enqueue(flow, [fine, fine, make(), fine])
    assert (caught.value.line, caught.value.column, caught.value.reason) == (2, "payload", reason)
    assert len(caught.value.message) < 250
    unharmed()


@pytest.mark.parametrize("name", VALUE_FORM)
def test_put_refuses_it_too(
    queue: BatchQueue, flow: str, name: str, unharmed: Callable[[], None], count: Count
) -> None:
    make, reason = DOORS[name]
    with pytest.raises(RowError) as caught:
        queue.put(flow, make())
    assert (caught.value.line, caught.value.reason) == (0, reason)
    assert count("queue_inbox", flow_name=flow) == 0
    unharmed()


@pytest.mark.parametrize("name", TEXT_FORM)
def test_it_becomes_a_dead_letter_with_context_and_its_neighbours_go_in(
    queue: BatchQueue, flow: str, name: str, db: DatabaseManager
) -> None:
    make, reason = DOORS[name]
    fine: Any = '{"n":1}' if name.startswith("text") else {"n": 1}
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    sent = queue.enqueue(flow, [fine, fine, make(), fine], on_bad="dead", job_id=job.job_id)
    assert (sent.n_rows, sent.n_refused) == (3, 1)
    (batch,) = queue.claim(flow, 9)
    assert queue.items(batch)["payload"].to_list() == ['{"n":1}'] * 3
    text = (
        "SELECT fault, error_class, reason, stage, attempts, job_id, length(payload_raw) FROM dead_letters "
        "WHERE flow_name = :f"
    )
    ((*letter, n_raw),) = db.execute_query("d", text, {"f": flow})
    assert letter == ["poison", "RowError", f"payload 2: {reason}", "main", 0, job.job_id]
    assert n_raw <= RAW_BYTES_MAX
    assert (n_raw == RAW_BYTES_MAX) == ("100 MB" in name)
    assert dead_letters.redrive(queue.db, flow) == 0


def test_a_dead_letter_keeps_what_can_be_kept(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    odd: list[Any] = [{"when": date(2020, 1, 1), "n": 1}, "\ud800", circle(), {"n": {"deep": {1, 2}}}]
    queue.enqueue(flow, odd, on_bad="dead")
    raws = db.execute_query("d", "SELECT payload_raw FROM dead_letters WHERE flow_name = :f ORDER BY seq", {"f": flow})
    assert [bytes(raw) for (raw,) in raws] == [
        b'{"when":"<date>","n":1}',
        b"\\ud800",
        b"",
        b'{"n":{"deep":"<set>"}}',
    ]


def test_frames_are_a_door_too(queue: BatchQueue, flow: str, unharmed: Callable[[], None]) -> None:
    texts = [make() for name, (make, _) in TEXTS.items() if name != "no Unicode"]
    for text in texts:
        with pytest.raises(RowError, match="payload 1"):
            queue.enqueue(flow, pl.DataFrame({"payload": ["{}", text]}))
    with pytest.raises(RowError, match="payload 1: it holds the character NUL"):
        queue.enqueue(flow, pl.DataFrame({"a": ["x", "\0"], "b": [1, 2]}))
    with pytest.raises(RowError, match="payload 0: no payload"):
        queue.enqueue(flow, pl.DataFrame({"payload": [None, "{}"]}, schema={"payload": pl.String}))
    nested = pl.Series([[{"x": b"1"}]], dtype=pl.List(pl.Struct({"x": pl.Binary})))
    for name, frame in {
        "raw": pl.DataFrame({"n": [1], "raw": [b"1"]}),
        "inner": pl.DataFrame({"inner": nested}),
        "thing": pl.DataFrame({"thing": pl.Series([object()], dtype=pl.Object)}),
    }.items():
        with pytest.raises(SchemaError, match=f"column {name} .* has no JSON form") as caught:
            queue.enqueue(flow, frame, on_bad="dead")
        assert caught.value.column == name
    unharmed()


@pytest.mark.parametrize("one", ['{"n": 1}', b"{}", {"n": 1}])
def test_one_payload_is_not_a_list_of_them(queue: BatchQueue, flow: str, one: Any) -> None:
    with pytest.raises(InputError, match=f"this is one {type(one).__name__}: put it into a list"):
        queue.enqueue(flow, one)


NAIVE = datetime(2030, 1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"priority": 1001}, r"priority 1001 is outside 0\.\.1000"),
        ({"priority": -1}, r"priority -1 is outside 0\.\.1000"),
        ({"priority": "high"}, r"priority 'high' is outside 0\.\.1000"),
        ({"priority": True}, r"priority True is outside 0\.\.1000"),
        ({"batch_rows": 0}, r"batch_rows 0 is outside 1\.\.50000"),
        ({"batch_rows": 50_001}, r"batch_rows 50001 is outside 1\.\.50000"),
        ({"batch_rows": 2.5}, r"batch_rows 2\.5 is outside"),
        ({"not_before": NAIVE}, "2030-01-01 00:00:00 has no time zone; give an aware datetime"),
        ({"not_before": "tomorrow"}, "tomorrow has no time zone"),
        ({"stage": ""}, "a stage name has 1 to 100 characters"),
        ({"stage": "s" * 101}, "a stage name has 1 to 100 characters"),
        ({"stage": "\0"}, "no NUL"),
        ({"on_bad": "ignore"}, "on_bad is 'ignore'; it is 'raise' or 'dead'"),
        ({"job_id": 0}, "there is no job 0"),
    ],
)
def test_numbers_and_names_out_of_range_are_refused(
    queue: BatchQueue, flow: str, options: dict[str, Any], message: str, unharmed: Callable[[], None]
) -> None:
    with pytest.raises(QueueError, match=message):
        queue.enqueue(flow, [{"n": 1}], **options)
    unharmed()


def test_stages_check_the_same(queue: BatchQueue, flow: str) -> None:
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    for stage, batch, when, message in [
        ("", NewBatch(0, 1, {}), None, "a stage name"),
        ("s", NewBatch(0, 1, {}, priority=2000), None, "priority 2000"),
        ("s", NewBatch(0, 1, {}), NAIVE, "has no time zone"),
    ]:
        with pytest.raises(QueueError, match=message):
            queue.open_stage(job.job_id, stage, [batch], not_before=when)
    assert stages.progress(queue.db, job.job_id) == []


def test_unknown_flows_are_refused_at_each_door_with_a_suggestion(queue: BatchQueue, flow: str) -> None:
    wrong = flow + "x"
    doors: list[Callable[[], object]] = [
        lambda: queue.enqueue(wrong, [{}]),
        lambda: queue.enqueue(wrong, [{}], unique_keys=["a"], on_bad="dead"),
        lambda: queue.put(wrong, {}),
        lambda: queue.submit_job(wrong, "key", {}, "d"),
        lambda: dead_letters.redrive(queue.db, wrong),
    ]
    for door in doors:
        with pytest.raises(UnknownFlow, match=f"did you mean {flow}"):
            door()
    with pytest.raises(UnknownFlow):
        queue.enqueue(flow, [{}], tenant_id="nobody")


def test_no_error_shows_row_data(queue: BatchQueue, flow: str) -> None:
    secret = "078-05-1120"
    for rows in ([f'{{"ssn": {secret}'], [{"ssn": {secret}}], [f'{{"ssn": "{secret}\\u0000"}}']):
        with pytest.raises(HeadraceError) as caught:
            queue.enqueue(flow, rows)
        assert secret not in str(caught.value) + json.dumps(caught.value.facts, default=str)


@pytest.mark.parametrize(
    "zone", [ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-9, minutes=-30))]
)
def test_a_moment_of_any_zone_is_stored_as_the_same_instant(
    queue: BatchQueue, flow: str, db: DatabaseManager, zone: tzinfo
) -> None:
    moment = datetime(2040, 7, 1, 9, 30, tzinfo=zone)
    queue.enqueue(flow, [{"n": 1}], not_before=moment)
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    queue.open_stage(job.job_id, "s", [NewBatch(0, 3, {"uri": "u"})], not_before=moment)
    kept = db.execute_query("n", "SELECT not_before FROM processing_queue WHERE flow_name = :f", {"f": flow})
    assert kept == [(moment,), (moment,)]


def test_a_delayed_batch_starts_when_its_time_has_come(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    (delayed,) = queue.enqueue(flow, [{"n": 1}], not_before=later)
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    queue.open_stage(job.job_id, "s", [NewBatch(0, 3, {"uri": "u"})], not_before=later)
    assert views.now(queue.db, flow).scheduled_items == 4
    queue.sweep()
    assert queue.claim(flow, 9) == []
    kept = db.execute_query("n", "SELECT not_before FROM processing_queue WHERE batch_id = :b", {"b": delayed})
    assert kept == [(later,)]
    soon = "UPDATE processing_queue SET not_before = now() WHERE flow_name = :f"
    db.execute_query("soon", soon, {"f": flow})
    queue.sweep()
    assert [batch.n_items for batch in queue.claim(flow, 9)] == [1, 3]


def test_one_rule_for_numbers_json_cannot_hold_at_both_doors(queue: BatchQueue, flow: str) -> None:
    values = [1.5, float("nan"), float("inf")]
    for rows in ([{"a": value} for value in values], pl.DataFrame({"a": values})):
        with pytest.raises(RowError, match="payload 1: a number JSON cannot hold"):
            queue.enqueue(flow, rows)
        assert queue.enqueue(flow, rows, on_bad="dead").n_refused == 2


def test_a_key_that_stands_twice_is_refused_at_every_door(queue: BatchQueue, flow: str) -> None:
    twice = '{"amount":1,"amount":2}'
    doors: list[Callable[[], object]] = [
        lambda: queue.enqueue(flow, [twice]),
        lambda: queue.enqueue(flow, pl.DataFrame({"payload": [twice]})),
        lambda: queue.enqueue(flow, [{1: "a", "1": "b"}]),
        lambda: queue.put(flow, twice),
        lambda: DistributedProcessor(queue.db, queue.settings).add_records_to_queue(flow, [{1: "a", "1": "b"}]),
    ]
    for door in doors:
        with pytest.raises(RowError, match="payload 0: a key stands twice"):
            door()
    done = queue.enqueue(flow, [twice, {"amount": 3}], on_bad="dead")
    assert (done.n_rows, done.n_refused) == (1, 1)


def test_a_key_that_stands_twice_among_many_payloads_is_found_while_they_are_stored(
    queue: BatchQueue, flow: str, count: Callable[..., int]
) -> None:
    texts = [f'{{"amount":{n}}}' for n in range(KEYS_BESIDE_ROWS)]
    texts[700] = '{"amount":1,"amount":2}'
    n_before = count("queue_items")
    with pytest.raises(RowError, match="payload 700: a key stands twice"):
        queue.enqueue(flow, texts, unique_keys=[str(n) for n in range(len(texts))])
    assert count("queue_items") == n_before
    texts[3] = "{"
    done = queue.enqueue(flow, pl.DataFrame({"payload": texts}), on_bad="dead")
    assert (done.n_rows, done.n_refused) == (KEYS_BESIDE_ROWS - 2, 2)
    assert count("queue_items") == n_before + done.n_rows

"""Every mode of a table sink on a real database, run after run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from core.pipelines.compiling.held import StoppedRun
from tests.integration.workloads.pipelines.conftest import Bench

HEAD = "order_id,amount,status,seen"
Spec = Callable[[str], str]
ALL = "SELECT order_id, amount::text, status FROM sales.orders ORDER BY order_id"


def test_upsert_writes_new_and_changed_rows_and_no_other(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,paid,2026-01-01", "2,20.00,,2026-01-01")
    first = bench.load(orders("mode: upsert, keys: [order_id]"))
    assert first.rows == {"read": 2, "dead": 0, "inserted": 2, "updated": 0, "unchanged": 0}
    before = dict(bench.sql("SELECT order_id, xmin::text FROM sales.orders"))
    bench.land("orders/1.csv", HEAD, "1,10.00,paid,2026-01-01", "2,21.00,,2026-01-01", "3,5,new,2026-01-02")
    assert bench.run("orders_load").rows == {"read": 3, "dead": 0, "inserted": 1, "updated": 1, "unchanged": 1}
    assert bench.sql(ALL) == [(1, "10.00", "paid"), (2, "21.00", None), (3, "5.00", "new")]
    after = dict(bench.sql("SELECT order_id, xmin::text FROM sales.orders"))
    assert (after[1] == before[1], after[2] == before[2]) == (True, False)


def test_an_older_row_never_overwrites_a_newer_one(bench: Bench, orders: Spec) -> None:
    spec = orders("mode: upsert, keys: [order_id], newer_by: seen")
    bench.land("orders/1.csv", HEAD, "1,10.00,old,2026-01-01", "1,12.00,new,2026-01-03")
    bench.load(spec)
    assert bench.sql(ALL) == [(1, "12.00", "new")]
    bench.land("orders/1.csv", HEAD, "1,9.00,older,2026-01-02")
    assert bench.run("orders_load").rows["updated"] == 0
    assert bench.sql(ALL) == [(1, "12.00", "new")]


def test_a_key_twice_in_a_run_without_a_newest_stops_it(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,2026-01-01", "1,12.00,b,2026-01-03", "2,1,c,")
    bench.approve(orders("mode: upsert, keys: [order_id]"))
    with pytest.raises(StoppedRun, match=r"1 rows repeat a key of \[order_id\]"):
        bench.run("orders_load")
    assert bench.sql(ALL) == []
    assert bench.sql("SELECT state, reason IS NOT NULL FROM pipeline_runs") == [("stopped", True)]


def test_of_two_equally_new_rows_neither_is_guessed(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,2026-01-01", "1,12.00,b,2026-01-01", "2,1,c,", "2,1,c,")
    bench.approve(orders("mode: upsert, keys: [order_id], newer_by: seen"))
    with pytest.raises(StoppedRun, match="1 rows have the key and the seen of another and differ"):
        bench.run("orders_load")


def test_append_with_keys_leaves_out_what_is_there(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "2,20.00,b,")
    bench.load(orders("mode: append, keys: [order_id]"))
    bench.land("orders/1.csv", HEAD, "2,99.00,b,", "3,30.00,c,")
    assert bench.run("orders_load").rows == {"read": 2, "dead": 0, "inserted": 1, "unchanged": 1}
    assert bench.sql(ALL) == [(1, "10.00", "a"), (2, "20.00", "b"), (3, "30.00", "c")]


def test_replace_leaves_what_was_read_alone(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "2,20.00,b,")
    bench.load(orders("mode: replace"))
    bench.land("orders/1.csv", HEAD, "3,30.00,c,")
    assert bench.run("orders_load").rows == {"read": 1, "dead": 0, "deleted": 2, "inserted": 1}
    assert bench.sql(ALL) == [(3, "30.00", "c")]


def test_replace_within_empties_a_group_whose_rows_are_all_filtered_out(
    bench: Bench, orders: Callable[..., str]
) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "2,20.00,b,", "3,30.00,c,")
    bench.load(orders("mode: replace, within: [status]"))
    bench.land("orders/1.csv", HEAD, "4,-1.00,a,", "5,50.00,b,")
    bench.load(orders("mode: replace, within: [status]", steps='[{do: filter, where: "amount > 0"}]'))
    assert bench.sql(ALL) == [(3, "30.00", "c"), (5, "50.00", "b")]


def test_scd2_keeps_what_was_and_closes_what_is_gone(bench: Bench) -> None:
    spec = (
        "pipeline: customers\n"
        "sources: {c: {kind: csv, at: landing, path: c.csv, columns: {id: int, segment: text}}}\n"
        "sink: {table: sales.customers, mode: scd2, keys: [id], absent: close, create: true}\n"
    )
    bench.land("c.csv", "id,segment", "1,gold", "2,silver", "3,")
    bench.load(spec, datetime(2026, 1, 1))
    bench.land("c.csv", "id,segment", "1,gold", "2,gold")
    assert bench.run("customers", datetime(2026, 1, 2)).rows == {
        "read": 2, "dead": 0, "inserted": 1, "closed": 2, "unchanged": 1,
    }  # fmt: skip
    assert bench.sql(
        "SELECT id, segment, valid_from::date::text, valid_to::date::text, is_current FROM sales.customers "
        "ORDER BY id, valid_from"
    ) == [
        (1, "gold", "2026-01-01", None, True),
        (2, "silver", "2026-01-01", "2026-01-02", False),
        (2, "gold", "2026-01-02", None, True),
        (3, None, "2026-01-01", "2026-01-02", False),
    ]


def test_a_table_is_made_with_its_key_and_types(bench: Bench) -> None:
    bench.sql("DROP SCHEMA sales CASCADE")
    bench.land("c.csv", "id,price,day,ok,note", "1,1.50,2026-01-02,true,{}")
    bench.load(
        "pipeline: made\n"
        "sources: {c: {kind: csv, at: landing, path: c.csv, columns: {id: int, price: 'decimal(10,2)', day: date, "
        "ok: bool, note: json}}}\n"
        "sink: {table: sales.made, mode: upsert, keys: [id], create: true}\n"
    )
    assert bench.sql(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass('sales.made') AND attnum > 0 ORDER BY attnum"
    ) == [("id", "bigint"), ("price", "numeric(10,2)"), ("day", "date"), ("ok", "boolean"), ("note", "jsonb")]
    assert bench.run("made").rows["unchanged"] == 1


def test_rows_that_a_table_cannot_hold_are_dead(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "2,1234567.00,b,", "3,,c,", "4,1,d,")
    report = bench.load(orders("mode: upsert, keys: [order_id]"))
    assert [(one.step, one.column, one.fault, one.rows) for one in report.dead] == [
        ("sink", "amount", "overflow", 1),
        ("sink", "amount", "rule", 1),
    ]
    assert [row[0] for row in bench.sql(ALL)] == [1, 4]
    assert bench.sql("SELECT step, name, fault, rows FROM pipeline_dead ORDER BY fault") == [
        ("sink", "amount", "overflow", 1),
        ("sink", "amount", "rule", 1),
    ]

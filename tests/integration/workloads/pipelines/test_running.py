"""What a run as a whole holds to: approval, one at a time, dead rows, checks, files that appear whole."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from core.database.queries import load, run
from core.errors import ConfigError, InputError
from core.intake.tables.workbook import read_workbook
from core.pipelines.compiling.held import StoppedRun
from core.pipelines.language.reading import read_spec
from core.workloads.pipelines.state.versions import approved_as
from tests.integration.workloads.pipelines.conftest import Bench

HEAD = "order_id,amount,status,seen"
Spec = Callable[..., str]


def test_a_changed_spec_is_not_run_and_the_same_in_other_words_is(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    spec = orders("mode: replace")
    with bench.db.transaction() as conn, pytest.raises(InputError, match=r"orders.yaml: it is not approved; `headrace"):
        approved_as(conn, read_spec(spec), "orders.yaml")
    assert bench.approve(spec) == 1
    assert bench.approve("# as before\n" + spec.replace("mode: replace", "mode:   replace")) == 1
    with bench.db.transaction() as conn:
        assert approved_as(conn, read_spec(spec), "orders.yaml").number == 1
        with pytest.raises(InputError, match="it differs from version 1"):
            approved_as(conn, read_spec(spec.replace("0.5", "0.6")), "orders.yaml")
    assert bench.approve(spec.replace("0.5", "0.6")) == 2


def test_in_production_another_person_approves(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    with pytest.raises(ConfigError, match="version 1 is written by ann and waits: in PRODUCTION another person"):
        bench.approve(orders("mode: replace"), "ann", "PRODUCTION")
    with pytest.raises(InputError, match="there is no approved pipeline orders_load"):
        bench.run("orders_load")
    assert bench.approve(orders("mode: replace"), "ben", "PRODUCTION") == 1
    assert bench.run("orders_load").rows["inserted"] == 1


def test_a_version_does_not_change(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    bench.approve(orders("mode: replace"))
    with pytest.raises(Exception, match="refused"):
        bench.sql("UPDATE pipelines SET spec = 'other'")


def test_a_second_run_at_once_is_refused_in_words(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    bench.approve(orders("mode: replace"))
    with bench.db.transaction() as conn:
        run(conn, load("pipelines")["pipeline_run_lock"], {"name": "orders_load"})
        with pytest.raises(InputError, match="another run of orders_load is under way"):
            bench.run("orders_load")
    assert bench.run("orders_load").rows["inserted"] == 1


def test_a_paused_pipeline_is_refused(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    bench.approve(orders("mode: replace"))
    bench.sql("INSERT INTO pipeline_pauses (name, paused_by) VALUES ('orders_load', 'ann')")
    with pytest.raises(InputError, match="orders_load is paused by ann; `headrace pipeline resume orders_load`"):
        bench.run("orders_load")


def test_too_many_dead_rows_stop_a_run_and_are_counted(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "x,1,b,", "y,2,c,")
    bench.approve(orders("mode: replace"))
    with pytest.raises(
        StoppedRun, match=r"2 of 3 rows are dead, more than dead_share 0.5; nothing was written. Most: 2"
    ):
        bench.run("orders_load")
    assert bench.sql("SELECT state FROM pipeline_runs") == [("stopped",)]
    assert bench.sql("SELECT step, name, fault, rows FROM pipeline_dead") == [("sources.orders", "order_id", "cast", 2)]
    assert bench.sql("SELECT count(*) FROM sales.orders") == [(0,)]


def test_a_check_that_fails_stops_and_one_that_warns_is_kept(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,", "2,20.00,a,")
    steps = "[{do: check, rules: {enough: count(*) >= 3}, on_fail: %s}]"
    bench.approve(orders("mode: replace", steps=steps % "stop"))
    with pytest.raises(StoppedRun, match="enough"):
        bench.run("orders_load")
    bench.load(orders("mode: replace", steps=steps % "warn"))
    assert bench.sql("SELECT step, rule, passed, on_fail FROM pipeline_checks") == [
        ("steps.0 check", "enough", False, "warn")
    ]


def test_a_run_that_lost_its_process_is_told_so(bench: Bench, orders: Spec) -> None:
    bench.land("orders/1.csv", HEAD, "1,10.00,a,")
    bench.approve(orders("mode: replace"))
    bench.sql(
        "INSERT INTO pipeline_runs (name, version, state, started_at) VALUES ('orders_load', 1, 'running', now())"
    )
    bench.run("orders_load")
    assert bench.sql("SELECT state FROM pipeline_runs ORDER BY run_id") == [("lost",), ("published",)]


FILE = """
pipeline: out
sources: {s: {kind: csv, at: landing, path: a.csv, columns: {id: int, name: text}}}
sink: {at: exports, file: deep/FILE, format: FORMAT}
"""


@pytest.mark.parametrize(
    ("name", "form"),
    [("o.csv", "csv"), ("o.csv.gz", "csv"), ("o.parquet", "parquet"), ("o.jsonl", "json"), ("o.xlsx", "excel")],
)
def test_files_are_written_whole_and_formulas_escaped(bench: Bench, name: str, form: str) -> None:
    bench.land("a.csv", "id,name", "1,=1+1", "2,b")
    bench.load(FILE.replace("FILE", name).replace("FORMAT", form))
    path = bench.exports / "deep" / name
    assert [one.name for one in path.parent.iterdir()] == [name]
    match form:
        case "csv":
            assert pl.read_csv(path)["name"].to_list() == ["'=1+1", "b"]
        case "parquet":
            assert pl.read_parquet(path)["name"].to_list() == ["=1+1", "b"]
        case "json":
            assert pl.read_ndjson(path)["name"].to_list() == ["=1+1", "b"]
        case "excel":
            assert read_workbook(path)["name"].to_list() == ["=1+1", "b"]


def test_a_part_that_was_published_takes_its_name_at_the_next_run(bench: Bench) -> None:
    bench.land("a.csv", "id,name", "1,a")
    bench.load(FILE.replace("FILE", "o.csv").replace("FORMAT", "csv"))
    path = bench.exports / "deep" / "o.csv"
    # Killed between the commit and the rename; and another one before its commit.
    path.rename(bench.exports / bench.sql("SELECT part FROM pipeline_sink_files")[0][0])
    path.with_name(".o.csv.999.part").write_text("never published")
    (bench.landing / "a.csv").unlink()
    with pytest.raises(InputError, match="no file in landing is called a.csv"):
        bench.run("out")
    assert path.read_text() == "id,name\n1,a\n"
    assert [one.name for one in path.parent.iterdir()] == ["o.csv"]

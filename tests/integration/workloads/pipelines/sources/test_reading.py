"""What sources give: every word of files and tables, what is new, and drift."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.pipelines.compiling.held import StoppedRun
from core.pipelines.refusals import PipelineRefused
from tests.integration.workloads.pipelines.conftest import Bench

OUT = "SELECT * FROM sales.out ORDER BY 1"


def spec(source: str, mode: str = "append", more: str = "") -> str:
    return (
        f"pipeline: load\nsources: {{s: {{{source}}}}}\nsink: {{table: sales.out, mode: {mode}, create: true}}\n"
        f"run: {{dead_share: 0.9}}\n{more}"
    )


def test_a_csv_is_read_by_every_word_it_has(bench: Bench) -> None:
    text = "1;1.234,56;31.12.2025 23:30;-\n2;x;01.07.2025 00:00;Zoë\n3;7,5;;NA\n"
    (bench.landing / "a.csv").write_bytes(text.encode("latin-1"))
    report = bench.load(
        spec(
            "kind: csv, at: landing, path: a.csv, separator: ';', decimal: ',', thousands: '.', encoding: latin-1, "
            "header: false, null_values: ['-', NA], date_format: '%d.%m.%Y %H:%M', timezone: Europe/Berlin, "
            "columns: {id: int, amount: 'decimal(12,2)', seen: timestamp, name: text}"
        )
    )
    assert [(one.step, one.column, one.fault, one.rows) for one in report.dead] == [("sources.s", "amount", "cast", 1)]
    assert bench.sql("SELECT id, amount::text, seen::text, name FROM sales.out ORDER BY id") == [
        (1, "1234.56", "2025-12-31 22:30:00+00", None),
        (3, "7.50", None, None),
    ]


def test_a_decimal_comma_is_no_point(bench: Bench) -> None:
    bench.land("a.csv", "id;v", "1;1.5", "2;1,5", "3;1.500", "4;1.50.0", "5;12.345.678,9")
    bench.load(
        spec(
            "kind: csv, at: landing, path: a.csv, decimal: ',', thousands: '.', columns: {id: int, v: 'decimal(12,2)'}"
        )
    )
    assert bench.sql("SELECT id, v::text FROM sales.out ORDER BY id") == [
        (2, "1.50"),
        (3, "1500.00"),
        (5, "12345678.90"),
    ]


def test_files_are_read_packed_and_by_pattern_and_types_are_found(bench: Bench) -> None:
    bench.land("d/b.csv", "id,code,price,day,ok", "1,007,1.5,2026-01-02,true")
    with gzip.open(bench.landing / "d" / "c.csv.gz", "wt") as file:
        file.write("id,code,price,day,ok\n2,abc,2,2026-01-03,false\n")
    bench.load(spec("kind: csv, at: landing, path: 'd/*.csv*'"))
    assert bench.sql("SELECT id, code, price::text, day::text, ok FROM sales.out ORDER BY id") == [
        (1, "007", "1.500000000", "2026-01-02", True),
        (2, "abc", "2.000000000", "2026-01-03", False),
    ]


def test_parquet_json_and_sheets_give_the_same_rows(bench: Bench) -> None:
    frame = pl.DataFrame({"id": [1, 2], "name": ["a", None], "at": [datetime(2026, 1, 1, 8), None]})
    frame.with_columns(pl.col("at").dt.replace_time_zone("UTC")).write_parquet(bench.landing / "a.parquet")
    frame.write_excel(bench.landing / "a.xlsx", worksheet="rows", position="A3")
    lines = [json.dumps({"id": 1, "name": "a", "at": "2026-01-01T09:00:00+01:00"}), json.dumps({"id": 2})]
    bench.land("a.jsonl", *lines)
    bench.land("a.json", json.dumps({"data": {"rows": [json.loads(line) for line in lines]}}))
    columns = "columns: {id: int, name: text, at: timestamp}"
    for words in (
        "kind: parquet, at: landing, path: a.parquet",
        "kind: excel, at: landing, path: a.xlsx, sheet: rows, header_row: 3",
        "kind: json, at: landing, path: a.jsonl",
        "kind: json, at: landing, path: a.json, records: data.rows",
    ):
        bench.load(spec(f"{words}, {columns}", "replace"))
        assert bench.sql("SELECT id, name, at::text FROM sales.out ORDER BY id") == [
            (1, "a", "2026-01-01 08:00:00+00"),
            (2, None, None),
        ], words


def test_json_columns_stay_json(bench: Bench) -> None:
    bench.land("r.jsonl", '{"device": "x", "payload": {"t": [1, 2.5], "s": "é"}}', '{"device": "y", "payload": "z"}')
    bench.load(spec("kind: json, at: landing, path: r.jsonl, columns: {device: text, payload: json}"))
    assert bench.sql("SELECT device, payload->>'s', payload::text FROM sales.out ORDER BY 1") == [
        ("x", "é", '{"s": "é", "t": [1, 2.5]}'),
        ("y", None, '"z"'),
    ]


def test_new_files_are_read_once_and_a_stopped_run_marks_none(bench: Bench) -> None:
    source = "kind: csv, at: landing, path: 'd/*.csv', columns: {id: int}, incremental: {files: new}"
    bench.land("d/1.csv", "id", "1")
    assert bench.load(spec(source)).files == {"s": 1}
    assert bench.run("load").rows["read"] == 0
    bench.land("d/2.csv", "id", "x", "y")
    with pytest.raises(StoppedRun, match="no value of id is int any more"):
        bench.run("load")
    bench.land("d/2.csv", "id", "2")
    bench.land("d/1.csv", "id", "100")
    assert bench.run("load").files == {"s": 1}
    assert bench.sql(OUT) == [(1,), (2,)]


def test_changed_files_are_read_again(bench: Bench) -> None:
    source = "kind: csv, at: landing, path: 'd/*.csv', columns: {id: int}, incremental: {files: changed}"
    bench.land("d/1.csv", "id", "1")
    bench.load(spec(source))
    bench.land("d/1.csv", "id", "10", "20")
    assert bench.run("load").rows["read"] == 2
    assert bench.run("load").rows["read"] == 0


def test_a_cursor_reads_what_is_new_and_settled(bench: Bench) -> None:
    bench.sql("CREATE TABLE sales.log (id int, at timestamptz)")
    bench.sql("INSERT INTO sales.log VALUES (1, '2026-01-10 11:00+00'), (2, '2026-01-10 11:58+00'), (3, NULL), "
              "(4, '2030-01-01 00:00+00')")  # fmt: skip
    source = "kind: table, table: sales.log, incremental: {column: at}"
    report = bench.load(spec(source))
    assert [(one.column, one.fault, one.rows) for one in report.dead] == [("at", "cursor", 1)]
    assert report.watermarks == {"s": "2026-01-10 11:00:00+00"}
    assert bench.run("load").rows == {"read": 1, "dead": 1, "inserted": 0}
    bench.sql("INSERT INTO sales.log VALUES (5, '2026-01-10 11:00+00'), (6, '2026-01-10 11:30+00')")
    later = bench.run("load", datetime(2026, 1, 10, 12, 30))
    assert later.watermarks == {"s": "2026-01-10 11:58:00+00"}
    assert [row[0] for row in bench.sql(OUT)] == [1, 2, 6]


def test_a_lag_reads_again_and_keys_leave_out_what_is_there(bench: Bench) -> None:
    bench.sql("CREATE TABLE sales.log (id int PRIMARY KEY, at timestamptz NOT NULL)")
    bench.sql("INSERT INTO sales.log VALUES (1, '2026-01-10 11:00+00')")
    text = spec("kind: table, table: sales.log, incremental: {column: at, lag: 1h, start: '2026-01-01'}")
    bench.load(text.replace("mode: append", "mode: append, keys: [id]"))
    bench.sql("INSERT INTO sales.log VALUES (2, '2026-01-10 10:30+00'), (3, '2026-01-10 09:30+00')")
    assert bench.run("load").rows == {"read": 2, "dead": 0, "inserted": 1, "unchanged": 1}
    assert [row[0] for row in bench.sql(OUT)] == [1, 2]


def test_whole_groups_are_read_again_where_a_row_of_them_is_new(bench: Bench) -> None:
    bench.sql("CREATE TABLE sales.log (id int PRIMARY KEY, day date, amount int)")
    bench.sql("INSERT INTO sales.log VALUES (1, '2026-01-01', 5), (2, '2026-01-02', 7)")
    text = (
        "pipeline: load\nsources: {s: {kind: table, table: sales.log, incremental: {column: id, whole: [day]}}}\n"
        "steps: [{do: aggregate, by: [day], values: {total: sum(amount)}}]\n"
        "sink: {table: sales.out, mode: upsert, keys: [day], create: true}\n"
    )
    bench.load(text)
    bench.sql("INSERT INTO sales.log VALUES (3, '2026-01-01', 10)")
    assert bench.run("load").rows["updated"] == 1
    assert bench.sql("SELECT day::text, total::text FROM sales.out ORDER BY 1") == [
        ("2026-01-01", "15"),
        ("2026-01-02", "7"),
    ]


@pytest.mark.parametrize(
    "where",
    ["country = 'DE' and amount >= 2", "country in ('DE', 'AT') and amount is not null", "upper(country) = 'DE'"],
)
def test_a_filter_of_a_table_keeps_the_same_rows_pushed_or_not(bench: Bench, where: str) -> None:
    bench.sql("CREATE TABLE sales.c (id int, country text, amount numeric(6,2))")
    bench.sql("INSERT INTO sales.c VALUES (1, 'DE', 1), (2, 'DE', 2.5), (3, 'fr', 9), (4, NULL, 9), (5, 'DE', NULL)")
    kept = [row[0] for row in bench.sql(f"SELECT id FROM sales.c WHERE {where} ORDER BY id")]
    bench.load(spec(f'kind: table, at: erp, table: sales.c, where: "{where}"'))
    assert [row[0] for row in bench.sql(OUT)] == kept


def test_a_link_out_of_the_folder_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id\n1\n")
    (bench.landing / "a.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="landing: a.csv is a link that leaves it"):
        bench.load(spec("kind: csv, at: landing, path: a.csv"))


@pytest.mark.parametrize(
    ("drift", "header", "says"),
    [
        ("", "id,other", None),
        ("drift: {new: stop}", "id,name,more", "there is a new column more"),
        ("", "id", "there is no column name any more"),
        ("drift: {missing: empty}", "id", None),
    ],
)
def test_drift_is_met_as_the_spec_says(bench: Bench, drift: str, header: str, says: str | None) -> None:
    bench.land("a.csv", "id,name", "1,a")
    words = f", {drift}" if drift else ""
    columns = "columns: {id: int, name: text}" if "other" not in header else "columns: {id: int}"
    bench.load(spec(f"kind: csv, at: landing, path: a.csv, {columns}{words}", "replace"))
    bench.land("a.csv", header, ",".join("2" * (header.count(",") + 1)))
    if says is None:
        assert bench.run("load").rows["inserted"] == 1
        return
    with pytest.raises(StoppedRun, match=says):
        bench.run("load")


def test_values_of_another_type_are_dead_where_the_spec_says_so(bench: Bench) -> None:
    bench.land("a.csv", "id", "1", "2", "3")
    text = spec("kind: csv, at: landing, path: a.csv, columns: {id: int}, drift: {type: dead}")
    bench.load(text.replace("0.9", "1"))
    bench.land("a.csv", "id", "x")
    assert bench.run("load").rows == {"read": 1, "dead": 1, "inserted": 0}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("kind: csv, at: landing, path: a.csv, columns: {id: int}, drift: {new: add}", "add is not carried out yet"),
        (
            "kind: csv, at: landing, path: a.csv, columns: {id: int}, drift: {type: widen}",
            "widen is not carried out yet",
        ),
        ("kind: http, at: api, path: /v1", "http is not read yet"),
    ],
)
def test_what_is_not_built_is_refused_before_anything_is_read(bench: Bench, source: str, says: str) -> None:
    with pytest.raises(PipelineRefused, match=says):
        bench.approve(spec(source))

"""What goes in through COPY comes out through COPY, on a real server."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.database import DatabaseManager, copy_binary
from core.database.copy import copy_in, copy_out
from core.database.queries import Query
from tests.profiles import scaled

TEXT = st.one_of(
    st.sampled_from(
        ["", "\\N", "\\.", "\\", '"', "\t", "\n", "\r\n", "\\n", "\\\\t", "\b\f\v", "NULL", ",", "é\u2028"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    st.text("\\ntrbfvN\t\n\r.", max_size=12),
)
# JSON has no NUL for PostgreSQL's json either, which refuses \u0000 only in jsonb.
JSON = st.recursive(st.none() | st.integers(-9, 9) | TEXT, lambda inner: st.lists(inner, max_size=3)).map(json.dumps)
MICROS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))

COLUMNS: dict[str, tuple[str, Any, st.SearchStrategy[Any]]] = {
    "t": ("text", pl.String, TEXT),
    "j": ("json", pl.String, JSON),
    "u": ("uuid", pl.String, st.uuids().map(str)),
    "y": ("bytea", pl.Binary, st.binary(max_size=9)),
    "i2": ("smallint", pl.Int16, st.integers(-(2**15), 2**15 - 1)),
    "i4": ("int", pl.Int32, st.integers(-(2**31), 2**31 - 1)),
    "i8": ("bigint", pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "f4": ("real", pl.Float32, st.floats(width=32, allow_nan=False)),
    "f8": ("double precision", pl.Float64, st.floats(allow_nan=False)),
    "b": ("boolean", pl.Boolean, st.booleans()),
    "d": ("date", pl.Date, st.dates(date(1, 1, 1), date(9999, 12, 31))),
    "h": ("time", pl.Time, st.times(max_value=time(23, 59, 59))),
    "ts": ("timestamp", pl.Datetime("us"), MICROS),
    "tz": ("timestamptz", pl.Datetime("us", "UTC"), MICROS.map(lambda moment: moment.replace(tzinfo=UTC))),
    "n": ("numeric(12,3)", pl.Decimal(12, 3), st.decimals(-(10**8), 10**8, places=3)),
}
SCHEMA = {name: dtype for name, (_, dtype, _) in COLUMNS.items()}
ALL = Query("all_rows", "many", "", "SELECT * FROM copied ORDER BY row_no")
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, _, values) in COLUMNS.items()}), max_size=5
)


@pytest.fixture(scope="module")
def table(db: DatabaseManager) -> str:
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
    db.execute_query("create", f"CREATE TABLE copied (row_no int, {columns})")
    return "copied"


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, strict=False)
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("row_no"), *SCHEMA)


def round_trip(conn: psycopg.Connection[Any], table: str, frame: pl.DataFrame, schema: Any) -> pl.DataFrame:
    conn.execute("TRUNCATE copied")
    assert copy_in(conn, table, frame) == frame.height
    return copy_out(conn, ALL, schema=schema)


@settings(max_examples=scaled(0.6))
@given(rows=ROWS)
def test_copy_round_trip_keeps_every_value_and_null(
    db: DatabaseManager, table: str, rows: list[dict[str, Any]]
) -> None:
    frame = frame_of(rows)
    with db.transaction() as conn:
        # Once with the server's own word for the types, once with ours.
        assert_frame_equal(round_trip(conn, table, frame, None), frame)
        assert_frame_equal(round_trip(conn, table, frame, frame.schema), frame)


@settings(max_examples=scaled(0.6))
@given(values=st.lists(st.none() | TEXT, max_size=6))
def test_copy_round_trip_of_a_single_text_column(db: DatabaseManager, table: str, values: list[str | None]) -> None:
    frame = frame_of([{"t": value} for value in values]).select("row_no", "t")
    only_text = Query("only_text", "many", "", "SELECT t FROM copied ORDER BY row_no")
    with db.transaction() as conn:
        conn.execute("TRUNCATE copied")
        copy_in(conn, table, frame)
        assert copy_out(conn, only_text)["t"].to_list() == values
        # The server agrees with what polars reads back.
        assert [row[0] for row in conn.execute(only_text.sql)] == values


@settings(max_examples=scaled(0.4))
@given(value=st.decimals(-(10**6), 10**6, places=3).map(Decimal), days=st.integers(0, 10**6))
def test_copy_in_agrees_with_parameters_of_the_driver(
    db: DatabaseManager, table: str, value: Decimal, days: int
) -> None:
    day = date.fromordinal(1 + days)
    with db.transaction() as conn:
        conn.execute("TRUNCATE copied")
        copy_in(conn, table, frame_of([{"n": value, "d": day, "f8": days / 7}]))
        row = conn.execute("SELECT n = %s, d = %s, f8 = %s FROM copied", (value, day, days / 7)).fetchone()
    assert row == (True, True, True)


BINARY = {"i2": pl.Int16, "i8": pl.Int64, "row_no": pl.Int32}


@settings(max_examples=scaled(0.6))
@given(
    rows=st.lists(
        st.fixed_dictionaries({"i2": COLUMNS["i2"][2], "i8": COLUMNS["i8"][2], "j": st.none() | JSON}), max_size=6
    )
)
def test_copy_in_by_bytes_equals_copy_in_by_text(db: DatabaseManager, table: str, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(
        [{**row, "row_no": i} for i, row in enumerate(rows)], schema={**BINARY, "j": pl.String}, strict=False
    )
    assert copy_binary.fits(frame) == (not frame["j"].null_count())
    read = Query("read", "many", "", "SELECT i2, i8, row_no, j FROM copied ORDER BY row_no")
    with db.transaction() as conn:
        for binary in (False, True):
            conn.execute("TRUNCATE copied")
            assert copy_in(conn, table, frame, binary=binary) == frame.height
            assert_frame_equal(copy_out(conn, read, schema=frame.schema), frame)

"""PostgreSQL is the oracle: what an expression gives here, it gives there, and the same rows have no value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from core.pipelines.compiling.held import Held, Log
from core.pipelines.compiling.values import storage_type
from core.pipelines.expressions.functions import FUNCTIONS
from core.pipelines.expressions.parsing import parse
from core.pipelines.expressions.syntax import Call, walk
from core.pipelines.expressions.typing import Scope, type_of
from core.pipelines.types import BOOL, DATE, FLOAT, INT, JSON, TEXT, TIMESTAMP, ColumnType, decimal
from tests.integration.pipelines.twins import DEAD, answers, prepare

COLUMNS: dict[str, ColumnType] = {
    "i": INT, "j": INT, "d": decimal(12, 2), "e": decimal(20, 6), "f": FLOAT, "s": TEXT, "w": TEXT, "b": BOOL,
    "day": DATE, "t": TIMESTAMP, "u": TIMESTAMP, "doc": JSON,
}  # fmt: skip
AT = datetime(2026, 3, 4, 5, 6, 7)
D = Decimal
ROWS: list[tuple[Any, ...]] = [
    (
        1,
        2,
        D("1.25"),
        D("0.333333"),
        1.5,
        "Ada Lovelace",
        " 12 ",
        True,
        date(2024, 2, 29),
        datetime(2024, 2, 29, 13, 14, 15, 123456),
        datetime(2023, 12, 31, 23, 59, 59),
        '{"a": {"b": [1, "x"]}, "c": null}',
    ),
    (
        -7,
        0,
        D("-0.05"),
        D("0.000000"),
        -2.5,
        "",
        "-3.5e2",
        False,
        date(1, 1, 1),
        datetime(1969, 12, 31, 23, 59, 59, 999999),
        datetime(1, 1, 1),
        '{"a": 3, "t": true}',
    ),
    (
        2**63 - 1,
        -1,
        D("9999999999.99"),
        D("-99999999999999.999999"),
        1e300,
        "Müller-Lüdenscheid",
        "2024-02-30",
        None,
        date(9999, 12, 31),
        datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime(2000, 2, 29, 12),
        "[]",
    ),
    (
        -(2**63),
        3,
        D("2.50"),
        D("2.500000"),
        -1e-300,
        "a,b,,c",
        "true",
        True,
        date(2021, 1, 3),
        datetime(2021, 1, 3),
        datetime(2021, 1, 4),
        '"x"',
    ),
    (None, None, None, None, None, None, None, None, None, None, None, None),
    (
        0,
        5,
        D("0.00"),
        D("1.000001"),
        0.0,
        "100% o'clock $1",
        "2024-1-5 7:08:09.5",
        False,
        date(2000, 12, 31),
        datetime(2000, 12, 31, 12, 30),
        datetime(2001, 1, 1),
        '{"a": {"b": []}}',
    ),
    (
        10,
        -3,
        D("-1.50"),
        D("-7.123456"),
        3.0,
        "x_y\\z",
        "12345678901234567890.123",
        True,
        date(1999, 1, 1),
        datetime(1999, 3, 31, 1, 2, 3),
        datetime(1999, 2, 28),
        "{}",
    ),
]

TEXTS = (Path(__file__).parents[2] / "fixtures" / "expressions.sql").read_text().splitlines()
APART = {
    # The words of its format are another language's: tests/unit/pipelines/compiling.
    "to_date",
}


@pytest.fixture(scope="module")
def conn(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as conn:
        conn.execute("set timezone = 'UTC'")
        prepare(conn, COLUMNS, ROWS)
        conn.execute("create function run_date() returns date immutable language sql as $$ select date '2026-03-04' $$")
        conn.execute(
            "create function run_time() returns timestamp immutable language sql as "
            "$$ select timestamp '2026-03-04 05:06:07' $$"
        )
        conn.commit()
        yield conn


def computed(text: str) -> list[Any]:
    node = parse(text)
    type_of(node, Scope(COLUMNS))
    frame = pl.DataFrame(ROWS, schema={name: storage_type(one) for name, one in COLUMNS.items()}, orient="row")
    found = Held(frame, COLUMNS).expression(node, Log(AT))
    return [one if fault is None else DEAD for one, fault in zip(found.value, found.fault, strict=True)]


def alike(ours: Any, theirs: Any, one: ColumnType) -> bool:
    if ours == DEAD and isinstance(theirs, Decimal):
        # PostgreSQL knows numbers of more digits.
        return abs(theirs) >= Decimal(10) ** (one.precision - one.scale)
    if isinstance(theirs, float) and isinstance(ours, float):
        return math.isclose(ours, theirs, rel_tol=1e-12)
    if {type(ours), type(theirs)} == {float, Decimal}:
        return math.isclose(ours, theirs, rel_tol=1e-12)
    if isinstance(theirs, datetime) and theirs.tzinfo is not None:
        theirs = theirs.replace(tzinfo=None)
    return bool(ours == theirs) and isinstance(ours, bool) == isinstance(theirs, bool)


@pytest.mark.parametrize("text", TEXTS)
def test_an_expression_gives_what_postgresql_gives(conn: psycopg.Connection[Any], text: str) -> None:
    ours, theirs = computed(text), answers(conn, text, COLUMNS, len(ROWS))
    conn.rollback()
    one = type_of(parse(text), Scope(COLUMNS))
    assert [
        (number, mine, its)
        for number, (mine, its) in enumerate(zip(ours, theirs, strict=True))
        if not alike(mine, its, one)
    ] == []


def test_every_function_of_rows_is_compared() -> None:
    named = {node.name for text in TEXTS for node in walk(parse(text)) if isinstance(node, Call)}
    assert {name for name, one in FUNCTIONS.items() if one.place == "row"} - APART <= named

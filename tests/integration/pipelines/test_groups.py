"""Aggregates, windows, joins and order: as PostgreSQL groups, frames, joins and sorts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest

from core.pipelines.catalog import Catalog, read_catalog
from core.pipelines.compiling.running import Outcome, run_steps
from core.pipelines.compiling.values import storage_type
from core.pipelines.flow.checking import check
from core.pipelines.language.reading import spec_of
from core.pipelines.types import ColumnType, parse_type
from tests.integration.pipelines.test_oracle import alike
from tests.integration.pipelines.twins import in_postgres, prepare

WRITTEN = {"g": "text", "o": "int", "i": "int", "d": "decimal(12,2)", "f": "float", "b": "bool", "s": "text"}
COLUMNS: dict[str, ColumnType] = {name: parse_type(one) for name, one in WRITTEN.items()}
AT = datetime(2026, 3, 4, 5, 6, 7)


def rows(seed: int, n_rows: int) -> list[tuple[Any, ...]]:
    rng = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if rng.random() < 0.2 else value

    return [
        (
            maybe(rng.choice("abc")),
            maybe(rng.randrange(4)),
            maybe(rng.randrange(-9, 9)),
            maybe(Decimal(rng.randrange(-999, 999)) / 100),
            maybe(rng.randrange(-50, 50) / 8),
            maybe(rng.random() < 0.5),
            maybe(rng.choice(["x", "y", "zz", ""])),
        )
        for _ in range(n_rows)
    ]


ROWS = rows(5, 60)


@pytest.fixture(scope="module")
def conn(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as conn:
        prepare(conn, COLUMNS, ROWS)
        yield conn


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    relation = {"columns": dict(WRITTEN)}
    return read_catalog(
        {
            "blocks": {"warehouse": {"kind": "postgres"}, "exports": {"kind": "folder", "writable": True}},
            "tables": {"in.given": relation, "in.other": relation},
        }
    )


def ran(catalog: Catalog, *steps: dict[str, Any], frame: pl.DataFrame | None = None) -> Outcome:
    sources: dict[str, Any] = {"given": {"kind": "table", "table": "in.given"}}
    if any(step.get("with") for step in steps):
        sources["other"] = {"kind": "table", "table": "in.other"}
    spec = {
        "pipeline": "p", "sources": sources, "steps": list(steps),
        "sink": {"at": "exports", "file": "x.parquet", "format": "parquet"},
    }  # fmt: skip
    given = frame if frame is not None else table(ROWS)
    return run_steps(check(spec_of(spec), catalog), dict.fromkeys(sources, given), AT)


def table(given: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(given, schema={name: storage_type(one) for name, one in COLUMNS.items()}, orient="row")


AGGREGATES = [
    "count(*)",
    "count(i)",
    "count(distinct i)",
    "sum(i)",
    "sum(d)",
    "sum(f)",
    "sum(distinct i)",
    "avg(i)",
    "avg(d)",
    "avg(f)",
    "min(i)",
    "max(d)",
    "min(s)",
    "max(s)",
    "bool_and(b)",
    "bool_or(b)",
    "every(b)",
    "stddev(f)",
    "variance(f)",
    "stddev(d)",
    "sum(i) filter (where b)",
    "count(*) filter (where i > 0)",
    "sum(d) / count(*)",
    "sum(i) > 3 and bool_or(b)",
    "coalesce(sum(d), 0) * 2",
    "max(i) - min(i)",
    "sum(i * d)",
    "count(distinct s) filter (where b)",
    "sum(case when b then 1 else 0 end)",
]


@pytest.mark.parametrize("text", AGGREGATES)
def test_a_group_has_the_value_that_postgresql_gives(
    conn: psycopg.Connection[Any], catalog: Catalog, text: str
) -> None:
    found = ran(catalog, {"do": "aggregate", "by": ["g"], "values": {"v": text}})
    ours = dict(found.rows.select("g", "v").iter_rows())
    said = text.replace("avg(i)", "round(avg(i), 9)").replace("avg(d)", "round(avg(d), 9)")
    said = said if "/" not in said else "quotient(sum(d), count(*))"
    theirs = dict(conn.execute(f"select g, {said} from given group by g").fetchall())
    conn.rollback()
    assert ours.keys() == theirs.keys()
    assert [(key, ours[key], theirs[key]) for key in ours if not alike(ours[key], theirs[key], COLUMNS["d"])] == []


def test_a_median_is_the_mean_of_the_two_in_the_middle(conn: psycopg.Connection[Any], catalog: Catalog) -> None:
    found = ran(catalog, {"do": "aggregate", "by": ["g"], "values": {"v": "median(d)", "w": "median(f)"}})
    said = "percentile_cont(0.5) within group (order by {})"
    theirs = conn.execute(f"select g, {said.format('d')}, {said.format('f')} from given group by g").fetchall()
    conn.rollback()
    assert {row[0]: (float(row[1]), row[2]) for row in found.rows.iter_rows()} == {
        row[0]: (pytest.approx(row[1], abs=1e-9), pytest.approx(row[2])) for row in theirs
    }


def test_texts_are_put_together_in_order_and_no_rows_make_one_row(catalog: Catalog) -> None:
    found = ran(
        catalog, {"do": "aggregate", "values": {"v": "string_agg(s, '-')", "n": "count(*)"}}, frame=table(ROWS[:6])
    )
    expected = "-".join(sorted(row[6] for row in ROWS[:6] if row[6] is not None))
    assert found.rows.rows() == [(expected, 6)]
    nothing = ran(catalog, {"do": "aggregate", "values": {"t": "sum(i)", "n": "count(*)"}}, frame=table([]))
    assert nothing.rows.rows() == [(None, 0)]


WINDOWS = [
    ("sum(d)", True),
    ("sum(d)", False),
    ("count(*)", True),
    ("count(i)", True),
    ("avg(d)", True),
    ("avg(f)", False),
    ("min(i)", True),
    ("max(d)", True),
    ("min(s)", True),
    ("rank()", True),
    ("dense_rank()", True),
    ("bool_and(b)", True),
    ("bool_or(b)", True),
    ("sum(f)", True),
    ("max(s)", False),
    ("count(distinct i)", False),
    ("sum(i) filter (where b)", True),
    ("max(i) filter (where b)", True),
]


@pytest.mark.parametrize(("text", "is_ordered"), WINDOWS)
def test_a_row_has_the_value_of_postgresqls_window(
    conn: psycopg.Connection[Any], catalog: Catalog, text: str, is_ordered: bool
) -> None:
    step = {"do": "window", "by": ["g"], "order_by": ["-o"] if is_ordered else [], "values": {"v": text}}
    ours = ran(catalog, step).rows["v"].to_list()
    order = "order by o desc" if is_ordered else ""
    if text == "count(distinct i)":
        said = "(select count(distinct i) from given as its where its.g is not distinct from given.g)"
    else:
        said = f"{text} over (partition by g {order})"
    theirs = [row[0] for row in conn.execute(f"select {said} from given order by n").fetchall()]
    conn.rollback()
    if "avg(d)" in text:
        theirs = [None if one is None else round(one, 9) for one in theirs]
    assert [(mine, its) for mine, its in zip(ours, theirs, strict=True) if not alike(mine, its, COLUMNS["d"])] == []


@pytest.mark.parametrize(
    "text", ["row_number()", "lag(i)", "lead(d, 2)", "first_value(s)", "lag(i) + row_number()", "i - lag(i)"]
)
def test_rows_of_one_place_stay_as_they_came(conn: psycopg.Connection[Any], catalog: Catalog, text: str) -> None:
    step = {"do": "window", "by": ["g"], "order_by": ["o"], "values": {"v": text}}
    ours = ran(catalog, step).rows["v"].to_list()
    frame = "over (partition by g order by o, n)"
    said = " ".join(f"{part} {frame}" if part.endswith(")") else part for part in text.replace(", ", ",").split())
    theirs = [row[0] for row in conn.execute(f"select {said} from given order by n").fetchall()]
    conn.rollback()
    assert ours == theirs


@pytest.mark.parametrize("how", ["inner", "left", "full", "semi", "anti"])
def test_rows_are_joined_as_postgresql_joins_them(conn: psycopg.Connection[Any], catalog: Catalog, how: str) -> None:
    takes = how not in {"semi", "anti"}
    step = {"do": "join", "with": "other", "keys": {"i": "o", "g": "g"}, "how": how}
    found = ran(
        catalog, {"do": "select", "columns": ["g", "i", "d"]}, {**step, **({"columns": ["s"]} if takes else {})}
    )
    on = "one.i = its.o and one.g = its.g"
    if takes:
        said = (
            f"coalesce(one.g, its.g), coalesce(one.i, its.o), one.d, its.s from given one {how} join given its on {on}"
        )
    else:
        word = "not exists" if how == "anti" else "exists"
        said = f"one.g, one.i, one.d from given one where {word} (select from given its where {on})"
    theirs = conn.execute(f"select {said}").fetchall()
    conn.rollback()
    assert sorted(map(repr, found.rows.rows())) == sorted(map(repr, theirs))


@pytest.mark.parametrize(("do", "more"), [("dedupe", {"keys": ["g"]}), ("top", {"by": ["g"], "n": 1})])
def test_the_first_of_a_group_is_that_of_the_order(
    conn: psycopg.Connection[Any], catalog: Catalog, do: str, more: dict[str, Any]
) -> None:
    found = ran(catalog, {"do": do, "order_by": ["-d", "s"], **more})
    theirs = conn.execute("select distinct on (g) g, o, i, d, f, b, s from given order by g, d desc, s, n").fetchall()
    conn.rollback()
    assert sorted(map(repr, found.rows.rows())) == sorted(map(repr, theirs))


def test_the_twins_say_what_they_should(conn: psycopg.Connection[Any]) -> None:
    assert in_postgres("i / 3 + 1", COLUMNS) == "quotient(i, whole(3)) + whole(1)"

from __future__ import annotations

import gc
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.database import DatabaseManager
from core.database.copy import SLICE_ROWS, copy_in, copy_out
from core.database.queries import Query
from core.errors import SchemaError, StoreError

ALL = Query("all_people", "many", "", "SELECT id, ssn FROM people ORDER BY id")


@pytest.fixture(scope="module", autouse=True)
def people(db: DatabaseManager) -> None:
    db.execute_query("create", "CREATE TABLE people (id int PRIMARY KEY, ssn text, born date DEFAULT '2000-01-01')")


@pytest.fixture(autouse=True)
def empty(people: None, db: DatabaseManager) -> None:
    db.execute_query("truncate", "TRUNCATE people")


def test_copy_in_keeps_the_order_of_many_slices(db: DatabaseManager) -> None:
    n = 3 * SLICE_ROWS + 5
    frame = pl.DataFrame({"id": pl.int_range(n, eager=True, dtype=pl.Int32), "ssn": ["a\\\tb"] * n})
    with db.transaction() as conn:
        assert copy_in(conn, "public.people", frame) == n
        assert_frame_equal(copy_out(conn, ALL), frame)
        assert conn.execute("SELECT count(*) FROM people WHERE born = '2000-01-01'").fetchone() == (n,)


def test_copy_in_by_bytes_keeps_the_order_of_many_slices(db: DatabaseManager) -> None:
    n = 2 * SLICE_ROWS + 5
    text = pl.int_range(n, eager=True).cast(pl.String) + "é\\\t"
    frame = pl.DataFrame({"id": pl.int_range(n, eager=True, dtype=pl.Int32), "ssn": text})
    with db.transaction() as conn:
        assert copy_in(conn, "public.people", frame, binary=True) == n
        assert_frame_equal(copy_out(conn, ALL), frame)


@pytest.mark.parametrize("binary", [False, True])
def test_copy_in_of_a_large_text_needs_no_second_format(db: DatabaseManager, binary: bool) -> None:
    frame = pl.DataFrame({"id": [1, -2], "ssn": ["x" * 70_000, ""]}, schema={"id": pl.Int32, "ssn": pl.String})
    with db.transaction() as conn:
        assert copy_in(conn, "people", frame, binary=binary) == 2
        assert_frame_equal(copy_out(conn, ALL), frame.sort("id"))


def test_copy_in_names_line_and_column_but_no_value(db: DatabaseManager) -> None:
    frame = pl.DataFrame({"id": [1, 2], "born": ["2001-01-01", "ssn 123-45-6789"]})
    with pytest.raises(StoreError) as caught, db.transaction() as conn:
        copy_in(conn, "people", frame)
    error = caught.value
    assert (error.sqlstate, error.table, error.line, error.column) == ("22007", "people", 2, "born")
    assert "123-45-6789" not in str(error)
    assert error.__cause__ is None


def test_copy_in_reports_a_nul_by_line(db: DatabaseManager) -> None:
    with pytest.raises(StoreError) as caught, db.transaction() as conn:
        copy_in(conn, "people", pl.DataFrame({"id": [1, 2], "ssn": ["a", "b\x00"]}))
    assert caught.value.line == 2


@pytest.mark.parametrize("binary", [False, True])
def test_refused_copy_leaves_nothing_that_cannot_be_collected(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch, binary: bool
) -> None:
    # Python says so from 3.13 on.
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: complaints.append(told.exc_value))
    frame = pl.DataFrame({"id": [1, 2], "ssn": ["a", "b\x00"]}, schema={"id": pl.Int32, "ssn": pl.String})
    with pytest.raises(StoreError) as caught, db.transaction() as conn:
        copy_in(conn, "people", frame, binary=binary)
    # As a caller does who keeps an error: the frames of the copy hang on it, and it on itself.
    caught.value.facts["again"] = caught.value
    del caught
    gc.collect()
    assert complaints == []


def test_copy_in_by_bytes_names_line_and_column_but_no_value(db: DatabaseManager) -> None:
    frame = pl.DataFrame({"id": [1, 2], "ssn": ["a", "b\x00-45-6789"]}, schema={"id": pl.Int32, "ssn": pl.String})
    with pytest.raises(StoreError) as caught, db.transaction() as conn:
        copy_in(conn, "people", frame, binary=True)
    assert (caught.value.sqlstate, caught.value.line, caught.value.column) == ("22021", 2, "ssn")
    assert "6789" not in str(caught.value)


def test_copy_in_refuses_a_type_without_text_form_before_it_sends(db: DatabaseManager) -> None:
    with pytest.raises(SchemaError, match="column ssn of type List") as caught, db.transaction() as conn:
        copy_in(conn, "people", pl.DataFrame({"id": [1], "ssn": [[1]]}))
    assert caught.value.column == "ssn"


def test_copy_in_of_an_empty_frame_sends_nothing(db: DatabaseManager) -> None:
    with db.transaction() as conn:
        assert copy_in(conn, "no_such_table", pl.DataFrame(schema={"id": pl.Int32})) == 0


def test_copy_out_composes_parameters_and_keeps_types_of_no_rows(db: DatabaseManager) -> None:
    query = Query("one", "many", "", "SELECT id, ssn FROM people WHERE ssn = %(ssn)s")
    with db.transaction() as conn:
        assert copy_out(conn, query, {"ssn": "it's"}).schema == {"id": pl.Int32, "ssn": pl.String}
        copy_in(conn, "people", pl.DataFrame({"id": [1], "ssn": ["it's"]}))
        assert copy_out(conn, query, {"ssn": "it's"}).rows() == [(1, "it's")]


@pytest.mark.parametrize(
    "schema", [{"id": pl.Int32, "ssn": pl.Date}, {"id": pl.Int32}, {"id": pl.Int8, "ssn": pl.String}]
)
def test_copy_out_refuses_a_schema_that_does_not_fit_without_the_value(
    db: DatabaseManager, schema: dict[str, type[pl.DataType]]
) -> None:
    with db.transaction() as conn:
        copy_in(conn, "people", pl.DataFrame({"id": [1234], "ssn": ["123-45-6789"]}))
        with pytest.raises(SchemaError, match="all_people does not fit") as caught:
            copy_out(conn, ALL, schema=schema)
    assert "123-45-6789" not in str(caught.value)

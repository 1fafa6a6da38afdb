"""Steps over rows in memory: what they make, which rows leave and why, and what ends a run."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from core.pipelines.catalog import read_catalog
from core.pipelines.compiling.held import CheckResult, DeadRows, StoppedRun
from core.pipelines.compiling.running import Outcome, run_steps
from core.pipelines.compiling.values import storage_type
from core.pipelines.flow.checking import check
from core.pipelines.language.reading import spec_of
from core.pipelines.types import parse_type

AT = datetime(2026, 3, 4, 5, 6, 7)
GIVEN = {
    "a": {"id": "int", "name": "text", "amount": "decimal(12,2)", "doc": "json"},
    "b": {"id": "int", "amount": "decimal(12,4)", "note": "text"},
}


def ran(rows: list[tuple[Any, ...]], *steps: dict[str, Any], other: list[tuple[Any, ...]] | None = None) -> Outcome:
    names = ["a", "b"] if any(step.get("with") for step in steps) else ["a"]
    catalog = read_catalog(
        {
            "blocks": {"landing": {"kind": "folder"}, "exports": {"kind": "folder", "writable": True}},
            "files": {f"landing:{name}.csv": {"columns": GIVEN[name]} for name in names},
        }
    )
    spec = {
        "pipeline": "p",
        "sources": {name: {"kind": "csv", "at": "landing", "path": f"{name}.csv"} for name in names},
        "steps": list(steps),
        "sink": {"at": "exports", "file": "x.csv", "format": "csv"},
    }
    frames = {
        name: pl.DataFrame(
            given, schema={column: storage_type(parse_type(one)) for column, one in GIVEN[name].items()}, orient="row"
        )
        for name, given in (("a", rows), ("b", other or []))
        if name in names
    }
    return run_steps(check(spec_of(spec), catalog), frames, AT)


def row(number: int = 1, name: str | None = "Ada", amount: str | None = "1.50", doc: str = "{}") -> tuple[Any, ...]:
    return (number, name, None if amount is None else Decimal(amount), doc)


def test_rows_that_cannot_be_computed_leave_with_their_class_and_without_their_values() -> None:
    step = {"do": "derive", "columns": {"half": "id / (id - 2)", "number": "cast(name as int)"}}
    found = ran([row(1, "7"), row(2, "8"), row(3, "x"), row(4, "y"), row(5, None)], step)
    assert found.rows.select("half", "number").rows() == [
        (Decimal("-1.000000000"), 7), (Decimal("1.666666667"), None),
    ]  # fmt: skip
    assert found.dead == (
        DeadRows("steps.0 derive", "half", "zero_division", 1),
        DeadRows("steps.0 derive", "number", "cast", 2),
    )


def test_on_error_empty_keeps_the_row_and_stop_ends_the_run() -> None:
    step = {"do": "cast", "columns": {"name": "int"}, "on_error": "empty"}
    assert ran([row(1, "7"), row(2, "x")], step).rows["name"].to_list() == [7, None]
    with pytest.raises(StoppedRun) as caught:
        ran([row(1, "7"), row(2, "x")], {**step, "on_error": "stop"})
    assert str(caught.value).startswith("steps.0 cast.name: 1 row cannot be computed (cast); nothing was written.")
    assert caught.value.exit_code == 1


def test_a_cast_by_a_format_reads_only_that() -> None:
    step = {"do": "cast", "columns": {"name": "date"}, "formats": {"name": "%d.%m.%Y"}, "on_error": "empty"}
    found = ran([row(1, " 05.04.2026"), row(2, "2026-04-05"), row(3, "31.02.2026")], step)
    assert found.rows["name"].to_list() == [date(2026, 4, 5), None, None]


@pytest.mark.parametrize(
    ("how", "given", "cleaned"),
    [
        (["trim", "collapse_spaces", "title"], "  ada   LOVELACE ", "Ada Lovelace"),
        (["digits"], "+49 (30) 12-34", "49301234"),
        (["ascii"], "Łódź Straße Æ", "Lodz Strasse AE"),
        (["trim", "empty_to_null"], "   ", None),
        (["upper"], "é", "É"),
        (["lower"], "É", "é"),
    ],
)
def test_texts_are_cleaned_one_way_after_the_other(how: list[str], given: str, cleaned: str | None) -> None:
    assert ran([row(1, given)], {"do": "clean", "columns": ["name"], "how": how}).rows["name"].to_list() == [cleaned]


def test_a_rule_of_rows_that_is_null_passes_and_one_that_cannot_be_computed_does_not() -> None:
    rows = [row(1, "a"), row(2, None), row(0, "c"), row(4, "bad")]
    step = {"do": "validate", "rules": {"good": "name <> 'bad'", "divides": "10 / id > 1"}}
    found = ran(rows, step)
    assert found.rows["id"].to_list() == [1, 2]
    assert found.dead == (
        DeadRows("steps.0 validate", "divides", "rule", 1), DeadRows("steps.0 validate", "good", "rule", 1),
    )  # fmt: skip
    assert found.checks[0] == CheckResult("steps.0 validate", "good", passed=False, on_fail="dead", rows=1)
    assert ran(rows, {**step, "on_fail": "warn"}).rows.height == 4
    assert ran(rows, {**step, "on_fail": "drop"}).dead == ()
    with pytest.raises(StoppedRun, match="steps.0 validate.good: 1 row break the rule"):
        ran(rows, {**step, "on_fail": "stop"})


def test_a_rule_of_all_rows_that_is_null_fails() -> None:
    rules = {"unique": "count(*) = count(distinct id)", "some": "min(amount) > 0"}
    assert [one.passed for one in ran([row(1), row(2)], {"do": "check", "rules": rules}).checks] == [True, True]
    assert [
        one.passed for one in ran([row(1, amount=None)], {"do": "check", "rules": rules, "on_fail": "warn"}).checks
    ] == [True, False]
    with pytest.raises(StoppedRun, match="steps.0 check.unique: the rule does not hold of all rows"):
        ran([row(1), row(1)], {"do": "check", "rules": rules})


def test_fields_are_taken_out_of_json() -> None:
    fields = {"temp": "temp float", "tag": "tags.0 text", "at": "at timestamp", "inner": "deep json"}
    step = {"do": "unnest", "column": "doc", "fields": fields}
    docs = [
        '{"temp": 21.5, "tags": ["x"], "at": "2026-01-02T03:04:05Z", "deep": {"a": 1}}',
        '{"temp": null}',
        '{"temp": "warm"}',
    ]
    found = ran([row(number, doc=doc) for number, doc in enumerate(docs)], step)
    assert found.rows.select(list(fields)).rows() == [
        (21.5, "x", datetime(2026, 1, 2, 3, 4, 5), '{"a":1}'), (None, None, None, None),
    ]  # fmt: skip
    assert found.dead == (DeadRows("steps.0 unnest", "temp", "cast", 1),)


def test_columns_become_rows_row_by_row() -> None:
    step = {"do": "unpivot", "columns": ["amount", "id"], "names_to": "what", "values_to": "value"}
    found = ran([row(1), row(2, amount=None)], {"do": "drop", "columns": ["doc"]}, step)
    assert found.rows.rows() == [
        ("Ada", "amount", Decimal("1.50")), ("Ada", "id", Decimal("1.00")),
        ("Ada", "amount", None), ("Ada", "id", Decimal("2.00")),
    ]  # fmt: skip


def test_two_ledgers_are_reconciled_beyond_a_tolerance() -> None:
    left = [
        row(1, amount="1.00"),
        row(2, amount="2.00"),
        row(3, amount="3.00"),
        row(4, amount=None),
        row(5, amount=None),
    ]
    right = [(1, Decimal("1.0100"), ""), (2, Decimal("2.0101"), ""), (4, None, ""), (5, Decimal(0), ""), (6, None, "")]
    step = {"do": "reconcile", "with": "b", "keys": ["id"], "compare": {"amount": "0.01"}}
    assert ran(left, step, other=right).rows.rows() == [
        (2, "differs", Decimal("2.00"), Decimal("2.0101")),
        (3, "left only", Decimal("3.00"), None),
        (5, "differs", None, Decimal("0.0000")),
        (6, "right only", None, None),
    ]


def test_rows_that_would_multiply_end_the_run() -> None:
    step = {"do": "join", "with": "b", "keys": ["id"], "columns": ["note"], "expect": "n:1"}
    twice = [(1, None, "x"), (1, None, "y"), (None, None, "z"), (None, None, "z")]
    with pytest.raises(StoppedRun, match=r"expect n:1, but 1 key \[id\] of b stand more than once"):
        ran([row(1)], step, other=twice)
    assert ran([row(1)], step, other=twice[1:]).rows["note"].to_list() == ["y"]


def test_a_union_widens_numbers_and_keeps_the_order() -> None:
    steps = [
        {"do": "select", "from": "b", "columns": ["id", "amount"], "as": "more"},
        {"do": "select", "from": "a", "columns": ["id", "amount"]},
        {"do": "union", "with": ["more"]},
        {"do": "join", "with": "b", "keys": ["id"], "how": "semi"},
    ]
    found = ran([row(7, amount="1.50")], *steps, other=[(7, Decimal("0.0001"), "")])
    assert found.rows.rows() == [(7, Decimal("1.5000")), (7, Decimal("0.0001"))]
    assert found.before == (1, 1, 1, 2)


def test_a_number_too_large_for_its_type_is_a_dead_row() -> None:
    step = {"do": "derive", "columns": {"big": "id * 9223372036854775807", "small": "cast(amount as decimal(3,2))"}}
    found = ran([row(1), row(2), row(1, amount="10.00")], step)
    assert found.rows.height == 1
    assert found.dead == (
        DeadRows("steps.0 derive", "big", "overflow", 1), DeadRows("steps.0 derive", "small", "overflow", 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'2024-01-05 10:00:00+02'::timestamp", datetime(2024, 1, 5, 8)),
        ("'2024-01-05T10:00:00.1234567Z'::timestamp", datetime(2024, 1, 5, 10, 0, 0, 123457)),
        ("cast(id as bool)", True),
        ("cast(id = 1 as int)", 1),
        ("to_date('5/4/2026', '%d/%m/%Y')", date(2026, 4, 5)),
        ("round(id)", 1),
        ("run_time()", AT),
    ],
)
def test_what_differs_from_postgresql_is_as_the_reference_says(text: str, value: Any) -> None:
    assert ran([row(1)], {"do": "derive", "columns": {"x": text}}).rows["x"].to_list() == [value]

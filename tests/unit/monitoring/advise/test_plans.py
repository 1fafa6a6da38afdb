from __future__ import annotations

from typing import Any

import pytest

from core.monitoring.advise.plans import Scan, scans


def scan(filtered: str, **more: Any) -> dict[str, Any]:
    node = {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "big", "Alias": "b", "Plan Rows": 5}
    return {**node, "Filter": filtered, **more}


@pytest.mark.parametrize(
    ("filtered", "columns"),
    [
        ("(b.n = $1)", ("n",)),
        ("((b.age > $1) AND (b.state = 'ready'::text))", ("state", "age")),
        ("((b.name)::text = $1)", ("name",)),
        ("((b.age > $1) AND (b.age < $2) AND (b.other >= $3))", ("age",)),
        ("(b.n = ANY ($1))", ("n",)),
    ],
)
def test_columns_of_an_index_are_equal_ones_before_one_by_order(filtered: str, columns: tuple[str, ...]) -> None:
    assert list(scans(scan(filtered))) == [Scan("public", "big", 5.0, columns)]


@pytest.mark.parametrize(
    "filtered", ["", "((b.n = 1) OR (b.m = 2))", "(b.lease_until < now())", "(other.n = 1)", "b.done"]
)
def test_nothing_is_said_where_an_index_would_not_serve_or_would_harm(filtered: str) -> None:
    assert list(scans(scan(filtered))) == []


def test_scans_are_found_below_other_nodes_and_counted_for_all_processes() -> None:
    plan = {"Node Type": "Gather", "Plans": [scan("(b.n = $1)", **{"Parallel Aware": True})]}
    assert [found.rows_kept for found in scans(plan)] == [15.0]

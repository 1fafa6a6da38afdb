"""`headrace pipeline test`: examples that hold, and what is said of those that do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import headrace

CATALOG = Path(__file__).parents[4] / "fixtures" / "shop-catalog.yaml"
SPEC = """
pipeline: paid
sources: {orders: {kind: csv, at: landing, path: "orders/orders_*.csv"}}
steps:
  - {do: filter, where: "status = 'paid'"}
  - {do: derive, columns: {amount: "round(100 / amount, 2)"}}
  - {do: check, rules: {small: count(*) < 5}}
sink: {table: sales.orders, mode: upsert, keys: [order_id]}
"""
GOOD = """
tests:
  only_paid:
    given:
      orders:
        - {order_id: 1, customer_id: 7, status: paid, amount: 3, order_date: 2026-01-02}
        - {order_id: 2, status: open}
        - {order_id: 3, status: paid, amount: 0}
    expect: [{order_id: 1, customer_id: 7, status: paid, amount: 33.33, order_date: 2026-01-02}]
    dead: [{step: steps.1 derive, column: amount, class: zero_division, rows: 1}]
  nothing: {given: {}, expect: []}
  many:
    given: {orders: [{status: paid}, {status: paid}, {status: paid}, {status: paid}, {status: paid}]}
    stops: small
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "paid.yaml"
    path.write_text(SPEC)
    path.with_name("paid.test.yaml").write_text(GOOD)
    return path


def test_examples_that_hold_end_it_with_nought(spec: Path) -> None:
    ended = headrace("pipeline", "test", spec, "--catalog", CATALOG)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split() for line in ended.stdout.splitlines()[-3:]] == [
        ["only_paid", "yes"], ["nothing", "yes"], ["many", "yes"],
    ]  # fmt: skip


def test_what_is_otherwise_is_shown(spec: Path) -> None:
    spec.with_name("paid.test.yaml").write_text(GOOD.replace("33.33", "33.34").replace("stops: small", "expect: []"))
    ended = headrace("pipeline", "test", spec, "--catalog", CATALOG, "--json")
    found = {one["example"]: one["otherwise"] for one in json.loads(ended.stdout)["examples"]}
    assert ended.returncode == 1
    assert found == {
        "only_paid": [
            "missing: order_id: 1, customer_id: 7, order_date: 2026-01-02, status: paid, amount: 33.34",
            "not expected: order_id: 1, customer_id: 7, order_date: 2026-01-02, status: paid, amount: 33.33",
        ],
        "nothing": [],
        "many": ["the run stops: steps.2 check.small: the rule does not hold of all rows; nothing was written"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: {a: {given: {order: []}}}", "a.given: there is no source order; did you mean orders?"),
        ("tests: {a: {given: {orders: [{id: 1}]}}}", "a.given.orders.0: there is no column id"),
        ("tests: {a: {given: {orders: [{order_id: x}]}}}", "a.given.orders.0: 'x' is no int, which order_id is"),
        ("tests: {a: {given: {}, expected: []}}", "tests.a.expected of the examples: extra inputs are not permitted"),
        ("tests: {}", "tests of the examples"),
    ],
)
def test_examples_that_cannot_be_read_are_said(spec: Path, text: str, said: str) -> None:
    spec.with_name("paid.test.yaml").write_text(text)
    ended = headrace("pipeline", "test", spec, "--catalog", CATALOG)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_spec_without_examples_is_said(spec: Path) -> None:
    spec.with_name("paid.test.yaml").unlink()
    ended = headrace("pipeline", "test", spec, "--catalog", CATALOG)
    assert ended.returncode == 2
    assert "paid.test.yaml: cannot be read (No such file or directory)" in ended.stderr

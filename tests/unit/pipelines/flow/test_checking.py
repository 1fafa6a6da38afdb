"""What is said of a spec before anything runs: the path, the place, what was seen, what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.pipelines.catalog import Catalog, read_catalog
from core.pipelines.flow.checking import check
from core.pipelines.language.reading import read_spec, spec_of
from core.pipelines.language.yaml_text import read_yaml
from core.pipelines.refusals import PipelineRefused

FIXTURES = Path(__file__).parents[3] / "fixtures"
ORDERS: dict[str, Any] = {"kind": "csv", "at": "landing", "path": "orders/orders_*.csv"}
SALES: dict[str, Any] = {"kind": "table", "table": "sales.orders"}
CUSTOMERS: dict[str, Any] = {"kind": "table", "table": "crm.customers"}
UPSERT: dict[str, Any] = {"table": "sales.orders", "mode": "upsert", "keys": ["order_id"]}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(read_yaml((FIXTURES / "shop-catalog.yaml").read_bytes()))


def refusals(catalog: Catalog, **given: Any) -> list[str]:
    spec = {"pipeline": "orders", "sources": {"orders": ORDERS}, "sink": UPSERT, **given}
    with pytest.raises(PipelineRefused) as caught:
        check(spec_of(spec), catalog)
    return [str(one) for one in caught.value.facts["refusals"]]


def test_ten_mistakes_are_said_at_once(catalog: Catalog) -> None:
    with pytest.raises(PipelineRefused) as caught:
        check(read_spec((FIXTURES / "ten-mistakes.yaml").read_bytes()), catalog)
    assert str(caught.value).splitlines() == [
        "sources.outside.path: ../etc leaves landing",
        "sources.elsewhere.at: there is no block s3_other; there are warehouse, erp, landing, exports, shop_api",
        "sources.old: source old is never used; drop it, or join or union it",
        "steps.0 filter.where, position 10: amount is decimal(12,2), 'high' is text; they cannot be compared",
        "steps.1 derive.total, position 1: there is no column amout; did you mean amount? There are order_id, "
        "customer_id, order_date, status, amount, updated_at",
        "steps.2 derive.net, position 1: no function nvl; did you mean coalesce?",
        "steps.3 join: expect n:1, but [email] is no key of customers: rows could multiply",
        "steps.4 aggregate: orders is read in part (incremental), so sums by order_date would be of a part; "
        "add whole: [order_date]",
        "sink.keys: [order_no] is not unique in sales.daily; its keys are [order_date]",
        "schedule.every: every 1s is below the least of 60 s",
    ]


def test_what_a_spec_can_do_is_followed_to_the_sink(catalog: Catalog) -> None:
    steps = [
        {
            "do": "join",
            "with": "customers",
            "keys": ["customer_id"],
            "how": "left",
            "columns": ["segment"],
            "expect": "n:1",
        },
        {"do": "filter", "where": "status in ('paid', 'sent') and segment is not null"},
        {"do": "aggregate", "by": ["order_date"], "values": {"revenue": "sum(amount)"}},
    ]
    spec = {
        "pipeline": "daily",
        "sources": {"orders": ORDERS, "customers": CUSTOMERS},
        "steps": steps,
        "sink": {"table": "sales.daily", "mode": "upsert", "keys": ["order_date"]},
    }
    found = check(spec_of(spec), catalog)
    assert {name: str(one) for name, one in found.rows.items()} == {"order_date": "date", "revenue": "decimal(38,2)"}
    assert list(found.steps[0]) == [*found.sources["orders"], "segment"]


STEPS = [
    (
        {"do": "filter", "where": "sum(amount) > 1"},
        "steps.0 filter.where, position 1: sum() belongs to aggregate, window or check",
    ),
    (
        {"do": "filter", "where": "amount"},
        "steps.0 filter.where, position 1: where is a condition, true or false; amount is decimal(12,2)",
    ),
    ({"do": "filter", "where": "amount = null"}, "position 10: nothing equals null; say is null or is not null"),
    ({"do": "derive", "columns": {"x": "lag(amount)"}}, "steps.0 derive.x, position 1: lag() belongs to window"),
    ({"do": "derive", "columns": {"x": "status + 1"}}, "status is text, 1 is int; there is no + of them"),
    (
        {"do": "derive", "columns": {"x": "status || amount"}},
        "|| joins texts; amount is decimal(12,2): cast it to text",
    ),
    (
        {"do": "derive", "columns": {"x": "updated_at - updated_at"}},
        "is interval, which no column holds: say hours_between()",
    ),
    ({"do": "derive", "columns": {"x": "round()"}}, "round() takes 1 or 2 values, not 0"),
    ({"do": "derive", "columns": {"x": "date_trunc('fortnight', updated_at)"}}, "date_trunc() knows no 'fortnight'"),
    ({"do": "derive", "columns": {"x": "regexp_like(status, '(?=a)')"}}, "is no regular expression here"),
    ({"do": "derive", "columns": {"x": "coalesce(amount, status)"}}, "the values of coalesce are of one type"),
    (
        {"do": "derive", "columns": {"x": "cast(updated_at as bool)"}},
        "updated_at is timestamp, which cannot become bool",
    ),
    ({"do": "derive", "columns": {"x": "'2026-02-30'::date"}}, "'2026-02-30' is no date"),
    ({"do": "select", "columns": ["order"]}, "steps.0 select.columns: there is no column order"),
    ({"do": "rename", "columns": {"amount": "status"}}, "there would be two columns status; drop or rename the other"),
    (
        {"do": "cast", "columns": {"amount": "money"}},
        "steps.0 cast.amount: there is no type money; say text, int, decimal(p,s)",
    ),
    ({"do": "cast", "columns": {"amount": "decimal(39,2)"}}, "a decimal has 1 to 38 digits"),
    ({"do": "clean", "columns": ["amount"], "how": ["trim"]}, "amount is decimal(12,2); clean is of texts"),
    (
        {"do": "join", "with": "customer", "keys": ["customer_id"]},
        "steps.0 join.with: there is no source or step customer",
    ),
    (
        {"do": "aggregate", "by": ["status"], "values": {"x": "amount"}},
        "amount is not in by; put it inside sum(), min() or another aggregate",
    ),
    (
        {"do": "aggregate", "by": [], "values": {"x": "sum(count(*))"}},
        "count() stands inside another aggregate; use two steps",
    ),
    ({"do": "top", "n": 0, "order_by": ["amount"]}, "steps.0 top.n: 0 is below 1"),
    ({"do": "match", "spec": "people"}, "steps.0 match.spec: there is no match spec people"),
    ({"do": "validate", "rules": {"r": "count(*) > 1"}}, "count() belongs to aggregate, window or check"),
    ({"do": "check", "rules": {"r": "amount > 1"}}, "amount has a value for each row"),
    (
        {"do": "unnest", "column": "amount", "fields": {"x": "x float"}},
        "amount is decimal(12,2); fields are taken out of json",
    ),
    ({"do": "unpivot", "columns": ["status", "amount"], "names_to": "k", "values_to": "v"}, "cast them to one type"),
    ({"do": "pivot"}, "steps.0: there is no step pivot; did you mean unpivot?"),
    ({"do": "filter", "wher": "true"}, "steps.0 filter: there is no word wher; did you mean where?"),
    ({"do": "filter"}, "steps.0 filter: where is missing"),
    ({"do": "filter", "where": 3}, "steps.0 filter.where: 3 is not text"),
]


@pytest.mark.parametrize(("step", "said"), STEPS, ids=[said[-50:] for _, said in STEPS])
def test_a_step_that_cannot_be_is_said(catalog: Catalog, step: dict[str, Any], said: str) -> None:
    assert any(said in one for one in refusals(catalog, steps=[step]))


SINKS = [
    ({**UPSERT, "keys": ["status"]}, "sink.keys: [status] is not unique in sales.orders; its keys are [order_id]"),
    ({**UPSERT, "at": "erp"}, "sink.at: tables are written in the warehouse alone"),
    (
        {**UPSERT, "table": "sales.order"},
        "sink.table: there is no table sales.order; say create: true to make it; did you mean",
    ),
    ({**UPSERT, "table": "hr.salaries"}, "sink.table: hr.salaries may not be written"),
    (
        {**UPSERT, "table": "public.x", "create": True},
        "sink.table: schema public is not one to write to; there are sales, crm",
    ),
    ({**UPSERT, "keys": []}, "sink.keys: upsert goes by keys; name them"),
    ({**UPSERT, "within": ["order_date"]}, "sink.within: within belongs to replace, not to upsert"),
    ({"at": "landing", "file": "x.csv", "format": "csv"}, "sink.at: landing is not writable; there are exports"),
    ({"at": "exports", "file": "../x.csv", "format": "csv"}, "sink.file: ../x.csv leaves exports"),
    ({"at": "exports", "file": "x.txt", "format": "csv"}, "x.txt does not end as csv does"),
]


@pytest.mark.parametrize(("sink", "said"), SINKS, ids=[said[:50] for _, said in SINKS])
def test_a_sink_that_cannot_take_it_is_said(catalog: Catalog, sink: dict[str, Any], said: str) -> None:
    assert any(said in one for one in refusals(catalog, sink=sink))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("amount * 1.19", "sink: amount is decimal(15,4) and goes into decimal(12,2): add round or cast"),
        ("status", "sink: amount is text and goes into decimal(12,2): add a cast"),
    ],
)
def test_values_that_do_not_fit_the_target_are_said(catalog: Catalog, expression: str, said: str) -> None:
    assert said in refusals(catalog, steps=[{"do": "derive", "columns": {"amount": expression}}])


def test_columns_that_lack_or_are_too_many_are_said(catalog: Catalog) -> None:
    steps = [{"do": "rename", "columns": {"customer_id": "customer"}}]
    found = refusals(catalog, steps=steps)
    assert "sink: sales.orders needs customer_id, which no step makes" in found
    assert found[1].startswith(
        "sink: sales.orders has no column customer; drop or rename it; did you mean customer_id?"
    )


def test_an_append_of_the_whole_on_a_schedule_is_refused(catalog: Catalog) -> None:
    leads = {"kind": "table", "table": "crm.leads"}
    sink = {"table": "crm.leads", "mode": "append"}
    assert refusals(catalog, sources={"leads": leads}, sink=sink, schedule={"every": "1h"}) == [
        "sink: append on a schedule from the whole of crm.leads adds every row again; "
        "say incremental, upsert or replace"
    ]


SOURCES = [
    ({**ORDERS, "path": "/etc/passwd"}, "sources.orders.path: /etc/passwd leaves landing"),
    ({**ORDERS, "path": "s3://x/y.csv"}, "leaves landing"),
    ({**ORDERS, "at": "warehouse"}, "warehouse is of kind postgres; csv is read from folder or object_store"),
    ({**ORDERS, "path": "unknown.csv"}, "nothing is known of landing:unknown.csv: declare its columns"),
    ({**ORDERS, "encoding": "utf-9"}, "there is no encoding utf-9"),
    ({**ORDERS, "decimal": ",", "thousands": ","}, ", is the decimal mark, too; say another"),
    ({**ORDERS, "incremental": {"column": "status", "files": "new"}}, "say column or files, one of them"),
    ({**SALES, "table": "hr.salaries"}, "sources.orders.table: hr.salaries may not be read"),
    ({**SALES, "where": "amont > 1"}, "sources.orders.where, position 1: there is no column amont"),
    ({**SALES, "incremental": {"column": "updatd_at"}}, "there is no column updatd_at; did you mean updated_at?"),
    (
        {"kind": "http", "at": "shop_api", "path": "/v1/orders", "params": {"api_key": "x1"}},
        "holds what looks like a password; name a block",
    ),
    (
        {"kind": "http", "at": "shop_api", "path": "/v1/orders", "params": {"stat": "x"}},
        "/v1/orders takes no stat; did you mean status?",
    ),
    ({"kind": "xml", "at": "landing"}, "there is no kind of source xml"),
]


@pytest.mark.parametrize(("source", "said"), SOURCES, ids=[said[-50:] for _, said in SOURCES])
def test_a_source_that_cannot_be_read_is_said(catalog: Catalog, source: dict[str, Any], said: str) -> None:
    assert any(said in one for one in refusals(catalog, sources={"orders": source}))


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"cron": "61 * * * *"}, "schedule.cron: 61 * * * * is no cron line of five fields"),
        ({"cron": "0 * * * *", "timezone": "Europe/Berln"}, "there is no time zone Europe/Berln"),
        ({"every": "1h", "cron": "0 * * * *"}, "say one of cron, every and after, not cron and every"),
        ({"after": ["orders"]}, "schedule.after: orders cannot wait for itself"),
        ({"after": ["orders_daily"]}, "there is no pipeline orders_daily"),
        ({}, "say one of cron, every and after"),
        ({"every": "soon"}, "schedule.every: soon is not a span such as 90s, 30m, 2h or 1d"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_said(catalog: Catalog, schedule: dict[str, Any], said: str) -> None:
    assert any(said in one for one in refusals(catalog, schedule=schedule))


def test_columns_that_may_not_be_read_are_no_columns(catalog: Catalog) -> None:
    steps = [{"do": "join", "with": "customers", "keys": ["customer_id"], "columns": ["birth_date"]}]
    found = refusals(catalog, sources={"orders": ORDERS, "customers": CUSTOMERS}, steps=steps)
    assert found[0].startswith("steps.0 join.columns: customers has no column birth_date")

"""The guard of questions in SQL: two corpora, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.pipelines.catalog import Catalog, read_catalog
from core.workloads.assistant.questions.guard import MAX_BYTES, check
from core.workloads.assistant.questions.refused import QuestionRefused

FIXTURES = Path(__file__).parents[4] / "fixtures" / "questions"


def corpus(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load((FIXTURES / f"{name}.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(yaml.safe_load((FIXTURES / "catalog.yaml").read_text()))


def reason(text: str, catalog: Catalog) -> str:
    with pytest.raises(QuestionRefused) as refused:
        check(text, catalog)
    return str(refused.value)


def test_corpora_are_large_enough() -> None:
    assert all(sum(map(len, corpus(name).values())) >= 150 for name in ("bypasses", "legitimate"))


@pytest.mark.parametrize("kind", corpus("bypasses"))
def test_no_bypass_passes(kind: str, catalog: Catalog) -> None:
    for text in corpus("bypasses")[kind]:
        assert reason(text, catalog), text


@pytest.mark.parametrize("kind", corpus("legitimate"))
def test_legitimate_questions_pass(kind: str, catalog: Catalog) -> None:
    for text in corpus("legitimate")[kind]:
        check(text, catalog)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("select count(*) from shop.orders", {"shop.orders": []}),
        ("select * from ops.devices", {"ops.devices": ["device_id", "site", "model", "installed_on"]}),
        (
            "select c.name from shop.customers c join shop.orders o using (customer_id) where o.amount > 5",
            {"shop.customers": ["customer_id", "name"], "shop.orders": ["customer_id", "amount"]},
        ),
        ("with a as (select sku as s from shop.items) select s from a order by s", {"shop.items": ["sku"]}),
    ],
)
def test_check_tells_what_is_read(text: str, reads: dict[str, Any], catalog: Catalog) -> None:
    found = {table: sorted(columns) for table, columns in check(text, catalog).reads.items()}
    assert found == {table: sorted(columns) for table, columns in reads.items()}


def test_check_gives_back_the_one_statement(catalog: Catalog) -> None:
    assert check(" select 1 ; ", catalog).sql == "select 1"
    assert check("select name from shop.customers where name = 'é;' ;", catalog).sql.endswith("'é;'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select amout from shop.orders", "position 8: no column amout; did you mean amount?"),
        ("select order_id from orders", "position 22: orders stands without its schema; say shop.orders"),
        ("select 'ä', pg_sleep(1)", "position 13: the function pg_sleep is not among those that may be asked"),
        ("select tax_no from shop.customers", "position 8: tax_no of shop.customers may not be read"),
        ("select name from erp.vendors", "position 18: there is no table erp.vendors that may be read"),
        ("delete from shop.orders", "a question is a SELECT, and DELETE is none"),
        ("select 1; select 2", "a question is one statement; here are 2"),
        ("select order_id from shop.orders o, shop.items i", "nothing says which rows of i belong"),
        ("x" * (MAX_BYTES + 1), "a question has at most 8,192 bytes; this one has 8,193"),
        ("select " + "(select " * 600 + "1" + ")" * 600, "the question is nested too deep"),
        ("select '\ud800'", "here is half a surrogate pair"),
    ],
)
def test_refusals_say_what_and_where(text: str, said: str, catalog: Catalog) -> None:
    assert said in reason(text, catalog)


def test_outer_names_are_those_of_the_grammar(catalog: Catalog) -> None:
    """Without LATERAL a subquery does not see its neighbour, so the name means that of the query around."""
    text = "select (select x.t from (select c.tax_no as t) x, shop.orders c) from shop.customers c"
    assert "tax_no of shop.customers" in reason(text, catalog)
    text = "select (select x.t from shop.orders c, lateral (select c.amount as t) x limit 1) from shop.customers c"
    assert check(text, catalog).reads["shop.orders"] == ["amount"]


def test_refusal_survives_pickling() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(QuestionRefused("limits", "too much", 3)))
    assert (str(again), again.facts["why"]) == ("position 3: too much", "limits")

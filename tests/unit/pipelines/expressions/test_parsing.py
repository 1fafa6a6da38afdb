"""Texts that are expressions, and those that are not: each said at its place."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.pipelines.expressions import syntax
from core.pipelines.expressions.parsing import ExpressionError, parse
from core.pipelines.expressions.printing import show


def test_a_name_is_folded_and_a_quoted_one_is_not() -> None:
    assert parse("Amount") == syntax.Column("amount")
    assert parse('"Order Date"') == syntax.Column("Order Date", quoted=True)


def test_numbers_keep_the_digits_that_are_written() -> None:
    assert parse("1.10") == syntax.Constant(Decimal("1.10"))
    assert parse("9223372036854775808") == syntax.Constant(Decimal("9223372036854775808"))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("not (a and b) or c", "not (a and b) or c"),
        ("x IN (1,2)", "x in (1, 2)"),
        ("x::date", "cast(x as date)"),
        ("extract(year from d)", "date_part('year', d)"),
        ("case x when 1 then 'a' end", "case when x = 1 then 'a' end"),
        ("trim(both from x)", "btrim(x)"),
        ("interval '1 day 2 hours'", "interval '1 days 7200 seconds'"),
        ("count(distinct x) filter (where y > 0)", "count(distinct x) filter (where y > 0)"),
        ("name like 'O''Neil%'", "name like 'O''Neil%'"),
        ('"order" is not null', '"order" is not null'),
    ],
)
def test_one_text_stands_for_all_that_say_the_same(text: str, printed: str) -> None:
    assert show(parse(text)) == printed
    assert parse(printed) == parse(text)


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 1, "an expression is missing"),
        ("a +", 4, "the expression ends too early"),
        ("a b", 3, "b cannot stand here"),
        ("1; drop table x", 2, "; cannot stand here"),
        ("1) union select (2", 1, "this is more than one expression"),
        ("a) and (b", 2, ") cannot stand here"),
        ("order", 1, 'order cannot stand here; if it is a column, write it in double quotes: "order"'),
        ("(select 1)", 1, "a subquery is no part of an expression"),
        ("t.x", 1, "a name with a point is no part of an expression"),
        ("now()", 1, "say run_time(), which is the same for all rows"),
        ("current_date", 1, "say run_date(), which is the same for all rows"),
        ("pg_catalog.sum(x)", 1, "a function of a schema is no part of an expression; say sum"),
        ("row_number() over ()", 1, "over is no part of an expression; say a window step"),
        ("x ~ 'a'", 3, "say regexp_like(x, 'pattern')"),
        ("x::regclass", 4, "the type regclass is no part of an expression"),
        ("cast(x as decimal(39,0))", 11, "a decimal has 1 to 38 digits"),
        ("1" * 39, 1, "has more than 38 digits"),
        ("array[1]", 1, "an array is no part of an expression"),
        ("a is true", 3, "is true and its like is no part of an expression"),
        ("interval '1 fortnight'", 1, "'1 fortnight' is no interval"),
        ("$1", 1, "a parameter is no part of an expression"),
        ("'a\0b'", 3, "an expression holds no NUL"),
        ("'\ud800'", 2, "half a surrogate pair"),
        ("x" * 2_001, 1, "an expression has at most 2,000 characters; this one has 2,001"),
        ("(" * 999 + "x" + ")" * 999, 1, ""),
        ("not " * 450 + "x", 1, "nested more than 200 deep"),
    ],
)
def test_what_is_no_expression_is_refused_at_its_place(text: str, position: int, said: str) -> None:
    if said:
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert said in str(caught.value)
        assert caught.value.facts["position"] == position
    else:
        assert parse(text) == syntax.Column("x")


def test_positions_count_characters_and_not_bytes() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("'äöü' || t.x")
    assert caught.value.facts["position"] == 10

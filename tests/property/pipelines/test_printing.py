"""Whatever can be said is printed so that it is read back as itself."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.pipelines.expressions import syntax
from core.pipelines.expressions.parsing import ExpressionError, parse
from core.pipelines.expressions.printing import show
from core.pipelines.types import BOOL, DATE, FLOAT, INT, JSON, TEXT, TIMESTAMP, decimal

# NUL and halves of surrogate pairs are in no expression.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
NAMES = st.one_of(st.sampled_from(["amount", "order", "Order Date", "x", "left", 'a"b', "ä"]), TEXTS.filter(bool))
NUMBERS = st.one_of(
    st.integers(0, 2**63 - 1), st.decimals(0, 10**12, places=3, allow_nan=False, allow_infinity=False).map(Decimal)
)
COLUMNS = st.builds(lambda name: syntax.Column(name, show(syntax.Column(name)).startswith('"')), NAMES)
ATOMS = st.one_of(
    COLUMNS,
    st.builds(syntax.Constant, st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())),
    st.builds(syntax.Interval, st.integers(0, 99), st.integers(0, 99), st.integers(0, 10**9)),
)
TYPES = st.sampled_from([BOOL, DATE, FLOAT, INT, JSON, TEXT, TIMESTAMP, decimal(12, 2)])


def deeper(inner: st.SearchStrategy[syntax.Expression]) -> st.SearchStrategy[syntax.Expression]:
    pairs = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(syntax.Negate, inner.filter(lambda node: not isinstance(node, syntax.Constant))),
        st.builds(syntax.Arithmetic, st.sampled_from(["+", "-", "*", "/", "%", "||"]), inner, inner),
        st.builds(syntax.Comparison, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), inner, inner),
        st.builds(syntax.Both, pairs),
        st.builds(syntax.Either, pairs),
        st.builds(syntax.Not, inner),
        st.builds(syntax.IsNull, inner, st.booleans()),
        st.builds(syntax.In, inner, pairs, st.booleans()),
        st.builds(syntax.Between, inner, inner, inner, st.booleans()),
        st.builds(syntax.Like, inner, TEXTS, st.booleans(), st.booleans()),
        st.builds(syntax.Case, st.tuples(st.tuples(inner, inner)), st.one_of(st.none(), inner)),
        st.builds(syntax.Coalesce, pairs),
        st.builds(syntax.NullIf, inner, inner),
        st.builds(syntax.Cast, inner, TYPES),
        st.builds(syntax.Call, st.sampled_from(["round", "lower", "greatest"]), pairs),
    )


EXPRESSIONS = st.recursive(ATOMS, deeper, max_leaves=12)


@given(EXPRESSIONS)
def test_what_is_printed_is_read_back(node: syntax.Expression) -> None:
    text = show(node)
    if len(text) <= 2_000 and "interval '0 days'" not in text:
        assert show(parse(text)) == text


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_is_refused_at_a_place_within_it(text: str) -> None:
    printed, position = read(text)
    assert 1 <= position <= len(text) + 1
    assert printed is None or read(printed)[0] == printed


def read(text: str) -> tuple[str | None, int]:
    """What a text says in the one form, or the place where it says nothing."""
    try:
        return show(parse(text)), 1
    except ExpressionError as error:
        return None, error.facts["position"]

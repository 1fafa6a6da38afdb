"""An expression as polars: its value, and the rows for which it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl

from core.pipelines.compiling import numbers, texts, times
from core.pipelines.compiling.calls import MAKERS
from core.pipelines.compiling.casts import cast, convert, from_text
from core.pipelines.compiling.values import Fault, Value, faults_of, loaded, physical, whole
from core.pipelines.expressions import syntax
from core.pipelines.expressions.functions import FUNCTIONS
from core.pipelines.expressions.results import literal_type
from core.pipelines.expressions.syntax import Expression
from core.pipelines.expressions.typing import column_of
from core.pipelines.types import BOOL, DATE, NULL, TEXT, TIMESTAMP, ColumnType, common_type


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression may name: columns by type, and the one moment of the run, in UTC without a zone."""

    columns: Mapping[str, ColumnType]
    run_time: datetime


def compiled(node: Expression, around: Surroundings) -> Value:
    """The value of an expression that the check of types has passed.

    A fault counts only where the value is asked for: in the branch of `case` that is taken, in operands of `and`, `or`
    and `coalesce` that those before leave open.
    """
    return _Compiler(around).of(node)


def constant(value: str | int | Decimal | bool | None) -> Value:
    """A constant as it is written."""
    one = literal_type(value)
    if isinstance(value, Decimal):
        return Value(whole(int(value.scaleb(one.scale))), one)
    return Value(pl.lit(value, dtype=physical(one)), one)


class _Compiler:
    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def of(self, node: Expression) -> Value:
        match node:
            case syntax.Column():
                name = column_of(node, self._around.columns)
                return loaded(name, self._around.columns[name])
            case syntax.Constant():
                return constant(node.value)
            case syntax.Interval():
                return times.span_of(node.months, node.days, node.microseconds)
            case syntax.Negate():
                return self._negated(node)
            case syntax.Arithmetic():
                return self._arithmetic(node)
            case syntax.Cast():
                return cast(self.of(node.operand), node.to)
            case syntax.Call():
                return self._call(node)
            case syntax.Case() | syntax.Coalesce() | syntax.NullIf():
                return self._chosen(node)
            case _:
                return self._condition(node)

    def _negated(self, node: syntax.Negate) -> Value:
        value = self.of(node.operand)
        if value.span is not None:
            return times.spans_together(times.span_of(0, 0, 0), value, back=True)
        return value if value.type == NULL else numbers.negated(value)

    def _arithmetic(self, node: syntax.Arithmetic) -> Value:
        left, right = self._alike(node.left, node.right)
        faults = faults_of((left, right))
        if node.operator == "||":
            return texts.text_of(cast(left, TEXT).expr + cast(right, TEXT).expr, left, right)
        if NULL in {left.type, right.type}:
            one = right.type if left.type == NULL else left.type
            return Value(pl.lit(None, dtype=physical(one)) if one.kind != "interval" else pl.lit(None), one, faults)
        if left.type.is_number and right.type.is_number:
            return numbers.computed(node.operator, left, right)
        is_back = node.operator == "-"
        if left.span is not None and right.span is not None:
            return times.spans_together(left, right, back=is_back)
        if left.type.is_time and right.type.is_time:
            return times.between(left, right)
        return times.moved(left, right, back=is_back) if left.type.is_time else times.moved(right, left, back=False)

    def _alike(self, *nodes: Expression) -> list[Value]:
        """Values of operands; a constant text is read as what it stands beside."""
        values = [self.of(node) for node in nodes]
        typed = [value.type for value in values if value.type not in {TEXT, NULL}]
        if not typed:
            return values
        wanted = reduce(lambda one, other: common_type(one, other) or one, typed)
        return [
            from_text(value, _as_constant(wanted)) if _is_text(node) and wanted.can_be_stored else value
            for node, value in zip(nodes, values, strict=True)
        ]

    def _together(self, *nodes: Expression) -> list[Value]:
        """Values of one type."""
        values = self._alike(*nodes)
        wanted = reduce(lambda one, other: common_type(one, other) or one, [value.type for value in values])
        return [convert(value, wanted) for value in values]

    def _comparable(self, *nodes: Expression) -> list[Value]:
        """Values of one type; spans of time by their length."""
        values = [self.of(node) for node in nodes]
        if any(value.span is not None for value in values):
            return [times.length(value) for value in values]
        return self._together(*nodes)

    def _chosen(self, node: syntax.Case | syntax.Coalesce | syntax.NullIf) -> Value:
        if isinstance(node, syntax.NullIf):
            left, right = self._together(node.left, node.right)
            kept, faults = self.of(node.left), faults_of((left, right))
            return Value(
                pl.when((left.expr == right.expr).fill_null(value=False)).then(None).otherwise(kept.expr),
                kept.type,
                faults,
            )
        if isinstance(node, syntax.Coalesce):
            return self._coalesced(self._together(*node.operands))
        tests = [self.of(test) for test, _ in node.branches]
        values = self._together(
            *[value for _, value in node.branches], *([node.otherwise] if node.otherwise is not None else [])
        )
        return _case(tests, values, has_otherwise=node.otherwise is not None)

    def _coalesced(self, values: Sequence[Value]) -> Value:
        faults: list[Fault] = []
        is_open = pl.lit(value=True)
        for value in values:
            faults += value.only_where(is_open)
            is_open = is_open & value.expr.is_null()
        return Value(pl.coalesce([value.expr for value in values]), values[0].type, tuple(faults))

    def _condition(self, node: Expression) -> Value:
        match node:
            case syntax.Comparison():
                left, right = self._comparable(node.left, node.right)
                return texts.truth_of(_compared(node.operator, left.expr, right.expr), left, right)
            case syntax.Both() | syntax.Either():
                return self._joined(node)
            case syntax.Not():
                value = self.of(node.operand)
                return texts.truth_of(~value.expr.cast(pl.Boolean), value)
            case syntax.IsNull():
                value = self.of(node.operand)
                is_null = (value.span[2] if value.span is not None else value.expr).is_null()
                return texts.truth_of(~is_null if node.negated else is_null, value)
            case syntax.Like():
                found = texts.like(cast(self.of(node.operand), TEXT), node.pattern, any_case=node.any_case)
                return texts.truth_of(~found.expr, found) if node.negated else found
            case _:
                return self._ranged(node)

    def _ranged(self, node: Expression) -> Value:
        if isinstance(node, syntax.Between):
            value, low, high = self._comparable(node.operand, node.low, node.high)
            inside = (value.expr >= low.expr) & (value.expr <= high.expr)
            return texts.truth_of(~inside if node.negated else inside, value, low, high)
        assert isinstance(node, syntax.In)
        value, *choices = self._comparable(node.operand, *node.choices)
        found = reduce(lambda one, other: one | other, [value.expr == choice.expr for choice in choices])
        return texts.truth_of(~found if node.negated else found, value, *choices)

    def _joined(self, node: syntax.Both | syntax.Either) -> Value:
        """`and` or `or`: a fault counts where no operand before has decided."""
        decides = isinstance(node, syntax.Either)
        faults: list[Fault] = []
        is_open, found = pl.lit(value=True), None
        for operand in node.operands:
            value = self.of(operand)
            held = value.expr.cast(pl.Boolean)
            faults += value.only_where(is_open)
            decided = held if decides else ~held
            is_open = is_open & ~decided.fill_null(value=False)
            found = held if found is None else found | held if decides else found & held
        assert found is not None
        return Value(found, BOOL, tuple(faults))

    def _call(self, node: syntax.Call) -> Value:
        if node.name == "run_time":
            return Value(pl.lit(self._around.run_time, dtype=pl.Datetime("us")), TIMESTAMP)
        if node.name == "run_date":
            return Value(pl.lit(self._around.run_time.date(), dtype=pl.Date), DATE)
        if node.name in {"greatest", "least"}:
            values = self._together(*node.arguments)
            find = pl.max_horizontal if node.name == "greatest" else pl.min_horizontal
            return Value(find([value.expr for value in values]), values[0].type, faults_of(values))
        takes = FUNCTIONS[node.name].takes
        values, constants = [], []
        for place, argument in enumerate(node.arguments):
            wanted = takes[min(place, len(takes) - 1)]
            if wanted == "constant":
                constants.append(_constant_of(argument))
            else:
                values.append(_argument(argument, self.of(argument), wanted))
        return MAKERS[node.name](values, constants)


def _argument(node: Expression, value: Value, wanted: str) -> Value:
    """What a function is given; a constant text is read as a time where one is wanted, a null is one of the type."""
    if _is_text(node) and wanted in {"time", "date", "timestamp"}:
        return from_text(value, DATE if wanted == "date" else TIMESTAMP)
    if value.type == NULL:
        kinds = {"text": TEXT, "date": DATE, "time": TIMESTAMP, "timestamp": TIMESTAMP, "bool": BOOL, "json": TEXT}
        return cast(value, kinds.get(wanted, ColumnType("int")))
    return value


def _case(tests: Sequence[Value], values: Sequence[Value], *, has_otherwise: bool) -> Value:
    faults: list[Fault] = []
    is_open = pl.lit(value=True)
    chain: Any = None
    for test, value in zip(tests, values, strict=False):
        holds = test.expr.fill_null(value=False)
        faults += [*test.only_where(is_open), *value.only_where(is_open & holds)]
        is_open = is_open & ~holds
        chain = pl.when(holds).then(value.expr) if chain is None else chain.when(holds).then(value.expr)
    assert chain is not None
    if has_otherwise:
        faults += values[-1].only_where(is_open)
        return Value(chain.otherwise(values[-1].expr), values[0].type, tuple(faults))
    return Value(chain.otherwise(None), values[0].type, tuple(faults))


def _compared(operator: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    match operator:
        case "=":
            return left == right
        case "<>":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _is_text(node: Expression) -> bool:
    return isinstance(node, syntax.Constant) and isinstance(node.value, str)


def _as_constant(wanted: ColumnType) -> ColumnType:
    """What a constant text beside numbers is read as: a decimal of as many places, whatever its digits."""
    return ColumnType("decimal", 38, wanted.scale) if wanted.kind == "decimal" else wanted


def _constant_of(node: Expression) -> str | int:
    assert isinstance(node, syntax.Constant)
    value = node.value
    return value if isinstance(value, str | int) else str(value)

"""The types of expressions: each node has one, or the expression is refused with the place and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from core.pipelines.expressions import syntax
from core.pipelines.expressions.functions import FUNCTIONS, KNOWN_ELSEWHERE, Function, Wanted
from core.pipelines.expressions.parsing import ExpressionError
from core.pipelines.expressions.printing import show, show_name
from core.pipelines.expressions.results import can_cast, literal_type, operator_type, reads_as
from core.pipelines.expressions.syntax import Expression
from core.pipelines.refusals import instead
from core.pipelines.types import (
    BOOL,
    DATE,
    INT,
    INTERVAL,
    NULL,
    TEXT,
    TIMESTAMP,
    UNKNOWN,
    ColumnType,
    common_type,
    decimal,
)

Where = Literal["row", "aggregate", "window", "check"]
"""Where an expression stands: of rows, or of what an aggregate, window or check step computes."""

_SHOWN = 60
"""Characters of an expression that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name.

    by: the columns that a group shares, which an aggregate step may use outside aggregates.
    """

    columns: Mapping[str, ColumnType]
    where: Where = "row"
    by: frozenset[str] = frozenset()


def type_of(node: Expression, scope: Scope) -> ColumnType:
    """The type of an expression.

    Raises ExpressionError: an unknown name or function, types that do not go together, an aggregate out of its place.
    Cost: O(nodes).
    """
    return _Typer(scope).of(node)


def condition_type(node: Expression, scope: Scope, what: str) -> None:
    """Refuse what is no condition. what: how the sentence calls the place, as `where` or `the rule`."""
    found = type_of(node, scope)
    if found.kind not in {"bool", "null", "unknown"}:
        raise ExpressionError(f"{what} is a condition, true or false; {_short(node)} is {found}", _at(node))


def column_of(name: syntax.Column, columns: Mapping[str, object]) -> str:
    """The one column that a name means: itself, or without quotes the one that equals it without case.

    Raises ExpressionError: there is none, or there are several.
    """
    if name.quoted and name.name in columns:
        return name.name
    alike = [] if name.quoted else [column for column in columns if column.casefold() == name.name.casefold()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        quoted = " or ".join(f'"{one}"' for one in alike)
        raise ExpressionError(f"{name.name} may be {quoted}; write the one in double quotes", name.at)
    raise ExpressionError(f"there is no column {name.name}{instead(name.name, map(show_name, columns))}", name.at)


def names_in(node: Expression) -> list[syntax.Column]:
    """Every column that an expression names, in the order of the text's tree."""
    return [one for one in syntax.walk(node) if isinstance(one, syntax.Column)]


class _Typer:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._inside = False
        """Within the arguments of an aggregate or a window function."""

    def of(self, node: Expression) -> ColumnType:
        match node:
            case syntax.Column():
                return self._column(node)
            case syntax.Constant():
                return literal_type(node.value)
            case syntax.Interval():
                return INTERVAL
            case syntax.Negate():
                return self._wanted(node.operand, ("number", "interval"), "- is of numbers")
            case syntax.Arithmetic():
                return self._arithmetic(node)
            case syntax.Comparison():
                self._compared(node.left, node.right)
                return BOOL
            case syntax.Cast():
                return self._cast(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Case() | syntax.Coalesce() | syntax.NullIf():
                return self._chosen(node)
            case _:
                return self._condition(node)

    def _column(self, node: syntax.Column) -> ColumnType:
        name = column_of(node, self._scope.columns)
        alone = self._scope.where in {"aggregate", "check"} and not self._inside
        if alone and name not in self._scope.by:
            said = "is not in by" if self._scope.where == "aggregate" else "has a value for each row"
            raise ExpressionError(f"{name} {said}; put it inside sum(), min() or another aggregate", node.at)
        return self._scope.columns[name]

    def _condition(self, node: Expression) -> ColumnType:
        match node:
            case syntax.Both() | syntax.Either():
                for one in node.operands:
                    self._truth(one, "and" if isinstance(node, syntax.Both) else "or")
            case syntax.Not():
                self._truth(node.operand, "not")
            case syntax.IsNull():
                self.of(node.operand)
            case syntax.In():
                for one in node.choices:
                    self._compared(node.operand, one)
            case syntax.Between():
                self._compared(node.operand, node.low)
                self._compared(node.operand, node.high)
            case syntax.Like():
                self._wanted(node.operand, ("text",), "like is of text")
            case _:
                raise AssertionError(f"no type for {type(node).__name__}")
        return BOOL

    def _truth(self, node: Expression, word: str) -> None:
        found = self.of(node)
        if found != BOOL and not found.is_open:
            raise ExpressionError(f"{word} is of conditions; {_short(node)} is {found}", _at(node))

    def _wanted(self, node: Expression, kinds: Sequence[str], said: str) -> ColumnType:
        found = self.of(node)
        if found.is_open or any(_is(found, kind) for kind in kinds):
            return found
        raise ExpressionError(f"{said}; {_short(node)} is {found}", _at(node))

    def _compared(self, left: Expression, right: Expression) -> None:
        """Refuse what cannot be compared; a constant text goes with what it reads as."""
        one, other = self.of(left), self.of(right)
        for null in (right, left):
            if isinstance(null, syntax.Constant) and null.value is None:
                raise ExpressionError("nothing equals null; say is null or is not null", null.at)
        if "json" in {one.kind, other.kind}:
            raise ExpressionError("json is not compared; take a field out with unnest or json_text()", _at(left))
        if common_type(one, other) is None and not (_reads_as(right, one) or _reads_as(left, other)):
            said = f"{_short(left)} is {one}, {_short(right)} is {other}"
            raise ExpressionError(f"{said}; they cannot be compared", _at(right))

    def _arithmetic(self, node: syntax.Arithmetic) -> ColumnType:
        left, right = self.of(node.left), self.of(node.right)
        if node.operator == "||":
            for one, found in ((node.left, left), (node.right, right)):
                if found.kind not in {"text", "null", "unknown"}:
                    raise ExpressionError(f"|| joins texts; {_short(one)} is {found}: cast it to text", _at(one))
            return TEXT
        left = left if not _reads_as(node.left, right) else right
        right = right if not _reads_as(node.right, left) else left
        if "unknown" in {left.kind, right.kind}:
            return UNKNOWN
        gives = operator_type(node.operator, left, right)
        if gives is None:
            said = f"{_short(node.left)} is {left}, {_short(node.right)} is {right}"
            raise ExpressionError(f"{said}; there is no {node.operator} of them", node.at)
        if gives.kind == "decimal" and gives.scale > 30:
            raise ExpressionError(
                f"{_short(node)} would have {gives.scale} places after the point; round its parts first", node.at
            )
        return gives

    def _cast(self, node: syntax.Cast) -> ColumnType:
        found = self.of(node.operand)
        if not can_cast(found, node.to):
            raise ExpressionError(f"{_short(node.operand)} is {found}, which cannot become {node.to}", node.at)
        if (
            isinstance(node.operand, syntax.Constant)
            and isinstance(node.operand.value, str)
            and not reads_as(node.operand.value, node.to)
        ):
            raise ExpressionError(f"{_short(node.operand)} is no {node.to}", _at(node.operand))
        return node.to

    def _chosen(self, node: syntax.Case | syntax.Coalesce | syntax.NullIf) -> ColumnType:
        if isinstance(node, syntax.NullIf):
            self._compared(node.left, node.right)
            return self.of(node.left)
        if isinstance(node, syntax.Coalesce):
            return self._one_type(node.operands, "coalesce")
        for test, _ in node.branches:
            self._truth(test, "when")
        values = [value for _, value in node.branches]
        return self._one_type([*values, *([node.otherwise] if node.otherwise is not None else [])], "case")

    def _one_type(self, nodes: Sequence[Expression], said: str) -> ColumnType:
        found, shown = NULL, nodes[0]
        for node in nodes:
            one = self.of(node)
            if one == INTERVAL:
                raise ExpressionError(f"{said} is not of intervals; {_short(node)} is one", _at(node))
            both = common_type(found, one) or (
                found if _reads_as(node, found) else one if _reads_as(shown, one) else None
            )
            if both is None:
                raise ExpressionError(
                    f"the values of {said} are of one type; {_short(shown)} is {found}, {_short(node)} is {one}",
                    _at(node),
                )
            found, shown = both, shown if found.kind != "null" else node
        return found

    def _call(self, node: syntax.Call) -> ColumnType:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise ExpressionError(f"no function {node.name}{_elsewhere(node.name)}", node.at)
        self._in_place(node, function)
        if node.star and node.name != "count":
            raise ExpressionError(f"{node.name}(*) says nothing; only count(*) does", node.at)
        outside, self._inside = self._inside, self._inside or function.place != "row"
        types = [] if node.star else self._arguments(node, function)
        if node.only is not None:
            self._truth(node.only, "filter")
        self._inside = outside
        if node.name in {"round", "trunc"}:
            return _rounded(node, types)
        return (
            UNKNOWN
            if any(one.kind == "unknown" for one in types)
            else function.gives(types)
            if types or not function.takes
            else INT
        )

    def _in_place(self, node: syntax.Call, function: Function) -> None:
        where = self._scope.where
        if function.place == "row":
            if node.distinct or node.only is not None:
                raise ExpressionError(f"{node.name}() is no aggregate: distinct and filter do not go with it", node.at)
            return
        if where == "row" or (function.place == "window" and where != "window"):
            at = "aggregate, window or check" if function.place == "aggregate" else "window"
            raise ExpressionError(f"{node.name}() belongs to {at}", node.at)
        if self._inside:
            raise ExpressionError(f"{node.name}() stands inside another aggregate; use two steps", node.at)
        if function.place == "window" and (node.distinct or node.only is not None):
            raise ExpressionError(f"distinct and filter do not go with {node.name}()", node.at)

    def _arguments(self, node: syntax.Call, function: Function) -> list[ColumnType]:
        given, takes = node.arguments, function.takes
        if len(given) < function.least or (len(given) > len(takes) and not function.many):
            said = _count(function)
            raise ExpressionError(f"{node.name}() takes {said}, not {len(given)}", node.at)
        types = []
        for place, one in enumerate(given):
            wanted = takes[min(place, len(takes) - 1)]
            types.append(self._argument(node, function, one, wanted))
        if node.name in {"greatest", "least"}:
            self._one_type(given, node.name)
        return types

    def _argument(self, node: syntax.Call, function: Function, one: Expression, wanted: Wanted) -> ColumnType:
        if wanted == "constant":
            return _constant(node, function, one)
        found = self.of(one)
        fits = wanted == "any" or found.is_open or _is(found, wanted)
        if wanted in {"time", "date", "timestamp"} and _reads_as(one, TIMESTAMP if wanted == "timestamp" else DATE):
            fits = True
        if not fits:
            said = {"time": "a date or timestamp", "exact": "an int or decimal", "number": "a number"}.get(
                wanted, wanted
            )
            raise ExpressionError(f"{node.name}() takes {said}; {_short(one)} is {found}", _at(one))
        return found


def _reads_as(node: Expression, to: ColumnType) -> bool:
    """A constant text that goes with a value of another type, as PostgreSQL takes constants of no type yet."""
    is_text = isinstance(node, syntax.Constant) and isinstance(node.value, str)
    return is_text and to.kind not in {"text", "interval", "json", "null"} and reads_as(str(node.value), to)  # type: ignore[union-attr]


def _rounded(node: syntax.Call, types: Sequence[ColumnType]) -> ColumnType:
    """round(x) and trunc(x) leave no places, round(x, n) leaves n; whole numbers stay whole."""
    one = types[0]
    if one.kind in {"float", "int", "unknown", "null"}:
        return one
    places = 0
    if len(node.arguments) > 1:
        places = int(node.arguments[1].value)  # type: ignore[union-attr, arg-type]
    scale = min(one.scale, max(0, places))
    return decimal(one.precision - one.scale + 1 + scale, scale)


def _constant(node: syntax.Call, function: Function, one: Expression) -> ColumnType:
    negated = isinstance(one, syntax.Negate) and isinstance(one.operand, syntax.Constant)
    if negated or not isinstance(one, syntax.Constant) or one.value is None:
        raise ExpressionError(f"{node.name}() takes a constant here, not {_short(one)}", _at(one))
    number = node.name in {"round", "trunc", "lag", "lead"}
    if number and (isinstance(one.value, bool) or not isinstance(one.value, int) or not -30 <= one.value <= 10_000):
        raise ExpressionError(f"{node.name}() takes a whole number here, not {_short(one)}", one.at)
    if not number and not isinstance(one.value, str):
        raise ExpressionError(f"{node.name}() takes a constant text here, not {_short(one)}", one.at)
    if function.choices and one.value not in function.choices:
        raise ExpressionError(
            f"{node.name}() knows no '{str(one.value)[:20]}'{instead(str(one.value), function.choices)}", one.at
        )
    if node.name.startswith("regexp_") and one is node.arguments[1]:
        _refuse_regex(str(one.value), one.at)
    return literal_type(one.value)


def _refuse_regex(pattern: str, at: int) -> None:
    """Refuse a pattern that the regular expressions of rows, which take linear time, do not know."""
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError:
        raise ExpressionError(
            f"'{pattern[:40]}' is no regular expression here: it does not end, or looks ahead, behind or back", at
        ) from None


def _is(found: ColumnType, wanted: str) -> bool:
    match wanted:
        case "number":
            return found.is_number
        case "exact":
            return found.is_exact
        case "time" | "timestamp":
            return found.is_time
        case _:
            return found.kind == wanted


def _count(function: Function) -> str:
    most, least = len(function.takes), function.least
    if function.many:
        return f"{least} or more values"
    if most == 0:
        return "nothing"
    return f"{least} value{'s' if least > 1 else ''}" if most == least else f"{least} or {most} values"


def _elsewhere(name: str) -> str:
    if name in KNOWN_ELSEWHERE:
        return f"; did you mean {KNOWN_ELSEWHERE[name]}?"
    near = instead(name, FUNCTIONS).partition("?")
    return f"{near[0]}?" if near[1] else "; docs/reference/pipelines.md lists those there are"


def _short(node: Expression) -> str:
    text = show(node)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _at(node: Expression) -> int:
    """The first character of a node: of an operator, that of its left side."""
    match node:
        case syntax.Arithmetic() | syntax.Comparison() | syntax.NullIf():
            return min(node.at, _at(node.left))
        case _:
            return node.at

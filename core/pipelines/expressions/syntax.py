"""The closed syntax of expressions: whatever is not a node here cannot be said.

Each node has `at`, the character of the expression where it begins, from 1; it takes no part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from core.pipelines.types import ColumnType

ArithmeticOperator = Literal["+", "-", "*", "/", "%", "||"]
ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name; `quoted` if it was written in double quotes, and so means no other than itself."""

    name: str
    quoted: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: text, int, Decimal, bool or None."""

    value: str | int | Decimal | bool | None
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time as PostgreSQL keeps it: months, days and microseconds apart."""

    months: int
    days: int
    microseconds: int
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """A sign before a number or an interval."""

    operand: Expression
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * / %` of numbers and times, `||` of texts."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which of two values is the greater; null where one is null."""

    operator: ComparisonOperator
    left: Expression
    right: Expression
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Both:
    """`and` of two or more, three-valued."""

    operands: tuple[Expression, ...]
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Either:
    """`or` of two or more, three-valued."""

    operands: tuple[Expression, ...]
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition; null stays null."""

    operand: Expression
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class IsNull:
    """`is null`, or `is not null` where `negated`."""

    operand: Expression
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class In:
    """Whether a value is one of a few."""

    operand: Expression
    choices: tuple[Expression, ...]
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Between:
    """Whether a value lies in a range, both ends included."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Like:
    """`like`, or `ilike` where `any_case`; the pattern is a constant, so that it is looked at before a row is."""

    operand: Expression
    pattern: str
    any_case: bool = False
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """`case when ... then ... else ... end`; `case x when 1` is read as `case when x = 1`."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None = None
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first value that is not null."""

    operands: tuple[Expression, ...]
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class NullIf:
    """Null where two values are equal, else the left one."""

    left: Expression
    right: Expression
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Cast:
    """A value as one of another type."""

    operand: Expression
    to: ColumnType
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an aggregate with its `distinct` and `filter`; `count(*)` has `star` and no arguments."""

    name: str
    arguments: tuple[Expression, ...]
    star: bool = False
    distinct: bool = False
    only: Expression | None = None
    at: int = field(default=1, compare=False)


Expression: TypeAlias = (
    Column
    | Constant
    | Interval
    | Negate
    | Arithmetic
    | Comparison
    | Both
    | Either
    | Not
    | IsNull
    | In
    | Between
    | Like
    | Case
    | Coalesce
    | NullIf
    | Cast
    | Call
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly below a node, from left to right."""
    match node:
        case Column() | Constant() | Interval():
            return ()
        case Negate() | Not() | IsNull() | Like() | Cast():
            return (node.operand,)
        case Arithmetic() | Comparison() | NullIf():
            return (node.left, node.right)
        case Both() | Either() | Coalesce():
            return node.operands
        case In():
            return (node.operand, *node.choices)
        case Between():
            return (node.operand, node.low, node.high)
        case Case():
            branches = tuple(part for branch in node.branches for part in branch)
            return (*branches, node.otherwise) if node.otherwise is not None else branches
        case Call():
            return (*node.arguments, node.only) if node.only is not None else node.arguments


def flat(node: Both | Either) -> tuple[Expression, ...]:
    """The operands of an `and` or `or`, those of the same word below it among them: brackets there say nothing."""
    found: list[Expression] = []
    for one in node.operands:
        found += flat(one) if isinstance(one, Both | Either) and type(one) is type(node) else (one,)
    return tuple(found)


def walk(node: Expression) -> list[Expression]:
    """A node and all below it, parents first."""
    found, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(reversed(children(one)))
    return found


def depth(node: Expression) -> int:
    """Nodes on the longest way down from a node, itself among them."""
    deepest, level = 0, [node]
    while level:
        deepest, level = deepest + 1, [below for one in level for below in children(one)]
    return deepest

"""A filter pushed into a table: printed from our own syntax, its constants as parameters, never a user's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from core.pipelines.expressions import syntax
from core.pipelines.expressions.syntax import Expression
from core.pipelines.types import TEXT, ColumnType

_OPERATORS = {operator: sql.SQL(operator) for operator in ("=", "<>", "<", "<=", ">", ">=")}
EVERYTHING = sql.SQL("true")


def pushed(node: Expression, types: Mapping[str, ColumnType]) -> tuple[sql.Composable, dict[str, Any]] | None:
    """The filter and its parameters, or None: the rows are filtered when they are here.

    Pushed are comparisons of bare columns with constants, of texts `=`, `in` and `is null` alone, for collations
    order texts otherwise than we do; and what is joined of them by `and`.
    """
    values: dict[str, Any] = {}
    printed = _printed(node, types, values)
    return None if printed is None else (printed, values)


def _printed(node: Expression, types: Mapping[str, ColumnType], values: dict[str, Any]) -> sql.Composable | None:
    match node:
        case syntax.Both():
            parts = [_printed(one, types, values) for one in syntax.flat(node)]
            known = [one for one in parts if one is not None]
            return sql.SQL("({})").format(sql.SQL(" AND ").join(known)) if len(known) == len(parts) else None
        case syntax.Comparison(operator, syntax.Column() as column, syntax.Constant() as constant):
            if (name := _column(column, types)) is None or (types[name] == TEXT and operator != "="):
                return None
            return _bound(name, _OPERATORS[operator], constant, values)
        case syntax.IsNull(syntax.Column() as column, negated) if (name := _column(column, types)) is not None:
            word = "{} IS NOT NULL" if negated else "{} IS NULL"
            return sql.SQL(word).format(sql.Identifier(name))
        case syntax.In(syntax.Column() as column, choices, False) if (name := _column(column, types)) is not None:
            constants = [one for one in choices if isinstance(one, syntax.Constant) and one.value is not None]
            if len(constants) != len(choices):
                return None
            either = [_bound(name, _OPERATORS["="], one, values) for one in constants]
            return sql.SQL("({})").format(sql.SQL(" OR ").join(either))
        case _:
            return None


def _column(column: syntax.Column, types: Mapping[str, ColumnType]) -> str | None:
    """The one column that a name means; of json and floats nothing is pushed."""
    names = [name for name in types if name == column.name or (not column.quoted and name.lower() == column.name)]
    return names[0] if len(names) == 1 and types[names[0]].kind not in {"json", "float"} else None


def _bound(name: str, operator: sql.SQL, constant: syntax.Constant, values: dict[str, Any]) -> sql.Composable:
    parameter = f"given_{len(values)}"
    values[parameter] = constant.value
    return sql.SQL("{} {} {}").format(sql.Identifier(name), operator, sql.Placeholder(parameter))

"""PostgreSQL's answer to an expression of the language: value by value, or that there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import psycopg

from core.pipelines.expressions import syntax
from core.pipelines.expressions.parsing import parse
from core.pipelines.expressions.printing import show
from core.pipelines.expressions.typing import Scope, type_of
from core.pipelines.types import ColumnType

DEAD = "dead"
"""Stands for a row that has no value."""

# What PostgreSQL lacks or has otherwise by decision, said in its own words.
TWINS = """
create function quotient(a numeric, b numeric) returns numeric immutable language sql as
  $$ select round(div(a * 1000000000000, b) * 0.000000000001, 9) $$;
create function whole(a int8) returns int8 immutable language sql as $$ select a $$;
create function year(a timestamp) returns int8 immutable language sql as $$ select extract(year from a)::int8 $$;
create function quarter(a timestamp) returns int8 immutable language sql as $$ select extract(quarter from a)::int8 $$;
create function month(a timestamp) returns int8 immutable language sql as $$ select extract(month from a)::int8 $$;
create function week(a timestamp) returns int8 immutable language sql as $$ select extract(week from a)::int8 $$;
create function day(a timestamp) returns int8 immutable language sql as $$ select extract(day from a)::int8 $$;
create function hour(a timestamp) returns int8 immutable language sql as $$ select extract(hour from a)::int8 $$;
create function minute(a timestamp) returns int8 immutable language sql as $$ select extract(minute from a)::int8 $$;
create function day_of_week(a timestamp) returns int8 immutable language sql as $$ select extract(dow from a)::int8 $$;
create function hours_between(a timestamp, b timestamp) returns numeric immutable language sql as
  $$ select quotient(extract(epoch from b - a) * 1000000, 3600000000) $$;
create function minutes_between(a timestamp, b timestamp) returns numeric immutable language sql as
  $$ select quotient(extract(epoch from b - a) * 1000000, 60000000) $$;
create function days_between(a date, b date) returns int8 immutable language sql as $$ select (b - a)::int8 $$;
create function json_text(a json, path text) returns text immutable language sql as
  $$ select a #>> string_to_array(path, '.') $$;
create function make_date(y int8, m int8, d int8) returns date immutable language sql as
  $$ select make_date(y::int4, m::int4, d::int4) $$;
"""
_INT_ARGUMENTS = {"left", "right", "substring", "substr", "lpad", "rpad", "split_part", "round", "trunc"}


def prepare(conn: psycopg.Connection[Any], columns: dict[str, ColumnType], rows: Sequence[Sequence[Any]]) -> None:
    """The rows as a table `given`, and the twins."""
    conn.execute(TWINS)
    listed = ", ".join(f'"{name}" {_sql(str(one))}' for name, one in columns.items())
    conn.execute(f"create table given (n int, {listed})")
    places = ", ".join(["%s"] * (len(columns) + 1))
    with conn.cursor() as cursor:
        cursor.executemany(f"insert into given values ({places})", [(number, *row) for number, row in enumerate(rows)])
    conn.commit()


def answers(conn: psycopg.Connection[Any], text: str, columns: dict[str, ColumnType], n_rows: int) -> list[Any]:
    """What PostgreSQL says of each row, in order; DEAD where it raises."""
    said = f"select {in_postgres(text, columns)} from given"
    try:
        with conn.transaction():
            return [value for (value,) in conn.execute(f"{said} order by n").fetchall()]
    except psycopg.errors.DataError:
        return [_answer(conn, said, number) for number in range(n_rows)]


def _answer(conn: psycopg.Connection[Any], said: str, number: int) -> Any:
    try:
        with conn.transaction():
            found = conn.execute(f"{said} where n = {number}").fetchone()
    except psycopg.errors.DataError:
        return DEAD
    return found[0] if found else None


def in_postgres(text: str, columns: dict[str, ColumnType]) -> str:
    """The expression with its whole numbers of 64 bits, exact quotients and byte order said so."""
    return _sql(show(_turned(parse(text), Scope(columns))))


def _turned(node: Any, scope: Scope) -> Any:
    changed = {
        field.name: _inner(getattr(node, field.name), scope)
        for field in dataclasses.fields(node)
        if field.name not in {"at", "value", "to"}
    }
    made = dataclasses.replace(node, **changed)
    if isinstance(node, syntax.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return syntax.Call("whole", (node,))
    if isinstance(node, syntax.Arithmetic) and node.operator in "+-" and type_of(node, scope).kind == "date":
        return dataclasses.replace(made, right=_short(made.right))
    if isinstance(node, syntax.Arithmetic) and node.operator == "/" and type_of(node, scope).kind == "decimal":
        return syntax.Call("quotient", (made.left, made.right))
    if isinstance(node, syntax.Call) and node.name in _INT_ARGUMENTS:
        # Their numbers are of 32 bits in PostgreSQL.
        first, *others = made.arguments
        return dataclasses.replace(made, arguments=(first, *map(_short, others)))
    return made


def _short(node: Any) -> Any:
    is_text = isinstance(node, syntax.Constant) and isinstance(node.value, str)
    return node if is_text else syntax.Call("int4", (node,))


def _inner(value: Any, scope: Scope) -> Any:
    if isinstance(value, tuple):
        return tuple(_inner(one, scope) for one in value)
    return _turned(value, scope) if dataclasses.is_dataclass(value) and not isinstance(value, ColumnType) else value


def _sql(text: str) -> str:
    names = {" as int)": " as int8)", " as float)": " as float8)"}
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    return {"int": "int8", "float": "float8", "text": 'text collate "C.utf8"'}.get(text, text)

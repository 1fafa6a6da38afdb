"""The canonical text of an expression: two that say the same in other brackets, case or spaces are printed alike."""

from __future__ import annotations

from decimal import Decimal

from core.pipelines.expressions import syntax
from core.pipelines.expressions.syntax import Expression

_OR, _AND, _NOT, _IS, _COMPARED, _IN, _JOINED, _SUM, _PRODUCT, _SIGN, _CAST, _ATOM = range(12)
"""How tightly what is printed holds together, as PostgreSQL's grammar has it."""

_ARITHMETIC = {"||": _JOINED, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}


def show(node: Expression) -> str:
    """One line of SQL that `parse` reads back as the same expression."""
    return _print(node)[0]


def _within(node: Expression, least: int) -> str:
    text, holds = _print(node)
    return text if holds >= least else f"({text})"


def _print(node: Expression) -> tuple[str, int]:
    match node:
        case syntax.Column():
            return show_name(node.name), _ATOM
        case syntax.Constant():
            return show_constant(node.value), _ATOM if not _is_negative(node.value) else _SIGN
        case syntax.Interval():
            return f"interval '{_span(node)}'", _ATOM
        case syntax.Negate():
            return f"- {_within(node.operand, _CAST)}", _SIGN
        case syntax.Arithmetic():
            holds = _ARITHMETIC[node.operator]
            return f"{_within(node.left, holds)} {node.operator} {_within(node.right, holds + 1)}", holds
        case syntax.Comparison():
            return f"{_within(node.left, _IN)} {node.operator} {_within(node.right, _IN)}", _COMPARED
        case syntax.Both() | syntax.Either():
            word, holds = ("and", _AND) if isinstance(node, syntax.Both) else ("or", _OR)
            return f" {word} ".join(_within(one, holds + 1) for one in syntax.flat(node)), holds
        case syntax.Not():
            return f"not {_within(node.operand, _IS)}", _NOT
        case syntax.Cast():
            return f"cast({show(node.operand)} as {node.to})", _ATOM
        case _:
            return _print_longer(node)


def _print_longer(node: Expression) -> tuple[str, int]:
    match node:
        case syntax.IsNull():
            return f"{_within(node.operand, _COMPARED)} is {_not(node.negated)}null", _IS
        case syntax.In():
            return f"{_within(node.operand, _JOINED)} {_not(node.negated)}in ({_list(node.choices)})", _IN
        case syntax.Between():
            low, high = _within(node.low, _JOINED), _within(node.high, _JOINED)
            return f"{_within(node.operand, _JOINED)} {_not(node.negated)}between {low} and {high}", _IN
        case syntax.Like():
            word = "ilike" if node.any_case else "like"
            return f"{_within(node.operand, _JOINED)} {_not(node.negated)}{word} {show_constant(node.pattern)}", _IN
        case syntax.Case():
            branches = " ".join(f"when {show(test)} then {show(value)}" for test, value in node.branches)
            otherwise = f" else {show(node.otherwise)}" if node.otherwise is not None else ""
            return f"case {branches}{otherwise} end", _ATOM
        case syntax.Coalesce():
            return f"coalesce({_list(node.operands)})", _ATOM
        case syntax.NullIf():
            return f"nullif({show(node.left)}, {show(node.right)})", _ATOM
        case syntax.Call():
            inside = "*" if node.star else f"{'distinct ' if node.distinct else ''}{_list(node.arguments)}"
            only = f" filter (where {show(node.only)})" if node.only is not None else ""
            return f"{node.name}({inside}){only}", _ATOM
        case _:
            raise AssertionError(f"no text for {type(node).__name__}")


def show_constant(value: str | int | Decimal | bool | None) -> str:
    """A constant as SQL says it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _is_negative(value: object) -> bool:
    return isinstance(value, int | Decimal) and value < 0


def show_name(name: str) -> str:
    """A column's name, in double quotes where the grammar would read it otherwise."""
    plain = name.isascii() and name.isidentifier() and name == name.lower() and not is_reserved(name)
    doubled = name.replace('"', '""')
    return name if plain else f'"{doubled}"'


def is_reserved(word: str) -> bool:
    """Whether the grammar takes a word for its own, so that a column of that name is quoted."""
    return word.lower() in _RESERVED


def _not(negated: bool) -> str:
    return "not " if negated else ""


def _list(nodes: tuple[Expression, ...]) -> str:
    return ", ".join(map(show, nodes))


def _span(node: syntax.Interval) -> str:
    seconds = f"{Decimal(node.microseconds) / 1_000_000:f}"
    parts = [(node.months, "months"), (node.days, "days")]
    said = [f"{amount} {unit}" for amount, unit in parts if amount] + (
        [f"{seconds} seconds"] if node.microseconds else []
    )
    return " ".join(said) or "0 days"


_RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
    interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg
    json_query json_scalar json_serialize json_table json_value lateral leading least left like limit
    localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif
    numeric offset on only or order out outer overlaps overlay placing position precision primary real
    references returning right row select session_user setof similar smallint some substring symmetric
    system_user table tablesample then time timestamp to trailing treat trim true union unique user using
    values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable""".split()
)
"""Words of the grammar that name no column without quotes: PostgreSQL 17, all but its unreserved words."""

"""From text to the closed syntax, by PostgreSQL's own grammar.

Every construct of the grammar without a node is refused by name, at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from core.errors import InputError
from core.pipelines.expressions import syntax
from core.pipelines.expressions.intervals import read_interval
from core.pipelines.expressions.printing import is_reserved
from core.pipelines.expressions.syntax import Expression
from core.pipelines.grammar import GrammarError, statements
from core.pipelines.types import BOOL, DATE, FLOAT, INT, JSON, TEXT, TIMESTAMP, ColumnType, decimal

MAX_LENGTH = 2_000
"""Characters of an expression."""

MAX_DEPTH = 200
"""Nodes one within the other; what follows the nodes downwards calls itself as often."""

_BEFORE = "select ("
_INTERVAL_UNITS = {4: "year", 2: "month", 8: "day", 1024: "hour", 2048: "minute", 4096: "second"}
_ARITHMETIC = {"+", "-", "*", "/", "%", "||"}
_COMPARISONS = {"=", "<>", "<", "<=", ">", ">="}
_TYPES: Mapping[str, ColumnType] = {
    "text": TEXT, "varchar": TEXT, "bpchar": TEXT, "int": INT, "int2": INT, "int4": INT, "int8": INT, "float4": FLOAT,
    "float8": FLOAT, "float": FLOAT, "bool": BOOL, "date": DATE, "timestamp": TIMESTAMP, "timestamptz": TIMESTAMP,
    "json": JSON, "jsonb": JSON,
}  # fmt: skip
_SAID_OTHERWISE = {
    "now": "run_time()", "current_timestamp": "run_time()", "localtimestamp": "run_time()",
    "clock_timestamp": "run_time()", "transaction_timestamp": "run_time()", "statement_timestamp": "run_time()",
    "current_date": "run_date()",
}  # fmt: skip
_GRAMMAR_CALLS = {"extract": "date_part", "position": "strpos"}
"""Functions with a syntax of their own -> those with plain arguments that say the same."""
_NOT_SAID = {
    "SubLink": "a subquery", "RowExpr": "a row of values", "A_ArrayExpr": "an array", "ParamRef": "a parameter",
    "A_Indirection": "a subscript", "CollateClause": "a collation", "GroupingFunc": "grouping()", "XmlExpr": "XML",
    "NamedArgExpr": "a named argument", "BooleanTest": "is true and its like", "SetToDefault": "default",
}  # fmt: skip


class ExpressionError(InputError):
    """An expression that cannot be read; `position` is the character where, from 1."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason, position=position)

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, int]]:
        return ExpressionError, (self.message, self.facts["position"])


def parse(text: str) -> Expression:
    """The expression that a text says.

    Raises ExpressionError: it is not one expression of the language, with the place and what can be said instead.
    Cost: some 0.1 ms.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH:,} characters; this one has {len(text):,}", 1)
    if "\0" in text:
        raise ExpressionError("an expression holds no NUL", text.index("\0") + 1)
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise ExpressionError(
            "an expression is text of Unicode; here is half a surrogate pair", error.start + 1
        ) from None
    if not text.strip():
        raise ExpressionError("an expression is missing", 1)
    try:
        found = _Reader(text, encoded).node(_only_target(statements(f"{_BEFORE}{text})")))
        # Brackets of the text must close within it: `a) and (b` would be read with those put around it. A blank stands
        # for the bracket, so that places are counted alike.
        statements(f"{_BEFORE[:-1]} {text}")
    except GrammarError as error:
        raise _refused(text, error.reason, error.position) from None
    except RecursionError:
        found = None
    if found is None or syntax.depth(found) > MAX_DEPTH:
        raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep; split it into steps", 1)
    return found


def _refused(text: str, message: str, position: int) -> ExpressionError:
    """What the grammar says, without the bracket that was put around the text."""
    at = min(max(1, position - len(_BEFORE)), len(text) + 1)
    if at > len(text) or not text[at - 1 :].strip():
        return ExpressionError("the expression ends too early", at)
    if message.startswith("syntax error"):
        token = message.partition(' at or near "')[2].rstrip('"')
        quoted = f'; if it is a column, write it in double quotes: "{token}"' if is_reserved(token) else ""
        return ExpressionError(f"{token} cannot stand here{quoted}" if token else "the expression ends too early", at)
    return ExpressionError(message.partition(" at or near ")[0], at)


def _only_target(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one target of the one statement; anything beside it came out of the text's own brackets."""
    if len(found) == 1:
        select: Mapping[str, Any] = found[0]["stmt"].get("SelectStmt", {})
        targets = select.get("targetList", [])
        plain = set(select) == {"targetList", "limitOption", "op"} and select["op"] == "SETOP_NONE"
        if plain and select["limitOption"] == "LIMIT_OPTION_DEFAULT" and len(targets) == 1:
            target: Mapping[str, Any] = targets[0]["ResTarget"]
            if "name" not in target and "indirection" not in target:
                only: Mapping[str, Any] = target["val"]
                return only
    raise ExpressionError("this is more than one expression; say a single one", 1)


class _Reader:
    """Turns what the grammar gives into nodes; knows the text for its places."""

    def __init__(self, text: str, encoded: bytes) -> None:
        self._text = text
        self._encoded = encoded
        self._ascii = len(text) == len(encoded)

    def node(self, given: Mapping[str, Any]) -> Expression:
        (kind, inner), *_ = given.items()
        read: Callable[[Mapping[str, Any]], Expression] | None = getattr(self, f"_{kind.lower()}", None)
        if read is None:
            self._cannot(_NOT_SAID.get(kind, f"what the grammar calls {kind}"), inner)
        return read(inner)

    def _nodes(self, given: Sequence[Mapping[str, Any]]) -> tuple[Expression, ...]:
        return tuple(self.node(one) for one in given)

    def _at(self, inner: Mapping[str, Any]) -> int:
        offset = max(0, int(inner.get("location", 0)) - len(_BEFORE))
        return (offset if self._ascii else len(self._encoded[:offset].decode(errors="ignore"))) + 1

    def _cannot(self, what: str, inner: Mapping[str, Any], instead: str = "") -> NoReturn:
        raise ExpressionError(f"{what} is no part of an expression{f'; {instead}' if instead else ''}", self._at(inner))

    # One method a construct of the grammar, named by it.

    def _columnref(self, inner: Mapping[str, Any]) -> Expression:
        at, fields = self._at(inner), inner["fields"]
        if len(fields) != 1 or "String" not in fields[0]:
            self._cannot("a name with a point", inner, "a step has one set of columns, so a name stands alone")
        return syntax.Column(fields[0]["String"]["sval"], quoted=self._text[at - 1 : at] == '"', at=at)

    def _a_const(self, inner: Mapping[str, Any]) -> Expression:
        at = self._at(inner)
        if inner.get("isnull"):
            return syntax.Constant(None, at)
        if "boolval" in inner:
            return syntax.Constant(bool(inner["boolval"].get("boolval", False)), at)
        if "ival" in inner:
            return syntax.Constant(int(inner["ival"].get("ival", 0)), at)
        if "fval" in inner:
            return syntax.Constant(self._number(inner["fval"]["fval"], inner), at)
        if "sval" in inner:
            return syntax.Constant(str(inner["sval"].get("sval", "")), at)
        self._cannot("a string of bits", inner)

    def _number(self, written: str, inner: Mapping[str, Any]) -> int | Decimal:
        """An int where it is one of 64 bits, else a decimal of at most 38 digits, as it is written."""
        plain = written.replace("_", "")
        if not (plain.isascii() and plain.isdigit()):
            value = Decimal(plain) if not plain.lower().startswith(("0x", "0o", "0b")) else Decimal(int(plain, 0))
        elif -(2**63) <= int(plain) < 2**63:
            return int(plain)
        else:
            value = Decimal(plain)
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or max(len(digits) + max(0, exponent), -exponent) > 38:
            raise ExpressionError(f"{written[:45]} has more than 38 digits", self._at(inner))
        return value

    def _typecast(self, inner: Mapping[str, Any]) -> Expression:
        named = inner["typeName"]
        at = self._at(inner) if inner.get("location", -1) >= 0 else self._at(named)
        name = named["names"][-1]["String"]["sval"]
        if "arrayBounds" in named:
            self._cannot("an array", named)
        if name == "interval":
            return self._interval(inner["arg"], named, at)
        return self._cast(self.node(inner["arg"]), self._type(name, named), at)

    def _cast(self, operand: Expression, to: ColumnType, at: int) -> Expression:
        return syntax.Cast(operand, to, at)

    def _type(self, name: str, named: Mapping[str, Any]) -> ColumnType:
        sizes = [
            int(one["A_Const"]["ival"].get("ival", 0))
            for one in named.get("typmods", ())
            if "ival" in one.get("A_Const", {})
        ]
        if name == "numeric":
            precision, scale = [*sizes, 0][:2] if sizes else (38, 9)
            if 1 <= precision <= 38 and 0 <= scale <= precision:
                return decimal(precision, scale)
            self._cannot(
                f"decimal({precision},{scale})",
                named,
                "a decimal has 1 to 38 digits, of which none to all after the point",
            )
        if name not in _TYPES:
            self._cannot(
                f"the type {name}", named, "there are text, int, decimal(p,s), float, bool, date, timestamp and json"
            )
        if sizes:
            self._cannot(f"a length of {name}", named, "say left(x, n)" if name in {"varchar", "bpchar"} else "")
        return _TYPES[name]

    def _interval(self, arg: Mapping[str, Any], named: Mapping[str, Any], at: int) -> Expression:
        written = arg.get("A_Const", {}).get("sval", {}).get("sval")
        if written is None:
            self._cannot("an interval made of values", named, "write it as interval '1 day'")
        units = [one["A_Const"]["ival"].get("ival", 0) for one in named.get("typmods", ())]
        unit = _INTERVAL_UNITS.get(units[0]) if units else None
        spans = read_interval(f"{written} {unit}" if unit else written)
        if spans is None or (units and unit is None):
            raise ExpressionError(f"'{written[:40]}' is no interval; write '1 day', '2 hours' or '1 year 6 months'", at)
        return syntax.Interval(*spans, at=at)

    def _a_expr(self, inner: Mapping[str, Any]) -> Expression:
        at, kind = self._at(inner), inner["kind"]
        operator = inner["name"][0]["String"]["sval"]
        if kind == "AEXPR_OP":
            return self._operator(operator, inner, at)
        if kind == "AEXPR_IN":
            return syntax.In(
                self.node(inner["lexpr"]), self._nodes(inner["rexpr"]["List"]["items"]), operator == "<>", at
            )
        if kind in {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}:
            low, high = self._nodes(inner["rexpr"]["List"]["items"])
            return syntax.Between(self.node(inner["lexpr"]), low, high, kind == "AEXPR_NOT_BETWEEN", at)
        if kind in {"AEXPR_LIKE", "AEXPR_ILIKE"}:
            pattern = inner["rexpr"].get("A_Const", {}).get("sval")
            if pattern is None:
                self._cannot("a pattern that is no plain text", inner, "write like 'a%'")
            value = str(pattern.get("sval", ""))
            return syntax.Like(self.node(inner["lexpr"]), value, kind == "AEXPR_ILIKE", operator.startswith("!"), at)
        if kind == "AEXPR_NULLIF":
            return syntax.NullIf(self.node(inner["lexpr"]), self.node(inner["rexpr"]), at)
        what = {
            "AEXPR_DISTINCT": "is distinct from",
            "AEXPR_NOT_DISTINCT": "is not distinct from",
            "AEXPR_SIMILAR": "similar to",
        }
        self._cannot(what.get(kind, f"{operator} any or all"), inner)

    def _operator(self, operator: str, inner: Mapping[str, Any], at: int) -> Expression:
        if "lexpr" not in inner:
            operand = self.node(inner["rexpr"])
            if operator == "+":
                return operand
            if operator == "-":
                return syntax.Negate(operand, at)
        elif operator in _ARITHMETIC:
            return syntax.Arithmetic(operator, self.node(inner["lexpr"]), self.node(inner["rexpr"]), at)  # type: ignore[arg-type]
        elif operator in _COMPARISONS:
            return syntax.Comparison(operator, self.node(inner["lexpr"]), self.node(inner["rexpr"]), at)  # type: ignore[arg-type]
        instead = {
            "~": "say regexp_like(x, 'pattern')",
            "^": "say power(x, y)",
            "->": "say unnest",
            "->>": "say unnest",
        }
        self._cannot(f"the operator {operator}", inner, instead.get(operator, ""))

    def _boolexpr(self, inner: Mapping[str, Any]) -> Expression:
        at, operands = self._at(inner), self._nodes(inner["args"])
        if inner["boolop"] == "NOT_EXPR":
            return syntax.Not(operands[0], at)
        joined = (syntax.Both if inner["boolop"] == "AND_EXPR" else syntax.Either)(operands, at)
        return type(joined)(syntax.flat(joined), at)

    def _nulltest(self, inner: Mapping[str, Any]) -> Expression:
        return syntax.IsNull(self.node(inner["arg"]), inner["nulltesttype"] == "IS_NOT_NULL", self._at(inner))

    def _caseexpr(self, inner: Mapping[str, Any]) -> Expression:
        subject = self.node(inner["arg"]) if "arg" in inner else None
        branches = []
        for given in inner["args"]:
            when = given["CaseWhen"]
            test = self.node(when["expr"])
            if subject is not None:
                test = syntax.Comparison("=", subject, test, self._at(when))
            branches.append((test, self.node(when["result"])))
        otherwise = self.node(inner["defresult"]) if "defresult" in inner else None
        return syntax.Case(tuple(branches), otherwise, self._at(inner))

    def _coalesceexpr(self, inner: Mapping[str, Any]) -> Expression:
        return syntax.Coalesce(self._nodes(inner["args"]), self._at(inner))

    def _minmaxexpr(self, inner: Mapping[str, Any]) -> Expression:
        name = "greatest" if inner["op"] == "IS_GREATEST" else "least"
        return syntax.Call(name, self._nodes(inner["args"]), at=self._at(inner))

    def _sqlvaluefunction(self, inner: Mapping[str, Any]) -> Expression:
        name = inner["op"].removeprefix("SVFOP_").lower()
        self._cannot(
            name,
            inner,
            f"say {_SAID_OTHERWISE[name]}, which is the same for all rows" if name in _SAID_OTHERWISE else "",
        )

    def _funccall(self, inner: Mapping[str, Any]) -> Expression:
        names = [one["String"]["sval"] for one in inner["funcname"]]
        name = _GRAMMAR_CALLS.get(names[-1], names[-1])
        if len(names) > 1 and inner.get("funcformat") != "COERCE_SQL_SYNTAX":
            self._cannot("a function of a schema", inner, f"say {name}")
        if name in _SAID_OTHERWISE:
            self._cannot(f"{name}()", inner, f"say {_SAID_OTHERWISE[name]}, which is the same for all rows")
        for key, what in (("over", "over"), ("agg_order", "order by within a function"), ("func_variadic", "variadic")):
            if key in inner:
                self._cannot(what, inner, "say a window step" if key == "over" else "")
        arguments = self._nodes(inner.get("args", ()))
        only = self.node(inner["agg_filter"]) if "agg_filter" in inner else None
        return syntax.Call(
            name, arguments, bool(inner.get("agg_star")), bool(inner.get("agg_distinct")), only, self._at(inner)
        )

"""Expressions of a question: columns, functions, casts, operators and subqueries, each by its list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.pipelines.grammar import Node
from core.workloads.assistant.planning.answers import Why
from core.workloads.assistant.questions import bounds
from core.workloads.assistant.questions.allowed import (
    AGGREGATES,
    FUNCTIONS,
    GATHERING,
    MATCHING,
    MOMENTS,
    OPERATORS,
    PASSED_OVER,
    PATTERN_FUNCTIONS,
    ROW_FUNCTIONS,
    SAID,
    TYPES,
    WALKED,
)
from core.workloads.assistant.questions.refused import QuestionRefused
from core.workloads.assistant.questions.scopes import Reads, Scope, Seen, denied, require_whole

_PLAIN_KINDS = frozenset({"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL"})
_CALL = frozenset(
    """funcname args agg_order agg_filter agg_within_group agg_star agg_distinct over funcformat location""".split()
)
_COLLATIONS = frozenset({"C", "POSIX", "default", "ucs_basic", "unicode", "und-x-icu"})
_GATHERED = 10.0


class ExpressionWalk(ABC):
    """Expressions; what holds subqueries says how they are followed. reads: columns by table, as they are met."""

    def __init__(self, encoded: bytes) -> None:
        self.reads: Reads = {}
        self._encoded = encoded
        self.series_rows = 1.0
        self._special: Mapping[str, Callable[[Node, Scope], float]] = {
            "ColumnRef": self._column, "FuncCall": self._call, "TypeCast": self._cast, "A_Expr": self._operation,
            "A_Indirection": self._part, "CollateClause": self._collated, "SQLValueFunction": self._moment,
            "SubLink": self._subquery_value,
        }  # fmt: skip

    @abstractmethod
    def select(self, node: Node, around: Scope) -> Seen:
        """A SELECT within `around`."""

    def place(self, node: Node) -> int:
        """The character, from 1, where a node stands; 0 where the grammar does not say."""
        inner = next(iter(node.values())) if len(node) == 1 and isinstance(next(iter(node.values())), dict) else node
        offset = inner.get("location", -1)
        return len(self._encoded[:offset].decode(errors="ignore")) + 1 if offset >= 0 else 0

    def refusal(self, why: Why, reason: str, node: Node) -> QuestionRefused:
        """What to raise about a node."""
        return QuestionRefused(why, reason, self.place(node) or None)

    def note(self, seen: Seen, columns: Iterable[str]) -> None:
        """Columns of a table that are read."""
        if seen.table is not None:
            self.reads.setdefault(seen.table, {}).update(dict.fromkeys(columns))

    def expression(self, node: Node, scope: Scope) -> float:
        """One expression; its weight. Raises QuestionRefused."""
        if not node:
            return 1.0
        kind, inner = next(iter(node.items()))
        if kind in self._special:
            return self._special[kind](inner, scope)
        if kind not in WALKED:
            raise self.refusal("code", f"{SAID.get(kind, kind)} is no part of a question", inner)
        for field in inner:
            if field not in WALKED[kind] and field not in PASSED_OVER:
                raise self.refusal("code", f"{kind} with {field} is no part of a question", inner)
        if kind == "A_Const":
            return 1.0 + bounds.text_length(node) / 100
        return max(1.0, sum(self._all(inner[field], scope) for field in WALKED[kind] if field in inner))

    def _all(self, given: Any, scope: Scope) -> float:
        return (
            sum((self.expression(one, scope) for one in given), 0.0)
            if isinstance(given, list)
            else self.expression(given, scope)
        )

    def _column(self, node: Node, scope: Scope) -> float:
        fields, at = node["fields"], self.place(node)
        names = [one["String"]["sval"] for one in fields if "String" in one]
        if len(names) < len(fields):
            return self._row_written_out(names, node, scope)
        if len(names) > 3:
            raise self.refusal("place", "a column is named as schema.table.column at most", node)
        if len(names) == 1:
            found = scope.column(names[0], at)
            return self._whole_row(found, at) if isinstance(found, Seen) else self._read(*found)
        seen = scope.relation(names[-2], names[0] if len(names) == 3 else None, at)
        if names[-1] in seen.denied:
            raise denied(seen, names[-1], at)
        if names[-1] not in seen.columns:
            raise self.refusal("outside", f"{'.'.join(names[:-1])} has no column {names[-1]}", node)
        return self._read(seen, names[-1])

    def _row_written_out(self, names: Sequence[str], node: Node, scope: Scope) -> float:
        """`count(o.*)`."""
        if len(names) not in {1, 2}:
            raise self.refusal("code", "* stands alone in SELECT or in count(*)", node)
        at = self.place(node)
        return self._whole_row(scope.relation(names[-1], names[0] if len(names) == 2 else None, at), at)

    def _read(self, seen: Seen, name: str) -> float:
        self.note(seen, (name,))
        return seen.weight

    def _whole_row(self, seen: Seen, at: int) -> float:
        require_whole(seen, f"the row {seen.alias}", at)
        self.note(seen, seen.columns)
        return seen.weight * max(1, len(seen.columns))

    def _call(self, node: Node, scope: Scope) -> float:
        name = self._function_name(node)
        if name == "generate_series":
            raise self.refusal("limits", "generate_series stands in FROM", node)
        return self._called(name, node, scope)

    def row_function(self, node: Node, scope: Scope) -> float:
        """A function in FROM; its weight."""
        name = self._function_name(node)
        if name not in ROW_FUNCTIONS:
            raise self.refusal("code", f"{name} in FROM is no part of a question", node)
        if name == "generate_series":
            self.series_rows *= max(1.0, bounds.series_rows(node, self.place(node)))
            if self.series_rows > bounds.MAX_SERIES_ROWS:
                raise self.refusal(
                    "limits", f"all series together give more than {bounds.MAX_SERIES_ROWS:,} rows", node
                )
        return self._called(name, node, scope)

    def _function_name(self, node: Node) -> str:
        *schema, name = (one["String"]["sval"] for one in node["funcname"])
        if schema not in ([], ["pg_catalog"]) or name not in FUNCTIONS:
            raise self.refusal(
                "code", f"the function {'.'.join([*schema, name])} is not among those that may be asked", node
            )
        for field in node:
            if field not in _CALL:
                raise self.refusal("code", f"{field} in {name}() is no part of a question", node)
        return str(name)

    def _called(self, name: str, node: Node, scope: Scope) -> float:
        given: Sequence[Node] = node.get("args", ())
        weights = [self.expression(one, scope) for one in given]
        for one in node.get("agg_order", ()):
            self.expression(one, scope)
        for field in ("agg_filter", "over"):
            if field in node:
                self.expression({"WindowDef": node[field]} if field == "over" else node[field], scope)
        self._require_bounded(name, given, node)
        if name in {"replace", "regexp_replace", "translate"} and len(given) > 2:
            return weights[0] * max(
                1.0, weights[2] if bounds.literal(given[2]) is None else len(bounds.literal(given[2]) or "")
            )
        if name in GATHERING:
            return max(1.0, sum(weights)) * _GATHERED
        return max(1.0, sum(weights))

    def _require_bounded(self, name: str, given: Sequence[Node], node: Node) -> None:
        at = self.place(node)
        if name in PATTERN_FUNCTIONS and len(given) > 1:
            bounds.require_pattern(given[1], at)
        if name == "substring" and len(given) == 2 and bounds.literal(given[1]) is not None:
            bounds.require_pattern(given[1], at)
        if name in {"lpad", "rpad"}:
            length = bounds.whole_number(given[1]) if len(given) > 1 else None
            if length is None or length > bounds.MAX_PADDED:
                raise QuestionRefused(
                    "limits", f"{name} fills up to at most {bounds.MAX_PADDED} characters, a number", at
                )
        if name == "to_char" and len(given) > 1 and bounds.text_length(given[1]) > bounds.MAX_PADDED:
            raise QuestionRefused("limits", f"a format has at most {bounds.MAX_PADDED} characters", at)

    def gathers(self, targets: Sequence[Node]) -> bool:
        """Whether one of the targets is an aggregate, so that there is one row without a GROUP BY."""
        calls = (one["ResTarget"]["val"].get("FuncCall", {}) for one in targets)
        return any("over" not in one and _last(one) in AGGREGATES for one in calls if one)

    def _cast(self, node: Node, scope: Scope) -> float:
        self._require_type(node["typeName"])
        return self.expression(node["arg"], scope)

    def _require_type(self, node: Node) -> None:
        *schema, name = (one["String"]["sval"] for one in node["names"])
        fields = set(node) - {"names", "typmods", "typemod", "arrayBounds", "location"}
        if fields or schema not in ([], ["pg_catalog"]) or name not in TYPES:
            raise self.refusal(
                "code", f"the type {'.'.join([*schema, name])} is not among those that may be cast to", node
            )
        for modifier in node.get("typmods", ()):
            size = bounds.whole_number(modifier)
            if size is None or (name == "bpchar" and size > bounds.MAX_PADDED):
                raise self.refusal("limits", f"the size of {name} is a number up to {bounds.MAX_PADDED}", node)

    def _operation(self, node: Node, scope: Scope) -> float:
        kind = node["kind"]
        *schema, operator = (one["String"]["sval"] for one in node["name"])
        known = kind not in _PLAIN_KINDS or operator in OPERATORS or operator in MATCHING
        if schema or not known:
            raise self.refusal(
                "code", f"the operator {'.'.join([*schema, operator])} is not among those that may be asked", node
            )
        weights = [self.expression(node[side], scope) for side in ("lexpr", "rexpr") if side in node]
        if kind in _PLAIN_KINDS and operator in {"~", "~*", "!~", "!~*"}:
            bounds.require_pattern(node["rexpr"], self.place(node))
        if kind in {"AEXPR_LIKE", "AEXPR_ILIKE"}:
            bounds.require_like(node["rexpr"], self.place(node))
        if kind == "AEXPR_SIMILAR":
            bounds.require_pattern(node["rexpr"]["FuncCall"]["args"][0], self.place(node))
        return max(1.0, sum(weights)) if operator == "||" or kind == "AEXPR_NULLIF" else max([1.0, *weights])

    def _part(self, node: Node, scope: Scope) -> float:
        if any("A_Indices" not in one for one in node["indirection"]):
            raise self.refusal("code", "a field of a row is no part of a question; name the column", node["arg"])
        for one in node["indirection"]:
            self.expression(one, scope)
        return self.expression(node["arg"], scope)

    def _collated(self, node: Node, scope: Scope) -> float:
        *schema, name = (one["String"]["sval"] for one in node["collname"])
        if schema not in ([], ["pg_catalog"]) or name not in _COLLATIONS:
            raise self.refusal("code", f"the collation {name} is not among those that may be asked", node)
        return self.expression(node["arg"], scope)

    def _moment(self, node: Node, scope: Scope) -> float:
        if node["op"] not in MOMENTS:
            name = str(node["op"]).removeprefix("SVFOP_").lower()
            raise self.refusal("code", f"{name} is no part of a question", node)
        return 1.0

    def _subquery_value(self, node: Node, scope: Scope) -> float:
        allowed = {"subLinkType", "subselect", "testexpr", "operName", "location"}
        *schema, operator = (one["String"]["sval"] for one in node.get("operName", [{"String": {"sval": "="}}]))
        if set(node) - allowed or schema or operator not in OPERATORS:
            raise self.refusal("code", "such a comparison with a subquery is no part of a question", node)
        if "testexpr" in node:
            self.expression(node["testexpr"], scope)
        given = self.select(node["subselect"]["SelectStmt"], scope)
        return given.weight * (_GATHERED if node["subLinkType"] == "ARRAY_SUBLINK" else 1.0)


def _last(call: Node) -> str:
    return str(call["funcname"][-1]["String"]["sval"])

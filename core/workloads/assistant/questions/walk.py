"""Follows a SELECT node by node: what it reads, and whether every part of it is allowed.

Each method is given a node of the grammar and the scope of its place. Those of expressions return a weight: how many
times longer than a column of a table a text of it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from core.pipelines.catalog import WAREHOUSE, Catalog, Relation
from core.pipelines.grammar import Node
from core.pipelines.refusals import instead
from core.workloads.assistant.planning.answers import Why
from core.workloads.assistant.questions import bounds
from core.workloads.assistant.questions.allowed import SAID
from core.workloads.assistant.questions.expressions import ExpressionWalk
from core.workloads.assistant.questions.joined import Ties, joined, met, require_tied, ties
from core.workloads.assistant.questions.outputs import output_name
from core.workloads.assistant.questions.refused import QuestionRefused
from core.workloads.assistant.questions.scopes import Scope, Seen, Size, denied, require_whole

MAX_WEIGHT = 1_000.0
"""Texts of a question may be so many times longer than those it reads."""

MAX_RELATIONS = 24
"""Tables and subqueries in all FROM of a question."""

_SELECT = frozenset(
    """targetList fromClause whereClause groupClause groupDistinct havingClause windowClause distinctClause sortClause
    limitOffset limitCount limitOption withClause valuesLists op all larg rarg""".split()
)

_CTE = frozenset({"ctename", "ctematerialized", "ctequery", "location", "aliascolnames"})
_FEW = 10_000
"""A LIMIT up to which a relation has few rows."""
_WRITTEN = 1_000
"""Rows of a series that may meet each row of a table."""
_SIZES: tuple[Size, ...] = ("one", "few", "many")


class Walk(ExpressionWalk):
    """One question. reads: what it has met."""

    def __init__(self, catalog: Catalog, encoded: bytes) -> None:
        super().__init__(encoded)
        self._tables = {name: one for (at, name), one in catalog.tables.items() if at == WAREHOUSE}
        self._elsewhere = {name: at for at, name in catalog.tables if at != WAREHOUSE}
        self._relations = 0
        self._tied: Ties = {}

    def question(self, statement: Node) -> None:
        """The whole of it. Raises QuestionRefused."""
        self.select(statement, Scope())

    def select(self, node: Node, around: Scope) -> Seen:
        """A SELECT that stands in `around`; what it gives, as a relation without a name."""
        self._require_fields("SELECT", node, _SELECT)
        scope = around.inner()
        if "withClause" in node:
            scope = self._with(node["withClause"], scope)
        if node["op"] != "SETOP_NONE":
            given = self._set_operation(node, scope)
        elif "valuesLists" in node:
            given = self._values(node, scope)
        else:
            given = self._plain(node, scope)
        for field in ("limitOffset", "limitCount"):
            self.expression(node.get(field, {}), scope)
        return given

    def _with(self, clause: Node, scope: Scope) -> Scope:
        if clause.get("recursive"):
            raise self.refusal("limits", "WITH RECURSIVE may never end; say the steps one by one", clause)
        ctes = dict(scope.ctes)
        for cte in (one["CommonTableExpr"] for one in clause["ctes"]):
            self._require_fields("WITH", cte, _CTE)
            query = cte["ctequery"]
            if "SelectStmt" not in query:
                kind = next(iter(query))
                raise self.refusal("destructive", f"{SAID.get(kind, kind)} in WITH changes data", cte)
            given = self.select(query["SelectStmt"], scope.outer().with_ctes(dict(ctes)))
            ctes[cte["ctename"]] = given.named(None, _texts(cte.get("aliascolnames", ())))
        return scope.with_ctes(ctes)

    def _set_operation(self, node: Node, scope: Scope) -> Seen:
        left, right = (self.select(node[side], scope.outer()) for side in ("larg", "rarg"))
        self._sorted(node.get("sortClause", ()), scope, left.columns)
        return replace(left, weight=max(left.weight, right.weight), size=_largest([left, right]))

    def _values(self, node: Node, scope: Scope) -> Seen:
        rows = [one["List"]["items"] for one in node["valuesLists"]]
        weight = max(self.expression(value, scope) for row in rows for value in row)
        columns = tuple(f"column{place}" for place in range(1, len(rows[0]) + 1))
        self._sorted(node.get("sortClause", ()), scope, columns)
        return Seen(None, columns, weight=weight, size="one")

    def _plain(self, node: Node, own: Scope) -> Seen:
        kept, self._tied = self._tied, {}
        targets = node.get("targetList", ())
        items = self._from_clause(node.get("fromClause", ()), own)
        scope = own.with_items(items)
        if "whereClause" in node:
            self.expression(node["whereClause"], scope)
            self._tied = joined(self._tied, ties(node["whereClause"], items))
        if len(items) > 1:
            require_tied(items, self._tied, self.place(targets[0]) if targets else 0)
        self._tied = kept
        names, weight = self._targets(targets, scope)
        for one in [*node.get("groupClause", ()), *node.get("distinctClause", ())]:
            # A plain DISTINCT is a list with nothing in it.
            self._key(one, scope, names)
        for one in [node.get("havingClause", {}), *node.get("windowClause", ())]:
            self.expression(one, scope)
        self._sorted(node.get("sortClause", ()), scope, names)
        return Seen(None, names, weight=weight, size=self._size(node, items))

    def _size(self, node: Node, items: Sequence[Seen]) -> Size:
        if "groupClause" not in node and self.gathers(node.get("targetList", ())):
            return "one"
        largest = _largest(items)
        limit = bounds.whole_number(node.get("limitCount", {}))
        few = "groupClause" in node or "distinctClause" in node or (limit is not None and limit <= _FEW)
        return "few" if largest == "many" and few else largest

    def _targets(self, targets: Sequence[Node], scope: Scope) -> tuple[tuple[str, ...], float]:
        names: list[str] = []
        weight = 1.0
        for target in (one["ResTarget"] for one in targets):
            self._require_fields("SELECT", target, {"name", "val", "location"})
            fields = target["val"].get("ColumnRef", {}).get("fields", [{}])
            if "A_Star" in fields[-1]:
                for seen in self._starred(target["val"]["ColumnRef"], scope):
                    names += seen.columns
                    weight = max(weight, seen.weight)
            else:
                weight = max(weight, self.expression(target["val"], scope))
                names.append(output_name(target))
        if weight > MAX_WEIGHT:
            raise QuestionRefused("limits", "texts are joined to each other so often that they may grow without bound")
        return tuple(names), weight

    def _starred(self, node: Node, scope: Scope) -> Sequence[Seen]:
        names, at = _texts(node["fields"][:-1]), self.place(node)
        if len(names) > 2:
            raise self.refusal("place", "a table is named as schema.table", node)
        found = [scope.relation(names[-1], names[0] if len(names) == 2 else None, at)] if names else scope.items
        for one in found:
            require_whole(one, "*", at)
            self.note(one, one.columns)
        return found

    def _sorted(self, keys: Sequence[Node], scope: Scope, names: Sequence[str]) -> None:
        for one in keys:
            self._require_fields("ORDER BY", one["SortBy"], {"node", "sortby_dir", "sortby_nulls", "location"})
            self._key(one["SortBy"]["node"], scope, names)

    def _key(self, key: Node, scope: Scope, names: Sequence[str]) -> None:
        """What is sorted or grouped by; a bare name may be that of an output."""
        for one in key.get("GroupingSet", {}).get("content", ()):
            self._key(one, scope, names)
        fields = key.get("ColumnRef", {}).get("fields", ())
        name = fields[0]["String"]["sval"] if len(fields) == 1 and "String" in fields[0] else None
        if "GroupingSet" in key:
            return
        if name not in names:
            self.expression(key, scope)
            return
        for one in (one for items in scope.levels() for one in items if name in one.denied):
            raise denied(one, str(name), self.place(key))

    # What stands in FROM.

    def _from_clause(self, nodes: Sequence[Node], own: Scope) -> list[Seen]:
        items: list[Seen] = []
        for one in nodes:
            items += self._item(one, own, items)
        return items

    def _item(self, node: Node, own: Scope, left: Sequence[Seen]) -> list[Seen]:
        """The relations of one item; `left`: those before it, which LATERAL and functions see."""
        self._relations += 1
        if self._relations > MAX_RELATIONS:
            raise QuestionRefused("limits", f"a question reads at most {MAX_RELATIONS} tables and subqueries")
        kind, inner = next(iter(node.items()))
        match kind:
            case "RangeVar":
                return [self._table(inner, own)]
            case "RangeSubselect":
                return [self._subquery(inner, own, left)]
            case "RangeFunction":
                return [self._function(inner, own, left)]
            case "JoinExpr":
                return self._join(inner, own, left)
        raise self.refusal("code", f"{SAID.get(kind, kind)} is no part of a question", inner)

    def _table(self, node: Node, scope: Scope) -> Seen:
        self._require_fields("FROM", node, {"schemaname", "relname", "inh", "relpersistence", "alias", "location"})
        name, alias, columns = node["relname"], *_alias(node)
        if "schemaname" not in node:
            if name in scope.ctes:
                return scope.ctes[name].named(alias or name, columns)
            known = [full for full in self._tables if full.partition(".")[2] == name]
            hint = f"; say {' or '.join(known)}" if known else ""
            raise self.refusal("place", f"{name} stands without its schema{hint}", node)
        full = f"{node['schemaname']}.{name}"
        if not node.get("inh") or columns:
            raise self.refusal(
                "code", f"{full} is named as it is: without ONLY, and its columns by their own names", node
            )
        found = self._relation(full, node)
        hidden = frozenset(found.denied_columns)
        shown = tuple(column for column in found.columns if column not in hidden)
        self.reads.setdefault(full, {})
        return Seen(alias or name, shown, hidden, None if alias else node["schemaname"], full)

    def _relation(self, full: str, node: Node) -> Relation:
        found = self._tables.get(full)
        if found is None and full in self._elsewhere:
            raise self.refusal(
                "place", f"{full} stands in {self._elsewhere[full]}; questions reach the warehouse", node
            )
        if found is None or full.count(".") > 1:
            known = [name for name, one in self._tables.items() if not one.denied]
            raise self.refusal("forbidden", f"there is no table {full} that may be read{instead(full, known)}", node)
        if found.denied:
            raise self.refusal("forbidden", f"{full} may not be read", node)
        return found

    def _subquery(self, node: Node, own: Scope, left: Sequence[Seen]) -> Seen:
        self._require_fields("FROM", node, {"lateral", "subquery", "alias"})
        alias, columns = _alias(node)
        around = own.with_items(left) if node.get("lateral") else own.outer()
        given = self.select(node["subquery"]["SelectStmt"], around)
        if node.get("lateral"):
            self._tie_to(left, node["subquery"])
        return given.named(alias, columns)

    def _function(self, node: Node, own: Scope, left: Sequence[Seen]) -> Seen:
        self._require_fields("FROM", node, {"lateral", "ordinality", "is_rowsfrom", "functions", "alias"})
        alias, columns = _alias(node)
        names: list[str] = []
        weight, before = 1.0, self.series_rows
        for call, *definitions in (one["List"]["items"] for one in node["functions"]):
            if any(definitions) or "FuncCall" not in call:
                raise self.refusal("code", "columns of a function are not declared here", call)
            weight = max(weight, self.row_function(call["FuncCall"], own.with_items(left)))
            names.append(call["FuncCall"]["funcname"][-1]["String"]["sval"])
        self._tie_to(left, node["functions"])
        shown = (*columns, *names, *([alias] if alias else ()), "key", "value", "ordinality")
        return Seen(
            alias or names[0], shown, weight=weight, size="few" if self.series_rows > before * _WRITTEN else "one"
        )

    def _tie_to(self, left: Sequence[Seen], given: Any) -> None:
        """What looks at relations before it is tied to them."""
        self._tied |= {frozenset({place, len(left)}): True for place in met(given, left)}

    def _join(self, node: Node, own: Scope, left: Sequence[Seen]) -> list[Seen]:
        self._require_fields("JOIN", node, {"jointype", "isNatural", "larg", "rarg", "usingClause", "quals", "rtindex"})
        first = self._item(node["larg"], own, left)
        second = self._item(node["rarg"], own, [*left, *first])
        both = [*first, *second]
        for one in both if node.get("isNatural") else ():
            require_whole(one, "NATURAL JOIN", 0)
            self.note(one, one.columns)
        for name in _texts(node.get("usingClause", ())):
            self._using(name, first, second)
        found: Ties = {}
        if node.get("isNatural") or "usingClause" in node:
            places = product(range(len(first)), range(len(first), len(both)))
            found = {frozenset(pair): True for pair in places}
        if "quals" in node:
            self.expression(node["quals"], own.with_items(both))
            found = ties(node["quals"], both)
        self._tied |= {frozenset(len(left) + place for place in pair): equal for pair, equal in found.items()}
        return both

    def _using(self, name: str, first: Sequence[Seen], second: Sequence[Seen]) -> None:
        for side in (first, second):
            for one in side:
                if name in one.denied:
                    raise denied(one, name)
            self.note(next((one for one in side if name in one.columns), side[0]), (name,))

    def _require_fields(self, what: str, node: Node, allowed: frozenset[str] | set[str]) -> None:
        for field in node:
            if field not in allowed:
                says = {"intoClause": "INTO", "lockingClause": "FOR UPDATE or SHARE"}.get(field, field)
                why: Why = "destructive" if field == "intoClause" else "code"
                raise self.refusal(why, f"{says} is no part of a question ({what})", node)


def _alias(node: Node) -> tuple[str | None, tuple[str, ...]]:
    alias = node.get("alias", {})
    return alias.get("aliasname"), _texts(alias.get("colnames", ()))


def _texts(nodes: Sequence[Node]) -> tuple[str, ...]:
    return tuple(str(one["String"]["sval"]) for one in nodes)


def _largest(items: Sequence[Seen]) -> Size:
    return max((one.size for one in items), key=_SIZES.index, default="one")

"""Names of what a SELECT gives, as PostgreSQL makes them up where none is written."""

from __future__ import annotations

from core.pipelines.grammar import Node

UNNAMED = "?column?"


def output_name(target: Node) -> str:
    """The name of one target."""
    return str(target["name"]) if "name" in target else _made_up(target["val"])


def _made_up(given: Node) -> str:
    kind, inner = next(iter(given.items()))
    match kind:
        case "ColumnRef":
            last = inner["fields"][-1]
            return str(last["String"]["sval"]) if "String" in last else UNNAMED
        case "FuncCall":
            return str(inner["funcname"][-1]["String"]["sval"])
        case "TypeCast":
            found = _made_up(inner["arg"])
            return str(inner["typeName"]["names"][-1]["String"]["sval"]) if found == UNNAMED else found
        case "A_Indirection" | "CollateClause":
            return _made_up(inner["arg"])
        case "CaseExpr":
            found = _made_up(inner["defresult"]) if "defresult" in inner else UNNAMED
            return "case" if found == UNNAMED else found
        case "SubLink":
            return _of_sublink(inner)
        case "MinMaxExpr":
            return str(inner["op"]).removeprefix("IS_").lower()
        case "SQLValueFunction":
            return str(inner["op"]).removeprefix("SVFOP_").removesuffix("_N").lower()
    return {"CoalesceExpr": "coalesce", "A_ArrayExpr": "array", "RowExpr": "row", "GroupingFunc": "grouping"}.get(
        kind, "nullif" if inner.get("kind") == "AEXPR_NULLIF" else UNNAMED
    )


def _of_sublink(inner: Node) -> str:
    match inner["subLinkType"]:
        case "EXISTS_SUBLINK":
            return "exists"
        case "ARRAY_SUBLINK":
            return "array"
        case "EXPR_SUBLINK":
            targets = inner["subselect"]["SelectStmt"].get("targetList", ())
            return output_name(targets[0]["ResTarget"]) if len(targets) == 1 else UNNAMED
    return UNNAMED

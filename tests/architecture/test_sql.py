"""SQL is code: it lives in sql/, under a name that one grep finds in both places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from core.database.migrations import MIGRATIONS_DIR
from core.database.queries import Query, load
from tests.architecture.tree import files, literals, modules, parsed

STATEMENT = re.compile(
    r"\s*(SELECT\s|WITH\s+\w+\s+AS\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|TRUNCATE\s|COPY\s"
    r"|(CREATE|DROP|ALTER)\s+(TABLE|INDEX|UNIQUE|VIEW|FUNCTION|SCHEMA|DATABASE|EXTENSION|TYPE|SEQUENCE|ROLE|OR\s)"
    r"|MERGE\s+INTO\s|LOCK\s+TABLE\s|LISTEN\s|NOTIFY\s|SET\s+LOCAL\s|VACUUM\s|ANALYZE\s|EXPLAIN\s)"
)
LOWER = re.compile(r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s)", re.DOTALL)

OWNERS = [path.stem for path in files() if path.parts[0] == "sql" and path.suffix == ".sql" and len(path.parts) == 2]
QUERIES: list[Query] = [query for owner in OWNERS for query in load(owner).values()]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_holds_no_sql(path: Path) -> None:
    found = [f"line {line}: {text.strip()[:60]!r}" for line, text in literals(path) if looks_like_sql(text)]
    assert not found, f"{path} holds SQL text; give it a name in sql/<owner>.sql:\n  " + "\n  ".join(found)


def looks_like_sql(text: str) -> bool:
    return bool(STATEMENT.match(text) or LOWER.match(text))


@pytest.mark.parametrize(
    "text", ["SELECT 1", "\n  with x as (", "Select a file", "insert into t values", "CREATE TABLE x"]
)
def test_looks_like_sql_tells_statements_from_prose(text: str) -> None:
    assert looks_like_sql(text) == (text not in {"Select a file", "\n  with x as ("})


def test_every_query_is_used() -> None:
    spoken = {text for path in modules() for _, text in literals(path)}
    unused = sorted(query.name for query in QUERIES if query.name not in spoken)
    assert not unused, f"no module names these queries: {unused}; delete them from sql/ or use them"


def test_every_query_asked_for_exists() -> None:
    known = {owner: set(load(owner)) for owner in OWNERS}
    missing = []
    for path in modules():
        for line, owner, name in asked_for(path):
            if name not in known.get(owner, set()):
                missing.append(f"{path}:{line}: sql/{owner}.sql has no `-- name: {name}`")
    assert not missing, "\n".join(missing)


def asked_for(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, owner and query name of `load("owner")["name"]` and of `Q["name"]` after `Q = load("owner")`."""
    tree = parsed(path)
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (owner := loaded_owner(node.value)):
            bound |= {target.id: owner for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)):
            continue
        owner = bound.get(node.value.id) if isinstance(node.value, ast.Name) else loaded_owner(node.value)
        if owner is not None:
            yield node.lineno, owner, node.slice.value


def loaded_owner(node: ast.expr) -> str | None:
    if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = node.args[0].value
    return owner if name in {"load", "load_queries"} and owner in OWNERS else None


def test_names_are_unique_across_owners() -> None:
    names = [query.name for query in QUERIES]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"one grep must find one query: {twice}"


def test_skip_locked_has_order_and_limit() -> None:
    loose = [
        query.name
        for query in QUERIES
        if "SKIP LOCKED" in query.sql.upper()
        and not {"ORDER BY", "LIMIT"} <= set(re.findall(r"ORDER BY|LIMIT", query.sql))
    ]
    assert not loose, f"FOR UPDATE SKIP LOCKED without ORDER BY and LIMIT: {loose}"


def test_revisions_form_one_line() -> None:
    script = ScriptDirectory(str(MIGRATIONS_DIR))
    assert len(script.get_heads()) == 1
    names = [step.revision for step in script.walk_revisions()]
    assert sorted(names, reverse=True) == names
    assert sorted({path.name[:4] for path in MIGRATIONS_DIR.glob("*.sql")}) == sorted(names)

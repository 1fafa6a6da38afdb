"""The real catalog: what the configured connections hold and the role may see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Final

from core.connections.blocks import Connections
from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError
from core.pipelines.catalog import WAREHOUSE, Catalog, Relation
from core.pipelines.types import (
    BOOL,
    DATE,
    FLOAT,
    INT,
    JSON,
    MAX_PRECISION,
    QUOTIENT,
    TEXT,
    TIMESTAMP,
    ColumnType,
    decimal,
)

Q = load("connections")
_TYPES: Final[Mapping[str, ColumnType]] = {
    "smallint": INT, "integer": INT, "bigint": INT, "real": FLOAT, "double precision": FLOAT, "boolean": BOOL,
    "date": DATE, "json": JSON, "jsonb": JSON, "numeric": QUOTIENT,
}  # fmt: skip
_NUMERIC: Final = re.compile(r"numeric\((\d+),(\d+)\)")


def real_catalog(
    connections: Connections, wanted: Iterable[str] | None = None, pipelines: Iterable[str] = ()
) -> Catalog:
    """Blocks, and the tables of those that are databases.

    Args:
        wanted: names of the databases to ask; None: all. pipelines: those that a schedule may wait for.
    Raises ConfigError: as `Connections.blocks`, or our own schema is one to write to. StoreUnavailable.
    Cost: two queries a database.
    """
    blocks = connections.blocks()
    _require_apart(connections.warehouse, blocks[WAREHOUSE].writable_schemas)
    tables: dict[tuple[str, str], Relation] = {}
    asked = [name for name, block in blocks.items() if block.kind == "postgres" and (wanted is None or name in wanted)]
    with ExitStack() as stack:
        for name in asked:
            found = tables_of(stack.enter_context(connections.database(name)), hide_own=name == WAREHOUSE)
            tables |= {(name, table): relation for table, relation in found.items()}
    return Catalog(blocks, tables, pipelines=tuple(pipelines))


def tables_of(db: DatabaseManager, *, hide_own: bool) -> dict[str, Relation]:
    """Tables and views by `schema.name`; those that may not be read are there as denied.

    Args:
        hide_own: leave out the schema in which our own tables stand.
    """
    with db.transaction() as conn:
        hidden = [run(conn, load("database")["schema_current"])[0][0]] if hide_own else []
        columns = run(conn, Q["relations_seen"], {"hidden": hidden})
        keys = run(conn, Q["relation_keys"], {"hidden": hidden})
    found: dict[str, Relation] = {}
    by_table: dict[str, list[tuple[str, ...]]] = {}
    for schema, table, names in keys:
        by_table.setdefault(f"{schema}.{table}", []).append(tuple(names))
    seen: dict[str, list[tuple[str, str, bool, bool, bool]]] = {}
    for schema, table, *rest in columns:
        seen.setdefault(f"{schema}.{table}", []).append(tuple(rest))
    for name, of in seen.items():
        types = {column: type_named(written) for column, written, _, readable, _ in of if readable}
        found[name] = Relation(
            name,
            types,
            tuple(by_table.get(name, ())),
            tuple(column for column, _, _, _, required in of if required),
            denied=not any(readable for _, _, readable, _, _ in of),
            denied_columns=tuple(column for column, _, _, readable, _ in of if not readable),
        )
    return found


def _require_apart(db: DatabaseManager, writable: tuple[str, ...]) -> None:
    if not writable:
        return
    with db.transaction() as conn:
        own = run(conn, load("database")["schema_current"])[0][0]
    if own in writable:
        raise ConfigError(
            f"HEADRACE_CONNECTIONS__WAREHOUSE__WRITABLE_SCHEMAS names {own}, where Headrace's own tables stand; make a "
            "schema for what pipelines write"
        )


def type_named(written: str) -> ColumnType:
    """The type of ours for one of PostgreSQL's, as `format_type` writes it; what has none is read as text."""
    if found := _NUMERIC.fullmatch(written):
        precision, scale = int(found[1]), int(found[2])
        return decimal(precision, scale) if precision <= MAX_PRECISION else QUOTIENT
    if written.startswith("timestamp"):
        return TIMESTAMP
    return _TYPES.get(written, TEXT)

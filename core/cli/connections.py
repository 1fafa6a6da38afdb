"""`headrace connections`: the named connections of pipelines, and whether they answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.connections.blocks import Connections
    from core.pipelines.catalog import Block


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Named connections of pipelines: list them, test them.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command("test")(try_all)
    app.add_typer(group, name="connections")


def list_all(as_json: AsJson = False) -> None:
    """Show the connections that are configured. Secrets and addresses are never shown.

    Example: headrace connections list
    """
    from core.connections.blocks import connections_of
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        connections = connections_of(runtime.settings, runtime.db)
        rows = [_line(connections, block) for block in connections.blocks().values()]
    emit("connections", rows, as_json=as_json)


def try_all(as_json: AsJson = False) -> None:
    """Ask each connection whether it answers; exit 1 if one does not.

    Example: headrace connections test --json
    """
    from core.connections.blocks import connections_of
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        rows = list(_tried(connections_of(runtime.settings, runtime.db)))
    emit("connections", rows, as_json=as_json)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _line(connections: Connections, block: Block) -> dict[str, Any]:
    given = connections.given.get(block.name)
    return {
        "name": block.name,
        "kind": block.kind,
        "root": str(given.root) if given is not None and given.root is not None else None,
        "secret": given is not None and (given.secret is not None or given.url is not None),
        "writes": ", ".join(block.writable_schemas) or (block.writable or None),
    }


def _tried(connections: Connections) -> Iterator[dict[str, Any]]:
    from core.errors import HeadraceError

    for block in connections.blocks().values():
        try:
            found, answers = _found(connections, block)
        except HeadraceError as error:
            found, answers = error.message, False
        yield {"name": block.name, "kind": block.kind, "ok": answers, "found": found}


def _found(connections: Connections, block: Block) -> tuple[str, bool]:
    """What a connection holds, and whether it can be read."""
    from core.connections.catalog import tables_of
    from core.pipelines.catalog import WAREHOUSE

    if block.kind == "postgres":
        with connections.database(block.name) as db:
            return f"{len(tables_of(db, hide_own=block.name == WAREHOUSE)):,} tables", True
    if block.kind == "folder":
        return f"{sum(1 for _ in connections.folder(block.name).iterdir()):,} entries", True
    return f"{block.kind} is not read yet", False

"""Lines as leaves of the ledger: blocks of them, each by the hash of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import polars as pl
import psycopg

from core.database.copy import copy_slices, render
from core.database.queries import Query, load
from core.review.audit.canonical import canonical
from core.workloads.emissions.inventory.lines import COLUMNS

Q = load("emissions")
BLOCK_ROWS: Final = 10_000
ACTIVITY_LINES: Final = "activity_lines"
INVENTORY_LINES: Final = "inventory_lines"
INVENTORY_SCHEMA: Final[dict[str, Any]] = {
    **dict.fromkeys(("line_id", "fate", "reason"), pl.String),
    "category": pl.Int16,
    **dict.fromkeys(("method", "dataset_id", "factor_no"), pl.String),
    "mass_mg": pl.Int64,
    **dict.fromkeys(("share", "supplier_entity"), pl.String),
    "data_quality": pl.Int16,
    "ln_sd_millionths": pl.Int32,
    "review": pl.Boolean,
    **dict.fromkeys(("note", "flags"), pl.String),
    "amount_minor": pl.Int64,
    "currency": pl.String,
}
"""All that a row of an inventory holds beside its place; without floats, which other machines round otherwise."""
ACTIVITY_SCHEMA: Final[dict[str, Any]] = dict.fromkeys(COLUMNS, pl.String)
_PLACE: Final[dict[str, Any]] = {"event_id": pl.Int64, "row_no": pl.Int32}


def leaves_of(rows: pl.DataFrame) -> list[bytes]:
    """The leaves of rows without their place, in their order. Cost: some 1 us a row."""
    return [_leaf(number, part) for number, part in enumerate(rows.iter_slices(BLOCK_ROWS))] if len(rows) else []


def placed(rows: pl.DataFrame, tenant_id: str, event_id: int) -> pl.DataFrame:
    """Rows with the place that their event gives them."""
    return rows.with_columns(
        tenant_id=pl.lit(tenant_id),
        event_id=pl.lit(event_id, pl.Int64),
        row_no=pl.int_range(pl.len(), dtype=pl.Int32),
    )


def activity_leaves(
    conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int
) -> Iterator[tuple[int, int, bytes]]:
    """Those of the events `after < event_id <= upto`, as the ledger asks for them."""
    return _kept(conn, (Q["activity_lines_between"], ACTIVITY_SCHEMA), tenant_id, (after, upto))


def inventory_leaves(
    conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int
) -> Iterator[tuple[int, int, bytes]]:
    """Those of the events `after < event_id <= upto`, as the ledger asks for them."""
    return _kept(conn, (Q["inventory_lines_between"], INVENTORY_SCHEMA), tenant_id, (after, upto))


def _kept(
    conn: psycopg.Connection[Any], asked: tuple[Query, dict[str, Any]], tenant_id: str, span: tuple[int, int]
) -> Iterator[tuple[int, int, bytes]]:
    """Leaves of what a table holds now: a row that is gone or was put in changes its block."""
    query, schema = asked
    params = {"tenant_id": tenant_id, "after": span[0], "upto": span[1]}
    waiting = pl.DataFrame(schema={**_PLACE, **schema})
    for part in copy_slices(conn, query, params, {**_PLACE, **schema}):
        blocks = _blocks(pl.concat([waiting, part]))
        # The rest of the last block may come with the next slice.
        waiting = blocks.pop() if blocks else waiting.clear()
        yield from map(_leaf_of_block, blocks)
    yield from map(_leaf_of_block, _blocks(waiting))


def _blocks(rows: pl.DataFrame) -> list[pl.DataFrame]:
    keyed = rows.with_columns(block=pl.col("row_no") // BLOCK_ROWS)
    return keyed.partition_by("event_id", "block", maintain_order=True, include_key=True)


def _leaf_of_block(rows: pl.DataFrame) -> tuple[int, int, bytes]:
    event_id, block = rows.row(0)[0], rows["block"][0]
    return event_id, block, _leaf(block, rows.drop("event_id", "row_no", "block"))


def _leaf(block: int, rows: pl.DataFrame) -> bytes:
    return canonical({"block": block, "rows": len(rows), "sha256": hashlib.sha256(render(rows)).digest()})

"""Lines of a period in the database: what an import brings that is new, and what stands of all imports together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import psycopg

from core.database.copy import copy_in, copy_out
from core.database.queries import load, run
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.workloads.emissions.inventory.lines import COLUMNS
from core.workloads.emissions.publishing.blocks import ACTIVITY_LINES, ACTIVITY_SCHEMA, leaves_of, placed

Q = load("emissions")


@dataclass(frozen=True, slots=True)
class Standing:
    """Lines of a period that count for it: of a line_id those of the latest import. event_ids: of all its imports."""

    lines: pl.DataFrame
    event_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a file brings: rows that are kept, and how many lines are new, changed, or stand there already."""

    rows: pl.DataFrame
    n_new: int
    n_changed: int
    n_same: int


def import_ids(conn: psycopg.Connection[Any], tenant_id: str, period: int) -> tuple[int, ...]:
    """Events of the imports of a period, oldest first."""
    return tuple(row[0] for row in run(conn, Q["imports_list"], {"tenant_id": tenant_id, "period": period}))


def standing_lines(conn: psycopg.Connection[Any], tenant_id: str, event_ids: Sequence[int]) -> Standing:
    """What stands after some imports. Cost: some 3 us a line."""
    params = {"tenant_id": tenant_id, "event_ids": list(event_ids)}
    rows = copy_out(conn, Q["activity_lines_read"], params, {"event_id": pl.Int64, **ACTIVITY_SCHEMA})
    if len(event_ids) > 1:
        latest = pl.col("event_id").max().over("line_id")
        rows = rows.filter(pl.col("line_id").is_null() | (pl.col("event_id") == latest))
    return Standing(rows.drop("event_id"), tuple(event_ids))


def brought_by(lines: pl.DataFrame, standing: pl.DataFrame) -> Brought:
    """What a file brings to the lines that stand. A line that says all the same is not kept again."""
    if standing.is_empty():
        return Brought(lines, len(lines), 0, 0)
    rows = lines.join(standing, on=list(COLUMNS), how="anti", nulls_equal=True, maintain_order="left")
    known = pl.col("line_id").is_in(standing["line_id"].drop_nulls().unique().implode())
    n_changed = int(rows.select(known.fill_null(False).sum()).item())
    return Brought(rows, len(rows) - n_changed, n_changed, len(lines) - len(rows))


def add_lines(conn: psycopg.Connection[Any], event: Event, period: int, brought: Brought) -> int:
    """Keep what an import brings, and its event; returns the event's id. The caller holds the period's turn.

    Args:
        event: its details name `sha256`, that of the file.
    """
    details = {
        **event.details,
        "period": period,
        "new": brought.n_new,
        "changed": brought.n_changed,
        "same": brought.n_same,
    }
    event_id = append(conn, replace(event, details=details), leaves_of(brought.rows), ACTIVITY_LINES)
    copy_in(conn, ACTIVITY_LINES, placed(brought.rows, event.tenant_id, event_id))
    run(
        conn,
        Q["import_add"],
        {
            "tenant_id": event.tenant_id,
            "period": period,
            "event_id": event_id,
            "n_lines": len(brought.rows),
            "file_sha256": event.details["sha256"],
        },
    )
    return event_id

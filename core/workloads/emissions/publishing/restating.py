"""A new version beside a locked one, and the bridge between them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import Conflict, InputError
from core.review.audit.chain import Event
from core.workloads.emissions.publishing.bridge import bridge_of, side_of
from core.workloads.emissions.publishing.computing import Pinned, computed_of, draft_of, pinned_of
from core.workloads.emissions.publishing.imports import (
    Brought,
    Standing,
    add_lines,
    brought_by,
    import_ids,
    standing_lines,
)
from core.workloads.emissions.publishing.inventories import (
    Version,
    locked_of,
    publish,
    take_turn,
    versions,
)
from core.workloads.emissions.publishing.pins import Inputs, keep_inputs, pin_of

Q = load("emissions")


@dataclass(frozen=True, slots=True)
class Change:
    """What a restatement changes.

    Attributes:
        inputs: from those of the locked version to those of the new one.
        lines: of a file that came later, and the file's SHA-256; None: none came.
    """

    inputs: Callable[[Inputs], Inputs]
    lines: pl.DataFrame | None = None
    file_sha256: str = ""


def restate(db: DatabaseManager, event: Event, period: int, change: Change) -> Version:
    """Compute the period anew and publish a draft that restates the locked version, with its bridge.

    Raises InputError: no version is locked. Conflict: lines came in, or another version was locked, meanwhile.
    Cost: an inventory for each driver that has changed, and two more.
    """
    with tempfile.TemporaryDirectory() as folder:
        before = _locked(db, event.tenant_id, period, Path(folder))
        with db.transaction() as conn:
            ids = import_ids(conn, event.tenant_id, period)
            standing = standing_lines(conn, event.tenant_id, ids)
        brought = None if change.lines is None else brought_by(change.lines, standing.lines)
        lines = standing.lines if brought is None else _joined(standing, brought)
        inputs = change.inputs(before.inputs)
        sides = side_of(before.standing.lines, before.inputs), side_of(lines, inputs)
        steps = bridge_of(*sides, period, before.version.total_mg)
        computed = computed_of(Standing(lines, ids), inputs, period)
        with db.transaction() as conn:
            take_turn(conn, event.tenant_id, period)
            _refuse_moved(conn, event.tenant_id, period, before.version, ids)
            if brought is not None and len(brought.rows):
                came = replace(event, kind="lines imported", details={**event.details, "sha256": change.file_sha256})
                ids = (*ids, add_lines(conn, came, period, brought))
            keep_inputs(conn, inputs)
            draft = draft_of(computed, inputs, pin_of(inputs, period, ids), before.version.version)
            return publish(conn, event, period, replace(draft, bridge=steps))


def bridge(db: DatabaseManager, tenant_id: str, version: Version) -> list[dict[str, Any]]:
    """The steps of a version that restates another; none of one that does not."""
    with db.transaction() as conn:
        rows = run(conn, Q["bridge_read"], {"tenant_id": tenant_id, "event_id": version.event_id})
    return [dict(zip(("step_no", "driver", "delta_mg", "total_mg", "n_changed"), row, strict=True)) for row in rows]


def _locked(db: DatabaseManager, tenant_id: str, period: int, folder: Path) -> Pinned:
    with db.transaction() as conn:
        locked = locked_of(versions(conn, tenant_id, period))
    if locked is None:
        raise InputError(f"{period} of {tenant_id} has no locked version to restate; `headrace emissions run` goes on")
    return pinned_of(db, tenant_id, period, locked.version, folder)


def _joined(standing: Standing, brought: Brought) -> pl.DataFrame:
    """What stands once the lines are there, in the order in which the database gives them back."""
    again = pl.col("line_id").is_in(brought.rows["line_id"].drop_nulls().unique().implode()).fill_null(False)
    return pl.concat([standing.lines.filter(~again), brought.rows])


def _refuse_moved(conn: Any, tenant_id: str, period: int, locked: Version, ids: tuple[int, ...]) -> None:
    now = locked_of(versions(conn, tenant_id, period))
    if now is None or now.version != locked.version or import_ids(conn, tenant_id, period) != ids:
        raise Conflict(f"{period} of {tenant_id} was changed while it was restated; nothing was kept: run it again")

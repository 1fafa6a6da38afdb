"""From what stands in the database to a version of an inventory, in three steps: read, compute, publish."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from core.database import DatabaseManager
from core.errors import Conflict, InputError
from core.review.audit.chain import Event
from core.review.audit.merkle import merkle_root
from core.workloads.emissions.inventory.compute import Computed, compute
from core.workloads.emissions.inventory.selection.catalog import Catalog
from core.workloads.emissions.inventory.summary import kg_text, summary_of
from core.workloads.emissions.publishing.blocks import leaves_of
from core.workloads.emissions.publishing.imports import (
    Brought,
    Standing,
    add_lines,
    brought_by,
    import_ids,
    standing_lines,
)
from core.workloads.emissions.publishing.inventories import (
    Draft,
    Version,
    lines_of_version,
    publish,
    refuse_locked,
    rows_of,
    take_turn,
    version_of,
    versions,
)
from core.workloads.emissions.publishing.pins import Inputs, Pin, inputs_of, keep_inputs, pin_from, pin_of


def import_lines(
    db: DatabaseManager, event: Event, period: int, lines: pl.DataFrame, *, is_dry: bool = False
) -> tuple[Brought, int | None]:
    """Keep the lines that a file brings to a period, and the id of their event; None: it brings nothing, or is dry.

    Raises InputError: the period is locked.
    """
    with db.transaction() as conn:
        take_turn(conn, event.tenant_id, period)
        refuse_locked(versions(conn, event.tenant_id, period), event.tenant_id, period)
        known = standing_lines(conn, event.tenant_id, import_ids(conn, event.tenant_id, period))
        brought = brought_by(lines, known.lines)
        if is_dry or brought.rows.is_empty():
            return brought, None
        return brought, add_lines(conn, event, period, brought)


def run_inventory(db: DatabaseManager, event: Event, period: int, inputs: Inputs) -> Version:
    """Compute the lines of a period and publish the draft, in one transaction.

    Raises InputError: the period has no lines, or is locked. Conflict: lines came in meanwhile.
    """
    with db.transaction() as conn:
        refuse_locked(versions(conn, event.tenant_id, period), event.tenant_id, period)
        standing = standing_lines(conn, event.tenant_id, import_ids(conn, event.tenant_id, period))
    if not standing.event_ids:
        raise InputError(f"{period} of {event.tenant_id} has no lines; `headrace emissions import FILE` brings some")
    computed = computed_of(standing, inputs, period)
    draft = draft_of(computed, inputs, pin_of(inputs, period, standing.event_ids))
    with db.transaction() as conn:
        take_turn(conn, event.tenant_id, period)
        refuse_locked(versions(conn, event.tenant_id, period), event.tenant_id, period)
        if import_ids(conn, event.tenant_id, period) != standing.event_ids:
            raise Conflict(f"lines of {period} came in while it was computed; nothing was kept: run it again")
        keep_inputs(conn, inputs)
        return publish(conn, event, period, draft)


def computed_of(standing: Standing, inputs: Inputs, period: int) -> Computed:
    """One fate for each line that stands."""
    return compute(standing.lines, Catalog(inputs.factor_set, inputs.policy), period)


def draft_of(computed: Computed, inputs: Inputs, pin: Pin, restates: int | None = None) -> Draft:
    """What is published of computed lines."""
    summary = summary_of(computed.frame, inputs.factor_set, inputs.policy)
    return Draft(rows_of(computed.frame), pin.body(), json.dumps(summary, ensure_ascii=False), restates)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A version with all that it was computed with."""

    version: Version
    pin: Pin
    inputs: Inputs
    standing: Standing


def pinned_of(db: DatabaseManager, tenant_id: str, period: int, number: int | None, folder: Path) -> Pinned:
    """Read a version's inputs from the database; their files go into the folder.

    Raises InputError: no such version; StoreError: as `inputs_of`.
    """
    with db.transaction() as conn:
        version = version_of(conn, tenant_id, period, number)
        pin = pin_from(version.pin)
        inputs = inputs_of(conn, pin, folder)
        return Pinned(version, pin, inputs, standing_lines(conn, tenant_id, pin.imports))


def replay(db: DatabaseManager, tenant_id: str, period: int, number: int | None) -> dict[str, Any]:
    """Compute a version again from what it pins and hold every line against what is kept.

    Returns: `same`, and what was found: of the lines that are kept, of those computed, and how many differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        pinned = pinned_of(db, tenant_id, period, number, Path(folder))
    version = pinned.version
    rows = rows_of(computed_of(pinned.standing, pinned.inputs, period).frame)
    content = merkle_root(leaves_of(rows))
    with db.transaction() as conn:
        kept = lines_of_version(conn, tenant_id, version)
    is_kept = merkle_root(leaves_of(kept)) == version.content
    return {
        "period": period,
        "version": version.version,
        "state": version.state,
        "same": content == version.content and is_kept,
        "kept_as_published": is_kept,
        "lines": version.n_lines,
        "lines_that_differ": 0 if rows.equals(kept) else _differing(rows, kept),
        "total_kg": kg_text(version.total_mg),
        "recomputed_kg": kg_text(int(rows["mass_mg"].sum())),
        "content": version.content.hex(),
        "recomputed": content.hex(),
        "code": pinned.pin.code,
    }


def _differing(rows: pl.DataFrame, kept: pl.DataFrame) -> int:
    """Lines that are not the same in both, by their place."""
    n_both = min(len(rows), len(kept))
    other = kept.head(n_both)
    same = rows.head(n_both).select(pl.col(name).eq_missing(other[name]) for name in rows.columns)
    return int(same.select((~pl.all_horizontal(pl.all())).sum()).item()) + abs(len(rows) - len(kept))

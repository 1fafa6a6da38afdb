"""Versions of an inventory in the database: which there are, and how one becomes true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.currencies import to_text
from core.database.copy import copy_in, copy_out
from core.database.queries import affected, load, run
from core.errors import InputError
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.review.audit.merkle import merkle_root
from core.workloads.emissions.publishing.blocks import INVENTORY_LINES, INVENTORY_SCHEMA, leaves_of, placed

Q = load("emissions")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version. restates: the locked one that it goes on from; content: Merkle root over its lines."""

    period: int
    version: int
    state: str
    restates: int | None
    total_mg: int
    n_lines: int
    event_id: int
    content: bytes
    pin: bytes
    summary: str
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to become a version. rows: by `INVENTORY_SCHEMA`; bridge: steps as `bridge_of` gives them."""

    rows: pl.DataFrame
    pin: bytes
    summary: str
    restates: int | None = None
    bridge: Sequence[Mapping[str, Any]] = ()


def take_turn(conn: psycopg.Connection[Any], tenant_id: str, period: int) -> None:
    """Wait until no other transaction writes to the period; held until the caller's commit."""
    run(conn, Q["emission_period_turn"], {"tenant_id": tenant_id, "period": period})


def versions(conn: psycopg.Connection[Any], tenant_id: str, period: int | None = None) -> list[Version]:
    """Those of a period, or of all, the newest first."""
    found = run(conn, Q["inventories_list"], {"tenant_id": tenant_id, "period": period})
    names = [each.name for each in fields(Version)]
    return [Version(**dict(zip(names, row, strict=True))) for row in found]


def locked_of(found: Sequence[Version]) -> Version | None:
    """The locked one among the versions of a period."""
    return next((each for each in found if each.state == "locked"), None)


def version_of(conn: psycopg.Connection[Any], tenant_id: str, period: int, number: int | None) -> Version:
    """A version, or the newest. Raises InputError: there is none."""
    found = versions(conn, tenant_id, period)
    if not found:
        raise InputError(f"{tenant_id} has no inventory of {period}; `headrace emissions run` makes one")
    if number is None:
        return found[0]
    wanted = [each for each in found if each.version == number]
    if not wanted:
        raise InputError(f"{period} of {tenant_id} has no version {number}; the newest is {found[0].version}")
    return wanted[0]


def refuse_locked(found: Sequence[Version], tenant_id: str, period: int) -> None:
    """Raise InputError: the period is locked."""
    if (locked := locked_of(found)) is not None:
        raise InputError(
            f"{period} of {tenant_id} is locked by version {locked.version}; `headrace emissions restate` makes a new "
            "version beside it, with --lines also of lines that came later",
            version=locked.version,
        )


def rows_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The lines of a computed frame as they are kept, in the order of the lines."""
    kept = frame.with_columns(ln_sd_millionths=(pl.col("ln_sd") * _MILLION).round().cast(pl.Int32))
    return kept.select(pl.col(name).cast(dtype) for name, dtype in INVENTORY_SCHEMA.items())


def publish(conn: psycopg.Connection[Any], event: Event, period: int, draft: Draft) -> Version:
    """Make a draft the newest version, with its lines and its event; the draft before it is superseded.

    The same lines of the same inputs as in the draft before are that draft, and nothing is written. The caller holds
    the period's turn.
    Cost: some 5 us a line.
    """
    before = versions(conn, event.tenant_id, period)
    leaves = leaves_of(draft.rows)
    content = merkle_root(leaves)
    newest = before[0] if before else None
    if newest and newest.state == "draft" and (newest.content, newest.pin) == (content, draft.pin):
        return newest
    number = newest.version + 1 if newest else 1
    total_mg = int(draft.rows["mass_mg"].sum())
    details = {
        **event.details,
        "period": period,
        "version": number,
        "restates": draft.restates,
        "total_mg": total_mg,
        "pin": draft.pin,
    }
    event_id = append(conn, replace(event, details=details), leaves, INVENTORY_LINES)
    copy_in(conn, INVENTORY_LINES, placed(draft.rows, event.tenant_id, event_id))
    if draft.bridge:
        copy_in(
            conn,
            "inventory_bridges",
            pl.DataFrame(draft.bridge).with_columns(tenant_id=pl.lit(event.tenant_id), event_id=pl.lit(event_id)),
        )
    said = {"tenant_id": event.tenant_id, "period": period, "version": number}
    run(conn, Q["inventories_supersede"], said | {"state": "draft"})
    row: dict[str, Any] = {
        "restates": draft.restates,
        "event_id": event_id,
        "total_mg": total_mg,
        "n_lines": len(draft.rows),
    }
    row |= {"content": content, "pin": draft.pin, "summary": draft.summary}
    run(conn, Q["inventory_add"], said | row)
    return version_of(conn, event.tenant_id, period, number)


def lock(conn: psycopg.Connection[Any], event: Event, period: int, number: int | None) -> Version:
    """Lock a draft, the newest unless one is named; the version locked before is superseded.

    Raises InputError: there is no such version, or it is no draft.
    """
    take_turn(conn, event.tenant_id, period)
    wanted = version_of(conn, event.tenant_id, period, number)
    if wanted.state != "draft":
        raise InputError(
            f"version {wanted.version} of {period} is {wanted.state}, and only a draft is locked", state=wanted.state
        )
    details = {
        **event.details,
        "period": period,
        "version": wanted.version,
        "total_mg": wanted.total_mg,
        "content": wanted.content,
    }
    append(conn, replace(event, details=details), ())
    said = {"tenant_id": event.tenant_id, "period": period, "version": wanted.version}
    run(conn, Q["inventories_supersede"], said | {"state": "locked"})
    affected(conn, Q["inventory_lock"], said)
    return version_of(conn, event.tenant_id, period, wanted.version)


def lines_of_version(conn: psycopg.Connection[Any], tenant_id: str, version: Version) -> pl.DataFrame:
    """The rows of a version in their order, by `INVENTORY_SCHEMA`."""
    params = {"tenant_id": tenant_id, "after": version.event_id - 1, "upto": version.event_id}
    schema = {"event_id": pl.Int64, "row_no": pl.Int32, **INVENTORY_SCHEMA}
    return copy_out(conn, Q["inventory_lines_between"], params, schema).drop("event_id", "row_no")


def shown_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a version as files show them: the mass also in kg as decimal text, the deviation as a number."""
    return rows.with_columns(kg_co2e=to_text(pl.col("mass_mg"), 6), ln_sd=pl.col("ln_sd_millionths") / _MILLION).drop(
        "ln_sd_millionths"
    )

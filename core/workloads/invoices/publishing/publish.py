"""An answer becomes true: items, receipts, allocations and their event in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import affected, load
from core.errors import StoreError
from core.review.audit.chain import Event
from core.workloads.invoices.publishing.leaves import FACTS, append_allocations
from core.workloads.invoices.publishing.standing import Standing, standing_of
from core.workloads.invoices.publishing.told import keep_told, told_frame
from core.workloads.invoices.reconciling.explained import outlines_of
from core.workloads.invoices.reconciling.reading import read_tables
from core.workloads.invoices.reconciling.run import Reconciled, Request, reconcile_tables

Q = load("invoices")
_CHANGED = "open items or payments of {tenant} were changed by another run meanwhile; nothing was kept: run it again"


def reconcile_and_publish(db: DatabaseManager, request: Request, event: Event) -> Reconciled:
    """Reconcile the files of a request on what was decided before, and make the answer true.

    Raises as `read_tables` and `publish`.
    """
    read = read_tables(request.files, request.mapping)
    with db.transaction() as conn:
        standing = standing_of(conn, event.tenant_id, read.tables)
    found = reconcile_tables(request, replace(read, tables=standing.laid_over(read.tables)))
    told = told_frame(found.sides.payments["id"], outlines_of(found))
    decided = Published(found.answer.allocations, found.answer.states, found.sides.payments, told)
    with db.transaction() as conn:
        add_new_items(conn, event, found.sides.invoices, standing)
        publish(conn, event, decided, standing)
    return found


@dataclass(frozen=True, slots=True)
class Published:
    """What becomes true at once.

    allocations, states: as in `Answer`. payments: id and date of each, among others. told: as `told_frame` gives it.
    """

    allocations: pl.DataFrame
    states: pl.DataFrame
    payments: pl.DataFrame
    told: pl.DataFrame

    @property
    def days(self) -> pl.DataFrame:
        """payment_id, day."""
        return self.payments.select(payment_id="id", day=pl.col("date").cast(pl.Date))


def publish(conn: psycopg.Connection[Any], event: Event, decided: Published, standing: Standing) -> int:
    """Write what is applied, and how every payment stands; returns the number of allocations.

    Args:
        event: who, when and for whom; its leaves are the allocations. standing: what was decided on.
    Raises StoreError: another run came first; the caller's transaction is to be rolled back.
    Cost: some 20 us an allocation, most of it the leaf's bytes.
    """
    rows = _rows(decided, event.recorded_at)
    event_id = append_allocations(conn, event, rows)
    whole = _settle_items(conn, event.tenant_id, rows, standing)
    if not whole or not _note_receipts(conn, event, event_id, decided):
        raise StoreError(_CHANGED.format(tenant=event.tenant_id), tenant=event.tenant_id)
    keep_told(conn, event.tenant_id, decided.told)
    _keep_suggestions(conn, event.tenant_id, decided)
    return len(rows)


def add_new_items(conn: psycopg.Connection[Any], event: Event, invoices: pl.DataFrame, standing: Standing) -> None:
    """Items that no run has brought before.

    Args:
        invoices: as in `Tables`.
    """
    new = invoices.join(standing.items, left_on="id", right_on="item_id", how="anti")
    items = new.select(
        tenant_id=pl.lit(event.tenant_id),
        item_id="id",
        customer_id="customer",
        number="number",
        currency=pl.col("currency"),
        given_minor="open",
        open_minor="open",
        issued_on=pl.col("issued").cast(pl.Date),
        due_on=pl.col("due").cast(pl.Date),
        recorded_at=pl.lit(event.recorded_at),
    )
    copy_in(conn, "open_items", items)


def _rows(decided: Published, recorded_at: datetime) -> pl.DataFrame:
    """Allocations by the names of the table; each counts from the day of its payment."""
    days = decided.days.rename({"day": "effective_on"})
    applied = decided.allocations.filter(pl.col("status") == "auto").join(days, on="payment_id", maintain_order="left")
    rows = applied.with_columns(
        pl.col("amount_minor").fill_null(0),
        item_id="invoice_id",
        recorded_at=pl.lit(recorded_at),
        reverses_event=pl.lit(None, pl.Int64),
        reverses_leaf=pl.lit(None, pl.Int32),
    )
    return rows.select(FACTS)


def _settle_items(conn: psycopg.Connection[Any], tenant_id: str, rows: pl.DataFrame, standing: Standing) -> bool:
    paid = rows.drop_nulls("item_id").group_by("item_id").agg(pl.col("amount_minor").sum())
    paid = paid.filter(pl.col("amount_minor") != 0).join(standing.items, on="item_id", how="left").sort("item_id")
    params = {
        "tenant_id": tenant_id,
        "item_ids": paid["item_id"].to_list(),
        "amounts": paid["amount_minor"].to_list(),
        "versions": paid["version"].fill_null(1).to_list(),
    }
    return affected(conn, Q["items_settle"], params) == len(paid)


def _keep_suggestions(conn: psycopg.Connection[Any], tenant_id: str, decided: Published) -> None:
    """Put what is suggested in the place of what was before, for the same payments."""
    said = {"tenant_id": tenant_id, "payment_ids": decided.states["payment_id"].to_list()}
    affected(conn, Q["suggestions_drop"], said)
    rows = decided.allocations.filter(pl.col("status") != "auto").select(
        "payment_id",
        pl.col("amount_minor").fill_null(0),
        "currency",
        "applied_minor",
        "residual_kind",
        "residual_minor",
        "posterior",
        "reason",
        pl.col("rank").cast(pl.Int32),
        item_id="invoice_id",
        tenant_id=pl.lit(tenant_id),
        line_no=pl.int_range(pl.len(), dtype=pl.Int32).over("payment_id", "rank"),
    )
    copy_in(conn, "suggestions", rows)


def _note_receipts(conn: psycopg.Connection[Any], event: Event, event_id: int, decided: Published) -> bool:
    states = decided.states.join(decided.days, on="payment_id")
    params = {
        "tenant_id": event.tenant_id,
        "event_id": event_id,
        "payment_ids": states["payment_id"].to_list(),
        "currencies": states["currency"].to_list(),
        "amounts": states["amount_minor"].to_list(),
        "days": states["day"].to_list(),
        "states": states["state"].to_list(),
    }
    return affected(conn, Q["receipts_note"], params) == len(states)

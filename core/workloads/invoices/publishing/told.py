"""Why published payments stand as they do, as it was found when they were decided."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from core.database.copy import copy_in
from core.database.queries import affected, load, run
from core.errors import InputError
from core.workloads.invoices.reconciling.explained import told_of
from core.workloads.invoices.rules.why import Asked

Q = load("invoices")


def told_frame(payment_ids: pl.Series, outlines: pl.DataFrame) -> pl.DataFrame:
    """payment_id, told: outlines as texts of JSON, one each."""
    return pl.DataFrame({"payment_id": payment_ids, "told": outlines.to_struct().struct.json_encode()})


def keep_told(conn: psycopg.Connection[Any], tenant_id: str, told: pl.DataFrame) -> None:
    """Put outlines in the place of those that the same payments had.

    Args:
        told: as `told_frame` gives it.
    """
    affected(conn, Q["explanations_drop"], {"tenant_id": tenant_id, "payment_ids": told["payment_id"].to_list()})
    copy_in(conn, "explanations", told.with_columns(tenant_id=pl.lit(tenant_id)))


def published_explanation(
    conn: psycopg.Connection[Any], tenant_id: str, payment: str, item: str | None
) -> dict[str, Any]:
    """Why a payment stands as it does, and of an item why not, in the form of `explained`.

    Raises InputError: no such payment or item was published, or it was decided before explanations were kept.
    """
    said = {"tenant_id": tenant_id, "payment_id": payment}
    found = run(conn, Q["explanation_of"], said)
    if not found:
        raise InputError(f"there is no payment {payment!r} in the receivables of {tenant_id}", id=payment)
    ((state, booked, told),) = found
    if told is None:
        raise InputError(
            f"payment {payment!r} was decided before explanations were kept; name the folder of its run with --run",
            id=payment,
        )
    asked = None
    if item is not None:
        rows = run(conn, Q["item_of"], {"tenant_id": tenant_id, "item_id": item})
        if not rows:
            raise InputError(f"there is no invoice {item!r} in the receivables of {tenant_id}", id=item)
        ((customer, issued),) = rows
        asked = Asked(item, customer, issued > booked)
    return told_of(payment, told | {"state": state}, asked)

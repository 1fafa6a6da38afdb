"""What was decided before, laid over the files of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import psycopg

from core.database.queries import load, run
from core.workloads.invoices.rules.block import Tables

Q = load("invoices")


@dataclass(frozen=True, slots=True)
class Standing:
    """items: item_id, open_minor, version of those that are known. decided: payments that are not decided again."""

    items: pl.DataFrame
    decided: Sequence[str]

    def laid_over(self, tables: Tables) -> Tables:
        """The tables with what is open of each item now, without what is paid or decided.

        A discount is kept only for an item of which nothing was paid.
        """
        known = self.items.select(id="item_id", stands="open_minor")
        invoices = tables.invoices.join(known, on="id", how="left", maintain_order="left")
        paid_in_part = pl.col("stands").is_not_null() & (pl.col("stands") != pl.col("open"))
        invoices = invoices.with_columns(
            discount=pl.when(paid_in_part).then(0).otherwise("discount"),
            open=pl.coalesce("stands", "open"),
        ).drop("stands")
        payments = tables.payments.filter(~pl.col("id").is_in(list(self.decided)))
        return replace(tables, invoices=invoices.filter(pl.col("open") != 0), payments=payments)


def standing_of(conn: psycopg.Connection[Any], tenant_id: str, tables: Tables) -> Standing:
    """How the items and payments of a run stand. Two reads, each by key."""
    ids = tables.invoices["id"].to_list()
    rows = run(conn, Q["items_standing"], {"tenant_id": tenant_id, "item_ids": ids})
    schema = {"item_id": pl.String, "open_minor": pl.Int64, "version": pl.Int64}
    wanted = {"tenant_id": tenant_id, "payment_ids": tables.payments["id"].to_list()}
    decided = [payment_id for (payment_id,) in run(conn, Q["receipts_decided"], wanted)]
    return Standing(pl.DataFrame(rows, schema=schema, orient="row"), decided)

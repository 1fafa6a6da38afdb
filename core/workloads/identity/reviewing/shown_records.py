"""The values of the records that cases are about: for whoever decides, while a data set asks about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run

Q = load("identity")

Values = dict[str, str | None]
"""Field -> value as the input has it."""


def keep_records(conn: psycopg.Connection[Any], dataset: str, records: pl.DataFrame | None) -> None:
    """Make these the records that a data set's cases show, in the caller's transaction; those of before are gone.

    Args:
        records: `source`, `id`, and each field as text; None: there is no case.
    """
    run(conn, Q["review_records_forget"], {"dataset": dataset})
    if records is None:
        return
    fields = [name for name in records.columns if name not in ("source", "id")]
    values = pl.struct(fields).struct.json_encode().alias("fields")
    copy_in(conn, "identity_review_records", records.select(pl.lit(dataset).alias("dataset"), "id", values))


def shown_records(db: DatabaseManager, dataset: str, ids: Sequence[str]) -> dict[str, Values]:
    """Values by id, as far as they are kept. Raises StoreError. Cost: one read by key."""
    with db.transaction() as conn:
        rows = run(conn, Q["review_records"], {"dataset": dataset, "ids": list(dict.fromkeys(ids))})
    return dict(rows)

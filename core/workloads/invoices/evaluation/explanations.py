"""Which explanations of an answer are the true ones."""

from __future__ import annotations

import polars as pl

KEY = ("payment_id", "status", "rank")
"""What makes one explanation of its rows."""


def judged(allocations: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """A row for each explanation: KEY, posterior, pays (it applies money to an item), right.

    An explanation is right if it pays exactly the items of the truth, each the true amount. What a write-off of the
    truth forgives may be paid or not, since policy decides; residuals otherwise do not matter.
    """
    claimed = _by_item(allocations, KEY)
    true = _by_item(truth, ("payment_id",)).join(_forgiven(truth), on=["payment_id", "invoice_id"], how="left")
    held = claimed.join(true, on=["payment_id", "invoice_id"], how="left", suffix="_true")
    fits = (pl.col("amount_minor") == pl.col("amount_minor_true")).fill_null(False)
    less = (pl.col("amount_minor") == pl.col("amount_minor_true") + pl.col("forgiven")).fill_null(False)
    found = held.group_by(KEY).agg(n_right=(fits | less).sum(), n_claimed=pl.len())
    n_true = true.group_by("payment_id").agg(n_true=pl.len())
    explanations = allocations.group_by(KEY).agg(pl.col("posterior").max())
    counts = ("n_right", "n_claimed", "n_true")
    joined = explanations.join(found, on=KEY, how="left").join(n_true, on="payment_id", how="left")
    joined = joined.with_columns(pl.col(counts).fill_null(0))
    right = (pl.col("n_right") == pl.col("n_claimed")) & (pl.col("n_claimed") == pl.col("n_true"))
    return joined.select(*KEY, "posterior", pays=pl.col("n_claimed") > 0, right=right).sort(KEY)


def _by_item(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Amounts summed by item; without rows of no item and items that come to nothing."""
    of_items = rows.drop_nulls("invoice_id").group_by(*key, "invoice_id").agg(pl.col("amount_minor").sum())
    return of_items.filter(pl.col("amount_minor") != 0)


def _forgiven(truth: pl.DataFrame) -> pl.DataFrame:
    written_off = truth.filter(pl.col("residual_kind") == "write_off").drop_nulls("invoice_id")
    return written_off.group_by("payment_id", "invoice_id").agg(forgiven=pl.col("residual_minor").sum())

"""What other rules would have decided of a run: its files read again, and the difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from core.workloads.invoices.reconciling.explained import request_of
from core.workloads.invoices.reconciling.run import decided_by, reconcile
from core.workloads.invoices.rules.decide import Policy


@dataclass(frozen=True, slots=True)
class Difference:
    """payments: how many the run has. changed: payment_id, amount_minor, currency, before, after, held of those that
    another state waits for; held: what a person would have to look at.
    """

    payments: int
    changed: pl.DataFrame

    def sums(self) -> list[dict[str, Any]]:
        """A row for each change of state and currency."""
        grouped = self.changed.group_by("before", "after", "currency").agg(
            payments=pl.len(), amount_minor=pl.col("amount_minor").sum()
        )
        return grouped.sort("before", "after", "currency").to_dicts()


def difference(folder: Path, policy: Policy) -> Difference:
    """Of the run in a folder; nothing is written. Raises as `request_of` and `reconcile`."""
    found = reconcile(request_of(folder))
    before = found.answer.states.select("payment_id", "amount_minor", "currency", before="state")
    after = decided_by(found, policy).states.select("payment_id", "held", after="state")
    both = before.join(after, on="payment_id", maintain_order="left")
    changed = both.filter(pl.col("before") != pl.col("after"))
    names = ("payment_id", "amount_minor", "currency", "before", "after", "held")
    return Difference(len(both), changed.select(names).sort("payment_id"))

"""How often another set of open items has the sum of a payment: the table of docs/explain/reconciliation.md."""

from __future__ import annotations

import numpy as np

from core.workloads.invoices.rules.subset_sums import subset_sums

N_TRIALS = 200


def share_ambiguous(n_items: int, grid: int, seed: int = 1) -> float:
    """Share of sums of two to four items that another set has, too; amounts are multiples of `grid` minor units."""
    rng = np.random.default_rng(seed)
    ambiguous = 0
    for _ in range(N_TRIALS):
        amounts = np.maximum(np.round(np.exp(rng.normal(np.log(80_000), 1.0, n_items)) / grid), 1).astype(np.int64)
        chosen = rng.choice(n_items, rng.integers(2, 5), replace=False)
        total = int(amounts[chosen].sum())
        ambiguous += subset_sums(amounts, total, total, n_items).count > 1
    return ambiguous / N_TRIALS


if __name__ == "__main__":
    for n_items in (8, 12, 20):
        print(n_items, *(f"{share_ambiguous(n_items, grid):.0%}" for grid in (1, 2_500)))

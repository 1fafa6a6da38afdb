"""Why a receipt was decided as it was, and why not otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.workloads.invoices.rules.block import WAYS, Block
from core.workloads.invoices.rules.decide import HELD, STATES, Decisions
from core.workloads.invoices.rules.explanations import FAMILIES, KINDS, Integers
from core.workloads.invoices.rules.propose import NAMING, Explanations
from core.workloads.invoices.rules.settle import Settlement
from core.workloads.invoices.rules.train import Model, normalise, terms, weigh

SHOWN_MOST = 8


@dataclass(frozen=True, slots=True)
class Decided:
    """All that a run found: what `propose`, `train`, `settle` and `decide` gave."""

    block: Block
    found: Explanations
    model: Model
    settled: Settlement
    decisions: Decisions


def why(run: Decided, receipt: int) -> dict[str, Any]:
    """The explanations of a receipt, the likeliest first, with what each weighs for what; items as places."""
    found, block = run.found, run.block
    bits, null_bits = weigh(block, found, run.model)
    own, null = normalise(found.receipt, bits, null_bits)
    parts = terms(block, found, run.model)
    rows = np.flatnonzero((found.receipt == receipt) & (found.n_items > 0))
    rows = rows[np.lexsort((found.start[rows], -bits[rows]))][:SHOWN_MOST]
    together = _together(run, receipt)
    shown = [
        {
            "items": found.items_of(int(row)).tolist(),
            "family": FAMILIES[found.family[row]],
            "residual_kind": KINDS[found.kind[row]],
            "residual_minor": int(found.residual[row]),
            "naming": NAMING[found.naming[row]],
            "payer_by": WAYS[found.way[row]],
            "bits": round(float(bits[row]), 2),
            "bits_for": {name: round(float(values[row]), 2) for name, values in parts.items()},
            "alone": round(float(own[row]), 6),
            "posterior": round(together.get((int(found.digest[row]), int(found.kind[row])), 0.0), 6),
        }
        for row in rows
    ]
    unlisted = (found.receipt == receipt) & (found.n_items == 0)
    return {
        "state": STATES[run.decisions.state[receipt]],
        "held_by": HELD[run.decisions.held[receipt]],
        "explanations": shown,
        "nothing_open": round(float(null[receipt]), 6),
        "sets_not_listed": round(float(own[unlisted].sum()), 6),
        "all_choices_seen": bool(run.settled.exact[receipt]),
    }


def _together(run: Decided, receipt: int) -> dict[tuple[int, int], float]:
    kept = run.settled.explanations
    rows = np.flatnonzero(kept.receipt == receipt)
    return {(int(kept.digest[row]), int(kept.kind[row])): float(run.settled.posterior[row]) for row in rows}


def why_not(run: Decided, receipt: int, item: int) -> str:
    """One sentence on why a receipt does not pay an item, or that it does."""
    found, block = run.found, run.block
    pool = int(np.searchsorted(block.pools.starts, item, side="right")) - 1
    mine = block.lines.receipt == receipt
    holding = _holding(found, np.flatnonzero(found.receipt == receipt), item)
    given = run.decisions.row[run.settled.explanations.receipt[run.decisions.row] == receipt]
    if len(_holding(run.settled.explanations, given, item)):
        return f"it does: {STATES[run.decisions.state[receipt]]}"
    if not (mine & (block.lines.pool == pool)).any():
        return "nothing points at the item's customer: no account, name, number or amount"
    if block.items.issued[item] > block.receipts.date[receipt] and not len(holding):
        return "it was issued after the payment, which does not name it"
    if not len(holding):
        return "no set with it comes to the amount under any rule, and the payment does not name it"
    others = [row for row in range(len(given)) if run.decisions.rank[row] >= 0]
    bits, _ = weigh(block, found, run.model)
    best = float(bits[found.receipt == receipt].max())
    return f"its best explanation weighs {float(bits[holding].max()):.1f} bits, the best of the payment {best:.1f}" + (
        "" if others else "; another payment has the better claim"
    )


def _holding(found: Explanations, rows: Integers, item: int) -> Integers:
    """Those of the rows whose set has the item."""
    return np.array([row for row in rows if item in found.items_of(row)], dtype=np.int64)

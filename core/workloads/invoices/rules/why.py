"""Why receipts were decided as they were, and why not otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from core.workloads.invoices.rules.block import WAYS, Block
from core.workloads.invoices.rules.decide import HELD, STATES, Decisions
from core.workloads.invoices.rules.explanations import FAMILIES, KINDS, Integers
from core.workloads.invoices.rules.propose import NAMING, Explanations
from core.workloads.invoices.rules.settle import LEAST_SHARE, Settlement
from core.workloads.invoices.rules.train import Model, normalise, terms, weigh

SHOWN_MOST, SHOWN_ALWAYS = 8, 3
CUSTOMERS_MOST: Final = 200
"""Of a group: with more it is not told whom a receipt points at."""
_KEY: Final = ("receipt", "digest", "kind")


@dataclass(frozen=True, slots=True)
class Decided:
    """All that a run found: what `propose`, `train`, `settle` and `decide` gave."""

    block: Block
    found: Explanations
    model: Model
    settled: Settlement
    decisions: Decisions


def outlines(run: Decided, receipts: Integers, invoices: pl.DataFrame) -> pl.DataFrame:
    """A row for each receipt: how it stands, and its explanations, the likeliest first, with what each weighs for what.

    Args:
        run: its `settled` and `decisions` number receipts by their place among `receipts`.
        receipts: (n,) numbers, ascending. invoices: id, customer and pool, in the order of items.
    Returns:
        state, held_by, explanations (at most eight; `rank` 0: not given as an answer), nothing_open, sets_not_listed,
        all_choices_seen, more (explanations not shown), points_at (customers); in the order of `receipts`.
    Cost: some 10 us a receipt.
    """
    found = run.found.take(_rows_of(run.found, receipts))
    bits, null_bits = weigh(run.block, found, run.model)
    own, null = normalise(found.receipt, bits, null_bits)
    listed = found.n_items > 0
    n = run.block.n_receipts
    unlisted = np.bincount(found.receipt[~listed], weights=own[~listed], minlength=n).astype(np.float64)
    told = pl.DataFrame(
        {
            "receipt": receipts,
            "state": pl.Series(STATES).gather(run.decisions.state),
            "held_by": pl.Series(HELD).gather(run.decisions.held),
            "nothing_open": np.round(null[receipts], 6),
            "sets_not_listed": np.round(unlisted[receipts], 6),
            "all_choices_seen": run.settled.exact,
        }
    )
    shown = _explanations(run, (found, bits, own), _given(run, receipts), invoices["id"])
    counts = pl.DataFrame({"receipt": found.receipt[listed]}).group_by("receipt").agg(listed=pl.len().cast(pl.Int64))
    for frame in (shown, counts, _points_at(run.block, receipts, invoices)):
        told = told.join(frame, on="receipt", how="left", maintain_order="left")
    shown_of = pl.col("explanations").list.len().cast(pl.Int64)
    told = told.with_columns(pl.col("explanations", "points_at").fill_null([]), pl.col("listed").fill_null(0))
    return told.with_columns(more=pl.col("listed") - shown_of).drop("receipt", "listed")


def _rows_of(found: Explanations, receipts: Integers) -> Integers:
    first = np.searchsorted(found.receipt, receipts)
    n = np.searchsorted(found.receipt, receipts, side="right") - first
    rows: Integers = np.repeat(first - np.cumsum(n) + n, n) + np.arange(n.sum())
    return rows


def _given(run: Decided, receipts: Integers) -> pl.DataFrame:
    """What was settled of explanations: receipt, digest, kind, posterior, rank (0: not given)."""
    kept = run.settled.explanations
    rank = np.zeros(len(kept), dtype=np.int64)
    rank[run.decisions.row] = run.decisions.rank
    keys = {"receipt": receipts[kept.receipt], "digest": kept.digest, "kind": kept.kind}
    return pl.DataFrame({**keys, "posterior": np.round(run.settled.posterior, 6), "rank": rank})


def _explanations(
    run: Decided, weighed: tuple[Explanations, Any, Any], given: pl.DataFrame, ids: pl.Series
) -> pl.DataFrame:
    """receipt, explanations: those that are likely enough to be shown."""
    found, bits, own = weighed
    parts = {name: np.round(values, 2) for name, values in terms(run.block, found, run.model).items()}
    frame = pl.DataFrame({"row": np.arange(len(found)), "weight": bits, "own": own})
    keys = pl.DataFrame({name: getattr(found, name) for name in (*_KEY, "start", "n_items")})
    frame = pl.concat([frame, keys], how="horizontal").filter(pl.col("n_items") > 0)
    frame = frame.sort("receipt", "weight", "start", descending=[False, True, False])
    place = pl.int_range(pl.len()).over("receipt")
    frame = frame.filter((place < SHOWN_MOST) & ((pl.col("own") >= LEAST_SHARE) | (place < SHOWN_ALWAYS)))
    frame = frame.join(given, on=_KEY, how="left", maintain_order="left")
    row = frame["row"].to_numpy()
    rows, places = found.take(row).flat()
    items = pl.DataFrame({"at": rows, "id": ids.gather(places)}).group_by("at", maintain_order=True).agg("id")
    explained = pl.DataFrame(
        {
            "items": items["id"] if len(items) else pl.Series([], dtype=pl.List(pl.String)),
            "family": pl.Series(FAMILIES).gather(found.family[row]),
            "residual_kind": pl.Series(KINDS).gather(found.kind[row]),
            "residual_minor": found.residual[row],
            "naming": pl.Series(NAMING).gather(found.naming[row]),
            "payer_by": pl.Series(WAYS).gather(found.way[row]),
            "bits": np.round(bits[row], 2),
            "bits_for": pl.DataFrame({name: values[row] for name, values in parts.items()}).to_struct(),
            "alone": np.round(own[row], 6),
            "posterior": frame["posterior"].fill_null(0.0),
            "rank": frame["rank"].fill_null(0),
        }
    )
    both = pl.DataFrame({"receipt": frame["receipt"], "explanations": explained.to_struct()})
    return both.group_by("receipt", maintain_order=True).agg("explanations")


def _points_at(block: Block, receipts: Integers, invoices: pl.DataFrame) -> pl.DataFrame:
    """receipt, points_at: the customers of all its lines, ascending."""
    lines = pl.DataFrame({"receipt": block.lines.receipt, "pool": block.lines.pool})
    lines = lines.filter(pl.col("receipt").is_in(pl.Series(receipts).implode()))
    owed = lines.join(invoices.select("pool", "customer").unique(), on="pool").unique(["receipt", "customer"])
    customers = pl.col("customer").sort().head(CUSTOMERS_MOST)
    return owed.group_by("receipt").agg(points_at=customers)


@dataclass(frozen=True, slots=True)
class Asked:
    """An item of which is asked why it is not paid. late: whether it was issued after the payment came."""

    id: str
    customer: str
    late: bool


def why_not(told: Mapping[str, Any], item: Asked) -> str:
    """One sentence on why a receipt does not pay an item, or that it does.

    Args:
        told: a row of `outlines`.
    """
    holding = [one for one in told["explanations"] if item.id in one["items"]]
    if any(one["rank"] for one in holding):
        return f"it does: {told['state']}"
    if item.customer not in told["points_at"] and len(told["points_at"]) < CUSTOMERS_MOST:
        return "nothing points at the item's customer: no account, name, number or amount"
    if holding:
        best, most = (max(one["bits"] for one in some) for some in (holding, told["explanations"]))
        others = any(one["rank"] for one in told["explanations"])
        return f"its best explanation weighs {best:.1f} bits, the best of the payment {most:.1f}" + (
            "" if others else "; another payment has the better claim"
        )
    if item.late:
        return "it was issued after the payment, which does not name it"
    if told["more"]:
        return f"no set with it is among the {len(told['explanations'])} likeliest"
    return "no set with it comes to the amount under any rule, and the payment does not name it"

"""The answer of a run as tables: what is applied or suggested, what is left for people, what pays nothing open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from core.workloads.invoices.rules.block import WAYS
from core.workloads.invoices.rules.decide import (
    APPLIED,
    FOREIGN,
    HELD,
    STATES,
    SUGGESTED,
    UNAPPLIED,
    UNEXPLAINED,
    Decisions,
)
from core.workloads.invoices.rules.explanations import DISCOUNT, FAMILIES, FX, KINDS, PART_KINDS
from core.workloads.invoices.rules.propose import NAMING
from core.workloads.invoices.rules.settle import Settlement
from core.workloads.invoices.rules.sides.assemble import Sides

ALLOCATIONS = {
    "payment_id": pl.String,
    "invoice_id": pl.String,
    "amount_minor": pl.Int64,
    "currency": pl.String,
    "applied_minor": pl.Int64,
    "status": pl.String,
    "rank": pl.Int64,
    "residual_kind": pl.String,
    "residual_minor": pl.Int64,
    "posterior": pl.Float64,
    "reason": pl.String,
}
_SETTLING_BY_ITEM = (DISCOUNT,)


@dataclass(frozen=True, slots=True)
class Answer:
    """Tables sorted by payment; `states`: payment_id, state, amount_minor, currency of every payment."""

    allocations: pl.DataFrame
    exceptions: pl.DataFrame
    unapplied: pl.DataFrame
    states: pl.DataFrame


def answer_of(sides: Sides, settled: Settlement, decisions: Decisions) -> Answer:
    """All tables. In each explanation applied and residuals come to what was paid."""
    return answer_from(*decided_rows(sides, settled, decisions))


def answer_from(allocations: pl.DataFrame, states: pl.DataFrame) -> Answer:
    """All tables of what `decided_rows` gave for the parts of a run, in any order."""
    rows = allocations.sort("payment_id", "rank", "invoice_id", nulls_last=True).rechunk()
    states = states.sort("payment_id").rechunk()
    return Answer(rows, _exceptions(states, rows), _unapplied(states), states)


def decided_rows(sides: Sides, settled: Settlement, decisions: Decisions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Allocations and states, unsorted, of receipts and of all that their answer hangs on."""
    members = _member_rows(sides, settled, decisions)
    rows = pl.concat([members, _rests(sides, settled, decisions, members)])
    rows = pl.concat([rows, _reversal_rows(sides, rows)]).select(*ALLOCATIONS)
    return rows, _states(sides, decisions, rows)


def _member_rows(sides: Sides, settled: Settlement, decisions: Decisions) -> pl.DataFrame:
    """A row for each item of each explanation that is given."""
    found, block = settled.explanations, sides.block
    given = np.zeros(len(found), dtype=np.int64) - 1
    given[decisions.row] = np.arange(len(decisions.row))
    all_rows, all_places = found.flat()
    kept = given[all_rows] >= 0
    row, place, amount = all_rows[kept], all_places[kept], settled.applied[kept]
    which, receipt = given[row], found.receipt[row]
    line, kind = found.line[row], found.kind[row]
    last = np.append(row[1:] != row[:-1], True) if len(row) else np.zeros(0, np.bool_)
    residual = _residuals(settled, (row, place, amount), last, sides)
    foreign = block.receipts.currency[receipt] != block.lines.currency[line]
    pool_code = sides.invoices["code"].to_numpy()[place]
    foreign |= block.receipts.currency[receipt] != pool_code
    ratio = block.receipts.amount[receipt] / block.lines.amount[line]
    applied = np.where(foreign, np.rint(amount * ratio).astype(np.int64), amount)
    single = found.n_items[row] == 1
    residual = np.where(foreign & single, block.receipts.amount[receipt] - applied, residual)
    named = np.array(KINDS)[kind]
    part = np.isin(kind, PART_KINDS) & (amount != block.items.open[place])
    stands = part | (residual != 0)
    state = decisions.state[receipt]
    frame = pl.DataFrame(
        {
            "payment_id": sides.payments["id"].gather(receipt),
            "invoice_id": sides.invoices["id"].gather(place),
            "amount_minor": amount,
            "currency": pl.Series(np.array(sides.codes, dtype=object)[pool_code].tolist(), dtype=pl.String),
            "applied_minor": applied,
            "status": pl.Series(np.where(state == APPLIED, "auto", "suggested").tolist(), dtype=pl.String),
            "rank": decisions.rank[which],
            "residual_kind": pl.Series(np.where(stands, named, "").tolist(), dtype=pl.String),
            "residual_minor": residual,
            "posterior": np.round(decisions.posterior[which], 6),
            "reason": pl.Series(_reasons(settled, decisions, row), dtype=pl.String),
        },
        schema=ALLOCATIONS,
    )
    return frame.filter(pl.col("amount_minor") != 0)


def _residuals(settled: Settlement, members: tuple[Any, Any, Any], last: Any, sides: Sides) -> Any:
    """What stands beside each item: all of it where there is one item, discounts each beside their own."""
    row, place, _ = members
    found, block = settled.explanations, sides.block
    receipt = found.receipt[row]
    residual = np.where(found.n_items[row] == 1, found.residual[row], 0)
    by_item = np.isin(found.kind[row], _SETTLING_BY_ITEM) & (found.n_items[row] > 1)
    if by_item.any():
        in_time = block.items.discount[place] * (block.receipts.date[receipt] <= block.items.until[place])
        mine = np.where(by_item, -in_time, 0)
        total = np.bincount(row, weights=mine, minlength=len(found)).astype(np.int64)
        # A rounding of the whole goes to the last.
        mine = mine + np.where(by_item & last, found.residual[row] - total[row], 0)
        residual = np.where(by_item, mine, residual)
    return residual


def _reasons(settled: Settlement, decisions: Decisions, row: Any) -> list[str]:
    found = settled.explanations
    why = np.array(HELD, dtype=object)[decisions.held[found.receipt[row]]]
    parts = zip(
        found.family[row], found.naming[row], found.way[row], why, decisions.state[found.receipt[row]], strict=True
    )
    return [
        f"{FAMILIES[family]}, {NAMING[naming]}, by {WAYS[way]}" + ("" if state == APPLIED else f"; {held}")
        for family, naming, way, held, state in parts
    ]


def _rests(sides: Sides, settled: Settlement, decisions: Decisions, members: pl.DataFrame) -> pl.DataFrame:
    """Rows without an invoice: what several items and their residuals leave of a payment."""
    found = settled.explanations
    key = ("payment_id", "rank")
    kinds = pl.DataFrame(
        {
            "payment_id": sides.payments["id"].gather(found.receipt[decisions.row]),
            "rank": decisions.rank,
            "kind": pl.Series([KINDS[kind] for kind in found.kind[decisions.row]], dtype=pl.String),
        }
    )
    sums = members.group_by(key).agg(
        pl.col("applied_minor").sum() + pl.col("residual_minor").sum(),
        pl.col("status", "posterior", "reason").first(),
    )
    paid = sides.payments.select(payment_id="id", paid="amount", currency="currency")
    left = sums.join(paid, on="payment_id").with_columns(residual_minor=pl.col("paid") - pl.col("applied_minor"))
    left = left.filter(pl.col("residual_minor") != 0).join(kinds, on=key)
    return left.select(
        "payment_id",
        invoice_id=pl.lit(None, dtype=pl.String),
        amount_minor=pl.lit(None, dtype=pl.Int64),
        currency="currency",
        applied_minor=pl.lit(0, dtype=pl.Int64),
        status="status",
        rank="rank",
        residual_kind=pl.when(pl.col("kind") == "").then(pl.lit(KINDS[FX])).otherwise("kind"),
        residual_minor="residual_minor",
        posterior="posterior",
        reason="reason",
    ).select(pl.col(name).cast(dtype) for name, dtype in ALLOCATIONS.items())


def _reversal_rows(sides: Sides, rows: pl.DataFrame) -> pl.DataFrame:
    """What each reversal takes back: the rows of its payment with the other sign."""
    ids = sides.payments["id"]
    pairs = sides.reversals.select(
        reversal=ids.gather(sides.reversals["reversal"]),
        payment_id=ids.gather(sides.reversals["original"]),
        sure="sure",
    )
    back = rows.join(pairs, on="payment_id")
    sure = pl.col("sure") & (pl.col("status") == "auto")
    return back.select(
        payment_id="reversal",
        invoice_id="invoice_id",
        amount_minor=-pl.col("amount_minor"),
        currency="currency",
        applied_minor=-pl.col("applied_minor"),
        status=pl.when(sure).then(pl.lit("auto")).otherwise(pl.lit("suggested")),
        rank="rank",
        residual_kind=pl.lit("reversal"),
        residual_minor=-pl.col("residual_minor"),
        posterior=pl.col("posterior") * pl.when("sure").then(1.0).otherwise(0.9),
        reason=pl.lit("takes back ") + pl.col("payment_id"),
    )


def _states(sides: Sides, decisions: Decisions, rows: pl.DataFrame) -> pl.DataFrame:
    """State and what holds it of every payment."""
    n = len(sides.payments)
    left = np.full(n, "", dtype=object)
    left[decisions.held > 0] = np.array(HELD, dtype=object)[decisions.held[decisions.held > 0]]
    back = sides.reversals["reversal"].to_numpy()
    state = decisions.state.copy()
    lonely = (sides.block.receipts.amount < 0) & ~np.isin(np.arange(n), back) & (state != SUGGESTED)
    state[lonely & (state != FOREIGN)] = UNEXPLAINED
    state[sides.block.receipts.amount == 0] = UNAPPLIED
    frame = pl.DataFrame(
        {
            "payment_id": sides.payments["id"],
            "amount_minor": sides.payments["amount"],
            "currency": sides.payments["currency"],
            "state": pl.Series([STATES[each] for each in state], dtype=pl.String),
            "held": pl.Series(left.tolist(), dtype=pl.String),
        }
    )
    shown = rows.group_by("payment_id").agg(shown=pl.col("status").first())
    frame = frame.join(shown, on="payment_id", how="left")
    is_back = pl.Series("back", np.isin(np.arange(n), back))
    said = (
        pl.when(pl.col("shown") == "auto")
        .then(pl.lit("applied"))
        .when(pl.col("shown").is_not_null())
        .then(pl.lit("suggested"))
    )
    return frame.with_columns(is_back, state=said.otherwise("state")).drop("shown")


def _exceptions(states: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """What a person has to look at: suggestions with what held them, and lines that nothing explains."""
    best = rows.filter(pl.col("rank") == 1).group_by("payment_id").agg(pl.col("posterior").max())
    listed = states.filter(pl.col("state").is_in(["suggested", "exception"])).join(best, on="payment_id", how="left")
    kind = (
        pl.when("back")
        .then(pl.lit("reversal_unsure"))
        .when((pl.col("state") == "exception") & (pl.col("amount_minor") < 0))
        .then(pl.lit("reversal_without_original"))
        .otherwise("held")
    )
    return listed.select("payment_id", "amount_minor", "currency", kind=kind, posterior="posterior").sort("payment_id")


def _unapplied(states: pl.DataFrame) -> pl.DataFrame:
    """Payments that pay nothing that is open, with what to do next."""
    listed = states.filter(pl.col("state").is_in(["unapplied", "foreign"]))
    kind = (
        pl.when("back")
        .then(pl.lit("reversal"))
        .when(pl.col("amount_minor") == 0)
        .then(pl.lit("zero"))
        .when(pl.col("state") == "foreign")
        .then(pl.lit("foreign"))
        .when(pl.col("held") == "equal_claim")
        .then(pl.lit("duplicate"))
        .otherwise(pl.lit("prepayment"))
    )
    step = kind.replace_strict(
        {
            "reversal": "nothing was applied that it takes back",
            "zero": "nothing came: ask the bank what the line is for",
            "foreign": "find whose it is",
            "duplicate": "refund, or keep as prepayment",
            "prepayment": "ask the customer what it is for",
        }
    )
    return listed.select("payment_id", "amount_minor", "currency", kind=kind, next_step=step).sort("payment_id")

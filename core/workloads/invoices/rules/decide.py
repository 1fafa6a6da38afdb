"""The gate: what is applied without a person, what is suggested, and what is neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.workloads.invoices.rules.block import AMOUNT, NUMBER, UNSTATED, Block
from core.workloads.invoices.rules.explanations import (
    BANK_FEE,
    DISCOUNT,
    EXACT,
    FX,
    INSTALMENT,
    OVERPAYMENT,
    PART,
    ROUNDING,
    SHORT,
    TAX_WITHHELD,
    Integers,
)
from core.workloads.invoices.rules.propose import (
    ALL_AND_OTHERS,
    ALL_NAMED,
    OTHERS_NAMED,
    SOME_AND_OTHERS,
    STRONG_BITS,
    Explanations,
)
from core.workloads.invoices.rules.settle import Settlement

Floats = NDArray[np.float64]
APPLIED, SUGGESTED, UNEXPLAINED, UNAPPLIED, FOREIGN = range(5)
STATES: Final = ("applied", "suggested", "exception", "unapplied", "foreign")
# Why a person has to look.
(
    RESIDUAL_TO_DECIDE,
    REFUND,
    OTHER_NUMBERS,
    OTHER_CURRENCY,
    ADVICE_OFF,
    DEDUCTED,
    ONLY_AMOUNT,
    REPEATED,
    ROUND_SUM,
    LOSS,
    NOT_SURE,
    WEAK,
    TOO_MANY,
    EQUAL_CLAIM,
    NO_EXPLANATION,
) = range(1, 16)
HELD: Final = (
    "",
    "residual_to_decide",
    "refund",
    "names_other_items",
    "other_currency",
    "advice_mismatch",
    "says_deduction",
    "amount_only",
    "repeats_a_payment",
    "round_sum",
    "over_loss_limit",
    "not_sure",
    "weak",
    "too_many_choices",
    "equal_claim",
    "no_explanation",
)
RANKS_MOST: Final = 3
SUGGESTED_MIN: Final = 0.002
TOGETHER_MIN: Final = 0.1
"""Least posterior of all suggestions of a receipt together: three of thirty alike help nobody."""
_SETTLING: Final = (EXACT, ROUNDING, DISCOUNT, BANK_FEE, TAX_WITHHELD, FX)
ROUND: Final = 100
"""Minor units."""
DEDUCTION_MOST, OVER_MOST = 0.35, 0.5


@dataclass(frozen=True, slots=True)
class Policy:
    """auto_min: least posterior of what is applied without a person. loss_minor: most that (1 - p) x amount may be.

    has_rates: whether dated rates were given; without them other currencies are only suggested.
    """

    auto_min: float = 0.995
    loss_minor: int | None = None
    weak_below: float = 0.75
    has_rates: bool = False


@dataclass(frozen=True, slots=True)
class Decisions:
    """state, held: (n_receipts,). row, rank: those given, of `Settlement.explanations`, by receipt and rank.

    posterior: (n_rows,) of each, with those that apply the same.
    """

    state: Integers
    held: Integers
    row: Integers
    rank: Integers
    posterior: Floats


def decide(block: Block, settled: Settlement, policy: Policy) -> Decisions:
    """States of all receipts, and the explanations that are applied or suggested."""
    found = settled.explanations
    posterior, leads = _merged(settled)
    order = np.lexsort((found.start, found.n_items, -settled.bits, -posterior, found.receipt))
    order = order[leads[order]]
    receipt = found.receipt[order]
    first = np.append(True, receipt[1:] != receipt[:-1]) if len(order) else np.zeros(0, np.bool_)
    begin = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(begin, np.diff(np.append(begin, len(order)))) + 1
    top = order[begin]
    why = _held(block, settled, policy, (top, posterior[top]))
    auto = top[why == 0]
    held = np.full(block.n_receipts, NO_EXPLANATION, dtype=np.int64)
    held[found.receipt[top]] = why
    held[settled.earlier >= 0] = EQUAL_CLAIM
    is_auto = np.zeros(block.n_receipts, dtype=np.bool_)
    is_auto[found.receipt[auto]] = True
    given = ((rank == 1) | ~is_auto[receipt]) & (rank <= RANKS_MOST) & (posterior[order] >= SUGGESTED_MIN)
    given &= settled.earlier[receipt] < 0
    faint = _faint(receipt[given], posterior[order[given]], block.n_receipts)
    given &= ~faint[receipt]
    row, rank = order[given], rank[given]
    state = np.where(block.receipts.best < AMOUNT, UNAPPLIED, FOREIGN)
    state[faint] = UNEXPLAINED
    state[found.receipt[row]] = SUGGESTED
    state[is_auto] = APPLIED
    return Decisions(state.astype(np.int64), held, row, rank.astype(np.int64), posterior[row])


def _faint(receipt: Integers, posterior: Floats, n_receipts: int) -> NDArray[np.bool_]:
    """Receipts whose suggestions are unlikely even together."""
    together = np.bincount(receipt, weights=posterior, minlength=n_receipts)
    faint: NDArray[np.bool_] = (together > 0) & (together < TOGETHER_MIN)
    return faint


def _merged(settled: Settlement) -> tuple[Floats, NDArray[np.bool_]]:
    """Posteriors of what is applied: explanations that apply the same add up under the likeliest, which leads."""
    found = settled.explanations
    rows, places = found.flat()
    mixed = (places * 0x9E3779B1 + 1) * (settled.applied * 2 + 1)
    paid = np.zeros(len(found), dtype=np.int64)
    np.add.at(paid, rows, mixed)
    order = np.lexsort((np.arange(len(found)), -settled.posterior, paid, found.digest, found.receipt))
    keys = np.stack([found.receipt[order], found.digest[order], paid[order]])
    new = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)) if len(order) else np.zeros(0, np.bool_)
    number = np.cumsum(new) - 1
    total = np.bincount(number, weights=settled.posterior[order]) if len(order) else np.zeros(0)
    posterior, leads = np.zeros(len(found)), np.zeros(len(found), dtype=np.bool_)
    posterior[order] = total[number]
    leads[order[new]] = True
    return np.minimum(posterior, 1.0), leads


def _held(block: Block, settled: Settlement, policy: Policy, best: tuple[Integers, Floats]) -> Integers:
    """Of the best explanation of each receipt, why a person has to look at it; 0 where nobody has."""
    row, posterior = best
    found = settled.explanations
    kind, naming, receipt = found.kind[row], found.naming[row], found.receipt[row]
    rows, places = found.flat()
    total = np.bincount(rows, weights=block.items.open[places], minlength=len(found))[row]
    named = (naming == ALL_NAMED) & (found.n_items[row] == 1)
    paid = block.lines.amount[found.line[row]]
    # What lacks less may be a deduction, which a person decides, or a tax that nobody has met before.
    part = np.isin(kind, (SHORT, PART)) & (paid <= (1 - DEDUCTION_MOST) * total)
    over = (kind == OVERPAYMENT) & (paid <= (1 + OVER_MOST) * total)
    settles = np.isin(kind, _SETTLING) | ((part | over | (kind == INSTALMENT)) & named)
    # Numbers of other customers are accidents where the payer is known.
    names_own = np.isin(found.line[row], block.words.line[block.words.bits >= STRONG_BITS])
    loss = np.zeros(len(row), dtype=np.bool_)
    if policy.loss_minor is not None:
        loss = (1 - posterior) * block.receipts.amount[receipt] > policy.loss_minor
    reasons = (
        (~settles, RESIDUAL_TO_DECIDE),
        (block.receipts.amount[receipt] < 0, REFUND),
        (np.isin(naming, (ALL_AND_OTHERS, SOME_AND_OTHERS)), OTHER_NUMBERS),
        ((naming == OTHERS_NAMED) & names_own, OTHER_NUMBERS),
        (_is_round(block, found, row) & (naming != ALL_NAMED), ROUND_SUM),
        ((kind == FX) & ((not policy.has_rates) | (found.way[row] >= NUMBER)), OTHER_CURRENCY),
        (np.isin(kind, (BANK_FEE, TAX_WITHHELD)) & block.receipts.deducts[receipt], DEDUCTED),
        (found.way[row] >= AMOUNT, ONLY_AMOUNT),
        (_repeated(block, found, row), REPEATED),
        (_against_advice(block, settled, row), ADVICE_OFF),
        (loss, LOSS),
        (posterior < policy.auto_min, NOT_SURE),
        (posterior < policy.weak_below, WEAK),
        (~settled.exact[receipt], TOO_MANY),
        (settled.earlier[receipt] >= 0, EQUAL_CLAIM),
    )
    held = np.zeros(len(row), dtype=np.int64)
    for holds, reason in reasons:
        held[holds] = reason
    return held


def _against_advice(block: Block, settled: Settlement, row: Integers) -> NDArray[np.bool_]:
    """Whether an advice adds up neither to the payment nor to what the explanation applies."""
    found = settled.explanations
    rows, _ = found.flat()
    applied = np.bincount(rows, weights=settled.applied, minlength=len(found))[row]
    receipt = found.receipt[row]
    stated = block.receipts.stated[receipt]
    against: NDArray[np.bool_] = (stated != UNSTATED) & (stated != block.receipts.amount[receipt]) & (stated != applied)
    return against


def _repeated(block: Block, found: Explanations, row: Integers) -> NDArray[np.bool_]:
    """Whether a part is paid of the same items as an earlier part of the same amount: a plan, or the same again."""
    part = np.flatnonzero(np.isin(found.kind[row], (SHORT, PART)))
    receipt = found.receipt[row[part]]
    keys = (found.digest[row[part]], block.receipts.amount[receipt], block.receipts.currency[receipt])
    order = np.lexsort((receipt, block.receipts.date[receipt], *keys))
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    repeated = np.zeros(len(row), dtype=np.bool_)
    repeated[part[order[1:][same]]] = True
    return repeated


def _is_round(block: Block, found: Explanations, row: Integers) -> NDArray[np.bool_]:
    """Whether an explanation has several items, all of amounts that come to the same sums in many ways."""
    rows, places = found.flat()
    odd = np.bincount(rows, weights=block.items.open[places] % ROUND != 0, minlength=len(found))[row]
    is_round: NDArray[np.bool_] = (odd == 0) & (found.n_items[row] > 1)
    return is_round

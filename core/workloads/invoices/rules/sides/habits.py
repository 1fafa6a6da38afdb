"""What recurs over all receipts: amounts, fees and shares of tax."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.workloads.invoices.rules.block import Floats, Receipts
from core.workloads.invoices.rules.explanations import Integers, Items
from core.workloads.invoices.rules.sides.lines import FoundLines

TIMES_MIN, PAYERS_MIN = 5, 3
FEE_SHARE_MOST: Final = 0.1
TAX_SHARE_MOST: Final = 0.35
TAX_AMONG_MIN: Final = 0.2
"""Least share of a country's incomplete payments that lack just this: deductions vary, a tax does not."""
TAX_TOTAL_MIN: Final = 10_000
_WIDE: Final = 1 << 54
_SURE_BITS = 10.0
_ROUNDNESS_MOST = 7


def amount_chance(amount: Integers, currency: Integers) -> Floats:
    """-log2 of how likely a receipt has just this amount: by magnitude and roundness, and by how often it stands.

    Args:
        amount, currency: (n,), of all receipts.
    Returns:
        (n,) bits, at least 0. The receipt itself is not counted.
    """
    n = max(len(amount), 1)
    size = np.abs(amount)
    magnitude = np.floor(2 * np.log2(np.maximum(size, 1))).astype(np.int64)
    roundness = np.zeros(len(amount), dtype=np.int64)
    for zeros in range(1, _ROUNDNESS_MOST):
        roundness[size % 10**zeros == 0] = zeros
    _, bin_of, counts = np.unique((currency * 256 + magnitude) * 8 + roundness, return_inverse=True, return_counts=True)
    # Values of this roundness between two magnitudes.
    width = np.exp2(magnitude / 2) * (np.sqrt(2.0) - 1) * 0.9 / 10.0**roundness
    chance = (counts[bin_of] + 0.5) / (n + 1) / np.maximum(width, 1.0)
    _, value_of, times = np.unique(currency * (1 << 54) + amount, return_inverse=True, return_counts=True)
    chance = np.maximum(chance, (times[value_of] - 1) / n)
    bits: Floats = -np.log2(np.minimum(np.maximum(chance, 2.0**-40), 1.0))
    return bits


def find_habits(items: Items, found: FoundLines, receipts: Receipts) -> tuple[Integers, Integers, Integers, Integers]:
    """Fees (currency, amount) and shares of tax (country, ten thousandths) that recur where receipts name items.

    Then both with how often each was seen, also those that do not recur.
    """
    lines = found.lines
    line = np.repeat(np.arange(len(lines.receipt)), lines.end_named - lines.first_named)
    sure = found.named_bits >= _SURE_BITS
    n = len(lines.receipt)
    total = np.bincount(line[sure], weights=items.open[found.named[sure]], minlength=n).astype(np.int64)
    in_time = items.discount[found.named] * (lines.date[line] <= items.until[found.named])
    discount = np.bincount(line[sure], weights=in_time[sure], minlength=n).astype(np.int64)
    missing = total - lines.amount
    odd = (lines.tolerance == 0) & (missing > 1) & (lines.amount > 0) & (np.abs(missing - discount) > 1)
    payer = receipts.payer[lines.receipt]
    fee = odd & (missing <= FEE_SHARE_MOST * total)
    fees = _recurring(lines.currency[fee] * _WIDE + missing[fee], payer[fee])
    # Only where a share of the total shows in the amount.
    tax = odd & (missing <= TAX_SHARE_MOST * total) & (total >= TAX_TOTAL_MIN)
    share = np.round(missing[tax] * 10_000 / total[tax]).astype(np.int64)
    near = np.abs(total[tax] * share - missing[tax] * 10_000) <= np.maximum(total[tax] // 2, 10_000)
    country = lines.country[tax][near]
    taxes = _recurring(country * _WIDE + share[near], payer[tax][near])
    odd_of = np.bincount(country, minlength=int(country.max(initial=0)) + 1)
    times = np.array(
        [int((share[near][country == value // _WIDE] == value % _WIDE).sum()) for value in taxes], np.int64
    )
    taxes = taxes[times >= TAX_AMONG_MIN * odd_of[taxes // _WIDE]] if len(taxes) else taxes
    seen = lines.currency[odd] * _WIDE + missing[odd]
    return _pairs(fees), _pairs(taxes[taxes % _WIDE > 0]), _seen(seen), _seen(country * _WIDE + share[near])


def _pairs(values: Integers) -> Integers:
    return np.ascontiguousarray(np.stack([values // _WIDE, values % _WIDE], axis=1))


def _seen(values: Integers) -> Integers:
    """(n, 3) both halves of each value, and how often it stands."""
    found, times = np.unique(values[values % _WIDE > 0], return_counts=True)
    return np.ascontiguousarray(np.column_stack([_pairs(found), times]).astype(np.int64))


def times_seen(seen: Integers, first: Integers, second: Integers) -> tuple[Integers, Integers]:
    """(n,) how often a pair was seen, and how many of its first half were.

    Args:
        seen: (m, 3) as `find_habits` gives it.
    """
    keys, wanted = seen[:, 0] * _WIDE + seen[:, 1], first * _WIDE + second
    at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    times = np.where(keys[at] == wanted, seen[at, 2], 0) if len(keys) else np.zeros(len(wanted), np.int64)
    size = int(max(first.max(initial=0), seen[:, 0].max(initial=0))) + 1
    totals = np.bincount(seen[:, 0], weights=seen[:, 2], minlength=size).astype(np.int64)
    return times.astype(np.int64), totals[first]


def _recurring(values: NDArray[np.int64], payers: Integers) -> Integers:
    """Values that stand at least five times, of at least three payers; ascending."""
    found, times = np.unique(values, return_counts=True)
    pairs = np.unique(np.stack([values, payers], axis=1), axis=0) if len(values) else np.zeros((0, 2), np.int64)
    _, n_payers = np.unique(pairs[:, 0], return_counts=True)
    kept: Integers = found[(times >= TIMES_MIN) & (n_payers >= PAYERS_MIN)].astype(np.int64)
    return kept

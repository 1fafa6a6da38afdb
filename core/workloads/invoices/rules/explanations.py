"""What explanations are made of: families, kinds of residual, and the arrays that hold both sides and what is found."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

# Families: how a set of items is come by. A family's number of sets is part of the weight.
NULL, SINGLE, RUN, MONTH, ALL_DUE, ALL_OPEN, ORDER, FREE_2, FREE_3, FREE_4, FREE_MORE = range(11)
FAMILIES: Final = (
    "nothing_open",
    "single",
    "run_in_due_order",
    "one_month",
    "all_due",
    "all_open",
    "one_order",
    "two_items",
    "three_items",
    "four_items",
    "more_items",
)
# Kinds of residual, by what the payment is beside the items.
EXACT, ROUNDING, DISCOUNT, DISCOUNT_LATE, BANK_FEE, TAX_WITHHELD, FX, SHORT, OVERPAYMENT = range(9)
# The same, of amounts that do not recur: only ever suggested.
SMALL_DIFFERENCE, FEE_UNKNOWN, TAX_UNKNOWN = range(9, 12)
# A part that a plan would have, twentieths or thirds, or all but what may be a fee or a tax.
PART = 12
# Parts of one item that come to all of it.
INSTALMENT = 13
KINDS: Final = (
    "",
    "rounding",
    "discount",
    "discount_late",
    "bank_fee",
    "tax_withheld",
    "fx",
    "short",
    "overpayment",
    "write_off",
    "bank_fee",
    "tax_withheld",
    "short",
    "short",
)
SMALL_MOST: Final = 100
FEE_STEP = 50
TAX_STEP, TAX_MOST = 50, 3_000
"""Minor units, and ten thousandths."""
PARTS: Final = 75
PART_KINDS: Final = (SHORT, PART, INSTALMENT, DISCOUNT_LATE)
"""Of these what came is applied, and the item stays open for the rest."""

# Columns of `Found.heads`.
LINE, FAMILY, KIND, N_ITEMS, START, RESIDUAL, COPIES, DIGEST, SETS = range(9)
N_COLUMNS: Final = 9
RUN_ITEMS_MOST: Final = 60


class Items(NamedTuple):
    """Open items, sorted by pool, then due date, then id; a pool is what one group of customers owes in one currency.

    open, discount: (n,) minor units of the pool's currency. until: last day of the discount, with its grace. due,
    issued: days since 1970. month: of issue. order: number of the purchase order, -1 without. by_amount: places in
    ascending order of open amount within each pool; ascending: their amounts.
    """

    open: Integers
    discount: Integers
    until: Integers
    due: Integers
    issued: Integers
    month: Integers
    order: Integers
    by_amount: Integers
    ascending: Integers


class Pools(NamedTuple):
    """starts: (n + 1,) first item of each pool. chance: (n, 6) float64, expected sets of 0 to 4, and of any number,
    of items that have one given sum by chance.
    """

    starts: Integers
    chance: NDArray[np.float64]


class Lines(NamedTuple):
    """A receipt held against a pool: one line each.

    amount: (n,) in the pool's currency. tolerance: how far a converted amount may be off; 0: of one currency. date: day
    of the receipt. first_named, end_named: its range of `named`. currency: of the receipt. country: of the customers.
    """

    receipt: Integers
    pool: Integers
    amount: Integers
    tolerance: Integers
    date: Integers
    first_named: Integers
    end_named: Integers
    currency: Integers
    country: Integers


class Habits(NamedTuple):
    """What recurs, and what lines name.

    fees: (n, 2) currency and minor units. fee_most: (n_currencies,) what may be a fee though it does not recur.
    taxes: (n, 2) country and ten thousandths. named: places of items, by line. seen_fees, seen_taxes: (n, 3)
    the same with how often each was seen, ascending.
    """

    fees: Integers
    fee_most: Integers
    taxes: Integers
    named: Integers
    seen_fees: Integers
    seen_taxes: Integers


class Found(NamedTuple):
    """heads: (room, 9), a row an explanation, by the columns above. members: (room,) places of items.

    n: (2,) how many of both.
    """

    heads: Integers
    members: Integers
    n: Integers

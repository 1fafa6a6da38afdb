"""Both sides of the matching as arrays, sorted by what they say and not by how their rows came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.workloads.invoices.rules.explanations import Habits, Integers, Items, Lines, Pools

Floats = NDArray[np.float64]
# How a receipt points at customers, the best first; see `payers`.
ACCOUNT, ACCOUNT_LEARNT, NAME, NAME_LIKE, NUMBER, AMOUNT = range(6)
WAYS = ("account", "account_learnt", "name", "name_like", "number", "amount")
# What a receipt's text holds.
SILENT, STRANGER, NAMES_ITEMS = range(3)
THREADS: Final = 2
"""On which kernels run side by side, in parts whose answers do not hang on each other."""
UNSTATED: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Tables:
    """Checked tables, any order. Money int64 minor units, dates int32 days since 1970, absent null.

    invoices: id, customer, number, open, currency, issued, due, customer_name, discount (minor units), discount_days,
    reference, order. payments: id, amount, currency, date, payer, payer_account, text, reference, end_to_end,
    bank_reference, original_amount, original_currency, is_reversal (the bank marks it so), and of advices advised (what
    they name) and stated (minor units: what they say is paid of it). customers: id, name, country, parent.
    accounts: customer, account. rates: date, currency, units (float64: minor units of the currency for one of a common
    base's). Those may be empty.
    """

    invoices: pl.DataFrame
    payments: pl.DataFrame
    customers: pl.DataFrame
    accounts: pl.DataFrame
    rates: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Receipts:
    """(n,) each, sorted by id. amount: minor units. date: days since 1970. text: SILENT, STRANGER or NAMES_ITEMS.

    chance_bits: -log2 of how likely a receipt has just this amount. payer: number of who sent it, -1 unknown.
    best: the best way in which it points at customers. stated: what an advice says is paid, UNSTATED without one.
    deducts: whether the text speaks of a deduction.
    """

    amount: Integers
    currency: Integers
    date: Integers
    text: Integers
    chance_bits: Floats
    payer: Integers
    best: Integers
    stated: Integers
    deducts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """(n,) each, sorted by line, item and word: what a word of a line's text says of an item, in bits.

    A word may fit several items, and several words one. leads: whether it is the best word of any item of the line.
    """

    line: Integers
    item: Integers
    word: Integers
    bits: Floats
    leads: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Block:
    """What `propose` needs.

    way: (n_lines,) how the receipt points at the line's customers. rivals: (n_lines,) as how many it points at so.
    customer: (n_items,) its number. words: all that names items.
    """

    items: Items
    pools: Pools
    lines: Lines
    habits: Habits
    receipts: Receipts
    way: Integers
    rivals: Floats
    customer: Integers
    words: Words

    @property
    def n_items(self) -> int:
        """Open items."""
        return len(self.items.open)

    @property
    def n_receipts(self) -> int:
        """Bank lines."""
        return len(self.receipts.amount)

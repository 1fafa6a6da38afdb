"""Builds the arrays of both sides from tables of invoices, payments, customers and rates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.currencies import exponent_of
from core.workloads.invoices.rules.block import AMOUNT, UNSTATED, Block, Receipts, Tables
from core.workloads.invoices.rules.explanations import Habits, Integers, Items, Pools
from core.workloads.invoices.rules.search import fill_chances
from core.workloads.invoices.rules.sides.habits import amount_chance, find_habits
from core.workloads.invoices.rules.sides.lines import find_lines
from core.workloads.invoices.rules.sides.payers import account_keys, name_keys
from core.workloads.invoices.rules.sides.references import Evidence, clean_texts, read_references
from core.workloads.invoices.rules.sides.reversals import find_reversals

GRACE_DAYS = 3
FEE_MOST = 12_000
_DEDUCTED = (
    r"(?i)\b(?:k(?:ü|ue)rzung|abz(?:ug|üglich|gl)|minderung|reklam|m(?:ä|ae)ngel|gutschr|deduct|dispute|damage|short|"
    r"credit note|claim|d(?:é|e)duction|litige|avoir|deducci|reclam)"
)
_TEXT_COLUMNS = ("text", "reference", "end_to_end", "advised")
_NUMBER_COLUMNS = ("number", "reference", "order")


@dataclass(frozen=True, slots=True)
class Sides:
    """The arrays, and which rows stand behind them.

    invoices, payments: tables in the order of items and receipts; invoices have `group`, the number of those that pay
    for each other, too. codes: currencies by their number. reversals: as `find_reversals` gives them.
    """

    block: Block
    invoices: pl.DataFrame
    payments: pl.DataFrame
    codes: tuple[str, ...]
    reversals: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Reduced:
    """Both sides in their order and what is counted over all of them, before anybody knows who pays.

    invoices, payments, codes, reversals: as in `Sides`. groups: customer, group. pool_frame: group, code, pool.
    receipts: without `best`.
    """

    invoices: pl.DataFrame
    payments: pl.DataFrame
    groups: pl.DataFrame
    pool_frame: pl.DataFrame
    reversals: pl.DataFrame
    codes: tuple[str, ...]
    evidence: Evidence
    items: Items
    pools: Pools
    receipts: Receipts


def assemble(tables: Tables) -> Sides:
    """Everything that is known before explanations are looked for. Cost: some 20 us a row."""
    return resolve(tables, reduce_tables(tables))


def reduce_tables(tables: Tables) -> Reduced:
    """Numbers found in texts, groups of customers, pools of items, and how usual each amount is."""
    payments = tables.payments.sort("id")
    codes = tuple(sorted({*tables.invoices["currency"].to_list(), *payments["currency"].to_list()}))
    numbers = {code: number for number, code in enumerate(codes)}
    currency = pl.col("currency").replace_strict(numbers, return_dtype=pl.Int64)
    groups = _groups(tables)
    invoices = tables.invoices.join(groups, on="customer", how="left").with_columns(code=currency)
    invoices = invoices.sort("group", "code", "due", "id")
    invoices = invoices.with_columns(pool=pl.struct("group", "code").rle_id().cast(pl.Int64))
    original = pl.col("original_currency").replace_strict(numbers, default=None, return_dtype=pl.Int64)
    payments = payments.with_columns(code=currency, original_code=original)
    texts = clean_texts(payments.select(column for column in _TEXT_COLUMNS if column in payments.columns))
    evidence = read_references([invoices[column] for column in _NUMBER_COLUMNS], texts)
    items, pools, pool_frame = _items(invoices)
    receipts = _receipts(payments, evidence)
    reversals = find_reversals(payments)
    return Reduced(invoices, payments, groups, pool_frame, reversals, codes, evidence, items, pools, receipts)


def resolve(tables: Tables, reduced: Reduced) -> Sides:
    """At which customers each receipt points, and what recurs.

    Args:
        tables: those that `reduced` was made of.
    """
    numbers = {code: number for number, code in enumerate(reduced.codes)}
    rates = tables.rates.with_columns(code=pl.col("currency").replace_strict(numbers, default=None)).drop_nulls("code")
    invoices, payments, reversals = reduced.invoices, reduced.payments, reduced.reversals
    sides = (invoices, payments, reduced.pool_frame)
    lines = find_lines(replace(tables, rates=rates), sides, reduced.evidence, reduced.groups, reversals)
    best = np.full(len(payments), AMOUNT, dtype=np.int64)
    np.minimum.at(best, lines.lines.receipt, lines.way)
    receipts = replace(reduced.receipts, best=best)
    customer = _whole(invoices["customer"].rank("dense").to_numpy())
    fees, taxes, seen_fees, seen_taxes = find_habits(reduced.items, lines, receipts)
    fee_most = [FEE_MOST * 10 ** max(exponent_of(code) - 2, 0) // 2 for code in reduced.codes]
    habits = Habits(fees, np.array(fee_most, dtype=np.int64), taxes, lines.named, seen_fees, seen_taxes)
    pools = reduced.pools
    block = Block(reduced.items, pools, lines.lines, habits, receipts, lines.way, lines.rivals, customer, lines.words)
    return Sides(block, invoices, payments, reduced.codes, reversals)


def _groups(tables: Tables) -> pl.DataFrame:
    """Number of the group of each customer: those joined by a parent or an account that both have."""
    ids = pl.concat([tables.invoices["customer"], tables.customers["id"]]).unique().sort()
    number = {customer: n for n, customer in enumerate(ids.to_list())}
    root = list(range(len(ids)))

    def find(member: int) -> int:
        while root[member] != member:
            root[member] = root[root[member]]
            member = root[member]
        return member

    shared = tables.accounts.sort("account", "customer").with_columns(owner=pl.col("customer").first().over("account"))
    links = [*tables.customers.select("id", "parent").drop_nulls().rows(), *shared.select("customer", "owner").rows()]
    for member, owner in links:
        if member in number and owner in number:
            a, b = find(number[member]), find(number[owner])
            root[max(a, b)] = min(a, b)
    return pl.DataFrame({"customer": ids, "group": [find(member) for member in range(len(ids))]})


def _items(invoices: pl.DataFrame) -> tuple[Items, Pools, pl.DataFrame]:
    n = len(invoices)
    pool = invoices["pool"]
    pools = invoices.select("group", "code", "pool").unique(maintain_order=True)
    starts = np.append(np.searchsorted(pool.to_numpy(), np.arange(len(pools))), n).astype(np.int64)
    amounts = invoices["open"].to_numpy()
    by_amount = np.lexsort((np.arange(n), amounts, pool.to_numpy()))
    issued = invoices["issued"].to_numpy()
    order = invoices["order"].rank("dense").cast(pl.Int64).fill_null(-1).to_numpy()
    until = issued + invoices["discount_days"].fill_null(0).to_numpy() + GRACE_DAYS
    month = (issued.astype("datetime64[D]").astype("datetime64[M]")).astype(np.int64)
    columns = (amounts, invoices["discount"].fill_null(0).to_numpy(), until, invoices["due"].to_numpy(), issued)
    items = Items(*(_whole(column) for column in (*columns, month, order, by_amount, amounts[by_amount])))
    arrays = Pools(starts, np.zeros((len(pools), 6)))
    fill_chances(items, arrays)
    return items, arrays, pools


def _whole(column: NDArray[np.generic]) -> Integers:
    # A copy: what polars lends cannot be written, and is another type to a kernel.
    return np.array(column, dtype=np.int64)


def _receipts(payments: pl.DataFrame, evidence: Evidence) -> Receipts:
    amount, code = _whole(payments["amount"].to_numpy()), _whole(payments["code"].to_numpy())
    sender = pl.coalesce(account_keys(payments["payer_account"]), name_keys(payments["payer"]))
    payer = payments.select(sender.rank("dense").cast(pl.Int64).fill_null(0) - 1).to_series()
    return Receipts(
        amount=amount,
        currency=code,
        date=_whole(payments["date"].to_numpy()),
        text=evidence.text,
        chance_bits=amount_chance(amount, code),
        payer=_whole(payer.to_numpy()),
        best=np.zeros(len(payments), np.int64),
        deducts=payments["text"].str.contains(_DEDUCTED).fill_null(False).to_numpy().copy(),
        stated=_whole(payments["stated"].fill_null(UNSTATED).to_numpy()),
    )

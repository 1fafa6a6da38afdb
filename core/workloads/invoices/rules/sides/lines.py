"""Lines: each receipt beside each pool of items that it may pay, in the currency of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.workloads.invoices.rules.block import Floats, Tables, Words
from core.workloads.invoices.rules.explanations import Integers, Lines
from core.workloads.invoices.rules.sides.payers import account_keys, find_amounts, find_payers, name_keys
from core.workloads.invoices.rules.sides.references import Evidence, named_by_lines

FX_SPREAD: Final = 0.015
"""How far a bank's rate may be from the one of the day."""
RATE_DAYS: Final = 4
_CLEAN_BITS: Final = 10.0


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Lines, how each receipt points at them, and the items and words that they name; as in `Block` and `Habits`."""

    lines: Lines
    way: Integers
    rivals: Floats
    named: Integers
    named_bits: Floats
    words: Words


def find_lines(
    tables: Tables,
    sides: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    evidence: Evidence,
    groups: pl.DataFrame,
    reversals: pl.DataFrame,
) -> FoundLines:
    """Lines of all receipts, sorted by receipt and pool.

    Args:
        sides: invoices in the order of items, payments in that of receipts, pools (group, code, pool).
        groups: customer, group. reversals: lines that take a payment back, which pay nothing themselves.
    """
    invoices, payments, pools = sides
    receipts = pl.DataFrame(
        {
            "receipt": np.arange(len(payments)),
            "account": account_keys(payments["payer_account"]),
            "name": name_keys(payments["payer"]),
            "code": payments["code"],
            "amount": payments["amount"],
        }
    ).filter(~pl.col("receipt").is_in(reversals["reversal"].implode()))
    accounts = tables.accounts.with_columns(account_keys(tables.accounts["account"])).join(groups, on="customer")
    named = _named_groups(evidence, invoices, receipts)
    ways = find_payers(receipts, _names(tables, groups), accounts.select("group", "account"), named)
    lonely = receipts.join(ways, on="receipt", how="anti").select("receipt", "code", "amount")
    owed = invoices.select("group", "code", amount="open")
    ways = pl.concat([ways, find_amounts(lonely, owed, max(groups["group"].n_unique(), 1))])
    lines = _in_currency(ways.join(pools, on="group"), payments, tables.rates).sort("receipt", "pool")
    starts = np.append(np.searchsorted(invoices["pool"].to_numpy(), np.arange(len(pools))), len(invoices))
    every = named_by_lines(evidence, lines, starts.astype(np.int64))
    found = every.unique(["line", "item"], keep="first", maintain_order=True)
    receipt, pool, amount, tolerance, date, code = (
        _whole(lines[name]) for name in ("receipt", "pool", "amount", "tolerance", "date", "code")
    )
    country = _countries(tables, invoices)[pool]
    edges = np.searchsorted(found["line"].to_numpy(), np.arange(len(lines) + 1)).astype(np.int64)
    arrays = Lines(receipt, pool, amount, tolerance, date, edges[:-1].copy(), edges[1:].copy(), code, country)
    bits = np.array(found["bits"].to_numpy(), dtype=np.float64)
    rivals = np.array(lines["rivals"].to_numpy(), dtype=np.float64)
    words = _words(every, found)
    return FoundLines(arrays, _whole(lines["way"]), rivals, _whole(found["item"]), bits, words)


def _words(every: pl.DataFrame, best: pl.DataFrame) -> Words:
    leading = best.select("line", "word", leads=pl.lit(True)).unique()
    words = every.unique(["line", "item", "word"], keep="first", maintain_order=True)
    words = words.join(leading, on=["line", "word"], how="left").sort("line", "item", "word")
    bits = np.array(words["bits"].to_numpy(), dtype=np.float64)
    leads = words["leads"].fill_null(False).to_numpy().copy()
    return Words(_whole(words["line"]), _whole(words["item"]), _whole(words["word"]), bits, leads)


def _whole(column: pl.Series) -> NDArray[np.int64]:
    # A copy: what polars lends cannot be written, and is another type to a kernel.
    return np.array(column.to_numpy(), dtype=np.int64)


def _names(tables: Tables, groups: pl.DataFrame) -> pl.DataFrame:
    """Keys of all names that a group goes by."""
    said = tables.invoices.select("customer", name="customer_name")
    owners = pl.concat([tables.customers.select(customer="id", name="name"), said]).drop_nulls().unique()
    return owners.with_columns(name_keys(owners["name"])).join(groups, on="customer").select("group", "name").unique()


def _countries(tables: Tables, invoices: pl.DataFrame) -> Integers:
    """(n_pools,) number of the country of each pool's first customer; 0 unknown."""
    said = tables.customers.select(customer="id", country=pl.col("country").rank("dense").cast(pl.Int64)).unique(
        "customer"
    )
    first = invoices.group_by("pool", maintain_order=True).agg(pl.col("customer").first())
    return _whole(first.join(said, on="customer", how="left", maintain_order="left")["country"].fill_null(0))


def _named_groups(evidence: Evidence, invoices: pl.DataFrame, receipts: pl.DataFrame) -> pl.DataFrame:
    """receipt, group, bits, clean: it names items of this group alone, surely, and pays what they are open for."""
    items = invoices.select("group", "code", "open").with_row_index("item").with_columns(pl.col("item").cast(pl.Int64))
    once = evidence.named.unique(["receipt", "item"], keep="first", maintain_order=True)
    named = once.join(items, on="item").join(receipts.select("receipt", "amount", paid="code"), on="receipt")
    named = named.with_columns(sure=pl.col("bits") >= _CLEAN_BITS)
    by_group = named.group_by("receipt", "group").agg(
        pl.col("bits").max(),
        total=pl.col("open").filter(pl.col("sure")).sum(),
        amount=pl.col("amount").first(),
        all_sure=pl.col("sure").all() & (pl.col("code") == pl.col("paid")).all(),
    )
    clean = (pl.col("total") == pl.col("amount")) & pl.col("all_sure") & (pl.len().over("receipt") == 1)
    return by_group.select("receipt", "group", "bits", clean=clean).sort("receipt", "group")


def _in_currency(lines: pl.DataFrame, payments: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Lines with amount and tolerance in the pool's currency, as far as that is known."""
    facts = payments.select("amount", "date", "original_amount", "original_code", paid="code").with_row_index("receipt")
    lines = lines.join(facts.with_columns(pl.col("receipt").cast(pl.Int64)), on="receipt")
    own = lines.filter(pl.col("code") == pl.col("paid")).with_columns(tolerance=pl.lit(0, pl.Int64))
    foreign = lines.filter(pl.col("code") != pl.col("paid"))
    said = foreign.filter(pl.col("original_code") == pl.col("code")).with_columns(
        amount=pl.col("original_amount").abs() * pl.col("amount").sign(), tolerance=pl.lit(1, pl.Int64)
    )
    rest = foreign.filter((pl.col("original_code") != pl.col("code")).fill_null(True))
    converted = (pl.col("amount") * rate_between("date", "paid", "code", rates, rest)).round().cast(pl.Int64)
    rest = rest.with_columns(amount=converted).drop_nulls("amount")
    rest = rest.with_columns(tolerance=(pl.col("amount").abs() * FX_SPREAD).ceil().cast(pl.Int64) + 1)
    return pl.concat([own, said, rest]).filter(pl.col("amount") != 0)


def rate_between(date: str, paid: str, owed: str, rates: pl.DataFrame, frame: pl.DataFrame) -> pl.Series:
    """(n,) minor units of the currency `owed` for one of `paid` on a day; null where no rate is near.

    Args:
        date, paid, owed: columns of the frame. rates: code, date, units, sorted by both.
    """
    wanted = frame.select(date=date, paid=paid, owed=owed).with_row_index("row")
    for side in ("paid", "owed"):
        one = rates.select(pl.col("code").alias(side), "date", pl.col("units").alias(f"{side}_units")).sort("date")
        wanted = wanted.sort("date").join_asof(
            one, on="date", by=side, strategy="backward", tolerance=RATE_DAYS, check_sortedness=False
        )
    wanted = wanted.sort("row")
    return (wanted["owed_units"] / wanted["paid_units"]).alias("rate")

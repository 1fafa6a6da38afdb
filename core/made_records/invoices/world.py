"""One data set of receivables in arrays: customers, plan, items, lines and what they settle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.invoices import repeats
from core.made_records.invoices.accounts import creditor_reference, swiss_reference
from core.made_records.invoices.customers import Customers, Ints, made_customers
from core.made_records.invoices.exchange import Exchange, made_exchange
from core.made_records.invoices.items import Items, made_items
from core.made_records.invoices.plan import Plan, planned
from core.made_records.invoices.rates import Rates, drawn_rates
from core.made_records.invoices.receipts import Lines, Settled, paid_lines
from core.made_records.invoices.words import COUNTRIES
from core.made_records.invoices.writing.numbering import N_SERIES, made_numbers
from core.made_records.invoices.writing.texts import Papers

FIRST_RATE_DAY = -10
"""Rates of exchange begin so many days before the first line."""
_N_RATE_DAYS = 120


@dataclass(frozen=True, slots=True)
class World:
    """All that one data set holds, in arrays.

    Of the lines the first `n_paid_lines` pay; the others repeat those, or are unrelated.
    """

    customers: Customers
    plan: Plan
    items: Items
    lines: Lines
    settled: Settled
    exchange: Exchange
    first_day: np.datetime64
    draws: Draws
    rates: Rates
    n_paid_lines: int


def made_world(rows: int, draws: Draws) -> tuple[World, tuple[Lines, Settled]]:
    """The world of `rows` items and lines together, and apart the lines that pay and what they settle."""
    once, rates = np.zeros(1, dtype=np.int64), drawn_rates(draws)
    bought = 9 + float(draws.unit("items a customer", once)[0]) * 6
    n_big = max(1, round(0.62 * rows * rates["big customers"] / 160))
    customers = made_customers(max(40, round(0.62 * rows / bought)), n_big, draws, rates)
    n_lines = round(rows * 0.42)
    while True:
        plan = planned(n_lines, customers, draws, rates)
        n_paid = int(plan.n_items.sum())
        n_unpaid = rows - n_lines - n_paid
        # A seventh of the items and more are paid by nobody: what a line could be taken for.
        if n_unpaid >= n_paid / 6:
            break
        n_lines -= max(n_lines // 50, 1)
    items = made_items(plan, n_unpaid, customers, draws, rates)
    # A Monday in 2022 to 2025: day 4 of the count from 1970 is one.
    week = int(draws.below("first week", once, 170)[0])
    first_day = np.datetime64("2022-01-03") + 7 * week
    exchange = made_exchange(FIRST_RATE_DAY, _N_RATE_DAYS, draws)
    paid = paid_lines(plan, items, customers, exchange, draws)
    lines, settled = repeats.all_lines(*paid, plan, items, draws, rates)
    world = World(
        customers, plan, items, lines, settled, exchange, first_day, draws, rates, n_paid_lines=len(paid[0].unit)
    )
    return world, paid


def papers_of(world: World) -> Papers:
    """Numbers, order numbers and structured references of the items. An instalment has the number of its twin."""
    items, draws = world.items, world.draws
    places = np.arange(len(items.unit))
    series = draws.below("series", items.customer, N_SERIES)
    number = made_numbers(series, items.issued, order_of_a_day(world), draws, world.first_day)
    number = number.gather(np.where(items.twin >= 0, items.twin, places))
    orders = pl.Series(4_500_000 + items.order).cast(pl.String)
    order = pl.DataFrame({"order": orders, "has": items.order >= 0}).select(pl.when("has").then("order")).to_series()
    codes = np.array([country.code for country in COUNTRIES])[world.customers.country]
    has = draws.flag("structured", items.customer, world.rates["structured"]) & (codes != "US")[items.customer]
    swiss = codes[items.customer] == "CH"
    made = [
        (swiss_reference(text) if is_swiss else creditor_reference(text)) if is_made else None
        for text, is_swiss, is_made in zip(number.to_list(), swiss.tolist(), has.tolist(), strict=True)
    ]
    return Papers(number, order, pl.Series("reference", made, dtype=pl.String))


def order_of_a_day(world: World) -> Ints:
    """(n,) in which order items of one day are written: by chance, but those that are paid together together."""
    unit = world.items.unit
    places = np.arange(len(unit))
    chance = world.draws.bits("order of items", np.where(unit >= 0, unit, len(world.plan.slice) + places))
    order = np.empty(len(unit), dtype=np.int64)
    order[np.lexsort((places, chance))] = places
    return order

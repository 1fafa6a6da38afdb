"""The bank lines and what each settles: sums, residuals by direction, and every line balanced to the minor unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.made_records import invoices as of
from core.made_records.draws import Draws
from core.made_records.invoices.customers import Customers, Ints
from core.made_records.invoices.exchange import Exchange
from core.made_records.invoices.items import UNIT, Items
from core.made_records.invoices.plan import ON_ACCOUNT, PARTS, Plan, on_business_day
from core.made_records.invoices.words import COUNTRIES, TAXED

_BANK_FEES = np.array([5, 8, 10, 12, 15, 20, 25, 30])
_GRID = np.array([100, 5, 10, 100, 100, 50])
_TAX = np.array([TAXED.get(country.code, 0) for country in COUNTRIES])


@dataclass(frozen=True, slots=True)
class Settled:
    """Truth: which line pays how much of which item. (n,) each, by line.

    line, item: places; item -1 for what belongs to no item. amount: minor units of the item's currency. residual: place
    in `RESIDUALS`; rest: minor units of the line's currency.
    """

    line: Ints
    item: Ints
    amount: Ints
    residual: Ints
    rest: Ints


@dataclass(frozen=True, slots=True)
class Lines:
    """Bank lines, (n,) each.

    unit: which, -1 of those that pay nothing. day: booked, 0 to 89. turn: what comes first on one day. origin: the line
    that this one repeats or takes back, -1. amount: minor units, negative where money goes. currency:
    place in `CURRENCIES`.
    """

    unit: Ints
    slice: Ints
    day: Ints
    turn: Ints
    origin: Ints
    amount: Ints
    currency: Ints


@dataclass(frozen=True, slots=True)
class _Ground:
    plan: Plan
    items: Items
    customers: Customers
    exchange: Exchange
    draws: Draws


def paid_lines(
    plan: Plan, items: Items, customers: Customers, exchange: Exchange, draws: Draws
) -> tuple[Lines, Settled]:
    """The lines of the plan, first of all units their first; what they settle. Cost: some 1 us each."""
    unit = np.repeat(np.arange(len(plan.slice)), plan.n_lines)
    first: Ints = np.cumsum(plan.n_lines) - plan.n_lines
    nth: Ints = np.arange(len(unit)) - first[unit]
    between: Ints = 14 + draws.below("days between", unit, 7)
    day: Ints = plan.day[unit] + nth * between
    n_paid = int(plan.n_items.sum())
    settled = _settled_alone(_Ground(plan, items, customers, exchange, draws), first, n_paid)
    lines = Lines(
        unit=unit,
        slice=plan.slice[unit],
        day=on_business_day(day),
        turn=np.zeros(len(unit), dtype=np.int64),
        origin=np.full(len(unit), -1),
        amount=np.zeros(len(unit), dtype=np.int64),
        currency=np.where(
            plan.slice == of.EXCHANGE, customers.pays_in[plan.customer], customers.currency[plan.customer]
        )[unit],
    )
    parts = [settled, *_settled_parts(plan, items, first, draws), _prepaid(plan, first, customers, draws)]
    settled = _sorted(Settled(*(np.concatenate([getattr(part, name) for part in parts]) for name in Settled.__slots__)))
    np.add.at(lines.amount, settled.line, _applied(settled, lines, items, exchange) + settled.rest)
    return lines, settled


def _sorted(settled: Settled) -> Settled:
    order = np.lexsort((settled.item, settled.line))
    return Settled(*(getattr(settled, name)[order] for name in Settled.__slots__))


def _applied(settled: Settled, lines: Lines, items: Items, exchange: Exchange) -> Ints:
    """(n,) the amounts in the currency of their lines, by the rate of the day."""
    amount = settled.amount.copy()
    named = np.where(settled.item >= 0, items.currency[settled.item], lines.currency[settled.line])
    rows = np.flatnonzero(named != lines.currency[settled.line])
    into, day = lines.currency[settled.line[rows]], lines.day[settled.line[rows]]
    amount[rows] = exchange.converted(amount[rows], named[rows], into, day)
    return amount


def _shared(amount: Ints, hundredths: Ints) -> Ints:
    """(n,) a share in hundredths of a percent, halves up; amounts are positive."""
    return (amount * hundredths + 5000) // 10000


def _settled_alone(ground: _Ground, first: Ints, n_paid: int) -> Settled:
    """What units of one line settle, item by item: the amount applied and what the line lacks or has beyond."""
    plan, items, customers, draws = ground.plan, ground.items, ground.customers, ground.draws
    unit = items.unit[:n_paid]
    item = np.flatnonzero(~np.isin(plan.way[unit], (PARTS, ON_ACCOUNT)))
    unit = unit[item]
    amount, currency, payer = items.amount[item], items.currency[item], plan.customer[unit]
    kind = plan.residual[unit]
    head = np.append(True, unit[1:] != unit[:-1]) if len(unit) else np.zeros(0, dtype=np.bool_)
    discount = _shared(amount, customers.percent[payer])
    least = np.maximum(UNIT[currency] // 100, 1)
    rest = np.zeros(len(item), dtype=np.int64)
    applied = amount.copy()
    for name, value in {
        "discount": -discount,
        "bank_fee": -_BANK_FEES[payer * 7 % 31 % 8] * UNIT[currency] * head,
        "tax_withheld": -_shared(amount, _TAX[customers.country[payer]]),
        "rounding": _to_grid(amount, _GRID[payer % 6], draws.unit("rounded up", unit)),
        "write_off": -(least * (1 + draws.below("written off", unit, 40))),
        "overpayment": _beyond(amount, UNIT[currency], unit, draws),
    }.items():
        rest = np.where(kind == of.RESIDUALS.index(name), value, rest)
    for name, value in {
        "discount_late": amount - discount,
        "short": np.maximum(amount * (60 + draws.below("short", unit, 37)) // 100, 1),
        "deduction": amount - np.maximum(amount * (2 + draws.below("claim", unit, 18)) // (100 * least) * least, 1),
    }.items():
        applied = np.where(kind == of.RESIDUALS.index(name), value, applied)
    abroad = np.flatnonzero(kind == of.RESIDUALS.index("fx"))
    rest[abroad] = _exchange_rest(ground, amount[abroad], currency[abroad], unit[abroad])
    kind = np.where((rest == 0) & (applied == amount), 0, kind)
    return Settled(first[unit], item, applied, kind, rest)


def _exchange_rest(ground: _Ground, amount: Ints, currency: Ints, unit: Ints) -> Ints:
    """What the payer's bank reckons beyond our rate of the day: a rate of up to three days before, and its spread."""
    plan, exchange, draws = ground.plan, ground.exchange, ground.draws
    into, day = ground.customers.pays_in[plan.customer[unit]], plan.day[unit]
    spread = 1000 + draws.below("spread", unit, 9000)
    spread = np.where(draws.flag("in our favour", unit, 0.2), spread // 2, -spread)
    asked = day - draws.below("rate of", unit, 4)
    sent = exchange.converted(amount, currency, into, asked, spread)
    return sent - exchange.converted(amount, currency, into, day)


def _to_grid(amount: Ints, grid: Ints, up: np.ndarray) -> Ints:
    """(n,) what rounding to the payer's grid adds, up or down."""
    over = amount % grid
    return np.where((up < 0.4) & (over > 0), grid - over, -over)


def _beyond(amount: Ints, one: Ints, unit: Ints, draws: Draws) -> Ints:
    """(n,) what comes too much: up to the next hundred, the round price of something else, or the sum again."""
    hundred = 100 * one
    kind = draws.unit("too much", unit)
    other = one * 5 * (1 + draws.below("of something else", unit, 40))
    return np.where(kind < 0.5, hundred - amount % hundred, np.where(kind < 0.9, other, amount))


def _settled_parts(plan: Plan, items: Items, first: Ints, draws: Draws) -> tuple[Settled, Settled]:
    """Invoices that are paid in parts, and round sums that pay the oldest items first."""
    paid = np.flatnonzero(items.unit >= 0)
    unit = items.unit[paid]
    item = paid[plan.way[unit] == PARTS]
    owner = items.unit[item]
    shares = np.where(draws.flag("equal parts", owner, 0.5)[:, None], [34, 33, 33], [50, 30, 20])
    two = ~draws.flag("three parts of it", owner, 0.25) & (plan.n_lines[owner] < 3)
    halves = np.where(draws.flag("equal parts", owner, 0.5)[:, None], [50, 50, 0], [30, 70, 0])
    shares = np.where(two[:, None], halves, shares)
    part = items.amount[item][:, None] * shares // 100
    # The last part is what is left, to the cent.
    last = np.where(two, 1, 2)
    every = np.arange(len(item))
    part[every, last] = items.amount[item] - np.where(np.arange(3) < last[:, None], part, 0).sum(axis=1)
    row, nth = np.nonzero(np.arange(3) < plan.n_lines[owner][:, None])
    nothing = np.zeros(len(row), dtype=np.int64)
    in_parts = Settled(first[owner[row]] + nth, item[row], part[row, nth], nothing, nothing)
    return in_parts, _on_account(plan, items, first)


def _on_account(plan: Plan, items: Items, first: Ints) -> Settled:
    """Three equal round sums a unit; each pays the oldest items (by issue, then place) as far as it reaches."""
    units = np.flatnonzero(plan.way == ON_ACCOUNT)
    start = (np.cumsum(plan.n_items) - plan.n_items)[units]
    held = np.arange(5) < plan.n_items[units][:, None]
    item = np.where(held, start[:, None] + np.arange(5), 0)
    order = np.argsort(np.where(held, items.issued[item], 10**6), axis=1, kind="stable")
    item, held = np.take_along_axis(item, order, axis=1), np.take_along_axis(held, order, axis=1)
    ends = np.cumsum(np.where(held, items.amount[item], 0), axis=1)
    one = UNIT[items.currency[item[:, 0]]] * 10
    third = ends[:, -1] // 3 if len(units) else np.zeros(0, dtype=np.int64)
    size = np.where(third > 100 * one, third // (10 * one) * 10 * one, np.maximum(third // one * one, 1))
    upto = size[:, None] * np.arange(1, 4)
    begins = np.concatenate([np.zeros((len(units), 1), dtype=np.int64), ends[:, :-1]], axis=1)
    low = np.maximum(begins[:, :, None], (upto - size[:, None])[:, None, :])
    reach = np.minimum(ends[:, :, None], upto[:, None, :]) - low
    row, place, nth = np.nonzero((reach > 0) & held[:, :, None])
    nothing = np.zeros(len(row), dtype=np.int64)
    return Settled(first[units[row]] + nth, item[row, place], reach[row, place, nth], nothing, nothing)


def _prepaid(plan: Plan, first: Ints, customers: Customers, draws: Draws) -> Settled:
    """Money before there is an invoice: round sums of no item."""
    code = of.RESIDUALS.index("prepayment")
    units = np.flatnonzero(plan.residual == code)
    one = UNIT[customers.currency[plan.customer[units]]]
    sums = one * 50 * (2 + draws.below("prepaid", units, 200))
    nothing = np.zeros(len(units), dtype=np.int64)
    return Settled(first[units], nothing - 1, nothing, nothing + code, sums)

"""The open items: those that the units pay, and as many others that nobody pays yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.made_records import invoices as of
from core.made_records.draws import Draws
from core.made_records.invoices.customers import FAMILY, FIXED, FREE, Customers, Ints
from core.made_records.invoices.plan import BY_ORDER, N_DAYS, RANGE, Plan
from core.made_records.invoices.rates import Rates

UNIT = np.array([100, 100, 100, 100, 150, 330])
"""Minor units of each of `CURRENCIES` that are worth about one euro."""
_STEP = np.array([2500, 2500, 2500, 2500, 1000, 5000])
_MEDIAN, _SPREAD = 800.0, 1.15
_LEAST, _MOST = 25, 2_000_000
_NEVER = -1


@dataclass(frozen=True, slots=True)
class Items:
    """(n,) each, those of the units first, unit by unit.

    unit: whose, -1 of those that nobody pays. amount: what is open, minor units, credit notes negative. gross: what
    was invoiced. issued: days since the first of the bank lines. twin: the item whose number an instalment shares, -1.
    related: the item that a credit note is for, -1. order: items of one number were ordered together; -1 without.
    """

    unit: Ints
    customer: Ints
    currency: Ints
    amount: Ints
    gross: Ints
    issued: Ints
    twin: Ints
    related: Ints
    order: Ints


def made_items(plan: Plan, n_unpaid: int, customers: Customers, draws: Draws, rates: Rates) -> Items:
    """Items of the plan and `n_unpaid` more. Cost: some 1 us each."""
    unit = np.repeat(np.arange(len(plan.slice)), plan.n_items)
    items = np.arange(len(unit))
    first = np.cumsum(plan.n_items) - plan.n_items
    nth = items - first[unit]
    customer = _customers_of(unit, nth, plan, customers, draws)
    currency = customers.currency[plan.customer[unit]]
    amount = _amounts(items, customer, currency, customers, draws)
    amount = _fitting(amount, currency, plan.residual[unit], draws)
    is_credit = nth >= (plan.n_items - plan.n_credits)[unit]
    share = 0.05 + 0.35 * draws.unit("share of credit", items)
    credited = np.maximum(np.rint(amount[first[unit]] * share), 1).astype(np.int64)
    amount = np.where(is_credit, -credited, amount)
    issued = _issued(unit, plan, customers, draws)
    by_order = (plan.way[unit] == BY_ORDER) & (plan.slice[unit] == of.COMBINED)
    has_order = customers.orders[customer] | (plan.way[unit] == BY_ORDER)
    paid = Items(
        unit=unit,
        customer=customer,
        currency=currency,
        amount=amount,
        gross=_gross(items, amount, unit, plan, draws, rates),
        issued=issued,
        twin=np.full(len(unit), _NEVER),
        related=np.where(is_credit, first[unit], _NEVER),
        order=np.where(has_order, np.where(by_order, first[unit], items), _NEVER),
    )
    return _joined(paid, _unpaid(paid, n_unpaid, plan, customers, draws, rates))


def _customers_of(unit: Ints, nth: Ints, plan: Plan, customers: Customers, draws: Draws) -> Ints:
    """(n,) of whom; a parent that pays for its group pays items of several members."""
    payer = plan.customer[unit]
    shared = (
        (plan.slice[unit] == of.COMBINED) & customers.parent_pays[payer] & ~np.isin(plan.way[unit], (RANGE, BY_ORDER))
    )
    member = payer // FAMILY * FAMILY + draws.below("member", np.arange(len(unit)), FAMILY)
    return np.where(shared & (nth > 0) & (member < len(customers)), np.minimum(member, len(customers) - 1), payer)


def _amounts(
    keys: Ints, customer: Ints, currency: Ints, customers: Customers, draws: Draws, name: str = "item"
) -> Ints:
    """(n,) minor units: lognormal to the cent, in round steps, or one of three prices of the customer."""
    prices = customers.prices[customer]
    price = customer * 3 + draws.below(f"{name} price", keys, 3)
    normal = np.where(prices == FIXED, _normal("fixed price", price, draws), _normal(name, keys, draws))
    value = np.clip(_MEDIAN * np.exp(_SPREAD * normal), _LEAST, _MOST)
    minor: Ints = np.rint(value * UNIT[currency]).astype(np.int64)
    step: Ints = _STEP[currency]
    return np.where(prices == FREE, minor, np.maximum(minor // step, 1) * step).astype(np.int64)


def _normal(name: str, keys: Ints, draws: Draws) -> np.ndarray:
    """(n,) standard normal. Source: Box & Muller (1958)."""
    radius = np.sqrt(-2 * np.log1p(-draws.unit(f"{name} radius", keys)))
    return np.asarray(radius * np.cos(2 * np.pi * draws.unit(f"{name} angle", keys)))


def _fitting(amount: Ints, currency: Ints, residual: Ints, draws: Draws) -> Ints:
    """(n,) large enough for a fee, and with cents where they are rounded away."""
    amount = np.where(residual == of.RESIDUALS.index("bank_fee"), np.maximum(amount, 300 * UNIT[currency]), amount)
    cents = 1 + draws.below("cents", np.arange(len(amount)), 4)
    rounded = (residual == of.RESIDUALS.index("rounding")) & (amount % 5 == 0)
    return np.where(rounded, amount + cents, amount)


def _issued(unit: Ints, plan: Plan, customers: Customers, draws: Draws) -> Ints:
    """(n,) days: before the first line of the unit, by the terms and how late this customer pays."""
    items, payer = np.arange(len(unit)), plan.customer[unit]
    late = customers.late[payer] + draws.below("days late", unit, 9)
    days = np.maximum(customers.terms[payer] + late, 3)
    in_time = plan.residual[unit] == of.RESIDUALS.index("discount")
    too_late = plan.residual[unit] == of.RESIDUALS.index("discount_late")
    allowed = customers.discount_days[payer]
    days = np.where(in_time, allowed - draws.below("in time", unit, 6), days)
    days = np.where(too_late, allowed + 8 + draws.below("too late", unit, 12), days)
    one_day = (plan.way[unit] == RANGE) | in_time | too_late | (plan.n_items[unit] == 1)
    spread = np.where(one_day, 0, draws.below("days apart", items, 22))
    return plan.day[unit] - np.where(one_day, days, np.maximum(days - 10, 1) + spread)


def _gross(items: Ints, amount: Ints, unit: Ints, plan: Plan, draws: Draws, rates: Rates) -> Ints:
    """(n,) what was invoiced: more than is open where a part was paid before these files begin."""
    before = (plan.slice[unit] <= of.MISSING) & draws.flag("paid before", items, rates["partly paid before"])
    return np.where(before, amount + np.maximum(amount // 3, 1), amount)


def _unpaid(paid: Items, n: int, plan: Plan, customers: Customers, draws: Draws, rates: Rates) -> Items:
    """(n,) items of the customers there are, each like a paid one: some of equal amount, some its second instalment."""
    keys = np.arange(n)
    usual = np.flatnonzero(~customers.on_account[paid.customer] & (paid.amount > 0))
    source = usual[draws.below("like which", keys, len(usual))]
    unit = draws.unit("kind of unpaid", keys)
    alone = (plan.n_items[paid.unit[source]] == 1) & (plan.slice[paid.unit[source]] <= of.TYPO)
    first_of = np.zeros(n, dtype=np.bool_)
    first_of[np.unique(source, return_index=True)[1]] = True
    twin = alone & first_of & (paid.gross[source] == paid.amount[source]) & (unit < 4 * rates["second instalment"])
    equal = ~twin & (unit > 1 - rates["equal to a line"])
    credit = ~twin & ~equal & draws.flag("credit open", keys, rates["credit open"])
    customer, currency = paid.customer[source], paid.currency[source]
    amount = _amounts(keys, customer, currency, customers, draws, "unpaid")
    amount = np.where(twin | equal, paid.amount[source], np.where(credit, -np.maximum(amount // 4, 1), amount))
    issued = draws.below("issued", keys, N_DAYS + 70) - 70
    orders = customers.orders[customer]
    return Items(
        unit=np.full(n, _NEVER),
        customer=customer,
        currency=currency,
        amount=amount,
        gross=amount,
        issued=np.where(twin, paid.issued[source], issued),
        twin=np.where(twin, source, _NEVER),
        related=np.where(credit, source, _NEVER),
        order=np.where(twin, paid.order[source], np.where(orders, len(paid.unit) + keys, _NEVER)),
    )


def _joined(paid: Items, unpaid: Items) -> Items:
    return Items(*(np.concatenate([getattr(part, name) for part in (paid, unpaid)]) for name in Items.__slots__))

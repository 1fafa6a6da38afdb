"""Bank lines beyond those that pay: the same once more, taken back, paid again, and lines of no customer."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

import numpy as np

from core.made_records import invoices as of
from core.made_records.draws import Draws
from core.made_records.invoices.customers import Ints
from core.made_records.invoices.items import UNIT, Items
from core.made_records.invoices.plan import N_DAYS, Plan, on_business_day
from core.made_records.invoices.rates import Rates
from core.made_records.invoices.receipts import Lines, Settled
from core.made_records.invoices.words import STRANGERS

Arrays = TypeVar("Arrays", Lines, Settled)

DOUBLED, TAKEN_BACK, PAID_AGAIN = 1, 2, 3
"""`turn` of a line that repeats another; 0 for all others."""


def all_lines(
    lines: Lines, settled: Settled, plan: Plan, items: Items, draws: Draws, rates: Rates
) -> tuple[Lines, Settled]:
    """The lines that pay, followed by those that repeat, take back, pay again or are unrelated; and all they settle."""
    first = np.cumsum(plan.n_lines) - plan.n_lines
    doubled, back = first[plan.doubled], first[plan.reversed]
    again = back[: plan.n_paid_again]
    n_doubled, n_back, n_again = len(doubled), len(back), len(again)
    when_back = on_business_day(lines.day[back] + 2 + draws.below("taken back", back, 7))
    origin = np.concatenate([doubled, back, again])
    turn = np.repeat([DOUBLED, TAKEN_BACK, PAID_AGAIN], [n_doubled, n_back, n_again])
    day = np.concatenate(
        [
            lines.day[doubled] + draws.below("doubled", doubled, 15),
            when_back,
            when_back[:n_again] + 3 + draws.below("paid again", again, 8),
        ]
    )
    of_origin = lines.amount[origin]
    repeats = Lines(
        unit=lines.unit[origin],
        slice=np.array([0, of.DUPLICATE, of.REVERSAL, of.EXACT])[turn],
        day=on_business_day(day),
        turn=turn,
        origin=origin,
        amount=np.where(turn == TAKEN_BACK, -of_origin, of_origin),
        currency=lines.currency[origin],
    )
    every = joined(lines, repeats, _unrelated(plan.n_unrelated, items, draws, rates))
    return every, joined(settled, *_settled_again(settled, repeats, len(lines.unit)))


def joined(*parts: Arrays) -> Arrays:
    """One of all parts, array by array."""
    kind = type(parts[0])
    return kind(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)))


def _settled_again(settled: Settled, repeats: Lines, n_before: int) -> tuple[Settled, Settled]:
    """A doubled line pays nothing; one taken back takes back what its origin paid, and one paid again pays it."""
    places = np.arange(len(repeats.turn))
    twice = places[repeats.turn == DOUBLED]
    nothing = np.zeros(len(twice), dtype=np.int64)
    code = of.RESIDUALS.index("duplicate")
    unapplied = Settled(n_before + twice, nothing - 1, nothing, nothing + code, repeats.amount[twice])
    rest = places[repeats.turn != DOUBLED]
    begin = np.searchsorted(settled.line, repeats.origin[rest])
    count = np.searchsorted(settled.line, repeats.origin[rest], side="right") - begin
    row = np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(count.sum())
    line = np.repeat(rest, count)
    back = repeats.turn[line] == TAKEN_BACK
    again = Settled(
        n_before + line,
        settled.item[row],
        np.where(back, -settled.amount[row], settled.amount[row]),
        np.where(back, of.RESIDUALS.index("reversal"), settled.residual[row]),
        np.where(back, -settled.rest[row], settled.rest[row]),
    )
    return unapplied, again


def strangers(keys: Ints, draws: Draws) -> Ints:
    """(n,) places in `STRANGERS` of the unrelated lines, which are counted from 0."""
    return draws.below("stranger", keys, len(STRANGERS))


def _unrelated(n: int, items: Items, draws: Draws, rates: Rates) -> Lines:
    """(n,) lines of tax offices, banks, landlords; some of exactly the amount of an item."""
    keys = np.arange(n)
    sign = np.array([stranger[2] for stranger in STRANGERS])[strangers(keys, draws)]
    currency = np.where(draws.flag("stranger abroad", keys, 0.1), draws.below("stranger's currency", keys, 6), 0)
    value = np.exp(6.5 + 1.4 * (2 * draws.unit("stranger's amount", keys) - 1)) * UNIT[currency]
    amount = np.rint(value).astype(np.int64)
    same = np.flatnonzero(draws.flag("amount of an item", keys, rates["equal to a line"]))
    item = draws.below("which item", same, len(items.amount))
    amount[same] = np.abs(items.amount[item])
    currency[same] = items.currency[item]
    return Lines(
        unit=np.full(n, -1),
        slice=np.full(n, of.UNRELATED),
        day=on_business_day(draws.below("stranger's day", keys, N_DAYS)),
        turn=np.zeros(n, dtype=np.int64),
        origin=np.full(n, -1),
        amount=sign * amount,
        currency=currency,
    )

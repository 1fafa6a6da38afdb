"""What an amount makes of a set of items: exact, or with a residual that has a name."""

from __future__ import annotations

import numpy as np

from core.matching.jit import kernel
from core.workloads.invoices.rules.explanations import (
    BANK_FEE,
    DISCOUNT,
    DISCOUNT_LATE,
    EXACT,
    FEE_STEP,
    FEE_UNKNOWN,
    FX,
    OVERPAYMENT,
    PART,
    ROUNDING,
    SHORT,
    SMALL_DIFFERENCE,
    SMALL_MOST,
    TAX_MOST,
    TAX_STEP,
    TAX_UNKNOWN,
    TAX_WITHHELD,
    Found,
    Habits,
    Integers,
    Items,
)

_MULTIPLIER, _SEED = np.int64(0x5851F42D4C957F2D), np.int64(0x14057B7EF767814F)

# amount, tolerance, day, first item, item behind the last, currency, country
Payment = tuple[int, int, int, int, int, int, int]
# receipt's line, family, number of sets in it
Origin = tuple[int, int, float]


@kernel
def discount_of(items: Items, item: int, day: int) -> int:
    """The cash discount of an item on a day, in minor units."""
    return int(items.discount[item]) if day <= items.until[item] else 0


@kernel
def try_set(
    items: Items, payment: Payment, members: Integers, origin: Origin, rules: tuple[Habits, bool], found: Found
) -> None:
    """Add a set under each kind of residual that makes it balance.

    Args:
        rules: habits, and whether the receipt names all members, so that it may pay a part or too much.
    """
    habits, is_named = rules
    amount, tolerance, day, _, _, currency, _ = payment
    total = in_time = late = 0
    for item in members:
        total += items.open[item]
        in_time += discount_of(items, item, day)
        late += items.discount[item] - discount_of(items, item, day)
    rest = amount - total
    if rest == 0 or abs(rest) <= tolerance:
        add_explanation(found, origin, members, (EXACT if tolerance == 0 else FX, rest, 1))
        return
    if tolerance > 0:
        return
    if abs(rest) == 1:
        add_explanation(found, origin, members, (ROUNDING, rest, 1))
    known = _try_known(payment, (origin, habits), members, (total, rest, in_time, late), found)
    if amount > 0 and total > 0 and (is_named or len(members) == 1):
        if not known:
            _try_unknown(origin, members, (total, rest, habits.fee_most[currency]), found)
        if is_named:
            add_explanation(found, origin, members, (SHORT, 0, 1) if rest < 0 else (OVERPAYMENT, rest, 1))


@kernel
def _try_known(
    payment: Payment, origin: tuple[Origin, Habits], members: Integers, sums: tuple[int, int, int, int], found: Found
) -> bool:
    """Add what terms and habits make of a set; returns whether any of it settles the set."""
    total, rest, in_time, late = sums
    known = False
    if in_time > 0 and abs(rest + in_time) <= 1:
        add_explanation(found, origin[0], members, (DISCOUNT, rest, 1))
        known = True
    elif late > 0 and abs(rest + in_time + late) <= 1:
        add_explanation(found, origin[0], members, (DISCOUNT_LATE, 0, 1))
    if rest < 0 < payment[0] and _is_fee(origin[1].fees, payment[5], -rest):
        add_explanation(found, origin[0], members, (BANK_FEE, rest, 1))
        known = True
    if rest < 0 < payment[0] and _is_tax(origin[1].taxes, payment[6], (total, -rest)):
        add_explanation(found, origin[0], members, (TAX_WITHHELD, rest, 1))
        known = True
    return known


@kernel
def _try_unknown(origin: Origin, members: Integers, sums: tuple[int, int, int], found: Found) -> None:
    """Add what may be a fee, a tax or a small difference, though nothing like it recurs."""
    total, rest, fee_most = sums
    if 1 < abs(rest) <= SMALL_MOST:
        add_explanation(found, origin, members, (SMALL_DIFFERENCE, rest, 1))
    is_fee = 0 < -rest <= fee_most and rest % FEE_STEP == 0
    if is_fee:
        add_explanation(found, origin, members, (FEE_UNKNOWN, rest, 1))
    share = (-rest * 10_000 // TAX_STEP + total // 2) // total * TAX_STEP
    is_tax = 0 < share <= TAX_MOST and -rest > SMALL_MOST and abs(total * share + rest * 10_000) <= 10_000
    if is_tax:
        add_explanation(found, origin, members, (TAX_UNKNOWN, rest, 1))
    # A deduction looks like either, and settles a part only.
    if rest < 0 and (is_fee or is_tax or _is_part(total + rest, total)):
        add_explanation(found, origin, members, (PART, 0, 1))


@kernel
def _is_part(amount: int, total: int) -> bool:
    """Whether an amount is an equal part of a total, to the unit."""
    found = abs(3 * amount - total) <= 2 or abs(3 * amount - 2 * total) <= 2
    for share in range(1, 14):
        found |= abs(20 * amount - share * total) < 20
    return found


@kernel
def _is_fee(fees: Integers, currency: int, amount: int) -> bool:
    found = False
    for row in range(len(fees)):
        found |= fees[row, 0] == currency and fees[row, 1] == amount
    return found


@kernel
def _is_tax(taxes: Integers, country: int, sums: tuple[int, int]) -> bool:
    """Whether a share of the total, in ten thousandths, rounded, is what was withheld."""
    total, withheld = sums
    found = False
    for row in range(len(taxes)):
        found |= taxes[row, 0] == country and abs(total * taxes[row, 1] - withheld * 10_000) <= 10_000
    return found


@kernel
def add_explanation(found: Found, origin: Origin, members: Integers, what: tuple[int, int, int]) -> None:
    """Add an explanation. what: kind, residual, copies; 0 copies: sets of the family that nobody looked for."""
    row, start = found.n[0], found.n[1]
    if row < len(found.heads) and start + len(members) <= len(found.members):
        head = found.heads[row]
        head[0], head[1], head[2], head[3] = origin[0], origin[1], what[0], len(members)
        head[4], head[5], head[6], head[7] = start, what[1], what[2], digest(members)
        head[8] = np.int64(np.log2(origin[2]) * 256)
        found.members[start : start + len(members)] = members
    found.n[0] += 1
    found.n[1] += len(members)


@kernel
def digest(members: Integers) -> np.int64:
    """Of a sorted set of items."""
    found = np.int64(len(members))
    for item in members:
        found = (found ^ (np.int64(item) * _MULTIPLIER)) * _SEED
        found ^= found >> np.int64(29)
    return found

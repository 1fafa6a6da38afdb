"""The draws of made lines: suppliers, days, amounts, codes; and lines of the plain kind, which others change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.currencies import exponent_of
from core.made_records.draws import Draws
from core.workloads.emissions.made_purchases.truth import rounded, spend_codes, spend_kg

CURRENCIES: Final = ("EUR", "USD", "GBP", "JPY", "SEK", "CHF", "PLN")
COUNTRIES: Final = ("DE", "US", "GB", "JP", "SE", "CH", "PL")
FIRST_DAY: Final = date(2021, 1, 1)
N_DAYS: Final = 5 * 365
_SYLLABLES: Final = "ba den ko lim ras tor vel nor mi sa gun hel jor pal quin rea stav ulm wes yor".split()
_FORMS: Final = ("Ltd", "Limited", "LTD", "", "Ltd.")
Line = dict[str, str]
Truth = dict[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """Draws for each line: supplier, currency, code, day, amount in minor units of two decimals, and a free one."""

    supplier: NDArray[np.int64]
    currency: NDArray[np.int64]
    code: NDArray[np.int64]
    day: NDArray[np.int64]
    cents: NDArray[np.int64]
    free: NDArray[np.int64]


def made_world(rows: int, seed: int) -> World:
    """All draws of `rows` lines."""
    draws, keys = Draws(seed), np.arange(rows, dtype=np.int64)
    size = np.exp(draws.unit("amount", keys) * 9.0)
    return World(
        draws.below("supplier", keys, max(rows // 20, 5)),
        draws.below("currency", keys, len(CURRENCIES)),
        draws.below("code", keys, len(spend_codes())),
        draws.below("day", keys, N_DAYS),
        (size * 1_000).astype(np.int64) + draws.below("cents", keys, 100),
        draws.below("free", keys, 1_000_000),
    )


def supplier_of(world: World, row: int) -> Line:
    """Name, country, and for two of three a number; the name in one of several spellings."""
    number = int(world.supplier[row])
    digits, name = number, ""
    for _ in range(4):
        digits, place = divmod(digits, len(_SYLLABLES))
        name += _SYLLABLES[place]
    form = _FORMS[int(world.free[row]) % len(_FORMS)]
    country = COUNTRIES[number % len(COUNTRIES)]
    # Who has a number has it on every line, so that a name alone is never in doubt.
    vat = f"{country}{100_000_000 + number}" if number % 3 else ""
    return {"supplier": f"{name.title()} {form}".strip(), "supplier_country": country, "supplier_vat": vat}


def day_of(world: World, row: int) -> date:
    """The day of a line."""
    return FIRST_DAY + timedelta(days=int(world.day[row]))


def money(cents: int, currency: str) -> str:
    """Hundredths as text in the decimals of the currency."""
    return f"{cents // 100}.{cents % 100:02d}" if exponent_of(currency) == 2 else str(cents)


def plain(world: World, row: int, **changed: Any) -> tuple[Line, Truth]:
    """An invoice line with a code of NAICS 2017, net, at purchaser price; and what it comes to."""
    currency = CURRENCIES[int(world.currency[row])]
    code = spend_codes()[int(world.code[row])]
    amount = money(int(world.cents[row]), currency)
    day = day_of(world, row)
    line = {
        "line_id": f"L{row:09d}",
        "document": f"INV{row:09d}",
        "document_line": "1",
        "document_type": "invoice",
        "date": day.isoformat(),
        **supplier_of(world, row),
        "code_scheme": "naics-2017",
        "code": code,
        "amount": amount,
        "currency": currency,
        "amount_basis": "net",
        "valuation": "purchaser",
        **changed,
    }
    kg = spend_kg(Fraction(amount), currency, day.year, code)
    return line, truth_of(world, row, "plain", kg)


def truth_of(world: World, row: int, name: str, kg: Fraction | None, fate: str = "counted") -> Truth:
    """What must come out; kg None: nothing counts."""
    return {
        "line_id": f"L{row:09d}",
        "entity": f"S{int(world.supplier[row])}",
        "category": "",
        "kg": "" if kg is None else rounded(kg),
        "fate": fate,
        "slice": name,
    }

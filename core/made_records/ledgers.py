"""Lines of two ledgers that record the same payments: by amount and days, with references that come through in part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.clerks import Haste, between, hurried, joined, where
from core.made_records.draws import Draws
from core.made_records.organisations.names import companies_of, names_of
from core.made_records.persons.numerals import dates_text
from core.made_records.shapes import Ints, Records, two_files


def ledgers(rows: int, rates: Mapping[str, float], draws: Draws) -> tuple[Records, pl.DataFrame]:
    """Our ledger and the other side's: booked days apart, now and then with a fee taken off."""
    records = two_files(rows, 0.5, rates["overlap"], 0.0, draws)
    keys, line, second = records.keys, records.entity, records.source == 1
    n_partners = max(10, records.n_entities // 15)
    partner = draws.below("partner", line, n_partners)
    day = draws.below("day", line, 360)
    late = np.where(second, draws.below("late", keys, 1 + round(rates["days apart"] * 100)), 0)
    company = names_of(companies_of(partner, n_partners, 0.2, draws), keys, rates, draws)
    number = pl.Series(100_000 + draws.below("reference", line, 900_000)).cast(pl.String)
    reference = where(
        second & draws.flag("other form", keys, rates["other form"]), between("INV ", number), between("RE-", number)
    )
    reference = where(second & draws.flag("cut", keys, rates["cut"]), number.str.slice(1), reference)
    text = hurried(
        joined(company, " ", reference), keys, "text", Haste(slip=rates["slip"], shorten=rates["shortened"]), draws
    )
    bare = second & draws.flag("no reference", keys, rates["no reference"])
    return records, pl.DataFrame(
        {
            "date": _dates(day + late),
            "amount": _amounts(line, partner, keys, np.where(second, rates["fee"], 0.0), rates, draws),
            "text": where(bare, company, text),
        }
    )


def _amounts(
    line: Ints, partner: Ints, keys: Ints, fee: NDArray[np.float64], rates: Mapping[str, float], draws: Draws
) -> pl.Series:
    """(n,) amounts with two decimals. Some are the partner's usual one, a rent or a fee each month; some are round."""
    usual = draws.flag("usual", line, rates["usual amount"])
    of = np.where(usual, -1 - partner, line)
    cents = (100 * np.exp(2.0 + 7.0 * draws.unit("amount", of))).astype(np.int64)
    cents = np.where(draws.flag("round", of, rates["round"]), np.maximum(cents // 5000, 1) * 5000, cents)
    less = draws.flag("takes fee", keys, fee)
    cents = np.maximum(cents - np.where(less, 50 + 50 * draws.below("which fee", keys, 50), 0), 1)
    whole, rest = np.divmod(cents, 100)
    return joined(pl.Series(whole).cast(pl.String), between(".", pl.Series(rest).cast(pl.String).str.zfill(2)))


def _dates(day: Ints) -> pl.Series:
    """(n,) days from 1 January 2024, in ISO form."""
    month_start = np.cumsum([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31])
    month = np.searchsorted(month_start, day, side="right")
    within = day - month_start[month - 1] + 1
    year = np.where(month > 12, 2025, 2024)
    return dates_text(year, np.where(month > 12, month - 12, month), within)

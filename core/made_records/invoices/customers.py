"""The customers of one data set: who they are, what they are called, how they buy and how they pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws, cumulative
from core.made_records.invoices.accounts import iban
from core.made_records.invoices.rates import Rates
from core.made_records.invoices.words import COUNTRIES, IBAN_COUNTRIES, JOINS, LATIN, NATIVE, TRADES
from core.made_records.persons.words.names import ENDINGS, ROOTS, SURNAMES

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "KWD")
"""Currencies of invoices, and of our own accounts."""
FREE, ROUND, FIXED = range(3)
FAMILY = 5
_TERMS = np.array([14, 30, 30, 30, 45, 60])


@dataclass(frozen=True, slots=True)
class Customers:
    """(n,) each: places in `COUNTRIES` and `CURRENCIES`, the place of the parent or -1, habits.

    prices: FREE to the cent, ROUND, or FIXED to a few. percent: discount in hundredths of a percent, 0 for none.
    on_account: pays round sums. accounts: (n, 2) texts; listed: how many of them our books know.
    """

    country: Ints
    currency: Ints
    pays_in: Ints
    parent: Ints
    big: Flags
    on_account: Flags
    prices: Ints
    terms: Ints
    percent: Ints
    discount_days: Ints
    late: Ints
    orders: Flags
    style: Ints
    parent_pays: Flags
    names: pl.Series
    aliases: pl.Series
    accounts: tuple[pl.Series, pl.Series]
    listed: Ints

    def __len__(self) -> int:
        return len(self.country)


def made_customers(size: int, n_big: int, draws: Draws, rates: Rates) -> Customers:
    """The first `n_big` buy much; families of `FAMILY` stand side by side, the first of each is the parent.

    Cost: some 20 us each, most of it check digits.
    """
    who = np.arange(size)
    country = _countries(who, draws)
    families = draws.flag("group", who // FAMILY, rates["group"])
    parent = np.where(families & (who % FAMILY > 0), who // FAMILY * FAMILY, -1)
    percent = np.array([200, 200, 300, 150, 400, 100])[draws.below("percent", who, 6)]
    grants = draws.flag("discount", who, rates["gives discount"])
    terms = _TERMS[draws.below("terms", who, len(_TERMS))]
    kind = draws.unit("prices", who)
    fixed = rates["fixed prices"]
    names = _names(who, country, draws)
    return Customers(
        country=country,
        currency=np.array([CURRENCIES.index(country.currency) for country in COUNTRIES])[country],
        pays_in=np.array([CURRENCIES.index(country.pays_in) for country in COUNTRIES])[country],
        parent=parent,
        big=who < n_big,
        on_account=(who >= n_big) & ~families & (who % 8 == 7),
        prices=np.where(kind < fixed, FIXED, np.where(kind < fixed + rates["round prices"], ROUND, FREE)),
        terms=terms,
        percent=np.where(grants & (terms > 14), percent, 0),
        discount_days=np.array([7, 10, 10, 14])[draws.below("discount days", who, 4)],
        late=draws.below("late", who, 25) - 4,
        orders=draws.flag("orders", who, rates["own order numbers"]),
        style=draws.below("style", who, 1 << 30),
        parent_pays=(parent >= 0) & draws.flag("parent pays", who, rates["parent pays"]),
        names=names,
        aliases=_aliases(who, country, names, draws, rates),
        accounts=(_accounts(who, country, 0, draws), _accounts(who, country, 1, draws)),
        listed=np.where(draws.flag("not listed", who, rates["account not listed"]), 0, 1 + draws.below("two", who, 2)),
    )


def _countries(who: Ints, draws: Draws) -> Ints:
    """By weight; of every twenty one is in Japan and one in Kuwait, so that no file lacks yen and dinars."""
    drawn = draws.pick("country", who, cumulative(np.array([country.weight for country in COUNTRIES])))
    codes = [country.code for country in COUNTRIES]
    drawn[who % 20 == 12] = codes.index("JP")
    drawn[who % 20 == 18] = codes.index("KW")
    return drawn


def _stems(who: Ints, name: str, draws: Draws) -> pl.Series:
    """(n,) surnames, and as often words of a root and an ending."""
    surnames = pl.Series(SURNAMES).gather(draws.below(f"{name} surname", who, len(SURNAMES)))
    roots = pl.Series(ROOTS).gather(draws.below(f"{name} root", who, len(ROOTS)))
    endings = pl.Series(ENDINGS).gather(draws.below(f"{name} ending", who, len(ENDINGS)))
    made = pl.DataFrame([surnames.alias("known"), roots.alias("root"), endings.alias("end")]).with_columns(
        plain=pl.Series(draws.flag(f"{name} known", who, 0.5))
    )
    return made.select(pl.when("plain").then("known").otherwise(pl.col("root") + pl.col("end"))).to_series()


def _names(who: Ints, country: Ints, draws: Draws) -> pl.Series:
    """(n,) "Miller Metallbau GmbH", "Ashford & Lopez SA", "Sato Trading K.K."."""
    stem = _stems(who, "stem", draws).to_list()
    second = _stems(who, "second stem", draws).to_list()
    trade, join = draws.below("trade", who, len(TRADES)), draws.below("join", who, 8)
    form, local = draws.below("form", who, 60), draws.below("local stem", who, 64)
    made = []
    for n, place in enumerate(country):
        words = LATIN.get(COUNTRIES[place].code)
        head = words[local[n] % len(words)] if words and local[n] < 56 else stem[n]
        middle = f" {TRADES[trade[n]]}" if join[n] > 2 else f"{JOINS[1 + join[n]]}{second[n]}"
        forms = COUNTRIES[place].forms
        made.append(f"{head}{middle} {forms[form[n] % len(forms)]}")
    return pl.Series("name", made)


def _aliases(who: Ints, country: Ints, names: pl.Series, draws: Draws, rates: Rates) -> pl.Series:
    """(n,) what else the customer is called on bank lines: a trading name, its own script; null where nothing else."""
    has, unit = draws.flag("alias", who, rates["another name"]), draws.unit("kind of alias", who)
    stem, trade = _stems(who, "alias", draws).to_list(), draws.below("alias trade", who, len(TRADES))
    local = draws.below("local stem", who, 64)
    made: list[str | None] = []
    for n, place in enumerate(country):
        native = NATIVE.get(COUNTRIES[place].code)
        if not has[n] and not (native and unit[n] < 0.2):
            made.append(None)
        elif native and local[n] < 56 and unit[n] < 0.6:
            made.append(f"{native[local[n] % len(native)]} {TRADES[trade[n]]}")
        else:
            made.append(f"{stem[n]} {TRADES[trade[n]]}" if unit[n] < 0.7 else names[n].split(" ")[0] + " Holding")
    return pl.Series("alias", made, dtype=pl.String)


def _accounts(who: Ints, country: Ints, nth: int, draws: Draws) -> pl.Series:
    high = draws.below(f"account {nth} high", who, 10**12)
    low = draws.below(f"account {nth} low", who, 10**14)
    made = []
    for n, place in enumerate(country):
        digits = f"{high[n]:012d}{low[n]:014d}"[-COUNTRIES[place].n_digits :]
        made.append(iban(COUNTRIES[place].code, digits) if IBAN_COUNTRIES[place] else digits)
    return pl.Series("account", made)

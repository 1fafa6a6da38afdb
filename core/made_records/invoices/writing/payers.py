"""Who a bank line says it comes from: names as banks cut them, accounts that our books know or not."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.invoices.customers import Customers, Ints
from core.made_records.invoices.rates import Rates
from core.made_records.persons.words.names import SURNAMES

_NAME_WIDTH = 27
_FORM = r"( GmbH & Co\. KG| Co\., Ltd\.| Sp\. z o\.o\.| [^ ]+)$"


def payers(payer: Ints, keys: Ints, customers: Customers, draws: Draws, rates: Rates) -> pl.DataFrame:
    """(n,) payer and payer_account of lines of customers; null where the bank does not say.

    Args:
        payer: (n,) customers. keys: (n,) the lines, each its own number.
    """
    by_parent = customers.parent_pays[payer]
    who = np.where(by_parent, customers.parent[payer], payer)
    third = draws.flag("third party", keys, rates["third party"])
    second = draws.flag("other account", keys, 0.25)
    one, other = (accounts.gather(who) for accounts in customers.accounts)
    frame = pl.DataFrame({"one": one, "other": other, "second": second, "third": third}).with_columns(
        name=customers.names.gather(who),
        alias=customers.aliases.gather(who),
        by_alias=pl.Series(draws.flag("by alias", keys, 0.75)),
        stranger=_strangers(keys, draws),
        no_form=pl.Series(draws.flag("no legal form", who, 0.2)),
        cut=pl.Series(draws.flag("name cut", keys, rates["name cut"])),
        capitals=pl.Series(draws.flag("name in capitals", keys, rates["capitals"])),
        no_name=pl.Series(draws.flag("name absent", keys, rates["name absent"])),
        no_account=pl.Series(draws.flag("account absent", keys, rates["account absent"])),
        strange_account=pl.Series(draws.below("stranger's account", keys, 10**12)).cast(pl.String),
    )
    name = pl.when("no_form").then(pl.col("name").str.replace(_FORM, "")).otherwise("name")
    name = pl.when(pl.col("alias").is_not_null() & pl.col("by_alias")).then("alias").otherwise(name)
    name = pl.when("third").then("stranger").otherwise(name)
    name = pl.when("capitals").then(name.str.to_uppercase()).otherwise(name)
    name = pl.when("cut").then(name.str.slice(0, _NAME_WIDTH)).otherwise(name)
    account = pl.when("second").then("other").otherwise("one")
    account = pl.when("third").then(pl.col("strange_account")).otherwise(account)
    return frame.select(
        pl.when(~pl.col("no_name")).then(name.str.strip_chars()).alias("payer"),
        pl.when(~pl.col("no_account")).then(account).alias("payer_account"),
    )


def _strangers(keys: Ints, draws: Draws) -> pl.Series:
    one = pl.Series(SURNAMES).gather(draws.below("third party", keys, len(SURNAMES)))
    kinds = pl.Series([" Factoring", " Treuhand", " Payments", " & Partner"])
    return one + kinds.gather(draws.below("kind of third party", keys, 4))

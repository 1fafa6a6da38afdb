"""Where organisations are: towns with one postal code or several, streets, telephones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from core.made_records.clerks import between, joined, some_slipped, where
from core.made_records.draws import Draws
from core.made_records.persons.words.vocabulary import STREET_KINDS, STREET_NAMES, STREET_WORDS, made_words
from core.made_records.shapes import Ints


@dataclass(frozen=True, slots=True)
class Sites:
    """Places of as many records: (n,) each, the same for the same site."""

    town: Ints
    city: pl.Series
    zip_code: pl.Series
    house: Ints
    street: pl.Series
    phone: Ints


def sites_of(sites: Ints, n_towns: int, codes_a_town: int, same_street: float, draws: Draws) -> Sites:
    """The sites with these numbers, in `n_towns` towns. same_street: share that stands in the town's main street."""
    town = (n_towns * draws.unit("town", sites) ** 1.5).astype(np.int64)
    code = (
        10_000
        + (draws.below("first code", town, 80_000) // codes_a_town) * codes_a_town
        + draws.below("code", sites, codes_a_town)
    )
    main = draws.flag("main street", sites, same_street)
    street = np.where(main, draws.below("main", town, 12), draws.below("street", sites, len(STREET_NAMES)))
    kind = np.where(main, 0, draws.below("street kind", sites, 6))
    return Sites(
        town=town,
        city=made_words(2 * n_towns + 50).gather(town * 2 + 1),
        zip_code=pl.Series(code).cast(pl.String),
        house=1 + draws.below("house", sites, np.where(main, 60, 400)),
        street=joined(pl.Series(STREET_NAMES).gather(street), " ", pl.Series(STREET_KINDS).gather(kind)),
        phone=(200 + draws.below("area", town, 700)) * 10_000_000 + draws.below("line", sites, 9_000_000),
    )


def streets(sites: Sites, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """(n,) house and street as a record has them: written out or shortened, with a floor or suite, mistyped."""
    text = joined(pl.Series(sites.house).cast(pl.String), " ", sites.street)
    full = draws.flag("street written out", keys, rates["street written out"])
    longer = text
    for short, written in STREET_WORDS[:8]:
        longer = longer.str.replace(f"{short}$", written)
    text = where(full, longer, text)
    suite = draws.flag("suite", keys, rates["suite"])
    rooms = between(" Suite ", pl.Series(100 + draws.below("suite number", keys, 40) * 5).cast(pl.String))
    text = some_slipped(joined(text, where(suite, rooms)), keys, "street", rates["slip"] * 2, draws)
    return where(~draws.flag("no street", keys, rates["no street"]), text)


def phones(numbers: Ints, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """(n,) telephones in one of four forms, a share with a wrong digit or missing."""
    wrong = draws.flag("phone wrong", keys, rates["phone wrong"])
    number = numbers + np.where(wrong, draws.below("phone slip", keys, 9) + 1, 0)
    text = pl.Series(number).cast(pl.String).str.zfill(10)
    area, exchange, line = text.str.slice(0, 3), text.str.slice(3, 3), text.str.slice(6)
    ways = (
        joined(area, "-", exchange, "-", line),
        joined("(", area, ") ", exchange, "-", line),
        joined(area, "/", exchange, line),
        text,
    )
    way, chosen = draws.below("phone form", keys, len(ways)), text
    for index, form in enumerate(ways):
        chosen = where(way == index, form, chosen)
    return where(~draws.flag("no phone", keys, rates["no phone"]), chosen)

"""Who is called what, and how often: tables that grow with the number of persons.

What they follow, for the United States:

- Surnames: 6.3 million among 295 million persons, 62 % of them borne once; Smith 0.83 %, the first 25 8.7 %, the first
  239 25 %, rank 2,242 16,263 persons, rank 8,484 3,886, rank 162,253 100 (Census Bureau, "Frequently Occurring Surnames
  in the 2010 Census", 2016). The model's shares at these ranks are within a tenth.
- Given names: the first 10 of men are 23 %, 100 60 %, 1,219 90 %; of women 11, 43, and 4,275 90 % (Census Bureau,
  "Frequently Occurring Names in the U.S.", 1990).
- Streets: 2.3 million road names (TIGER 2010). Towns: some 32,000 places; postal codes: some 42,000 (see `places.py`).
- Of N persons of one country one meets about N^0.7 words (Heaps' law): so the tables are cut to what N persons bear.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import cumulative
from core.made_records.persons.words.names import (
    ENDINGS,
    FEMALE,
    MALE,
    MIDDLES,
    NICKNAMES,
    ONSETS,
    ROOTS,
    SURNAMES,
    TAILS,
)
from core.made_records.persons.words.places import Places, build_places
from core.made_records.persons.words.ranks import Ranks, rank_shares

STREET_NAMES = tuple(
    """
Main Oak Park Maple Cedar Pine Elm Washington Lake Hill Walnut Spring North Ridge Church Willow Mill Sunset Railroad
Jackson West South Cherry Highland Center Forest Jefferson Meadow Broadway River East Chestnut Lincoln Dogwood Hickory
College Franklin Green Valley Poplar Locust Adams Madison Magnolia Prospect Laurel Birch Pleasant Cypress Holly Court
School Grove Rose Union Market Sycamore Ash Hillcrest Woodland Colonial Monroe Vine Fairway Lakeview Juniper Pearl
Liberty Summit Central 1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 18th 20th 21st 22nd 23rd
25th 28th 30th 32nd 41st
""".split()
)
STREET_KINDS = ("St", "Ave", "Rd", "Dr", "Ln", "Ct", "Blvd", "Way", "Pl", "Cir", "Ter", "Pkwy", "Hwy")
STREET_KIND_WEIGHTS = (26, 18, 15, 16, 10, 6, 4, 2, 2, 2, 1, 1, 1)
# how the same word is also written; used in both directions
STREET_WORDS = (
    (" St", " Street"),
    (" Ave", " Avenue"),
    (" Rd", " Road"),
    (" Dr", " Drive"),
    (" Ln", " Lane"),
    (" Ct", " Court"),
    (" Blvd", " Boulevard"),
    (" Pl", " Place"),
    (" Cir", " Circle"),
    (" Apt ", " #"),
    (" Apt ", " Unit "),
    (" N ", " North "),
    (" S ", " South "),
    (" E ", " East "),
    (" W ", " West "),
)
DOMAINS = ("gmail.com", "yahoo.com", "hotmail.com", "aol.com", "outlook.com", "icloud.com", "comcast.net", "msn.com")
DOMAIN_WEIGHTS = (45, 18, 11, 7, 7, 5, 4, 3)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tables of words with their shares.

    given: first names, men's first, then women's, which start at `n_male`; `nicknames[nick_first[i]:nick_first[i] +
    nick_count[i]]` belong to given name i. surnames and streets: most frequent first. n_persons: for how many.
    """

    n_persons: int
    given: pl.Series
    n_male: int
    male_ranks: Ranks
    female_ranks: Ranks
    nicknames: pl.Series
    nick_first: NDArray[np.int64]
    nick_count: NDArray[np.int64]
    surnames: pl.Series
    surname_ranks: Ranks
    streets: pl.Series
    street_ranks: Ranks
    street_kinds: pl.Series
    street_kind_shares: NDArray[np.float64]
    domains: pl.Series
    domain_shares: NDArray[np.float64]
    places: Places


def build_vocabulary(n_persons: int) -> Vocabulary:
    """The tables for a population of `n_persons`.

    Cost: 0.1 s and 10 MB for a million persons, 1 s and 200 MB for fifty million.
    """
    n_made = int(7.4 * max(n_persons, 1000) ** 0.7)
    made = made_words(n_made)
    surnames = pl.Series("last_name", SURNAMES).append(made.filter(~made.is_in(SURNAMES)))
    # Men's and women's rare names differ: the even and the odd ones.
    male = pl.Series("first_name", MALE).append(made[: n_made // 16 : 2])
    female = pl.Series("first_name", FEMALE).append(made[1 : n_made // 16 : 2])
    given = male.append(female)
    nicknames, nick_first, nick_count = _nicknames(given)
    streets = pl.Series("street", STREET_NAMES).append(surnames)
    n_male, n_female = len(given) - len(female), len(female)
    return Vocabulary(
        n_persons=n_persons,
        given=given,
        n_male=n_male,
        male_ranks=rank_shares(len(MALE), n_male, shift=7.0, power=1.14, listed=0.795, falls=2),
        female_ranks=rank_shares(len(FEMALE), n_female, shift=0.5, power=0.6, listed=0.676, falls=3),
        nicknames=nicknames,
        nick_first=nick_first,
        nick_count=nick_count,
        surnames=surnames,
        surname_ranks=rank_shares(len(SURNAMES), len(surnames), shift=3.5, power=0.76, listed=0.42, falls=5),
        streets=streets,
        street_ranks=rank_shares(len(STREET_NAMES), len(streets), shift=20.0, power=0.8, listed=0.35, falls=5),
        street_kinds=pl.Series("kind", STREET_KINDS),
        street_kind_shares=cumulative(np.array(STREET_KIND_WEIGHTS, dtype=np.float64)),
        domains=pl.Series("domain", DOMAINS),
        domain_shares=cumulative(np.array(DOMAIN_WEIGHTS, dtype=np.float64)),
        places=build_places(int(4000 * (max(n_persons, 10_000) / 1_000_000) ** 0.4)),
    )


def made_words(n_words: int) -> pl.Series:
    """Nearly (n_words,) made names, none twice; more words begin with the same ones.

    Every fifth is a root and an ending while there are any, the others two or three syllables and a tail: forty million
    can be made.
    """
    k = np.arange(n_words)
    fifth = k % 5 == 0
    n_short, n_middling = len(ROOTS) * len(ENDINGS), len(ONSETS) * len(MIDDLES) * len(TAILS)
    short = fifth & (k // 5 < n_short)
    middling = ~fifth & (k - k // 5 - 1 < n_middling)
    kinds = (
        (short, (ROOTS, ENDINGS)),
        (middling, (ONSETS, MIDDLES, TAILS)),
        (~short & ~middling, (ONSETS, MIDDLES, MIDDLES, TAILS)),
    )
    parts = [pl.DataFrame({"k": k[chosen], "word": _combined(int(chosen.sum()), tables)}) for chosen, tables in kinds]
    return pl.concat(parts).sort("k")["word"].unique(maintain_order=True)


def _combined(n_words: int, tables: tuple[tuple[str, ...], ...]) -> pl.Series:
    """(n_words,) different combinations of a syllable from each table; neighbours are unlike each other."""
    n_all = math.prod(map(len, tables))
    # A step near the golden section that shares no factor with the number of combinations visits each of them once.
    step = next(step for step in itertools.count(int(n_all * 0.618)) if math.gcd(step, n_all) == 1)
    code = np.arange(1, n_words + 1) * step % n_all
    columns = []
    for index, table in enumerate(tables):
        code, digit = np.divmod(code, len(table))
        columns.append(pl.Series(str(index), table).gather(digit))
    return pl.DataFrame(columns).select(pl.concat_str(pl.all())).to_series()


def _nicknames(given: pl.Series) -> tuple[pl.Series, NDArray[np.int64], NDArray[np.int64]]:
    words: list[str] = []
    first = np.zeros(len(given), dtype=np.int64)
    count = np.zeros(len(given), dtype=np.int64)
    for index, name in enumerate(given):
        known = NICKNAMES.get(name, "").split()
        first[index], count[index] = len(words), len(known)
        words += known
    return pl.Series("first_name", words), first, count

"""Who is called what, and how often: name tables that grow with the number of persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.workloads.identity.draws import cumulative
from core.workloads.identity.names import (
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
from core.workloads.identity.places import Places, build_places

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
    """Tables of words with their cumulative shares.

    given: first names, men's first, then women's, which start at `n_male`; `nicknames[nick_first[i]:nick_first[i] +
    nick_count[i]]` belong to given name i. surnames and streets: most frequent first.
    """

    given: pl.Series
    n_male: int
    male_shares: NDArray[np.float64]
    female_shares: NDArray[np.float64]
    nicknames: pl.Series
    nick_first: NDArray[np.int64]
    nick_count: NDArray[np.int64]
    surnames: pl.Series
    surname_shares: NDArray[np.float64]
    streets: pl.Series
    street_shares: NDArray[np.float64]
    street_kinds: pl.Series
    street_kind_shares: NDArray[np.float64]
    domains: pl.Series
    domain_shares: NDArray[np.float64]
    places: Places


def build_vocabulary(n_persons: int) -> Vocabulary:
    """The tables for a population of `n_persons`: rare words and towns grow with about its 0.7th and 0.4th power.

    Cost: 0.2 s and 15 MB for a million persons; strings grow to some 80 MB for seventy million.
    """
    n_rare = int(4 * max(n_persons, 1000) ** 0.7)
    surnames = pl.Series("last_name", SURNAMES).append(_rare_words(n_rare))
    male, male_shares = _given(MALE, n_rare // 8, offset=0)
    female, female_shares = _given(FEMALE, n_rare // 8, offset=1)
    given = male.append(female)
    nicknames, nick_first, nick_count = _nicknames(given)
    streets = pl.Series("street", STREET_NAMES).append(surnames)
    return Vocabulary(
        given=given,
        n_male=len(male_shares),
        male_shares=male_shares,
        female_shares=female_shares,
        nicknames=nicknames,
        nick_first=nick_first,
        nick_count=nick_count,
        surnames=surnames,
        surname_shares=_zipf_then_tail(len(SURNAMES), len(surnames), shift=6.7, power=0.9, listed=0.42),
        streets=streets,
        street_shares=_zipf_then_tail(len(STREET_NAMES), len(streets), shift=20.0, power=0.8, listed=0.35),
        street_kinds=pl.Series("kind", STREET_KINDS),
        street_kind_shares=cumulative(np.array(STREET_KIND_WEIGHTS, dtype=np.float64)),
        domains=pl.Series("domain", DOMAINS),
        domain_shares=cumulative(np.array(DOMAIN_WEIGHTS, dtype=np.float64)),
        places=build_places(int(4000 * (max(n_persons, 10_000) / 1_000_000) ** 0.4)),
    )


def _zipf_then_tail(n_listed: int, n_all: int, *, shift: float, power: float, listed: float) -> NDArray[np.float64]:
    """Cumulative shares: (rank + shift)^-power over the listed words, which have `listed` in all; 1/rank below them."""
    head = (np.arange(1.0, n_listed + 1.0) + shift) ** -power
    tail = 1.0 / np.arange(n_listed + 1.0, n_all + 1.0)
    return cumulative(np.concatenate((head * (listed / head.sum()), tail * ((1.0 - listed) / tail.sum()))))


def _given(names: tuple[str, ...], n_rare: int, *, offset: int) -> tuple[pl.Series, NDArray[np.float64]]:
    """Listed names (92 % of the persons) and a tail of rare ones; men's and women's tails differ."""
    rare = _rare_words(2 * n_rare + 2)[offset::2]
    words = pl.Series("first_name", names).append(rare)
    return words, _zipf_then_tail(len(names), len(words), shift=4.0, power=0.95, listed=0.92)


def _rare_words(n_words: int) -> pl.Series:
    """(n_words,) made names; the k-th is the same for every n_words."""
    # A Weyl sequence visits the combinations in an order in which neighbours share no syllable.
    scrambled = (np.arange(1, n_words + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    parts = []
    for table in (ONSETS, MIDDLES, TAILS, ROOTS, ENDINGS):
        scrambled, index = np.divmod(scrambled, np.uint64(len(table)))
        parts.append(pl.Series(table).gather(index.astype(np.int64)))
    onset, middle, tail, root, ending = parts
    words = pl.DataFrame({"o": onset, "m": middle, "t": tail, "r": root, "e": ending, "k": np.arange(n_words) % 5})
    return words.select(
        pl.when(pl.col("k") == 0).then(pl.concat_str("r", "e")).otherwise(pl.concat_str("o", "m", "t"))
    ).to_series()


def _nicknames(given: pl.Series) -> tuple[pl.Series, NDArray[np.int64], NDArray[np.int64]]:
    words: list[str] = []
    first = np.zeros(len(given), dtype=np.int64)
    count = np.zeros(len(given), dtype=np.int64)
    for index, name in enumerate(given):
        known = NICKNAMES.get(name, "").split()
        first[index], count[index] = len(words), len(known)
        words += known
    return pl.Series("first_name", words), first, count

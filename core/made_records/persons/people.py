"""True persons: what each is called, where and with whom each lives. Everything follows from the person's number.

Persons 4k .. 4k+3 form one neighbourhood that is divided into households; members of a household share an address,
mostly a surname and often a telephone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws, cumulative
from core.made_records.persons.numerals import digits, together
from core.made_records.persons.words.vocabulary import Vocabulary

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

REFERENCE_YEAR = 2024
SSN_SPACE = 898 * 99 * 9999  # areas 001-899 without 666, groups 01-99, serials 0001-9999
MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

# How four neighbours fall into households: share, first member's slot and household size for each slot
_SHARES = cumulative(np.array([40.0, 14.0, 16.0, 12.0, 18.0]))
_FIRST = np.array([[0, 1, 2, 3], [0, 0, 2, 3], [0, 0, 2, 2], [0, 0, 0, 3], [0, 0, 0, 0]])
_SIZE = np.array([[1, 1, 1, 1], [2, 2, 1, 1], [2, 2, 2, 2], [3, 3, 3, 1], [4, 4, 4, 4]])

# Share of a household's kinds by its size: has the head a spouse; are they room-mates of different families
_SPOUSE_SHARE = np.array([0.0, 0.0, 0.70, 0.75, 0.90])
_ROOMMATES_SHARE = np.array([0.0, 0.0, 0.10, 0.05, 0.03])
TWINS_SHARE = 0.08
JUNIOR_SHARE = 0.06
SHARED_PHONE_SHARE = 0.5
_HOUSE_DIGITS = cumulative(np.array([15.0, 40, 45]))
_DIRECTIONS = cumulative(np.array([64.0, 10, 9, 9, 8]))
_UNITS = cumulative(np.array([80.0, 15, 3, 2]))
_EMAIL_STYLES = cumulative(np.array([30.0, 20, 15, 20, 15]))
# the share of a common initial letter among names
_INITIAL_SHARE = 0.08
# ages of heads of household, from 18 years on, by weight of five-year groups
_AGE_SHARES = cumulative(np.repeat([7.0, 9, 9, 9, 8.5, 8, 8, 8, 8, 7.5, 6, 4.5, 3, 2, 1, 0.5], 5))


@dataclass(frozen=True, slots=True)
class Family:
    """Where each person stands: arrays of (n,).

    household: the household's number (the number of its head). size: its members. Exactly one of head, spouse, child,
    roommate is true. twin: a child whose birth is that of the child before it. junior: a son named like the head.
    """

    household: Ints
    size: Ints
    head: Flags
    spouse: Flags
    child: Flags
    twin: Flags
    junior: Flags
    male: Flags


def family_of(persons: Ints, draws: Draws) -> Family:
    """Place persons in their families. Cost: some 30 ns a person and draw."""
    slot = persons & 3
    pattern = draws.pick("pattern", persons >> 2, _SHARES)
    first, size = _FIRST[pattern, slot], _SIZE[pattern, slot]
    household = (persons & ~np.int64(3)) + first
    member = slot - first
    roommates = draws.unit("roommates", household) < _ROOMMATES_SHARE[size]
    has_spouse = ~roommates & (draws.unit("has spouse", household) < _SPOUSE_SHARE[size])
    spouse = has_spouse & (member == 1)
    child = ~roommates & ~spouse & (member > 0)
    child_rank = member - 1 - has_spouse
    twin = child & (child_rank == 1) & draws.flag("twins", household, TWINS_SHARE)
    head_male = draws.flag("male", household, 0.5)
    male = np.where(spouse, ~head_male, draws.flag("male", persons, 0.5))
    junior = child & (child_rank == 0) & male & head_male & draws.flag("junior", persons, JUNIOR_SHARE)
    return Family(household, size, member == 0, spouse, child, twin, junior, male)


@dataclass(frozen=True, slots=True)
class Names:
    """given and surname: (n,) codes into the vocabulary's tables."""

    given: Ints
    surname: Ints


def names_of(persons: Ints, family: Family, draws: Draws, words: Vocabulary) -> Names:
    """Given names by sex, surnames by family: children and most spouses bear the head's."""
    named_after = np.where(family.junior, family.household, persons)
    given = _given(named_after, family.male, draws, words)
    # Twins of one sex must not be namesakes: the next name of the table then.
    other = _given(persons - 1, draws.flag("male", persons - 1, 0.5), draws, words)
    clash = family.twin & (given == other)
    given = np.where(clash, np.where(given + 1 == len(words.given), given - 1, given + 1), given)
    shares = (family.spouse & draws.flag("spouse surname", persons, 0.85)) | (
        family.child & draws.flag("child surname", persons, 0.95)
    )
    bearer = np.where(shares | family.head, family.household, persons)
    return Names(given, words.surname_ranks.pick("surname", bearer, draws))


def _given(keys: Ints, male: Flags, draws: Draws, words: Vocabulary) -> Ints:
    unit = draws.unit("given", keys)
    given = np.empty(len(keys), dtype=np.int64)
    given[male] = words.male_ranks.at(unit[male])
    given[~male] = words.n_male + words.female_ranks.at(unit[~male])
    return given


def births_of(persons: Ints, family: Family, draws: Draws) -> tuple[Ints, Ints, Ints]:
    """(year, month, day): heads are 18 to 97; spouses of about that age; children 20 to 38 years younger."""
    head_year = REFERENCE_YEAR - 18 - draws.pick("age", family.household, _AGE_SHARES)
    # Heads of families are at least 25: their children are to be born by the reference year.
    head_year = np.where(family.size >= 3, np.minimum(head_year, REFERENCE_YEAR - 25), head_year)
    own_year = REFERENCE_YEAR - 18 - draws.pick("age", persons, _AGE_SHARES)
    born = np.where(family.twin, persons - 1, persons)
    child_year = np.minimum(head_year + 20 + draws.below("child gap", born, 19), REFERENCE_YEAR - 1)
    spouse_year = np.minimum(head_year + draws.below("spouse gap", persons, 11) - 5, REFERENCE_YEAR - 18)
    year = np.select([family.head, family.spouse, family.child], [head_year, spouse_year, child_year], own_year)
    month = 1 + draws.below("month", born, 12)
    day = 1 + draws.below("day", born, days_in_month(year, month))
    return year, month, day


def days_in_month(year: Ints, month: Ints) -> Ints:
    """(n,) 28 to 31, Gregorian."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: Ints = MONTH_DAYS[month] + (leap & (month == 2))
    return days


def ssn_numbers(persons: Ints, draws: Draws) -> Ints:
    """(n,) numbers below SSN_SPACE, different for different persons (an affine bijection)."""
    start, step = (int(draws.bits(name, np.zeros(1, dtype=np.int64))[0]) for name in ("ssn start", "ssn step"))
    step = step % 700_000_000 + 100_000_000
    while np.gcd(step, SSN_SPACE) != 1:
        step += 1
    return (persons * step + start % SSN_SPACE) % SSN_SPACE


def ssn_text(numbers: Ints) -> pl.Series:
    """AAA-GG-SSSS with a valid area (never 000, 666 or above 899)."""
    rest, serial = np.divmod(numbers, 9999)
    area, group = np.divmod(rest, 99)
    area = area + 1 + (area + 1 >= 666)
    return together(digits(area, 3, "-"), digits(group + 1, 2, "-"), digits(serial + 1, 4))


@dataclass(frozen=True, slots=True)
class Address:
    """Arrays of (n,): place and the codes of a street line."""

    place: Ints
    zip_code: Ints
    street: pl.Series


def places_of(homes: Ints, draws: Draws, words: Vocabulary) -> Ints:
    """(n,) index of the town of each home."""
    return draws.pick("place", homes, words.places.share)


def addresses_of(homes: Ints, place: Ints, draws: Draws, words: Vocabulary) -> Address:
    """Street line and postal code of each home, given its town. Equal keys have equal addresses."""
    places = words.places
    zip_code = places.zip_codes(place, draws.unit("zip", homes))
    # House numbers of two, three and four digits.
    least = np.array([10, 100, 1000])[draws.pick("house digits", homes, _HOUSE_DIGITS)]
    number = least + draws.below("house", homes, 9 * least)
    direction = draws.pick("direction", homes, _DIRECTIONS)
    unit_kind = draws.pick("unit kind", homes, _UNITS)
    unit = 1 + draws.below("unit", homes, 40)
    parts = pl.DataFrame(
        {
            "number": number,
            "direction": pl.Series(["", "N ", "S ", "E ", "W "]).gather(direction),
            "name": words.streets.gather(words.street_ranks.pick("street", homes, draws)),
            "kind": words.street_kinds.gather(draws.pick("street kind", homes, words.street_kind_shares)),
            "unit": pl.Series(["", " Apt ", " Unit ", " #"]).gather(unit_kind),
            "unit_number": pl.Series(["", *map(str, range(1, 41))]).gather(np.where(unit_kind > 0, unit, 0)),
        }
    )
    street = parts.select(
        pl.concat_str("number", pl.lit(" "), "direction", "name", pl.lit(" "), "kind", "unit", "unit_number")
    ).to_series()
    return Address(place, zip_code, street)


def phones_of(keys: Ints, place: Ints, draws: Draws, words: Vocabulary) -> pl.Series:
    """AAA-EEE-LLLL with an area code of the state."""
    places = words.places
    state = places.state_of[place]
    area = places.area_codes[state, draws.below("area", keys, places.area_count[state])]
    exchange = 200 + draws.below("exchange", keys, 800)
    line = draws.below("line", keys, 10_000)
    return together(digits(area, 3, "-"), digits(exchange, 3, "-"), digits(line, 4))


def emails_of(keys: Ints, names: Names, year: Ints, draws: Draws, words: Vocabulary) -> pl.Series:
    """One of five styles made from the name, a number where others are called the same, and a provider; lower case.

    The more persons are called so, the more have a number and the longer it is: a mailbox has one owner, nearly always.
    """
    style = draws.pick("email style", keys, _EMAIL_STYLES)
    full, first_only, last_only = _namesakes(names, words)
    plain = draws.unit("email plain", keys)
    rivals = np.choose(style, [full / 8, 0, 0, full / 200, 0])
    like_me = np.choose(style, [full, last_only, first_only, full, full])
    numbered = np.isin(style, (1, 2, 4)) | (plain >= 1 / (1 + rivals))
    number = draws.below("email number", keys, np.maximum(1000, 30 * like_me).astype(np.int64))
    parts = pl.DataFrame(
        {
            "first": words.given.gather(names.given),
            "last": words.surnames.gather(names.surname),
            "style": style,
            "number": pl.Series(number).cast(pl.String).zip_with(pl.Series(numbered), pl.Series([""])),
            "year": digits(year % 100, 2),
            "domain": words.domains.gather(draws.pick("domain", keys, words.domain_shares)),
        }
    )
    first, last, style_is = pl.col("first"), pl.col("last"), pl.col("style")
    local = (
        pl.when(style_is == 0)
        .then(pl.concat_str(first, pl.lit("."), last))
        .when(style_is == 1)
        .then(pl.concat_str(first.str.slice(0, 1), last))
        .when(style_is == 2)
        .then(pl.concat_str(first, pl.lit("_"), last.str.slice(0, 1)))
        .when(style_is == 3)
        .then(pl.concat_str(first, last, "year"))
        .otherwise(pl.concat_str(last, pl.lit("."), first))
    )
    return parts.select(pl.concat_str(local.str.to_lowercase(), "number", pl.lit("@"), "domain")).to_series()


def _namesakes(names: Names, words: Vocabulary) -> tuple[Floats, Floats, Floats]:
    """(n,) each: persons one expects of the same full name; given name and initial; initial and surname."""
    men = names.given < words.n_male
    rank = np.where(men, names.given, names.given - words.n_male)
    given = np.where(men, words.male_ranks.shares(rank), words.female_ranks.shares(rank)) / 2 * words.n_persons
    surname = words.surname_ranks.shares(names.surname)
    return given * surname, given * _INITIAL_SHARE, surname * words.n_persons * _INITIAL_SHARE

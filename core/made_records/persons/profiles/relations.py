"""Who lives with whom, who descends from whom, and whose name each bears. Everything follows from the person's number.

Persons 8k .. 8k+7 form one neighbourhood, divided into homes; later homes of it may be of a grown child of the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.made_records.draws import Draws, cumulative
from core.made_records.persons.people import (
    REFERENCE_YEAR,
    Flags,
    Ints,
    days_in_month,
)
from core.made_records.persons.profiles.rates import Rates

BLOCK = 8
# Key spaces beside the persons' own numbers, so that no two kinds of thing share a draw.
NAMESAKES, EARLIER_HOME, INSTITUTIONS, SECOND_NUMBER, MAIDEN = (kind << 40 for kind in (1, 2, 3, 4, 5))
# A town's namesakes and an institution's residents are found within so many numbers.
_NAMESAKES_SHIFT, _INSTITUTIONS_SHIFT = 9, 8

# Sizes of the homes of a neighbourhood of families, and how common each division is.
_DIVISIONS = (
    ((1,) * 8, 0.0),
    ((2, 2, 2, 2), 10.0),
    ((4, 2, 1, 1), 22.0),
    ((3, 3, 2), 18.0),
    ((4, 4), 20.0),
    ((5, 3), 14.0),
    ((6, 2), 8.0),
    ((2, 1, 1, 1, 1, 1, 1), 4.0),
    ((8,), 4.0),
)
_FAMILY_SHARES = cumulative(np.array([share for _, share in _DIVISIONS]))
_SIZE = np.array([np.repeat(sizes, sizes) for sizes, _ in _DIVISIONS])
_FIRST = np.array([np.repeat(np.cumsum(sizes) - sizes, sizes) for sizes, _ in _DIVISIONS])
_AGES = cumulative(np.repeat([7.0, 9, 9, 9, 8.5, 8, 8, 8, 8, 7.5, 6, 4.5, 3, 2, 1, 0.5], 5))
_SPOUSE_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Relations:
    """Arrays of (n,).

    home: number of its head. lone: lives with no relative there (single, room-mate, lodger). head, spouse, child:
    exactly one is true of who is not lone. line: whose surname and custom it is. named: whose given name it is.
    twin: born with the elder twin before it. generation: 1 for a son named like his father, 2 for a son of one such;
    senior: has such a son. parent_home: home whose telephone relatives share. many_homes: in a neighbourhood of
    several.
    """

    home: Ints
    size: Ints
    lone: Flags
    head: Flags
    spouse: Flags
    child: Flags
    twin: Flags
    elder_twin: Flags
    male: Flags
    line: Ints
    named: Ints
    generation: Ints
    senior: Flags
    namesake: Flags
    parent_home: Ints
    many_homes: Flags


def relations_of(persons: Ints, draws: Draws, rates: Rates) -> Relations:
    """Place persons in their homes and families. Cost: some 600 ns a person."""
    slot, base = persons % BLOCK, persons - persons % BLOCK
    division = _division(base, draws, rates)
    first, size = _FIRST[division, slot], _SIZE[division, slot]
    home, member = base + first, slot - first
    mates = (size > 1) & draws.flag("room-mates", home, rates["room-mates"])
    lodging = (size > 2) & ~mates & draws.flag("lodger", home, rates["lodger"])
    lone = mates | (size == 1) | (lodging & (member == size - 1))
    wed = (size > 1) & ~mates & draws.flag("wed", home, _SPOUSE_SHARE)
    spouse = wed & (member == 1) & ~lone
    child = ~lone & ~spouse & (member > 0)
    near = (first > 0) & ~mates & draws.flag("relatives near", home, rates["relatives near"])
    head_male, base_male = draws.flag("male", home, 0.5), draws.flag("male", base, 0.5)
    male = np.where(spouse, ~head_male, draws.flag("male", persons, 0.5))
    # The grown son called like his father has the second home of the neighbourhood.
    second = base + _SIZE[division, 0] % BLOCK
    near_second = draws.flag("relatives near", second, rates["relatives near"]) & (second > base)
    heir = near_second & base_male & draws.flag("male", second, 0.5)
    heir &= draws.flag("heir", second, 2 * rates["father and son"])
    heir &= ~((_SIZE[division, second - base] > 1) & draws.flag("room-mates", second, rates["room-mates"]))
    heir_home = heir & (home == second)
    eldest = home + 1 + wed
    has_junior = (size - lodging > 1 + wed) & ~mates & head_male & draws.flag("male", eldest, 0.5)
    has_junior &= draws.flag("father and son", home, rates["father and son"])
    junior = child & (persons == eldest) & has_junior
    head = ~lone & (member == 0)
    twins = child & draws.flag("twins", home, rates["twins"]) & (size - lodging > 2 + wed)
    namesake = lone & (size == 1) & ~near & draws.flag("namesake", persons, rates["namesake in town"])
    group = NAMESAKES + (persons >> _NAMESAKES_SHIFT)
    of_head = np.where(heir_home, base, home)
    first_of_home = member == 0
    named = np.where(junior, of_head, np.where(first_of_home, of_head, persons))
    line = np.where(near, base, home)
    own_line = lone & ~first_of_home
    return Relations(
        home=home,
        size=size,
        lone=lone,
        head=head,
        spouse=spouse,
        child=child,
        twin=twins & (persons == eldest + 1),
        elder_twin=twins & (persons == eldest),
        male=np.where(namesake, draws.flag("male", group, 0.5), male),
        line=np.where(namesake, group, np.where(own_line, persons, line)),
        named=np.where(namesake, group, named),
        generation=junior.astype(np.int64) + np.where(junior | first_of_home, heir_home, 0),
        senior=first_of_home & ((has_junior & ~heir_home) | (heir & (persons == base))),
        namesake=namesake,
        parent_home=np.where(near & draws.flag("one telephone", home, 0.5), base, home),
        many_homes=_SIZE[division, 0] < BLOCK,
    )


def _division(base: Ints, draws: Draws, rates: Rates) -> Ints:
    families = draws.flag("in families", base, rates["in families"])
    return np.where(families, draws.pick("division", base, _FAMILY_SHARES), 0)


def born(persons: Ints, kin: Relations, draws: Draws) -> tuple[Ints, Ints, Ints]:
    """(year, month, day) of birth: children 20 to 38 years after the head, grown ones of other homes too."""
    base = persons - persons % BLOCK
    base_year = np.minimum(_head_year(base, draws), np.where(kin.many_homes, REFERENCE_YEAR - 45, REFERENCE_YEAR))
    heir_year = np.minimum(base_year + 20 + draws.below("heir gap", kin.home, 19), REFERENCE_YEAR - 18)
    relative = (kin.line == base) & (kin.home != base)
    head_year = np.where(kin.home == base, base_year, np.where(relative, heir_year, _head_year(kin.home, draws)))
    head_year = np.where(kin.size > 2, np.minimum(head_year, REFERENCE_YEAR - 25), head_year)
    bearer = np.where(kin.twin, persons - 1, persons)
    child_year = np.minimum(head_year + 20 + draws.below("child gap", bearer, 19), REFERENCE_YEAR - 1)
    spouse_year = np.minimum(head_year + draws.below("spouse gap", persons, 11) - 5, REFERENCE_YEAR - 18)
    alone = np.where(persons == kin.home, head_year, _head_year(persons, draws))
    year = np.select([kin.child, kin.spouse, kin.head], [child_year, spouse_year, head_year], alone)
    month = 1 + draws.below("month", bearer, 12)
    day = 1 + draws.below("day", bearer, days_in_month(year, month))
    return year, month, day


def _head_year(homes: Ints, draws: Draws) -> Ints:
    year: Ints = REFERENCE_YEAR - 18 - draws.pick("age", homes, _AGES)
    return year


def institution_of(persons: Ints, year: Ints, kin: Relations, draws: Draws, rates: Rates) -> Ints:
    """(n,) number of the care home (from 75 years on), dormitory (below 25) or office by which somebody is known.

    -1: none. Of children none.
    """
    age = REFERENCE_YEAR - year
    known = ~kin.child & draws.flag("institution", persons, rates["institution"])
    kind = np.where(age >= 75, 0, np.where(age < 25, 1, 2))
    return np.where(known, INSTITUTIONS + ((persons >> _INSTITUTIONS_SHIFT) * 3 + kind), -1)

"""Persons of a profile as they are, before any clerk writes them down."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from core.made_records.draws import Draws, cumulative
from core.made_records.persons import people
from core.made_records.persons.people import Flags, Ints
from core.made_records.persons.profiles import customs as of
from core.made_records.persons.profiles.customs import NameTables, name_tables
from core.made_records.persons.profiles.rates import MIXES, Rates, drawn_rates
from core.made_records.persons.profiles.relations import (
    MAIDEN,
    Relations,
    born,
    institution_of,
    relations_of,
)
from core.made_records.persons.words.vocabulary import Vocabulary

# In these customs a wife keeps her own name.
_KEEPS_NAME = np.isin(np.arange(8), (of.SPANISH, of.CHINESE, of.ARABIC))
_TWO_SURNAMES = np.isin(np.arange(8), (of.SPANISH, of.PORTUGUESE))
_NO_MIDDLE = np.isin(np.arange(8), (of.CHINESE, of.SPANISH, of.SLAVIC))


@dataclass(frozen=True, slots=True)
class World:
    """What all chunks of one data set share."""

    draws: Draws
    words: Vocabulary
    names: NameTables
    rates: Rates
    mix: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Persons:
    """(n,) each. given, middle, surname, second, maiden: codes into `NameTables`, middle and second -1 without one.

    second: a further surname that belongs to the name. maiden: what a renamed person was called before, else the
    surname. institution: -1 without one. twin: 1 the elder, 2 the younger.
    """

    numbers: Ints
    home: Ints
    parent_home: Ints
    town: Ints
    institution: Ints
    custom: Ints
    male: Flags
    given: Ints
    middle: Ints
    surname: Ints
    second: Ints
    maiden: Ints
    head_given: Ints
    generation: Ints
    senior: Flags
    twin: Ints
    newborn: Flags
    year: Ints
    month: Ints
    day: Ints

    def of(self, rows: Ints) -> Self:
        """Only those rows."""
        return type(self)(*(getattr(self, name.name)[rows] for name in fields(self)))


def world_of(profile: str, draws: Draws, words: Vocabulary) -> World:
    """The world of one data set. Cost: 50 ms, and a copy of the vocabulary's names."""
    return World(draws, words, name_tables(words), drawn_rates(profile, draws.seed), MIXES[profile])


def persons_of(numbers: Ints, world: World) -> Persons:
    """Persons by their numbers. Cost: some 3 us each."""
    draws, words, names, rates = world.draws, world.words, world.names, world.rates
    kin = relations_of(numbers, draws, rates)
    mix = cumulative(np.array(world.mix))
    custom = draws.pick("custom", kin.line, mix)
    year, month, day = born(numbers, kin, draws)
    given = _given(numbers, kin, custom, world)
    surname, maiden = _surnames(numbers, kin, custom, world)
    middle = names.given(kin.named + MAIDEN, kin.male, custom, draws, words)
    # A son who has his father's first name has his second one in half of the cases only.
    differs = (kin.generation > 0) & draws.flag("middle of his own", numbers, 0.5)
    own = np.flatnonzero(differs)
    middle[own] = names.given(numbers[own] + MAIDEN, kin.male[own], custom[own], draws, words)
    has_middle = draws.flag("middle name", numbers, rates["middle name"]) & ~_NO_MIDDLE[custom]
    january = draws.flag("born 1 January", numbers, rates["born 1 January"])
    group = np.where(kin.namesake, kin.line, kin.parent_home)
    head_male = draws.flag("male", kin.home, 0.5)
    return Persons(
        numbers=numbers,
        home=kin.home,
        parent_home=kin.parent_home,
        town=group,
        institution=institution_of(numbers, year, kin, draws, rates),
        custom=custom,
        male=kin.male,
        given=given,
        middle=np.where(has_middle, middle, -1),
        surname=surname,
        second=_second(numbers, kin, custom, world),
        maiden=maiden,
        head_given=names.given(kin.home, head_male, custom, draws, words),
        generation=kin.generation,
        senior=kin.senior,
        twin=kin.elder_twin + 2 * kin.twin,
        newborn=kin.child & (year >= people.REFERENCE_YEAR - 1),
        year=year,
        month=np.where(january, 1, month),
        day=np.where(january, 1, day),
    )


def _given(numbers: Ints, kin: Relations, custom: Ints, world: World) -> Ints:
    draws, words, names = world.draws, world.words, world.names
    given = names.given(kin.named, kin.male, custom, draws, words)
    rows = np.flatnonzero(kin.twin)
    elder = numbers[rows] - 1
    other = names.given(elder, draws.flag("male", elder, 0.5), custom[rows], draws, words)
    # Twins of one sex must not be namesakes: the name before or behind it in the table then.
    table = np.where(kin.male[rows], 0, 1)
    last = names.start[table, custom[rows]] + names.size[table, custom[rows]] - 1
    given[rows] += np.where(given[rows] == other, np.where(given[rows] == last, -1, 1), 0)
    return given


def _surnames(numbers: Ints, kin: Relations, custom: Ints, world: World) -> tuple[Ints, Ints]:
    """(surname today, surname before), both in the form of the person's sex."""
    draws, words, names, rates = world.draws, world.words, world.names, world.rates
    renamed = kin.spouse & ~_KEEPS_NAME[custom] & draws.flag("spouse renamed", numbers, rates["spouse renamed"])
    remarried = ~kin.child & ~kin.male & ~renamed & draws.flag("remarried", numbers, rates["remarried"])
    own_line = np.where(kin.spouse & ~renamed, numbers + MAIDEN, kin.line)
    surname = names.surname(own_line, custom, draws, words)
    maiden = surname.copy()
    rows = np.flatnonzero(renamed | remarried)
    maiden[rows] = names.surname(numbers[rows] + MAIDEN, custom[rows], draws, words)
    women = ~kin.male
    return np.where(women, names.feminine[surname], surname), np.where(women, names.feminine[maiden], maiden)


def _second(numbers: Ints, kin: Relations, custom: Ints, world: World) -> Ints:
    """(n,) the second surname: a child's is the mother's, of one home the same one."""
    draws, names = world.draws, world.names
    bearer = np.where(kin.child, kin.home + 1, numbers) + MAIDEN
    second = names.surname(bearer, custom, draws, world.words)
    both = draws.flag("two surnames", bearer, world.rates["two surnames"]) & ~kin.spouse
    has = _TWO_SURNAMES[custom] | (both & (custom != of.CHINESE))
    return np.where(has, np.where(kin.male, second, names.feminine[second]), -1)

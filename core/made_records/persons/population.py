"""Who stands in which row: originals and duplicates in a random order, without a table of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.made_records.draws import Draws
from core.made_records.persons.people import Ints
from core.made_records.persons.profiles import PLAIN, PROFILES
from core.made_records.persons.profiles.persons import World, world_of
from core.made_records.persons.words.vocabulary import Vocabulary, build_vocabulary

DUPLICATES_MAX = 0.8
ROWS_MAX = 500_000_000
COPIES_MAX = 5
# of the persons who have copies, how many have 1 to 5
_COPIES_SHARES = np.array([0.75, 0.15, 0.06, 0.03, 0.01])
_COPIES_MEAN = 1.40


@dataclass(frozen=True, slots=True)
class Population:
    """Which record stands where. n_rows = n_persons + n_copies.

    Persons stand in a random order; the first `having[5]` of it have five copies each, the next `having[4]` four, and
    so on. having: (6,) persons by the number of their copies. world: what a profile other than plain needs.
    """

    n_rows: int
    n_persons: int
    having: Ints
    draws: Draws
    words: Vocabulary
    world: World | None = None

    @property
    def n_copies(self) -> int:
        """Rows that are duplicates of another."""
        return self.n_rows - self.n_persons

    def records_at(self, rows: Ints) -> tuple[Ints, Ints]:
        """(person, copy) of each row: (n,) each; copy 0 is the original. Cost: some 200 ns a row."""
        person = self.draws.shuffled("order", rows, self.n_rows)
        copy = np.zeros(len(rows), dtype=np.int64)
        is_copy = person >= self.n_persons
        owner, copy[is_copy] = self._copies(person[is_copy] - self.n_persons)
        person[is_copy] = self.draws.shuffled("owner", owner, self.n_persons)
        return person, copy

    def _copies(self, numbers: Ints) -> tuple[Ints, Ints]:
        """(place of the owner in the order of persons, 1 to 5) of the copies with these numbers."""
        size = np.arange(COPIES_MAX, 0, -1)
        persons = self.having[size]
        first_person = np.cumsum(persons) - persons
        last_copy = np.cumsum(persons * size)
        group = np.searchsorted(last_copy, numbers, side="right")
        nth, copy = np.divmod(numbers - (last_copy - persons * size)[group], size[group])
        return first_person[group] + nth, copy + 1


def plan_population(rows: int, seed: int, duplicates: float, profile: str = PLAIN) -> Population:
    """Decide how many persons there are, what they are called by, and how many have how many copies.

    Args:
        rows: records in all, at least 1.
        duplicates: share of the rows that are copies of another row, 0 to 0.8.
        profile: what the people are like, one of `PROFILES`.
    Raises:
        ConfigError: out of range, or no such profile.
    Cost: that of `build_vocabulary`.
    """
    if not 1 <= rows <= ROWS_MAX:
        raise ConfigError(f"--rows must be 1 to {ROWS_MAX:,}, not {rows:,}", option="rows", got=rows)
    if not 0 <= duplicates <= DUPLICATES_MAX:
        raise ConfigError(f"--duplicates must be 0 to {DUPLICATES_MAX}, not {duplicates}", option="duplicates")
    if profile not in PROFILES:
        raise ConfigError(
            f"--profile {profile}: there is no such profile; there are {', '.join(PROFILES)}",
            option="profile",
            got=profile,
        )
    n_copies = min(round(rows * duplicates), rows * COPIES_MAX // (COPIES_MAX + 1))
    n_persons = rows - n_copies
    draws, words = Draws(seed), build_vocabulary(n_persons)
    return Population(
        n_rows=rows,
        n_persons=n_persons,
        having=_persons_having(n_persons, n_copies),
        draws=draws,
        words=words,
        world=None if profile == PLAIN else world_of(profile, draws, words),
    )


def _persons_having(n_persons: int, n_copies: int) -> Ints:
    """(6,) persons with 0 to 5 copies: n_persons in all, with exactly n_copies, n_copies <= 5 n_persons.

    If that needs more copies a person than usual, the shares of 1 to 5 lean towards the greater numbers.
    """
    n_copied = min(n_persons, round(n_copies / _COPIES_MEAN))
    shares = _leaning(n_copies / n_copied) if n_copied else _COPIES_SHARES
    having = np.concatenate(([0], np.floor(shares * n_copied))).astype(np.int64)
    having[0] = n_persons - having.sum()
    counts = np.arange(COPIES_MAX + 1)
    # Rounding leaves a few copies over or short: persons move to the next number, from where most of them are.
    while gap := n_copies - int(having @ counts):
        able = having[:-1] if gap > 0 else having[1:]
        source = int(np.argmax(able)) + (gap < 0)
        having[source] -= 1
        having[source + (1 if gap > 0 else -1)] += 1
    return having


def _leaning(mean: float) -> NDArray[np.float64]:
    """Shares of 1 to 5 copies with the given mean (1.4 to 5): the usual ones times a power of the number's base."""
    counts = np.arange(1, COPIES_MAX + 1)
    low, high = 1.0, 1e6
    shares: NDArray[np.float64] = _COPIES_SHARES
    for _ in range(80):
        base = (low * high) ** 0.5
        shares = _COPIES_SHARES * base ** (counts - 1.0)
        shares /= shares.sum()
        low, high = (base, high) if shares @ counts < mean else (low, base)
    return shares

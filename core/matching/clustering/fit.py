"""Whether records of two groups fit each other, by the scores of all pairs across, compared before or not.

Two groups do not fit where the mean score of the pairs across is 0 or less, or where one of them is below
`MISFIT_BITS`. Records that people joined count as one: of the scores of such records with another one the best is that
of each. Scores that a kernel misses count as a fit and are wanted: whoever calls it weighs them and calls again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.hashing import splitmix

MISFIT_BITS = -8.0
# Of a larger group so many records are drawn.
ACROSS_MAX = 32
# Of components up to this size all pairs are weighed before anything is asked.
WHOLE_MAX = 64


class Scores(NamedTuple):
    """Pairs, (2, e) ends, and their scores; accepted ones in falling order."""

    ends: NDArray[np.uint32]
    bits: NDArray[np.float64]


class People(NamedTuple):
    """What is known of n records: scores of pairs as those of each row with later ones, ascending."""

    starts: NDArray[np.int64]  # (n + 1,)
    others: NDArray[np.uint32]
    bits: NDArray[np.float64]
    hashes: NDArray[np.uint64]  # (n,) of what each record says
    decided: NDArray[np.uint32]  # (n,) the first of the records that people made one with it; empty: nobody did
    members: NDArray[np.uint32]  # (2, ACROSS_MAX) scratch: rows of both sides of a crossing
    across: NDArray[np.float64]  # (ACROSS_MAX, ACROSS_MAX) scratch: their scores
    wanted: NDArray[np.uint32]  # (2, .) pairs whose scores were missed
    n_wanted: NDArray[np.int64]  # (1,) how many of them
    missed: float  # what a missed score counts as


def people_of(scores: Scores, hashes: NDArray[np.uint64], decided: NDArray[np.uint32], room: int) -> People:
    """Lay out scores; the left end of each pair is the smaller. room: for pairs that are missed."""
    ends, bits = scores
    order = np.lexsort((ends[1], ends[0]))
    return People(
        starts=np.searchsorted(ends[0, order], np.arange(len(hashes) + 1)).astype(np.int64),
        others=ends[1, order],
        bits=bits[order],
        hashes=hashes,
        decided=decided,
        members=np.zeros((2, ACROSS_MAX), dtype=np.uint32),
        across=np.zeros((ACROSS_MAX, ACROSS_MAX), dtype=np.float64),
        wanted=np.zeros((2, room), dtype=np.uint32),
        n_wanted=np.zeros(1, dtype=np.int64),
        missed=1.0,
    )


@kernel
def known_bits(people: People, a: np.uint32, b: np.uint32) -> float:
    """Score of a pair; NaN where it is not known."""
    first, second = min(a, b), max(a, b)
    low, high = people.starts[first], people.starts[first + 1]
    while low < high:
        middle = (low + high) // 2
        if people.others[middle] < second:
            low = middle + 1
        else:
            high = middle
    if low < people.starts[first + 1] and people.others[low] == second:
        return float(people.bits[low])
    return float(np.nan)


@kernel
def pairs_unknown(order: NDArray[np.uint32], parts: NDArray[np.uint32], people: People) -> NDArray[np.uint32]:
    """(2, k) pairs of components of at most WHOLE_MAX rows whose scores are not known.

    order (n,): rows by component, those of each ascending. parts (n,): the component of each row.
    """
    found, n_found = np.empty((2, 1024), dtype=np.uint32), 0
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and parts[order[stop]] == parts[order[start]]:
            stop += 1
        if stop - start <= WHOLE_MAX:
            found = with_room(found, n_found + WHOLE_MAX * WHOLE_MAX)
            n_found = list_unknown(order[start:stop], people, found, n_found)
        start = stop
    return found[:, :n_found].copy()


@kernel
def with_room(pairs: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
    """The same pairs (2, .) with room for so many; copied to twice as much where there is none."""
    if size <= pairs.shape[1]:
        return pairs
    larger = np.empty((2, 2 * size), dtype=np.uint32)
    # One by one: for slices numba compiles what words its errors.
    for at in range(pairs.shape[1]):
        larger[0, at], larger[1, at] = pairs[0, at], pairs[1, at]
    return larger


@kernel
def list_unknown(rows: NDArray[np.uint32], people: People, found: NDArray[np.uint32], n_found: int) -> int:
    """Append the pairs of some rows (ascending) whose scores are not known; how many there are then."""
    for first in range(len(rows)):
        for second in range(first + 1, len(rows)):
            if np.isnan(known_bits(people, rows[first], rows[second])):
                found[0, n_found], found[1, n_found] = rows[first], rows[second]
                n_found += 1
    return n_found


@kernel
def arrange_ties(ends: NDArray[np.uint32], bits: NDArray[np.float64], hashes: NDArray[np.uint64]) -> None:
    """Put edges (2, e) of one weight (e,) in the order of a hash of what their two records say."""
    low = np.uint64(0xFFFFFFFF)
    start = 0
    while start < len(bits):
        stop = start + 1
        while stop < len(bits) and bits[stop] == bits[start]:
            stop += 1
        if stop > start + 1:
            keys, tied = np.empty(stop - start, dtype=np.uint64), ends[:, start:stop].copy()
            for at in range(stop - start):
                both = splitmix(hashes[tied[0, at]] + hashes[tied[1, at]])
                keys[at] = (both & ~low) | np.uint64(at)
            keys.sort()
            for at in range(stop - start):
                place = np.int64(keys[at] & low)
                ends[0, start + at], ends[1, start + at] = tied[0, place], tied[1, place]
        start = stop


@kernel
def draw_ring(first: np.uint32, following: NDArray[np.uint32], people: People, side: int) -> int:
    """Note the members of a ring for a crossing, of many those whose records have the least hashes; how many."""
    members = people.members[side]
    n_members, row = 0, first
    while True:
        if n_members < ACROSS_MAX:
            members[n_members] = row
        n_members += 1
        row = following[row]
        if row == first:
            break
    if n_members <= ACROSS_MAX:
        return n_members
    n_drawn = 0
    for _ in range(n_members):
        at = n_drawn
        while at > 0 and people.hashes[members[at - 1]] > people.hashes[row]:
            if at < ACROSS_MAX:
                members[at] = members[at - 1]
            at -= 1
        if at < ACROSS_MAX:
            members[at] = row
            n_drawn = min(n_drawn + 1, ACROSS_MAX)
        row = following[row]
    return n_drawn


@kernel
def look_across(people: People, n_left: int, n_right: int) -> float:
    """Set the scores of the members noted, those that are missed as NaN; returns the lowest that is known."""
    lowest = np.inf
    for left in range(n_left):
        for right in range(n_right):
            bits = known_bits(people, people.members[0, left], people.members[1, right])
            people.across[left, right] = bits
            lowest = min(lowest, bits)
    return lowest


@kernel
def want_missed(people: People, n_left: int, n_right: int) -> None:
    """Note the pairs of a crossing whose scores are missed, as long as there is room."""
    for place in range(n_left * n_right):
        left, right = place // n_right, place % n_right
        if not np.isnan(people.across[left, right]):
            continue
        people.across[left, right] = people.missed
        at = people.n_wanted[0]
        if at < people.wanted.shape[1]:
            a, b = people.members[0, left], people.members[1, right]
            people.wanted[0, at], people.wanted[1, at] = min(a, b), max(a, b)
            people.n_wanted[0] += 1


@kernel
def share_best(bits: NDArray[np.float64], members: NDArray[np.uint32], decided: NDArray[np.uint32]) -> None:
    """Give rows of members that people joined the best bits of them all, column by column."""
    for at in range(len(members)):
        for other in range(at):
            if decided[members[other]] == decided[members[at]]:
                bits[other] = np.maximum(bits[other], bits[at])
                break
    for at in range(len(members)):
        for other in range(at):
            if decided[members[other]] == decided[members[at]]:
                bits[at] = bits[other]
                break


@kernel
def fit(people: People, n_left: int, n_right: int) -> bool:
    """Whether the members noted fit each other."""
    lowest = look_across(people, n_left, n_right)
    if lowest < MISFIT_BITS and len(people.decided) == 0:
        return False
    want_missed(people, n_left, n_right)
    bits = people.across[:n_left, :n_right]
    if len(people.decided) > 0:
        share_best(bits, people.members[0, :n_left], people.decided)
        share_best(bits.T, people.members[1, :n_right], people.decided)
    total = 0.0
    for left in range(n_left):
        for right in range(n_right):
            if bits[left, right] < MISFIT_BITS:
                return False
            total += bits[left, right]
    return total > 0.0


@kernel
def lowest_pair(people: People, n_left: int, n_right: int) -> tuple[np.uint32, np.uint32]:
    """The two members noted that fit least of those whose score is known, people's decisions aside."""
    look_across(people, n_left, n_right)
    lowest, one, other = np.inf, 0, 0
    for left in range(n_left):
        for right in range(n_right):
            if people.across[left, right] < lowest:
                lowest, one, other = people.across[left, right], left, right
    return people.members[0, one], people.members[1, other]

"""128-bit keys, (n, 2) u64 that ascend by their first number, then by their second: numbered, and looked up.

Keys are hashes: their leading bits are as good as random, and two keys that share the first number are next to unheard
of. Both are relied on for speed, neither for the result.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel

ABSENT = 0
"""Place, counted from 1, of a key that is not there."""
SLOTS_MIN = 16


def number_keys(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Number equal keys alike, in ascending order.

    Returns:
        (m, 2) the distinct keys, ascending; (n,) number of each key among them, from 1.
    Cost: one sort of 8 bytes a key; 12 bytes a key beside the result.
    """
    order = pl.Series(keys[:, 0]).arg_sort().to_numpy(writable=True)
    settle_ties(keys, order)
    numbers = np.empty(len(keys), dtype=np.uint32)
    firsts = np.empty(len(keys), dtype=np.uint32)
    n_distinct = number_in_order(keys, order, numbers, firsts)
    return keys[firsts[:n_distinct]], numbers


@kernel
def settle_ties(keys: NDArray[np.uint64], order: NDArray[np.uint32]) -> None:
    """Bring keys that share the first number, which stand together, into the order of their second."""
    for at in range(1, len(order)):
        mine, place = order[at], at
        high, low = keys[mine, 0], keys[mine, 1]
        while place > 0 and keys[order[place - 1], 0] == high and keys[order[place - 1], 1] > low:
            order[place] = order[place - 1]
            place -= 1
        order[place] = mine


@kernel
def number_in_order(
    keys: NDArray[np.uint64], order: NDArray[np.uint32], numbers: NDArray[np.uint32], firsts: NDArray[np.uint32]
) -> int:
    """Fill numbers (n,) from 1, and where the first key of each number stands; returns how many there are."""
    n_distinct = 0
    for at in range(len(order)):
        mine = order[at]
        if at == 0 or keys[mine, 0] != keys[order[at - 1], 0] or keys[mine, 1] != keys[order[at - 1], 1]:
            firsts[n_distinct] = mine
            n_distinct += 1
        numbers[mine] = n_distinct
    return n_distinct


def find_keys(wanted: NDArray[np.uint64], known: NDArray[np.uint64], threads: int = 1) -> NDArray[np.uint32]:
    """Place of each wanted key among the known ones, from 1; ABSENT where it is none of them.

    Args:
        known: of equal ones, the first is found.
    Cost: a table of 6 to 12 bytes a known key; 0.1 us a key.
    """
    bits = max(int(3 * len(known) // 2).bit_length(), SLOTS_MIN.bit_length())
    slots = np.zeros(1 << bits, dtype=np.uint32)
    shift = np.uint64(64 - bits)
    enter_keys(known, shift, slots)
    out = np.empty(len(wanted), dtype=np.uint32)
    cuts = np.linspace(0, len(wanted), threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for done in [
            pool.submit(look_keys_up, wanted[lo:hi], known, shift, slots, out[lo:hi])
            for lo, hi in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        ]:
            done.result()
    return out


@kernel
def enter_keys(known: NDArray[np.uint64], shift: np.uint64, slots: NDArray[np.uint32]) -> None:
    """Put the place of each key, from 1, into the first free slot at or after its leading bits."""
    last = len(slots) - 1
    for at in range(len(known)):
        slot = np.int64(known[at, 0] >> shift)
        while slots[slot] != ABSENT and not same_key(known, np.int64(slots[slot]) - 1, known, at):
            slot = (slot + 1) & last
        if slots[slot] == ABSENT:
            slots[slot] = at + 1


@kernel
def look_keys_up(
    wanted: NDArray[np.uint64],
    known: NDArray[np.uint64],
    shift: np.uint64,
    slots: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """Fill out (n,) with places from 1, or ABSENT."""
    last = len(slots) - 1
    for at in range(len(wanted)):
        slot = np.int64(wanted[at, 0] >> shift)
        while slots[slot] != ABSENT and not same_key(known, np.int64(slots[slot]) - 1, wanted, at):
            slot = (slot + 1) & last
        out[at] = slots[slot]


@kernel
def same_key(keys: NDArray[np.uint64], place: int, others: NDArray[np.uint64], at: int) -> bool:
    """Whether two keys are equal in both numbers."""
    return bool(keys[place, 0] == others[at, 0] and keys[place, 1] == others[at, 1])

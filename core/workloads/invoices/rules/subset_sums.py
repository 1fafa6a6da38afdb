"""Which subsets of amounts add up to a sum: counted to a few, and exact.

Sets of up to four members are found by walking the sorted amounts from both ends; all subsets of up to forty by merging
the sorted sums of two halves (Horowitz & Sahni (1974), JACM 21:277).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel

Amounts = NDArray[np.int64]
Window = tuple[int, int]

FEW: Final = 4
HALVES_MOST: Final = 40
"""Amounts of which all subsets are looked at: two times 2**20 sums, 17 MB."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Subsets that fit.

    count: how many, but no more than were asked for. masks: of each, bit i set where amount i is a member.
    exact: whether all subsets of the sizes asked for were looked at (or enough of them found).
    """

    count: int
    masks: tuple[int, ...]
    exact: bool


def subset_sums(amounts: NDArray[np.int64], lo: int, hi: int, most_items: int, most: int = 2) -> Sums:
    """Count the subsets of one to `most_items` amounts whose sum lies in [lo, hi].

    Args:
        amounts: (n,) minor units, of any sign, |x| < 2**53.
        most: counted no further, and so many are given.
    Returns:
        smaller sets first where most_items <= 4. Of more than 40 amounts only sets of up to four are looked at.
    Cost: up to 4 of 40: 0.2 ms; up to 3 of 5,000: some 20 ms; all subsets of 24: 0.2 ms, of 40: 0.1 s.
    """
    order = np.argsort(amounts, kind="stable")
    ascending = np.ascontiguousarray(amounts[order], dtype=np.int64)
    few = most_items <= FEW or len(amounts) > HALVES_MOST
    if few:
        found = np.zeros((most, FEW), dtype=np.int64)
        sizes = np.zeros(most, dtype=np.int64)
        count = find_few(ascending, (lo, hi), min(most_items, FEW), found, sizes)
        chosen: Sequence[Sequence[int]] = [found[row, : sizes[row]].tolist() for row in range(count)]
    else:
        masks = np.zeros(most, dtype=np.uint64)
        count = find_any(ascending, (lo, hi), most_items, masks)
        chosen = [[bit for bit in range(len(ascending)) if int(mask) >> bit & 1] for mask in masks[:count]]
    exact = count == most or most_items <= FEW or not few or len(amounts) <= FEW
    return Sums(count, tuple(sum(1 << int(order[place]) for place in places) for places in chosen), exact)


@kernel
def find_few(amounts: Amounts, window: Window, most_items: int, found: Amounts, sizes: Amounts) -> int:
    """Find sets of 1 to `most_items` (at most 4) amounts with a sum in the window; returns how many, saturating.

    Args:
        amounts: (n,) int64 ascending. window: (lo, hi).
        found: (most, 4) int64, filled with places in `amounts`; sizes: (most,) int64.
    """
    count = 0
    for size in range(1, most_items + 1):
        before = count
        count = _find_size(amounts, window, size, found, count)
        sizes[before:count] = size
        if count == len(found):
            return count
    return count


@kernel
def _find_size(amounts: Amounts, window: Window, size: int, found: Amounts, count: int) -> int:
    """Find sets of exactly `size` amounts, after the first `count` that are found."""
    n = len(amounts)
    if size == 1:
        first = int(np.searchsorted(amounts, window[0]))
        for place in range(first, n):
            if amounts[place] > window[1] or count == len(found):
                return count
            found[count, 0] = place
            count += 1
        return count
    fixed = np.zeros(size - 2, dtype=np.int64)
    if size == 2:
        return _find_pairs(amounts, window, 0, fixed, found, count)
    for first in range(n - size + 1):
        fixed[0] = first
        rest = (window[0] - amounts[first], window[1] - amounts[first])
        if size == 3:
            count = _find_pairs(amounts, rest, first + 1, fixed, found, count)
        else:
            count = _find_triples(amounts, rest, first + 1, fixed, found, count)
        if count == len(found):
            return count
    return count


@kernel
def _find_triples(amounts: Amounts, window: Window, start: int, fixed: Amounts, found: Amounts, count: int) -> int:
    """Find sets of three from place `start` on, beside the one that is fixed."""
    n = len(amounts)
    for second in range(start, n - 2):
        fixed[1] = second
        lo, hi = window[0] - amounts[second], window[1] - amounts[second]
        # The largest and the smallest two of the rest bound what can still be reached.
        if amounts[n - 1] + amounts[n - 2] < lo or amounts[second + 1] + amounts[second + 2] > hi:
            continue
        count = _find_pairs(amounts, (lo, hi), second + 1, fixed, found, count)
        if count == len(found):
            return count
    return count


@kernel
def _find_pairs(amounts: Amounts, window: Window, start: int, fixed: Amounts, found: Amounts, count: int) -> int:
    """Find pairs from place `start` on, beside those that are fixed."""
    low = high = len(amounts)
    for first in range(start, len(amounts) - 1):
        while low > start and amounts[low - 1] >= window[0] - amounts[first]:
            low -= 1
        while high > start and amounts[high - 1] > window[1] - amounts[first]:
            high -= 1
        for second in range(max(low, first + 1), high):
            if count == len(found):
                return count
            found[count, : len(fixed)] = fixed
            found[count, len(fixed)] = first
            found[count, len(fixed) + 1] = second
            count += 1
    return count


@kernel
def find_any(amounts: Amounts, window: Window, most_items: int, masks: NDArray[np.uint64]) -> int:
    """Find non-empty subsets of up to `most_items` amounts with a sum in the window; returns how many, saturating.

    Args:
        amounts: (n <= 40,) int64. window: (lo, hi). masks: (most,) uint64, filled: bit i for amounts[i].
    """
    middle = len(amounts) // 2
    left, left_masks = _sorted_sums(amounts[:middle], 0)
    right, right_masks = _sorted_sums(amounts[middle:], middle)
    low = high = len(right)
    count = 0
    for place in range(len(left)):
        while low > 0 and right[low - 1] >= window[0] - left[place]:
            low -= 1
        while high > 0 and right[high - 1] > window[1] - left[place]:
            high -= 1
        for other in range(low, high):
            mask = left_masks[place] | right_masks[other]
            if count < len(masks) and 0 < _n_bits(mask) <= most_items:
                masks[count] = mask
                count += 1
        if count == len(masks):
            return count
    return count


@kernel
def _sorted_sums(amounts: Amounts, shift: int) -> tuple[Amounts, NDArray[np.uint64]]:
    """Sums of all subsets in ascending order, and of each the members' bits, from bit `shift` on."""
    sums, masks = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint64)
    for place in range(len(amounts)):
        n, amount, bit = len(sums), amounts[place], np.uint64(1) << np.uint64(place + shift)
        more, more_masks = np.empty(2 * n, dtype=np.int64), np.empty(2 * n, dtype=np.uint64)
        without = with_it = 0
        for at in range(2 * n):
            if with_it == n or (without < n and sums[without] <= sums[with_it] + amount):
                more[at], more_masks[at] = sums[without], masks[without]
                without += 1
            else:
                more[at], more_masks[at] = sums[with_it] + amount, masks[with_it] | bit
                with_it += 1
        sums, masks = more, more_masks
    return sums, masks


@kernel
def _n_bits(mask: np.uint64) -> int:
    """How many bits are set."""
    count = 0
    while mask:
        mask &= mask - np.uint64(1)
        count += 1
    return count

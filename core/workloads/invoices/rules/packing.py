"""Compatible choices of explanations: kernels that find the best one, and add up the weights of all.

A component is a few receipts that want the same items. Each has alternatives, the best first; one is "something else",
which takes no items. Weights are shares of each receipt's own, so a choice weighs their product.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.workloads.invoices.rules.explanations import Integers

NODES_MOST: Final = 200_000
LOST_SHARE: Final = 1e-7
"""Choices that weigh less than this share of the best are not added up."""

Floats = NDArray[np.float64]


class Choices(NamedTuple):
    """Alternatives of all receipts, by component.

    components: (n + 1,) first receipt of each. receipts: (n + 1,) first alternative of each. weight: (n,) in [0, 1],
    falling within a receipt. starts: (n + 1,) first of `item` and `taken`: what an alternative takes of which item.
    room: (n_items,) what may be taken, changed and restored.
    """

    components: Integers
    receipts: Integers
    weight: Floats
    starts: Integers
    item: Integers
    taken: Integers
    room: Integers


class Totals(NamedTuple):
    """Filled: share (n,) of each alternative in all compatible choices; exact (n_components,) whether all were seen."""

    share: Floats
    exact: NDArray[np.bool_]


@kernel
def add_up(choices: Choices, totals: Totals) -> None:
    """Fill the totals of each component."""
    for component in range(len(choices.components) - 1):
        lo, hi = choices.components[component], choices.components[component + 1]
        suffix = np.ones(hi - lo + 1)
        for depth in range(hi - lo - 1, -1, -1):
            suffix[depth] = suffix[depth + 1] * choices.weight[choices.receipts[lo + depth]]
        best, seen_best = _walk(choices, (lo, hi), (0.0, True), suffix, totals.share)
        _, seen_all = _walk(choices, (lo, hi), (best * LOST_SHARE, False), suffix, totals.share)
        totals.exact[component] = seen_best and seen_all and best > 0.0
        for receipt in range(lo, hi):
            _normalise(totals.share[choices.receipts[receipt] : choices.receipts[receipt + 1]])


@kernel
def _normalise(share: Floats) -> None:
    total = share.sum()
    if total > 0.0:
        share /= total


@kernel
def _walk(
    choices: Choices, span: tuple[int, int], wanted: tuple[float, bool], suffix: Floats, share: Floats
) -> tuple[float, bool]:
    """Go through the compatible choices depth first.

    Args:
        span: receipts from and to. wanted: least weight of a choice, and whether to look for the best only.
        suffix: (n + 1,) product of the largest weights from each receipt on. share: gets the weight of each choice.
    Returns:
        the weight of the best choice, and whether all were seen.
    """
    lo, hi = span
    least, best_only = wanted
    n = hi - lo
    chosen = np.full(n, -1, dtype=np.int64)
    product = np.ones(n + 1)
    depth, nodes, best = 0, 0, 0.0
    while depth >= 0:
        first, end = choices.receipts[lo + depth], choices.receipts[lo + depth + 1]
        if chosen[depth] >= 0:
            _take(choices, chosen[depth], -1)
            chosen[depth] += 1
        else:
            chosen[depth] = first
        nodes += 1
        floor = max(least, best) if best_only else least
        at = _next_fit(choices, (chosen[depth], end), floor / max(product[depth] * suffix[depth + 1], 1e-300))
        if at == end or nodes > NODES_MOST:
            chosen[depth] = -1
            depth -= 1
            continue
        chosen[depth] = at
        _take(choices, at, 1)
        product[depth + 1] = product[depth] * choices.weight[at]
        if depth + 1 < n:
            depth += 1
            continue
        best = max(best, product[n])
        if not best_only:
            for receipt in range(n):
                share[chosen[receipt]] += product[n]
    return best, nodes <= NODES_MOST


@kernel
def _next_fit(choices: Choices, span: tuple[int, int], least: float) -> int:
    """The next alternative of a receipt that there is room for and that weighs more than `least`; else the end."""
    for at in range(span[0], span[1]):
        if choices.weight[at] <= least:
            return span[1]
        fits = True
        for place in range(choices.starts[at], choices.starts[at + 1]):
            fits &= choices.taken[place] <= choices.room[choices.item[place]]
        if fits:
            return at
    return span[1]


@kernel
def _take(choices: Choices, at: int, sign: int) -> None:
    for place in range(choices.starts[at], choices.starts[at + 1]):
        choices.room[choices.item[place]] -= sign * choices.taken[place]

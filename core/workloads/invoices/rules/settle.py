"""One answer for all receipts together: an item is paid once, a receipt spent once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.workloads.invoices.rules.block import Block
from core.workloads.invoices.rules.explanations import DISCOUNT_LATE, INSTALMENT, PART, PART_KINDS, SHORT, Integers
from core.workloads.invoices.rules.packing import Choices, Totals, add_up
from core.workloads.invoices.rules.propose import Explanations
from core.workloads.invoices.rules.train import Model, normalise, weigh

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEAST_SHARE, LEAST_SHARE_LARGE = 2.0**-14, 2.0**-9
"""Explanations of a smaller share of their receipt count as something else; the second, where components are large."""
SURE_SHARE: Final = 0.99
EQUAL_CLAIM_MIN: Final = 0.9
EQUAL_CLAIM_SHARE: Final = 2.0**-16


@dataclass(frozen=True, slots=True)
class Settlement:
    """explanations: those that are kept, sorted by receipt. bits: of each. applied: (n_members,), beside `flat()`.

    posterior: among all compatible choices. rest: (n_receipts,) that it is none of them. exact: (n_receipts,) whether
    all compatible choices were seen. earlier: (n_receipts,) the receipt that claims the same before, or -1.
    """

    explanations: Explanations
    bits: Floats
    applied: Integers
    posterior: Floats
    rest: Floats
    exact: Flags
    earlier: Integers


@dataclass(frozen=True, slots=True)
class Offered:
    """What receipts offer to the items, each by itself.

    explanations: those that are kept, sorted by receipt. bits, share: (n,) of each, and its posterior beside the others
    of its receipt. earlier: as in `Settlement`.
    """

    explanations: Explanations
    bits: Floats
    share: Floats
    earlier: Integers


def settle(block: Block, found: Explanations, model: Model, reversed_receipts: Integers) -> Settlement:
    """Posteriors of explanations beside all others.

    Args:
        reversed_receipts: their payments went back; what they pay takes no room.
    """
    return settle_offered(block, offer(block, found, model, reversed_receipts), reversed_receipts)


def offer(block: Block, found: Explanations, model: Model, reversed_receipts: Integers) -> Offered:
    """What is likely enough of each receipt by itself; of equal claims only the first has any."""
    bits, null_bits = weigh(block, found, model)
    own, _ = normalise(found.receipt, bits, null_bits)
    earlier = _equal_claims(block, found, own, reversed_receipts)
    own = np.where(earlier[found.receipt] >= 0, own * EQUAL_CLAIM_SHARE, own)
    listed = (found.n_items > 0) & (own >= LEAST_SHARE)
    return Offered(found.take(listed), bits[listed], own[listed], earlier)


def settle_offered(block: Block, offered: Offered, reversed_receipts: Integers) -> Settlement:
    """As `settle`, of all receipts or of any that share no item with others."""
    kept = offered.explanations
    applied = applied_amounts(block, kept)
    ghost = np.zeros(block.n_receipts, dtype=np.bool_)
    ghost[reversed_receipts] = True
    posterior, exact = _together(block, (kept, applied), offered.share, ghost)
    rest = 1.0 - np.bincount(kept.receipt, weights=posterior, minlength=block.n_receipts)
    return Settlement(kept, offered.bits, applied, posterior, np.maximum(rest, 0.0), exact, offered.earlier)


def meeting(block: Block, offered: Offered, pairs: Integers) -> Integers:
    """(n_receipts,) number of the component of each: receipts that offer anything to one item, or claim the same.

    Args:
        pairs: (n, 2) receipts that belong together for other reasons.
    Returns:
        numbers from 0 on, by the first receipt of each.
    """
    rows, places = offered.explanations.flat()
    later = np.flatnonzero(offered.earlier >= 0)
    n = block.n_receipts
    left = np.concatenate([offered.explanations.receipt[rows], later, pairs[:, 0]])
    right = np.concatenate([places + n, offered.earlier[later], pairs[:, 1]])
    size = n + block.n_items
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    _, first, number = np.unique(label[:n], return_index=True, return_inverse=True)
    component: Integers = np.argsort(np.argsort(first))[number].astype(np.int64)
    return component


def applied_amounts(block: Block, found: Explanations) -> Integers:
    """What each member is paid, in its own currency.

    All of it; of several with a discount taken late, each without its own; else what is left, the oldest due first.
    """
    rows, places = found.flat()
    open_ = block.items.open[places]
    before = np.cumsum(open_) - open_
    first = np.cumsum(found.n_items) - found.n_items
    before -= before[first[rows]] if len(rows) else before
    part = np.isin(found.kind, PART_KINDS)[rows]
    left = block.lines.amount[found.line[rows]] - before
    paid: Integers = np.where(part, np.clip(left, np.minimum(open_, 0), np.maximum(open_, 0)), open_)
    late = found.kind[rows] == DISCOUNT_LATE
    net = np.where(late, open_ - block.items.discount[places], 0)
    # Those in time are paid in full beside them, which is not what was said: such sets stay as above.
    total = np.bincount(rows, weights=net, minlength=len(found)).astype(np.int64)
    return np.where(late & (total == block.lines.amount[found.line])[rows], net, paid)


def _equal_claims(block: Block, found: Explanations, own: Floats, gone: Integers) -> Integers:
    """Of each receipt the one that claims the same items with the same amount and evidence before it, or -1."""
    earlier = np.full(block.n_receipts, -1, dtype=np.int64)
    top = np.flatnonzero(
        (own >= EQUAL_CLAIM_MIN) & (found.n_items > 0) & ~np.isin(found.kind, (SHORT, PART, INSTALMENT))
    )
    top = top[~np.isin(found.receipt[top], gone)]
    receipt = found.receipt[top]
    keys = (found.digest[top], block.lines.pool[found.line[top]], found.naming[top], block.receipts.amount[receipt])
    order = np.lexsort((receipt, block.receipts.date[receipt], *keys))
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    first = receipt[order].copy()
    for at in np.flatnonzero(same) + 1:
        first[at] = first[at - 1]
        earlier[receipt[order[at]]] = first[at]
    return earlier


def _together(
    block: Block, offered: tuple[Explanations, Integers], share: Floats, ghost: Flags
) -> tuple[Floats, Flags]:
    """Posteriors of explanations in compatible choices.

    Where these are too many, those that hardly anything speaks against are settled first, and the rest beside them.
    """
    kept, applied = offered
    exact = np.ones(block.n_receipts, dtype=np.bool_)
    posterior = share.copy()
    room = np.abs(block.items.open)
    wanted = np.flatnonzero(~ghost[kept.receipt])
    _add_up(block, (kept, applied), (posterior, exact), wanted, room)
    left = wanted[~exact[kept.receipt[wanted]]]
    if not len(left):
        return posterior, exact
    beyond = _uncontested(block, kept, left, share)
    sure = left[beyond[left] >= SURE_SHARE]
    sure = sure[_fit(kept, applied, sure, room)]
    posterior[left] = share[left]
    posterior[sure] = beyond[sure]
    exact[kept.receipt[sure]] = True
    rows, places = kept.flat()
    is_sure = np.zeros(len(kept), dtype=np.bool_)
    is_sure[sure] = True
    np.subtract.at(room, places[is_sure[rows]], np.abs(applied[is_sure[rows]]))
    left = left[(share[left] >= LEAST_SHARE_LARGE) & ~exact[kept.receipt[left]]]
    short = np.bincount(rows, weights=np.abs(applied) > room[places], minlength=len(kept)) > 0
    left = left[~short[left]]
    exact[kept.receipt[left]] = True
    _add_up(block, (kept, applied), (posterior, exact), left, room)
    return posterior, exact


def _uncontested(block: Block, kept: Explanations, wanted: Integers, share: Floats) -> Floats:
    """Shares, less by what other receipts claim of the same items, each taken by itself."""
    rows, places = kept.flat()
    used = np.zeros(len(kept), dtype=np.bool_)
    used[wanted] = True
    rows, places = rows[used[rows]], places[used[rows]]
    pair, at = np.unique(kept.receipt[rows] * block.n_items + places, return_inverse=True)
    claim = np.log(1 - np.minimum(np.bincount(at, weights=share[rows], minlength=len(pair)), 0.9999))
    of_item = np.bincount(pair % max(block.n_items, 1), weights=claim, minlength=block.n_items)
    against = np.bincount(rows, weights=of_item[places] - claim[at], minlength=len(kept))
    with_others = share * np.exp(against)
    beyond: Floats = with_others / np.maximum(with_others + 1 - share, 1e-300)
    return beyond


def _fit(kept: Explanations, applied: Integers, wanted: Integers, room: Integers) -> Flags:
    """Which of the wanted explanations there is room for if all of them are taken."""
    rows, places = kept.flat()
    used = np.zeros(len(kept), dtype=np.bool_)
    used[wanted] = True
    inside = used[rows]
    total = np.bincount(places[inside], weights=np.abs(applied[inside]), minlength=len(room))
    over = np.bincount(rows[inside], weights=(total > room)[places[inside]], minlength=len(kept)) > 0
    fits: Flags = ~over[wanted]
    return fits


def _components(block: Block, offered: tuple[Explanations, Integers], wanted: Integers, room: Integers) -> Integers:
    """(n_receipts,) number of the component of receipts that want more of an item than is open, -1 for the others."""
    kept, applied = offered
    rows, places = kept.flat()
    used = np.zeros(len(kept), dtype=np.bool_)
    used[wanted] = True
    rows, places, amount = rows[used[rows]], places[used[rows]], np.abs(applied[used[rows]])
    receipt = kept.receipt[rows]
    # The most that each receipt wants of each item.
    pair, at = np.unique(receipt * block.n_items + places, return_inverse=True)
    most = np.zeros(len(pair), dtype=np.int64)
    np.maximum.at(most, at, amount)
    item = pair % max(block.n_items, 1)
    total = np.bincount(item, weights=most, minlength=block.n_items)
    tight = (total > room)[item]
    n = block.n_receipts
    left, right = pair[tight] // max(block.n_items, 1), item[tight] + n
    size = n + block.n_items
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    counts = np.bincount(label[np.unique(left)], minlength=label.max() + 1) if len(left) else np.zeros(size)
    label = label[:n].astype(np.int64)
    component: Integers = np.where(counts[label] > 1, label, -1)
    return component


def _add_up(
    block: Block, offered: tuple[Explanations, Integers], found: tuple[Floats, Flags], wanted: Integers, room: Integers
) -> None:
    """Posteriors of the wanted explanations of receipts that want the same items, and whether all choices were seen.

    Args:
        found: shares, made posteriors, and `exact`; both changed in place.
    """
    kept, applied = offered
    posterior, exact = found
    component = _components(block, offered, wanted, room)
    wanted = wanted[component[kept.receipt[wanted]] >= 0]
    if not len(wanted):
        return
    receipts = np.unique(kept.receipt[wanted])
    receipts = receipts[np.lexsort((receipts, component[receipts]))]
    rank = np.full(block.n_receipts, -1, dtype=np.int64)
    rank[receipts] = np.arange(len(receipts))
    weight = posterior[wanted]
    rest = np.maximum(1.0 - np.bincount(rank[kept.receipt[wanted]], weights=weight, minlength=len(receipts)), 1e-12)
    # Alternatives: those wanted and, of each receipt, something else, numbered behind them.
    of = np.concatenate([rank[kept.receipt[wanted]], np.arange(len(receipts))])
    weights = np.concatenate([weight, rest])
    order = np.lexsort((np.arange(len(of)), -weights, of))
    begin, sizes = _spans(kept, wanted, len(receipts))
    begin, sizes = begin[order], sizes[order]
    starts = np.append(0, np.cumsum(sizes)).astype(np.int64)
    flat = np.repeat(begin - starts[:-1], sizes) + np.arange(starts[-1])
    _, places = kept.flat()
    labels = component[receipts]
    edges = np.append(np.flatnonzero(np.append(True, labels[1:] != labels[:-1])), len(receipts)).astype(np.int64)
    firsts = np.searchsorted(of[order], np.arange(len(receipts) + 1)).astype(np.int64)
    choices = Choices(edges, firsts, weights[order], starts, places[flat], np.abs(applied[flat]), room)
    totals = Totals(np.zeros(len(of)), np.zeros(len(edges) - 1, dtype=np.bool_))
    add_up(choices, totals)
    back = np.empty(len(of))
    back[order] = totals.share
    posterior[wanted] = back[: len(wanted)]
    exact[receipts] = np.repeat(totals.exact, np.diff(edges))


def _spans(kept: Explanations, wanted: Integers, n_receipts: int) -> tuple[Integers, Integers]:
    """First member and number of members of each alternative, beside `flat()`; of something else there are none."""
    starts = np.cumsum(kept.n_items) - kept.n_items
    none = np.zeros(n_receipts, dtype=np.int64)
    return np.concatenate([starts[wanted], none]), np.concatenate([kept.n_items[wanted], none])

"""A run cut into batches: runs of whole account groups, and what some receipts hang on alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from core.workloads.invoices.rules.block import Block, Words
from core.workloads.invoices.rules.explanations import Integers, Items, Lines
from core.workloads.invoices.rules.settle import Offered
from core.workloads.invoices.rules.sides.assemble import Sides

SIZE_MOST = 3_000_000
"""Pairs of a line and an item of its group, after which a batch ends too: some three seconds."""


def group_runs(block: Block, group_of_pool: Integers, most: int) -> tuple[Integers, Integers]:
    """Lines by account group, and where batches of whole groups begin and end.

    Args:
        group_of_pool: (n_pools,). most: lines and items after which a batch ends with its group.
    Returns:
        (n_lines,) numbers of lines, and (n_batches + 1,) bounds in them.
    """
    group = group_of_pool[block.lines.pool]
    order = np.argsort(group, kind="stable")
    size = block.pools.starts[block.lines.pool + 1] - block.pools.starts[block.lines.pool]
    return order, _bounds(group[order], (1 + size[order] * max(most, 1) // SIZE_MOST), most)


def component_runs(component: Integers, most: int) -> tuple[Integers, Integers]:
    """Receipts by component, and where batches of whole components begin and end; as `group_runs`."""
    order = np.argsort(component, kind="stable")
    return order, _bounds(component[order], np.ones(len(order), np.int64), most)


def _bounds(owner: Integers, cost: Integers, most: int) -> Integers:
    """Bounds at ends of owners, the first at which the cost since the last one comes to `most`."""
    ends = np.append(np.flatnonzero(owner[1:] != owner[:-1]) + 1, len(owner)) if len(owner) else np.zeros(0, np.int64)
    spent = np.append(0, np.cumsum(cost))
    bounds = [0]
    for end in ends.tolist():
        if spent[end] - spent[bounds[-1]] >= most:
            bounds.append(end)
    if bounds[-1] != len(owner) or len(bounds) == 1:
        bounds.append(len(owner))
    return np.array(bounds, dtype=np.int64)


def part_of(sides: Sides, offered: Offered, receipts: Integers) -> tuple[Sides, Offered]:
    """Some receipts and all that their answer hangs on, numbered anew in the same order.

    Args:
        receipts: (n,) ascending; of components that `meeting` tells apart, all receipts or none.
    """
    block, found = sides.block, offered.explanations
    mine = _numbers(receipts, block.n_receipts)
    chosen = np.flatnonzero(mine[found.receipt] >= 0)
    rows = found.take(chosen)
    _, places = rows.flat()
    items, member = np.unique(places, return_inverse=True)
    lines = np.flatnonzero(mine[block.lines.receipt] >= 0)
    line = _numbers(lines, len(block.lines.receipt))
    rows = replace(
        rows,
        receipt=mine[rows.receipt],
        line=line[rows.line],
        start=np.cumsum(rows.n_items) - rows.n_items,
        members=member.astype(np.int64),
    )
    # Numbers of receipts elsewhere say only that there is one.
    earlier = offered.earlier[receipts]
    earlier = np.where(earlier >= 0, np.maximum(mine[earlier], 0), -1)
    smaller = _block_of(block, (receipts, items, lines), mine)
    back = sides.reversals.with_columns(
        pl.Series(name, mine[sides.reversals[name].to_numpy()]) for name in ("reversal", "original")
    )
    part = Sides(
        smaller,
        sides.invoices[items],
        sides.payments[receipts],
        sides.codes,
        back.filter((pl.col("reversal") >= 0) & (pl.col("original") >= 0)),
    )
    return part, Offered(rows, offered.bits[chosen], offered.share[chosen], earlier)


def _block_of(block: Block, chosen: tuple[Integers, Integers, Integers], mine: Integers) -> Block:
    receipts, items, lines = chosen
    line = _numbers(lines, len(block.lines.receipt))
    told = np.flatnonzero(line[block.words.line] >= 0)
    words = {name: getattr(block.words, name)[told] for name in Words.__slots__} | {
        "line": line[block.words.line[told]]
    }
    said = {name: getattr(block.receipts, name)[receipts] for name in block.receipts.__slots__}
    return replace(
        block,
        # Nothing looks for sets any more: in the order of amounts there is none to be found.
        items=Items(*(column[items] for column in block.items)),
        lines=Lines(*(column[lines] for column in block.lines))._replace(receipt=mine[block.lines.receipt[lines]]),
        receipts=replace(block.receipts, **said),
        way=block.way[lines],
        rivals=block.rivals[lines],
        customer=block.customer[items],
        words=Words(**words),
    )


def _numbers(chosen: Integers, n: int) -> Integers:
    """(n,) place of each among the chosen, -1 of the others."""
    numbers = np.full(n, -1, dtype=np.int64)
    numbers[chosen] = np.arange(len(chosen))
    return numbers

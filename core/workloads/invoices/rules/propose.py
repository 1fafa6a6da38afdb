"""Explanations of every receipt: found, described by levels, and weighed by a model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.workloads.invoices.rules.block import THREADS, Block
from core.workloads.invoices.rules.explanations import (
    BANK_FEE,
    COPIES,
    DIGEST,
    FAMILY,
    FEE_STEP,
    FEE_UNKNOWN,
    FREE_2,
    FX,
    INSTALMENT,
    KIND,
    LINE,
    N_COLUMNS,
    N_ITEMS,
    OVERPAYMENT,
    PART,
    PARTS,
    RESIDUAL,
    SETS,
    SHORT,
    SMALL_DIFFERENCE,
    SMALL_MOST,
    START,
    TAX_MOST,
    TAX_STEP,
    TAX_UNKNOWN,
    TAX_WITHHELD,
    Found,
    Integers,
)
from core.workloads.invoices.rules.search import search_lines
from core.workloads.invoices.rules.sides.habits import times_seen

Floats = NDArray[np.float64]
# How the items of an explanation stand to those that the text names.
ALL_NAMED, ALL_AND_OTHERS, SOME_NAMED, NONE_SILENT, NONE_STRANGER, OTHERS_NAMED, SOME_AND_OTHERS = range(7)
NAMING = (
    "all_named",
    "all_and_others",
    "some_named",
    "nothing_named",
    "unknown_number",
    "others_named",
    "some_and_others",
)
LAG_EDGES = np.array([-60, -30, -10, -3, 3, 10, 30, 60, 120], dtype=np.int64)
"""Days from the last due date to the receipt."""
N_LAGS = len(LAG_EDGES) + 2
BEFORE_ISSUE = N_LAGS - 1
STRONG_BITS = 8.0
"""Evidence for a named item that speaks against all others."""
MISTAKEN_BITS = 4.0
"""Of a text that means another item, how seldom it names one of the same customer."""
NEW_VALUES = 5.0
"""How many of the values seen count as much as one that is new."""
LINES_AT_ONCE, LINES_A_THREAD = 50_000, 10_000
_WORDS_MOST = 128


@dataclass(frozen=True, slots=True)
class Explanations:
    """(n,) each, sorted by receipt; what is not chosen by itself (`n_items` 0) stands for sets that nobody listed.

    line, family, kind, residual, copies, digest: as in `Found`. naming, way, lag: levels. fixed_bits: what no model
    learns. start, n_items: of `members`, places of items.
    """

    receipt: Integers
    line: Integers
    family: Integers
    kind: Integers
    naming: Integers
    way: Integers
    lag: Integers
    fixed_bits: Floats
    residual: Integers
    copies: Integers
    digest: Integers
    start: Integers
    n_items: Integers
    members: Integers

    def __len__(self) -> int:
        return len(self.receipt)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Explanations:
        """Those of the rows; `members` stay as they are."""
        names = [name for name in self.__slots__ if name != "members"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def items_of(self, row: int) -> Integers:
        """Places of its items."""
        return self.members[self.start[row] : self.start[row] + self.n_items[row]]

    def flat(self) -> tuple[Integers, Integers]:
        """(m,) row of each member, and its place."""
        rows = np.repeat(np.arange(len(self)), self.n_items)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(self.n_items) - self.n_items, self.n_items)
        return rows, self.members[self.start[rows] + within]


def propose(block: Block) -> Explanations:
    """All explanations of all receipts, each set once a kind. Cost: some 20 us a line, half of it on two threads."""
    lines = np.arange(len(block.lines.receipt))
    parts = [lines[lo : lo + LINES_A_THREAD] for lo in range(0, len(lines), LINES_A_THREAD)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(partial(search, block), parts))
    return describe(block, found)


def search(block: Block, chosen: Integers) -> Found:
    """What some lines may pay, before it is described; each line by itself.

    Args:
        chosen: (n,) numbers of lines, in any order.
    Cost: nearly all that `propose` costs.
    """
    lines = type(block.lines)(*(column[chosen] for column in block.lines))
    n = len(chosen)
    room = [12 * n + 64, 24 * n + 256]
    while True:
        heads, members = np.zeros((room[0], N_COLUMNS), np.int64), np.zeros(room[1], np.int64)
        found = Found(heads, members, np.zeros(2, np.int64))
        search_lines(block.items, block.pools, lines, block.habits, found)
        n_heads, n_members = found.n.tolist()
        if n_heads <= room[0] and n_members <= room[1]:
            heads = heads[:n_heads].copy()
            heads[:, LINE] = chosen[heads[:, LINE]]
            return Found(heads, members[:n_members].copy(), found.n)
        room = [max(room[0], n_heads), max(room[1], n_members)]


def describe(block: Block, found: Sequence[Found]) -> Explanations:
    """Explanations of what was found of all lines, in whatever parts and order."""
    offsets = np.cumsum([0, *(len(part.members) for part in found)])
    parts = [part.heads.copy() for part in found]
    for heads, offset in zip(parts, offsets, strict=False):
        heads[:, START] += offset
    heads = np.concatenate([np.zeros((0, N_COLUMNS), np.int64), *parts])
    members = np.concatenate([np.zeros(0, np.int64), *(part.members for part in found)])
    heads = heads[np.argsort(heads[:, LINE], kind="stable")]
    size = heads[:, N_ITEMS]
    first = np.cumsum(size) - size
    within = np.arange(size.sum()) - np.repeat(first, size)
    members = members[np.repeat(heads[:, START], size) + within]
    heads[:, START] = first
    return _described(block, _once(block, heads), members)


def _once(block: Block, heads: Integers) -> Integers:
    """Of equal sets with one kind the one of the family with the fewest sets, sorted by receipt."""
    receipt = block.lines.receipt[heads[:, LINE]]
    listed = heads[:, N_ITEMS] > 0
    key = np.where(listed, heads[:, DIGEST], -1 - np.arange(len(heads)))
    order = np.lexsort((heads[:, SETS], heads[:, KIND], key, receipt))
    heads, receipt, key = heads[order], receipt[order], key[order]
    first = np.ones(len(heads), dtype=np.bool_)
    same = (receipt[1:] == receipt[:-1]) & (key[1:] == key[:-1]) & (heads[1:, KIND] == heads[:-1, KIND])
    first[1:] = ~same
    heads, receipt = heads[first], receipt[first]
    # By what they hold and not by their digests: oldest due first, which is the order of places.
    rank = np.lexsort((heads[:, START], heads[:, N_ITEMS], receipt))
    return heads[rank]


def _described(block: Block, heads: Integers, members: Integers) -> Explanations:
    """Levels and fixed bits of each explanation; those that pay an item before its issue must name it."""
    line = heads[:, LINE]
    bare = Explanations(
        receipt=block.lines.receipt[line],
        line=line,
        family=heads[:, FAMILY],
        kind=heads[:, KIND],
        naming=np.zeros(len(heads), np.int64),
        way=block.way[line],
        lag=np.zeros(len(heads), np.int64),
        fixed_bits=np.zeros(len(heads)),
        residual=heads[:, RESIDUAL],
        copies=heads[:, COPIES],
        digest=heads[:, DIGEST],
        start=heads[:, START],
        n_items=heads[:, N_ITEMS],
        members=members,
    )
    rows, places = bare.flat()
    n_named, bits, others = _naming_of(block, bare, rows, places)
    lag, early = _lags(block, bare, rows, places)
    naming = np.where(
        n_named == 0,
        np.where(others, OTHERS_NAMED, NONE_SILENT + block.receipts.text[bare.receipt].clip(0, 1)),
        np.where(
            n_named < bare.n_items,
            np.where(others, SOME_AND_OTHERS, SOME_NAMED),
            np.where(others, ALL_AND_OTHERS, ALL_NAMED),
        ),
    )
    fixed = bits + _amount_bits(block, bare) - heads[:, SETS] / 256 - np.log2(block.rivals[line])
    fixed += np.log2(np.maximum(bare.copies, 1))
    fixed += np.where((naming == OTHERS_NAMED) & (bare.n_items > 0), _wrongly_named(block)[line], 0.0)
    whole = _instalments(block, replace(bare, naming=naming, lag=lag, fixed_bits=fixed))
    return whole.take(~early | (naming <= ALL_AND_OTHERS))


def _wrongly_named(block: Block) -> Floats:
    """(n_lines,) how much likelier a number of the pool stands in a text that means another of its items than anywhere.

    Payers mistake a number for that of a neighbour more easily than chance makes it.
    """
    words = block.words
    best = np.zeros(len(block.lines.receipt))
    np.maximum.at(best, words.line, np.where(words.bits >= STRONG_BITS, words.bits, 0.0))
    size = block.pools.starts[block.lines.pool + 1] - block.pools.starts[block.lines.pool]
    mistaken: Floats = np.maximum(best - np.log2(np.maximum(size, 1)) - MISTAKEN_BITS, 0.0)
    return mistaken


def _instalments(block: Block, found: Explanations) -> Explanations:
    """Parts of one named item, of several receipts, that come to all that is open: one is sure by the others."""
    part = np.flatnonzero((found.kind == SHORT) & (found.n_items == 1) & (found.naming <= ALL_AND_OTHERS))
    item = found.members[found.start[part]]
    amount = block.lines.amount[found.line[part]]
    # In floats: sums of amounts are whole and below 2**53.
    total = np.bincount(item, weights=amount, minlength=block.n_items)
    n_parts = np.bincount(item, minlength=block.n_items)
    whole = (total[item] == block.items.open[item]) & (n_parts[item] > 1)
    rows = part[whole]
    kind, fixed = found.kind.copy(), found.fixed_bits.copy()
    kind[rows] = INSTALMENT
    fixed[rows] += block.receipts.chance_bits[found.receipt[rows]] / n_parts[item[whole]]
    return replace(found, kind=kind, fixed_bits=fixed)


def _naming_of(
    block: Block, bare: Explanations, rows: Integers, places: Integers
) -> tuple[Integers, Floats, NDArray[np.bool_]]:
    """How many items are named, with what evidence, and whether the receipt names others."""
    line_of_named = np.repeat(np.arange(len(block.lines.receipt)), block.lines.end_named - block.lines.first_named)
    keys = line_of_named * block.n_items + block.habits.named
    wanted = bare.line[rows] * block.n_items + places
    hit = np.isin(wanted, keys)
    n_named = np.bincount(rows, weights=hit, minlength=len(bare)).astype(np.int64)
    bits, n_told = _words_of(block, bare, rows, wanted)
    strong = np.flatnonzero(block.words.bits >= STRONG_BITS)
    of_line = np.unique(block.words.line[strong] * _WORDS_MOST + block.words.word[strong])
    n_strong = np.bincount(of_line // _WORDS_MOST, minlength=len(block.lines.receipt))
    anywhere = np.bincount(block.lines.receipt, weights=n_strong, minlength=block.n_receipts)
    others = np.where(n_named > 0, n_strong[bare.line] > n_told, anywhere[bare.receipt] > 0)
    return n_named, bits, others


def _words_of(block: Block, bare: Explanations, rows: Integers, wanted: Integers) -> tuple[Floats, Integers]:
    """(n,) bits of the words that name items of each explanation, and how many of them are strong.

    Words, not items: one that names items of two customers is explained by either, and one of several for the same
    item is explained with the others, of which the best counts. What names items of others is an accident where the
    explanation has names of its own: an amount, a telephone number.

    Args:
        wanted: line and item of each member, as one number.
    """
    words, n = block.words, len(bare)
    keys = words.line * block.n_items + words.item
    first = np.searchsorted(keys, wanted)
    n_words = np.searchsorted(keys, wanted, side="right") - first
    within = np.arange(n_words.sum()) - np.repeat(np.cumsum(n_words) - n_words, n_words)
    at = np.repeat(first, n_words) + within
    # A word says what it says once, whichever of its items there are.
    told, which = np.unique(np.repeat(rows, n_words) * _WORDS_MOST + words.word[at], return_inverse=True)
    best, leading = np.zeros(len(told)), np.zeros(len(told))
    np.maximum.at(best, which, words.bits[at])
    np.maximum.at(leading, which, np.where(words.leads[at], words.bits[at], 0.0))
    row = told // _WORDS_MOST
    bits: Floats = np.bincount(row, weights=leading, minlength=n).astype(np.float64)
    return bits, np.bincount(row, weights=best >= STRONG_BITS, minlength=n).astype(np.int64)


def _lags(block: Block, bare: Explanations, rows: Integers, places: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Level of the days since the last due date, and whether an item was issued after the receipt."""
    n = len(bare)
    due = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(due, rows, block.items.due[places])
    issued = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(issued, rows, block.items.issued[places])
    date = block.receipts.date[bare.receipt]
    early = issued > date
    lag = np.searchsorted(LAG_EDGES, date - np.maximum(due, -(10**6)), side="right")
    return np.where(bare.n_items == 0, -1, np.where(early, BEFORE_ISSUE, lag)), early


def _share_bits(seen: tuple[Integers, Integers], choices: Floats) -> Floats:
    """log2 of how likely a value is that others have been seen to have: a Dirichlet process over choices.

    Args:
        seen: how often this value was seen, itself included, and how many there were.
        choices: among how many a value falls that nobody has.
    """
    times, total = seen
    bits: Floats = np.log2((np.maximum(times - 1, 0) + NEW_VALUES / choices) / (np.maximum(total - 1, 0) + NEW_VALUES))
    return bits


def _amount_bits(block: Block, bare: Explanations) -> Floats:
    """How much an amount says that an explanation makes certain: nothing where a part or too much is paid."""
    bits = block.receipts.chance_bits[bare.receipt].copy()
    kind = bare.kind
    bits[kind == BANK_FEE] -= np.log2(max(len(block.habits.fees), 1))
    bits[kind == TAX_WITHHELD] -= np.log2(max(len(block.habits.taxes), 1))
    bits[kind == PART] -= np.log2(PARTS)
    bits[kind == SMALL_DIFFERENCE] -= np.log2(2 * SMALL_MOST)
    fee, tax = np.flatnonzero(kind == FEE_UNKNOWN), np.flatnonzero(kind == TAX_UNKNOWN)
    line = bare.line
    choices = block.habits.fee_most[block.lines.currency[line[fee]]] / FEE_STEP
    seen = times_seen(block.habits.seen_fees, block.lines.currency[line[fee]], -bare.residual[fee])
    bits[fee] += _share_bits(seen, choices)
    total = block.lines.amount[line[tax]] - bare.residual[tax]
    share = np.round(-bare.residual[tax] * 10_000 / total).astype(np.int64)
    seen = times_seen(block.habits.seen_taxes, block.lines.country[line[tax]], share)
    bits[tax] += _share_bits(seen, np.full(len(tax), TAX_MOST / TAX_STEP))
    width = np.log2(2.0 * block.lines.tolerance[bare.line] + 1)
    bits = np.where(kind == FX, np.maximum(bits - width, 0.0), bits)
    bits[bare.copies == 0] = np.maximum(bits - _spread_bits(block, bare), 0.0)[bare.copies == 0]
    return np.where((kind == SHORT) | (kind == OVERPAYMENT), 0.0, bits)


def _spread_bits(block: Block, bare: Explanations) -> Floats:
    """log2 of over how many sums the sets of a family spread, whose amounts nobody listed."""
    pool = block.lines.pool[bare.line]
    size = (block.pools.starts[pool + 1] - block.pools.starts[pool]).astype(np.float64)
    n = np.clip(bare.family - FREE_2 + 2, 2, 5)
    sets = np.ones(len(bare))
    for taken in range(4):
        sets *= np.where(taken < n, np.maximum(size - taken, 1) / (taken + 1), 1.0)
    n_sets = np.where(n == 5, np.exp2(np.minimum(size, 60)), sets)
    spread: Floats = np.log2(n_sets / np.maximum(block.pools.chance[pool, n], 1e-12))
    return spread

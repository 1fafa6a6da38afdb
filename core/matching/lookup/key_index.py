"""Which records share a blocking key with one that comes later: lists by key, as small as a database can hold them.

For each pass its records stand in one ascending array of u64, the upper bits of the key above the row number, as
`blocks` sorts them: so the same keys share a block here and there. The array is stored in buckets by the highest bits.

A block of as many records as the window of the run would be cut if one more came. Of such a block only the first
records are listed, one for each place of the window: enough to see that it is full. All of its records are listed
once more by key and first refinement, and so on to the last one. What is full even there was compared in a
sorted-neighbourhood window and is not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import fill_keys
from core.matching.blocking.blocks import SLICE_ROWS, mixed_keys, row_bits_of
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays

# Slot of a list: pass * LEVELS + how many refinements its keys hold.
LEVELS = 8
BUCKET_RECORDS_BITS = 7
ENTRY = np.dtype("<u8")
_GAMMA, _MIX_A, _MIX_B = (np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)


class Sizes(NamedTuple):
    """What follows from the number of records: low bits that hold a row, and high bits that number a bucket."""

    row_bits: int
    bucket_bits: int

    @classmethod
    def of(cls, n_rows: int) -> Sizes:
        """A bucket holds 64 to 128 entries of a pass that every record has a key in."""
        return cls(row_bits_of(n_rows), max(n_rows.bit_length() - BUCKET_RECORDS_BITS, 0))

    def keys(self, mixed: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Entries without their rows."""
        return mixed >> np.uint64(self.row_bits) << np.uint64(self.row_bits)

    def rows(self, mixed: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Rows of entries."""
        return (mixed & np.uint64((1 << self.row_bits) - 1)).astype(np.uint32)

    def buckets(self, mixed: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Bucket of each entry."""
        # A shift by all 64 bits is not defined.
        return (mixed >> np.uint64(1) >> np.uint64(63 - self.bucket_bits)).astype(np.int64)


def postings(
    words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, number: int, window: int
) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """The lists of one pass: slot, and its entries in ascending order; slots without entries are left out.

    Args:
        words: all records, or a memory map of them. window: most records of a block that are compared in full.
    Cost: about 0.15 us and 24 bytes a record.
    """
    sizes = Sizes.of(len(words))
    mixed = mixed_keys(words, vocabulary, layout, number)
    for level, parts in enumerate((*layout.refinements[number], None)):
        if len(mixed) == 0:
            return
        mixed.sort()
        keep, full = _full_blocks(sizes.keys(mixed), window)
        yield number * LEVELS + level, mixed[keep] if len(full) else mixed
        if parts is None or len(full) == 0:
            return
        rows, parents = sizes.rows(mixed[full]), sizes.keys(mixed[full])
        refining = np.empty(len(rows), dtype=np.uint64)
        for lo in range(0, len(rows), SLICE_ROWS):
            some = words[rows[lo : lo + SLICE_ROWS]]
            fill_keys(some, parts, vocabulary.arrays, refining[lo : lo + SLICE_ROWS])
        mixed = sizes.keys(refined(parents, refining)) | rows


def _full_blocks(keys: NDArray[np.uint64], window: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """(n,) which entries are listed, and the places of all entries of blocks of `window` or more."""
    borders = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]]))
    sizes = np.diff(borders)
    listed = np.ones(len(keys), dtype=np.bool_)
    places = [np.zeros(0, dtype=np.int64)]
    for block in np.flatnonzero(sizes >= window):
        listed[borders[block] + window : borders[block + 1]] = False
        places.append(np.arange(borders[block], borders[block + 1]))
    return listed, np.concatenate(places)


def refined(parents: NDArray[np.uint64], refining: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Keys of parts: of a block and its refining key, 0 where that is missing (Steele, Lea, Flood 2014)."""
    mixed = parents ^ (refining + _GAMMA)
    mixed = (mixed ^ (mixed >> _S30)) * _MIX_A
    mixed = (mixed ^ (mixed >> _S27)) * _MIX_B
    return np.asarray(mixed ^ (mixed >> _S31))


class Probe(NamedTuple):
    """Where the lists of one record would be, (s,) each: slot, bucket, the key without row bits, and whose key it is.

    chains: one number for a key and what its refinements make of it. A record with several values has several chains
    of one pass, with equal slots.
    """

    slots: NDArray[np.int64]
    buckets: NDArray[np.int64]
    keys: NDArray[np.uint64]
    chains: NDArray[np.int64]

    @property
    def lists(self) -> list[tuple[int, int]]:
        """Slot and bucket of each list that is wanted, once though several keys may stand in it."""
        return list(dict.fromkeys(zip(self.slots.tolist(), self.buckets.tolist(), strict=True)))


def probe(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, sizes: Sizes) -> Probe:
    """Find the lists of one record, (1, stride), in all passes that it has a key in, down to the last refinement."""
    keys = np.zeros(layout.key_levels.shape[:2], dtype=np.uint64)
    fill_levels_of_keys(words, layout.key_levels, vocabulary.arrays, keys)
    there = (layout.key_levels[:, :, 0, 0] >= 0) & (keys[0] != 0)
    keys[0] = sizes.keys(keys[0])
    for level in range(1, len(keys)):
        keys[level] = sizes.keys(refined(keys[level - 1], keys[level]))
    if there.shape[1] > len(layout.key_choices):
        there[:, _repeated(keys[0], layout.key_passes)] = False
    chains, levels_at = np.nonzero(there.T)
    found = keys[levels_at, chains]
    return Probe(layout.key_passes[chains] * LEVELS + levels_at, sizes.buckets(found), found, chains)


def _repeated(keys: NDArray[np.uint64], passes: NDArray[np.int64]) -> list[int]:
    """Places of keys that an earlier choice of the same pass makes too."""
    first: dict[tuple[int, int], int] = {}
    named = zip(passes.tolist(), keys.tolist(), strict=True)
    return [at for at, name in enumerate(named) if first.setdefault(name, at) != at]


@kernel
def fill_levels_of_keys(
    words: NDArray[np.uint32], levels: NDArray[np.int32], vocabulary: VocabularyArrays, keys: NDArray[np.uint64]
) -> None:
    """Keys of one record by level and choice, in one call; levels as `Layout.key_levels`."""
    for level in range(keys.shape[0]):
        for number in range(keys.shape[1]):
            fill_keys(words, levels[level, number], vocabulary, keys[level, number : number + 1])


def candidates(
    found: Mapping[int, bytes], asked: Probe, sizes: Sizes, window: int
) -> tuple[NDArray[np.uint32], list[int]]:
    """The records that a run would compare with the one that asks.

    Args:
        found: by slot the buckets that were asked for, one behind the other.
    Returns:
        Rows, ascending; and the passes whose part is full even after the last refinement, which are left out.
    """
    rows, overfull, settled = [np.zeros(0, dtype=np.uint32)], [], set()
    row_bits = np.uint64(sizes.row_bits)
    last = {int(slot) // LEVELS: int(slot) for slot in asked.slots}
    for slot, key, chain in zip(asked.slots.tolist(), asked.keys, asked.chains.tolist(), strict=True):
        if chain in settled:
            continue
        if slot not in found:
            settled.add(chain)
            continue
        entries = np.frombuffer(found[slot], dtype=ENTRY)
        mine = entries[entries >> row_bits == key >> row_bits]
        if len(mine) < window:
            rows.append(sizes.rows(mine))
            settled.add(chain)
        elif slot == last[slot // LEVELS]:
            overfull.append(slot // LEVELS)
    return np.unique(np.concatenate(rows)), sorted(set(overfull))


def bucketed(entries: NDArray[np.uint64], sizes: Sizes) -> Iterator[tuple[int, bytes]]:
    """Cut an ascending list into its buckets."""
    buckets = sizes.buckets(entries)
    borders = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1], [True]]))
    stored = entries.astype(ENTRY, copy=False)
    for lo, hi in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        yield int(buckets[lo]), stored[lo:hi].tobytes()

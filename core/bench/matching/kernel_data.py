"""What the kernels are measured on: persons as packed records, the blocks of all passes, and the pairs they make."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.blocking.block_keys import WINDOW_DEFAULT
from core.matching.blocking.blocks import Blocks, cut, members_of, sort_pass, windowed_order
from core.matching.blocking.candidate_pairs import at_end, next_pairs, start_walk
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.sources import WITHIN_ONE, linked_sources
from core.matching.records.vocabulary import Vocabulary, frequencies
from core.matching.scoring.histograms import merge_histograms, pair_histogram, pass_histogram
from core.matching.scoring.learning.em import train
from core.matching.scoring.model import build_model, weights
from core.matching.scoring.random_pairs import random_pairs
from core.matching.scoring.score_pairs import Scorer
from core.matching.specs.spec import load_spec

NAMES = ("first_name", "last_name")
RANDOM_PAIRS = 100_000

Pairs = tuple[NDArray[np.uint32], NDArray[np.uint32]]


@dataclass(frozen=True, eq=False)
class Blocked:
    """Records of blocks of two or more, block by block, and the number of each one's block."""

    rows: NDArray[np.uint32]
    keys: NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Data:
    """Packed records; per pass its blocks, as sorted and as compared, and its pairs in the order of the walk."""

    layout: Layout
    words: NDArray[np.uint32]
    vocabulary: Vocabulary
    blocks: list[Blocks]
    blocked: list[Blocked]
    pairs: list[Pairs]


def prepare(persons: pl.DataFrame) -> Data:
    """Pack and block.

    Args:
        persons: id and fields of the spec `persons`, as text.
    """
    spec = load_spec("persons")
    spec, _ = spec.restrict([field.name for field in spec.fields if field.name in persons.columns])
    # As a million records are compared: without the wide passes.
    layout = Layout.of(spec.model_copy(update={"passes": spec.passes[: spec.n_always]}))
    words, vocabulary = pack_text(persons.select("id", *layout.spec.columns), layout)
    blocks = [sort_pass(words, vocabulary, layout, number) for number in range(len(layout.spec.passes))]
    blocked = [_blocked(words, layout, each, number) for number, each in enumerate(blocks)]
    return Data(layout, words, vocabulary, blocks, blocked, [_walked(each) for each in blocked])


def _blocked(words: NDArray[np.uint32], layout: Layout, blocks: Blocks, number: int) -> Blocked:
    parts = cut(blocks, WINDOW_DEFAULT, len(layout.refinements[number]))
    keys = np.repeat(np.arange(len(parts.sizes), dtype=np.uint64), parts.sizes)
    rows = members_of(blocks, parts.starts, parts.sizes)
    return Blocked(windowed_order(words, rows, keys, WINDOW_DEFAULT), keys)


def _walked(blocked: Blocked) -> Pairs:
    """All pairs of the blocks, left and right, listed by the walk that a job scores them on."""
    keys, rows = blocked.keys, blocked.rows
    walk = start_walk(keys, 0)
    made = [np.empty((2, 0), dtype=np.uint32)]
    while not at_end(walk, keys):
        size = next_pairs(walk, keys, rows, linked_sources(rows, WITHIN_ONE), WINDOW_DEFAULT, 0)
        made.append(np.stack([walk.rows[walk.left[:size]], walk.rows[walk.right[:size]]]))
    left, right = np.concatenate(made, axis=1)
    return left, right


def name_pairs(data: Data, limit: int) -> Pairs:
    """Codes of names that differ, of candidate pairs in block order; at most `limit`, from each pass as many."""
    share = limit // (len(data.pairs) * len(NAMES))
    found, hashes = [], data.vocabulary.arrays.hash
    for left, right in data.pairs:
        for name in NAMES:
            column = data.words[:, data.layout.offset[name]]
            a, b = column[left], column[right]
            # Codes of one name may differ by the marks behind it.
            differ = (hashes[a] != hashes[b]) & (a != 0) & (b != 0)
            found.append((a[differ][:share], b[differ][:share]))
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def shuffled_blocks(data: Data, seed: int) -> Blocked:
    """The same pairs, each as a block of its own, in random order: nearly every record is fetched anew."""
    both = np.stack([np.concatenate(side) for side in zip(*data.pairs, strict=True)], axis=1)
    rows = np.random.default_rng(seed).permutation(both).ravel()
    return Blocked(rows, np.repeat(np.arange(len(both), dtype=np.uint64), 2))


def scorers(data: Data, seed: int) -> tuple[Scorer, Scorer]:
    """One that scores every pair of every pass, one that leaves out what an earlier pass made, as a job does.

    The weights are learnt from fewer pairs than a job takes: speed does not hang on how good they are.
    """
    layout, words, vocabulary, n = data.layout, data.words, data.vocabulary, len(data.words)
    near = merge_histograms([pass_histogram(words, each, vocabulary, layout) for each in data.blocks])
    chance = pair_histogram(words, vocabulary, layout, *random_pairs(n, RANDOM_PAIRS, seed))
    parameters = train(near, chance, n * (n - 1) / 2, layout)
    counts = frequencies(words, layout, len(vocabulary))
    model = build_model(parameters, counts, vocabulary, layout, n_rows=n)
    every_pair = Scorer(vocabulary, layout, weights(model, vocabulary, layout), layout.spec.review_bits)
    sizes = [np.bincount(each.keys.astype(np.int64)).max(initial=0) for each in data.blocked]
    whole = sum(1 << number for number, largest in enumerate(sizes) if largest <= WINDOW_DEFAULT)
    return every_pair, replace(every_pair, whole_passes=whole)

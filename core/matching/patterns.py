"""Level patterns of pairs as numbers, for histograms to learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.chunk import CHUNK_PAIRS, Chunk, Scratch, scratch_for
from core.matching.compare import compare_chunk, number_patterns
from core.matching.jit import kernel
from core.matching.layout import Layout, LayoutArrays
from core.matching.vocabulary import Vocabulary, VocabularyArrays


def compare_patterns(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> NDArray[np.uint64]:
    """`patterns_of` of `compare_pairs`, (n_pairs,), without the levels ever being stored. Cost: as `compare_pairs`."""
    out = np.empty(len(left), dtype=np.uint64)
    pairs = (left.astype(np.int64), right.astype(np.int64))
    fill_patterns(words, pairs, layout.ops, vocabulary.arrays, scratch_for(vocabulary), out)
    return out


@kernel
def fill_patterns(
    words: NDArray[np.uint32],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
    out: NDArray[np.uint64],
) -> None:
    """Patterns of many pairs, chunk by chunk: out (n_pairs,)."""
    left, right = pairs
    levels = np.empty((len(layout.offset), CHUNK_PAIRS), dtype=np.uint8)
    for start in range(0, len(left), CHUNK_PAIRS):
        stop = min(start + CHUNK_PAIRS, len(left))
        chunk = Chunk(words, left[start:stop], right[start:stop], stop - start)
        compare_chunk(chunk, layout, vocabulary, scratch, levels)
        number_patterns(levels, stop - start, layout.place, out[start:stop])

"""Blocks as the stages make them, for tests of what walks, scores or learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.blocks import cut, members_of, sort_keys, sort_pass
from core.matching.blocking.shared_passes import key_parts
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.histograms import Histogram, merge_histograms, pass_histogram
from core.matching.specs.spec import MatchSpec

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def always(spec: MatchSpec) -> MatchSpec:
    """The spec with the passes that a job of any size makes: without the wide ones."""
    return spec.model_copy(update={"passes": spec.passes[: spec.n_always]})


def spread(keys: Sequence[int] | NDArray[Any]) -> NDArray[np.uint64]:
    """Small numbers as keys that differ in their upper bits, as hashes do; 0 stays 0."""
    return np.array(keys, dtype=np.uint64) * GOLDEN


def in_block_order(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Number of the block and row of each record that shares its key with another, block by block."""
    blocks = sort_keys(keys.copy())
    whole = cut(blocks, max(len(keys), 1), 0)
    numbers = np.repeat(np.arange(len(whole.sizes), dtype=np.uint64), whole.sizes)
    return numbers, members_of(blocks, whole.starts, whole.sizes)


def candidates(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, **options: Any) -> Histogram:
    """Histogram of the candidate pairs of the passes that every job makes, as training adds them up."""
    numbers = range(layout.spec.n_always)
    options = {"parts": key_parts(layout.ops, numbers)} | options
    return merge_histograms(
        [
            pass_histogram(
                words, sort_pass(words, vocabulary, layout, number), vocabulary, layout, number=number, **options
            )
            for number in numbers
        ]
    )

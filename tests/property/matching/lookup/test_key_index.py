"""What is looked up for one more record is what a run over all records would compare it with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.matching.blocking.blocks import cut, sort_pass
from core.matching.lookup.key_index import LEVELS, Sizes, bucketed, candidates, postings, probe
from core.matching.records.vocabulary import Vocabulary
from tests.property.matching.blocking.test_blocks import LAYOUT, parts, records

PASSES = range(len(LAYOUT.spec.passes))


def stored(
    words: NDArray[np.uint32], vocabulary: Vocabulary, window: int, sizes: Sizes
) -> dict[tuple[int, int], bytes]:
    """All lists as the database has them."""
    found: dict[tuple[int, int], bytes] = {}
    for number in PASSES:
        for slot, entries in postings(words, vocabulary, LAYOUT, number, window):
            assert slot // LEVELS == number
            found |= {(slot, bucket): held for bucket, held in bucketed(entries, sizes)}
    return found


def looked_up(words: NDArray[np.uint32], vocabulary: Vocabulary, window: int) -> tuple[list[int], list[int]]:
    """Candidates of the last record among those before, and the passes left out."""
    sizes = Sizes.of(len(words) - 1)
    lists = stored(words[:-1], vocabulary, window, sizes)
    asked = probe(words[-1:], vocabulary, LAYOUT, sizes)
    pairs = zip(asked.slots.tolist(), asked.buckets.tolist(), strict=True)
    rows, overfull = candidates({slot: lists.get((slot, bucket), b"") for slot, bucket in pairs}, asked, sizes, window)
    return rows.tolist(), overfull


def compared(words: NDArray[np.uint32], vocabulary: Vocabulary, window: int) -> tuple[list[int], list[int]]:
    """The same from the blocks of a run over all of them."""
    last, rows, overfull = len(words) - 1, set(), []
    for number in PASSES:
        blocks = sort_pass(words, vocabulary, LAYOUT, number)
        for part in parts(blocks, cut(blocks, window, len(LAYOUT.refinements[number]))):
            if last in part and len(part) > window:
                overfull.append(number)
            elif last in part:
                rows |= set(part) - {last}
    return sorted(rows), overfull


@given(st.integers(2, 400), st.integers(0, 999), st.sampled_from([11, 12, 20, 50, 200]))
def test_candidates_are_those_of_a_run_over_all_records(n: int, seed: int, window: int) -> None:
    # A part of ten records or fewer is never ordered by refinements, so no window is narrower than that.
    words, vocabulary = records(n + 1, seed)
    assert looked_up(words, vocabulary, window) == compared(words, vocabulary, window)


@pytest.mark.parametrize("window", [11, 30])
def test_candidates_meet_every_case(window: int) -> None:
    """The property above is no property of empty answers: refined parts and parts too full both occur."""
    found = [looked_up(*records(400, seed), window) for seed in range(20)]
    assert any(rows for rows, _ in found)
    assert any(overfull for _, overfull in found)
    assert any(1 not in overfull for _, overfull in found)
    levels = {slot % LEVELS for slot, _ in stored(*records(400, 1), window, Sizes.of(400))}
    assert {0, 1} <= levels


@pytest.mark.parametrize("n", [1, 2, 127, 128, 1000, 1_000_000])
def test_buckets_cut_a_list_without_loss(n: int) -> None:
    sizes = Sizes.of(n)
    entries = np.sort(np.random.default_rng(n).integers(0, 2**64, min(n, 5000), dtype=np.uint64))
    found = list(bucketed(entries, sizes))
    assert b"".join(held for _, held in found) == entries.tobytes()
    assert [bucket for bucket, _ in found] == sorted({bucket for bucket, _ in found})
    assert all(0 <= bucket < 1 << sizes.bucket_bits for bucket, _ in found)

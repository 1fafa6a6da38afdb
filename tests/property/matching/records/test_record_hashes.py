"""Samples by the hash of a record: the kernels are their twins, and the order of the rows draws nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.records.record_hashes import chosen_blocks, order_ties, record_hashes, sampled_rows
from core.matching.records.sources import WITHIN_ONE, boundaries_of, source_numbers
from core.matching.scoring.random_pairs import pairs_of_sample

WORD = st.integers(0, 2**32 - 1)
RECORDS = st.lists(st.lists(WORD, min_size=4, max_size=4), min_size=1, max_size=40)


def array(records: list[list[int]]) -> np.ndarray:
    return np.array(records, dtype=np.uint32).reshape(-1, 4)


@given(RECORDS)
def test_record_hashes_are_those_of_the_twin(records):
    assert record_hashes(array(records)).tolist() == list(map(reference.record_hash, records))


@given(RECORDS, st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_sampled_rows_are_the_same_records_in_whatever_order(records, seed, n_max):
    words = array(records)
    other = np.random.default_rng(seed).permutation(len(words))
    drawn = words[sampled_rows(record_hashes(words), n_max, WITHIN_ONE)]
    again = words[other][sampled_rows(record_hashes(words[other]), n_max, WITHIN_ONE)]
    assert drawn.tolist() == again.tolist()


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 30), min_size=2, max_size=3))
def test_sampled_rows_stand_source_by_source_and_random_pairs_are_of_two(seed, sizes):
    draw = np.random.default_rng(seed)
    hashes, cuts = draw.integers(0, 2**63, sum(sizes)).astype(np.uint64), boundaries_of(sizes)
    sources = source_numbers(sampled_rows(hashes, 10_000, cuts), cuts)
    assert (np.diff(sources.astype(int)) >= 0).all()
    left, right = pairs_of_sample(hashes, 5, 1, cuts)
    assert (source_numbers(left, cuts) < source_numbers(right, cuts)).all()


def test_sampled_rows_draw_evenly_from_a_large_file() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**63, 100_000).astype(np.uint64) * np.uint64(2)
    rows = sampled_rows(hashes, 10_000, WITHIN_ONE)
    assert abs(len(rows) - 10_000) < 500
    assert abs(rows.mean() - 50_000) < 2_000


def test_random_pairs_are_of_the_same_records_in_whatever_order() -> None:
    draw = np.random.default_rng(2)
    words = draw.integers(0, 2**32, (2_000, 4)).astype(np.uint32)
    other = draw.permutation(2_000)
    pairs = np.sort(words[:, 0][np.stack(pairs_of_sample(record_hashes(words), 500, 3))], axis=0)
    again = np.sort(words[other][:, 0][np.stack(pairs_of_sample(record_hashes(words[other]), 500, 3))], axis=0)
    assert pairs.tolist() == again.tolist()
    assert (pairs[0] != pairs[1]).all()


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=5), st.integers(1, 9))
def test_order_ties_is_its_twin_and_keeps_parts_and_small_blocks(blocks, window):
    sizes = [sum(parts) for parts in blocks]
    n = sum(sizes)
    rows = np.random.default_rng(n).permutation(n).astype(np.uint32)
    hashes = np.random.default_rng(n + 1).integers(0, 2**63, n).astype(np.uint64)
    depth = np.full(n, 255, dtype=np.uint8)
    at, expected, starts = 0, [], []
    for parts in blocks:
        starts.append(at)
        held = []
        for number, size in enumerate(parts):
            depth[at] = number
            held.append(rows[at : at + size].tolist())
            at += size
        expected += reference.in_hash_order(held, hashes.tolist(), window)
    ends = (np.array(starts, dtype=np.uint32), np.array(sizes, dtype=np.uint32))
    order_ties(rows, depth, ends, hashes, window)
    assert rows.tolist() == expected


def test_chosen_blocks_are_a_share_of_all_by_their_records_whatever_their_size() -> None:
    draw = np.random.default_rng(4)
    sizes = draw.integers(2, 9, 4_000).astype(np.uint32)
    starts = (np.cumsum(sizes) - sizes).astype(np.uint32)
    rows = np.arange(int(sizes.sum()), dtype=np.uint32)
    hashes = draw.integers(0, 2**63, len(rows)).astype(np.uint64)
    out = np.zeros(len(sizes), dtype=np.bool_)
    chosen_blocks(rows, (starts, sizes), hashes, np.uint64(2**62), out)
    assert abs(out.mean() - 0.25) < 0.03
    assert abs(out[sizes > 5].mean() - out[sizes <= 5].mean()) < 0.04
    swapped = rows.copy()
    swapped[starts], swapped[starts + 1] = rows[starts + 1], rows[starts]
    again = np.zeros_like(out)
    chosen_blocks(swapped, (starts, sizes), hashes, np.uint64(2**62), again)
    assert (out == again).all()

"""Blocks of one pass, their refinements and their cuts are those of plain lists."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.matching import reference
from core.matching.blocking.block_keys import fill_keys, pass_keys
from core.matching.blocking.blocks import (
    REFINE_ABOVE,
    SAME,
    Blocks,
    Cut,
    cut,
    members_of,
    pairs_of,
    sort_keys,
    sort_pass,
    split,
)
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary, pack
from core.matching.specs.spec import MatchSpec
from tests.blocking import spread

SPEC = MatchSpec.model_validate(
    {
        "name": "refined",
        "fields": [{"name": name, "kind": "text"} for name in "abcd"],
        "passes": [
            {"name": "plain", "keys": ["b"]},
            {"name": "refined", "keys": ["a"], "refine": ["b", "prefix(c, 1)", "d"]},
        ],
    }
)
LAYOUT = Layout.of(SPEC)
# Few keys, so that many records share one; an empty text is missing.
VALUES = {"a": ["", "x", "y"], "b": ["", "p", "q"], "c": ["", "ka", "kb", "l"], "d": ["u", "v", "w"]}


def records(n: int, seed: int) -> tuple[NDArray[np.uint32], Vocabulary]:
    draw = np.random.default_rng(seed)
    columns = {name: draw.choice(values, n) for name, values in VALUES.items()}
    return pack(pl.DataFrame(columns, schema=dict.fromkeys(VALUES, pl.String)), LAYOUT)


def parts(blocks: Blocks, made: Cut) -> list[list[int]]:
    return [blocks.rows[lo : lo + n].tolist() for lo, n in zip(made.starts, made.sizes, strict=True)]


@given(st.lists(st.integers(0, 9), max_size=60))
def test_sort_keys_keeps_the_blocks_of_two_or_more_in_the_order_of_keys_and_rows(keys: list[int]) -> None:
    mixed = spread(keys)
    expected = reference.blocks_of(mixed.tolist())
    blocks = sort_keys(mixed.copy())
    assert blocks.rows.tolist() == [row for block in expected for row in block]
    assert blocks.depth.tolist() == [SAME if at else 0 for block in expected for at in range(len(block))]
    assert blocks.rows.dtype == np.uint32


@pytest.mark.parametrize("n", [2, 3, 1000, 1024, 1025])
def test_keys_that_differ_in_the_place_of_the_row_number_share_a_block(n: int) -> None:
    """The price of sorting eight bytes a record; what makes room for the row number is no more than it needs."""
    row_bits = max(n - 1, 1).bit_length()
    low = np.arange(n, dtype=np.uint64) % np.uint64(2**row_bits)
    alike = sort_keys(np.uint64(7 << row_bits) + low)
    assert alike.rows.tolist() == list(range(n))
    assert (alike.depth[1:] == SAME).all()
    assert len(sort_keys(np.arange(1, n + 1, dtype=np.uint64) << np.uint64(row_bits)).rows) == 0


@given(st.integers(0, 200), st.integers(0, 10**6), st.integers(0, 3), st.integers(-1, 1))
def test_large_blocks_are_cut_by_one_refinement_after_the_other(n: int, seed: int, deepest: int, beside: int) -> None:
    words, vocabulary = records(n, seed)
    blocks = sort_pass(words, vocabulary, LAYOUT, 1)
    refining = []
    for key in LAYOUT.refinements[1]:
        keys = np.zeros(len(words), dtype=np.uint64)
        fill_keys(words, key, vocabulary.arrays, keys)
        refining.append(keys.tolist())
    whole = reference.blocks_of(pass_keys(words, vocabulary, LAYOUT)[:, 1].tolist())
    # Limits at which a block, or a part of one, is just large enough or just not; below ten nothing is ordered.
    sizes = {len(part) for rows in whole for part in [rows, *reference.split_block(rows, refining[:1], 0)]}
    for limit in {max(size + beside, REFINE_ABOVE) for size in sizes}:
        expected = [part for rows in whole for part in reference.split_block(rows, refining[:deepest], limit)]
        made = cut(blocks, limit, deepest)
        assert [sorted(part) for part in parts(blocks, made)] == [part for part in expected if len(part) > 1]
        assert (made.starts[1:] >= made.starts[:-1] + made.sizes[:-1]).all()
    assert sorted(blocks.rows.tolist()) == sorted(row for rows in whole for row in rows)


@given(st.integers(0, 400), st.integers(0, 10**6))
def test_small_parts_keep_the_order_of_rows(n: int, seed: int) -> None:
    words, vocabulary = records(n, seed)
    blocks = sort_pass(words, vocabulary, LAYOUT, 1)
    finest = np.flatnonzero(blocks.depth != SAME)
    for lo, hi in pairwise([*finest.tolist(), len(blocks.rows)]):
        assert (np.diff(blocks.rows[lo:hi].astype(np.int64)) > 0).all()


def test_sort_pass_reads_records_slice_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(8)
    columns = {name: draw.choice(["r", "s", "t", "", "u"], 500) for name in "abcd"}
    words, vocabulary = pack(pl.DataFrame(columns), LAYOUT)
    whole = sort_pass(words, vocabulary, LAYOUT, 1)
    monkeypatch.setattr("core.matching.blocking.blocks.SLICE_ROWS", 7)
    sliced = sort_pass(words, vocabulary, LAYOUT, 1)
    assert np.array_equal(whole.rows, sliced.rows)
    assert np.array_equal(whole.depth, sliced.depth)
    assert set(whole.depth.tolist()) == {0, 1, 2, 3, SAME}


@given(st.lists(st.tuples(st.integers(2, 40), st.booleans()), max_size=12), st.integers(2, 9))
def test_members_of_some_blocks_stand_behind_each_other(sizes: list[tuple[int, bool]], seed: int) -> None:
    lengths = np.array([size for size, _ in sizes], dtype=np.int64)
    rows = np.random.default_rng(seed).permutation(int(lengths.sum())).astype(np.uint32)
    blocks = Blocks(rows, np.zeros(len(rows), dtype=np.uint8))
    wanted = np.array([chosen for _, chosen in sizes], dtype=bool)
    starts = (np.cumsum(lengths) - lengths)[wanted]
    expected = [row for lo, n in zip(starts, lengths[wanted], strict=True) for row in rows[lo : lo + n].tolist()]
    assert members_of(blocks, starts, lengths[wanted]).tolist() == expected


@given(st.lists(st.integers(2, 300), max_size=40), st.integers(1, 5_000), st.integers(2, 60))
def test_split_makes_batches_of_neighbouring_blocks(sizes: list[int], pairs_per_batch: int, window: int) -> None:
    pairs = pairs_of(np.array(sizes, dtype=np.int64), window)
    batches = split(pairs, pairs_per_batch)
    assert [lo for lo, _, _ in batches] == [0, *(hi for _, hi, _ in batches)][: len(batches)]
    assert sum(n for _, _, n in batches) == pairs.sum()
    for lo, hi, n_pairs in batches:
        assert n_pairs == pairs[lo:hi].sum()
        assert n_pairs < pairs_per_batch + pairs[lo:hi].max()
    assert not batches or batches[-1][1] == len(sizes)


@given(st.integers(2, 80), st.integers(2, 60))
def test_pairs_of_a_block_are_all_or_those_within_the_window(size: int, window: int) -> None:
    reach = size if size <= window else window
    expected = sum(1 for a in range(size) for b in range(a + 1, min(a + reach, size)))
    assert pairs_of(np.array([size]), window).tolist() == [expected]

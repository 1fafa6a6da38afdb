"""Of several values the best agreement counts, each makes a key, and each pair is one pair."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching import reference
from core.matching.blocking.block_keys import pass_keys, shared_keys
from core.matching.blocking.blocks import cut, members_of, sort_pass
from core.matching.blocking.shared_passes import key_parts, shared_passes
from core.matching.compare.patterns import compare_pairs
from core.matching.edges import merge_edges
from core.matching.lookup.key_index import Sizes, bucketed, candidates, postings, probe
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.value_places import one_value
from core.matching.scoring.histograms import Histogram
from core.matching.scoring.model import WeightArrays
from core.matching.scoring.random_pairs import random_pairs
from core.matching.scoring.score_pairs import Scorer, score_range
from tests.blocking import candidates as learnt_from
from tests.profiles import scaled
from tests.several_values import LAYOUT, MAILS, PHONES, RECORDS, SPEC, frame

ALONE = Layout.of(SPEC.model_copy(update={"fields": tuple(map(one_value, SPEC.fields))}))
N_PASSES = len(SPEC.passes)


def columns_of(number: int) -> np.ndarray:
    return LAYOUT.key_passes == number


def pairs_of_passes(words, vocabulary) -> list[set[tuple[int, int]]]:
    """The twin of blocks: pairs whose sets of keys meet."""
    keys = pass_keys(words, vocabulary, LAYOUT)
    sets = [[set(row.tolist()) - {0} for row in keys[:, columns_of(number)]] for number in range(N_PASSES)]
    rows = range(len(words))
    return [{(a, b) for a, b in product(rows, rows) if a < b and each[a] & each[b]} for each in sets]


@settings(max_examples=scaled(0.4))
@given(RECORDS)
def test_the_level_of_a_pair_is_the_best_of_any_two_of_their_values(records) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    left, right = random_pairs(len(records), 1000, 0)
    found = compare_pairs(words, vocabulary, LAYOUT, left, right)
    cells = [[value or () for value in cells] for _, *cells in records]
    for row, field in enumerate(SPEC.fields[1:], start=1):
        values = sorted({value for cell in cells for value in cell[row - 1]})
        singles = [("", *(tuple([value] if at == row else []) for at in (1, 2, 3))) for value in values]
        alone, strings = pack_text(frame(singles), ALONE)
        place = {value: at for at, value in enumerate(values)}

        def level(a: str, b: str, alone=alone, strings=strings, place=place, row=row) -> int:
            ends = (np.array([place[each]], dtype=np.uint32) for each in (a, b))
            return int(compare_pairs(alone, strings, ALONE, *ends)[0, row])

        expected = [
            reference.best_level(cells[a][row - 1], cells[b][row - 1], level) for a, b in zip(left, right, strict=True)
        ]
        assert found[:, row].tolist() == expected, field.name


@given(RECORDS, st.sampled_from([("phone", 1, PHONES[:4]), ("mail", 2, MAILS[:3])]), st.integers(0, 3))
def test_one_value_more_never_lowers_an_agreement(records, field, number) -> None:
    name, at, values = field
    value = values[number % len(values)]
    limit = next(each.values for each in SPEC.fields if each.name == name)
    richer = [
        (*each[:at], (*each[at], value), *each[at + 1 :]) if len(each[at]) < limit and value not in each[at] else each
        for each in records
    ]
    left, right = random_pairs(len(records), 1000, 0)
    levels = [
        compare_pairs(*pack_text(frame(each), LAYOUT), LAYOUT, left, right)[:, at].astype(int)
        for each in (records, richer)
    ]
    assert (levels[1] >= np.where(levels[0] == 255, 0, levels[0])).all()


@given(RECORDS)
def test_a_pass_makes_the_pairs_that_share_a_key_and_a_record_never_meets_itself(records) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    expected = pairs_of_passes(words, vocabulary)
    for number in range(N_PASSES):
        blocks = sort_pass(words, vocabulary, LAYOUT, number)
        whole = cut(blocks, len(words), 0)
        made = set()
        for start, size in zip(whole.starts, whole.sizes, strict=True):
            block = blocks.rows[start : start + size].tolist()
            assert block == sorted(set(block))
            made |= {(a, b) for a in block for b in block if a < b}
        assert made == expected[number]


@given(RECORDS)
def test_two_records_tell_which_passes_make_them(records) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    left, right = random_pairs(len(records), 1000, 0)
    found = shared_passes(words, (left, right), vocabulary, LAYOUT)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    made = pairs_of_passes(words, vocabulary)
    assert found.tolist() == [sum((pair in made[number]) << number for number in range(N_PASSES)) for pair in pairs]
    keys = pass_keys(words, vocabulary, LAYOUT)
    for number in range(N_PASSES):
        mine = keys[:, columns_of(number)]
        times = np.count_nonzero(shared_keys(mine[left], mine[right]), axis=1)
        assert times.tolist() == [len((set(mine[a].tolist()) & set(mine[b].tolist())) - {0}) for a, b in pairs]


def test_a_pass_of_more_choices_than_keys_is_not_relied_upon() -> None:
    passes = [{"name": "p", "keys": ["phone", "first(phone, 3)", "last(phone, 4)"]}, {"name": "q", "keys": ["mail"]}]
    layout = Layout.of(SPEC.model_validate({**SPEC.model_dump(exclude={"passes"}), "passes": passes}))
    assert (key_parts(layout.ops).needed != 0).tolist() == [False, True]


@given(RECORDS, st.integers(0, 2**N_PASSES - 1))
def test_leaving_out_pairs_of_whole_passes_changes_no_edge_and_none_is_twice(records, whole) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    bits = np.random.default_rng(3).normal(size=(LAYOUT.n_fields, max(LAYOUT.n_levels), 8))
    none = np.full(LAYOUT.n_fields, -1, dtype=np.int32)
    tf = np.zeros((0, len(vocabulary)), dtype=np.float32)
    table = WeightArrays(bits, np.zeros(8), none, np.zeros((8, LAYOUT.n_fields)), tf, none, True)
    found = []
    for mask in (0, whole):
        scorer = Scorer(vocabulary, LAYOUT, table, -1.0, window=200, whole_passes=mask)
        parts = []
        for number in range(N_PASSES):
            blocks = sort_pass(words, vocabulary, LAYOUT, number)
            made = cut(blocks, len(words), 0)
            rows = members_of(blocks, made.starts, made.sizes)
            keys = np.repeat(np.arange(len(made.sizes), dtype=np.uint64), made.sizes)
            parts.append(score_range(words, rows, keys, scorer, number)[0])
        edges = merge_edges(parts)
        pairs = list(zip(edges.left.tolist(), edges.right.tolist(), strict=True))
        assert len(pairs) == len(set(pairs))
        found.append(edges.to_frame().rows())
    assert found[0] == found[1]


@given(RECORDS)
def test_a_lookup_finds_whom_a_run_would_compare(records) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    sizes = Sizes.of(len(words) - 1)
    lists: dict[tuple[int, int], bytes] = {}
    for number in range(N_PASSES):
        for slot, entries in postings(words[:-1], vocabulary, LAYOUT, number, 200):
            lists |= {(slot, bucket): held for bucket, held in bucketed(entries, sizes)}
    asked = probe(words[-1:], vocabulary, LAYOUT, sizes)
    found: dict[int, bytes] = {}
    for slot, bucket in asked.lists:
        found[slot] = found.get(slot, b"") + lists.get((slot, bucket), b"")
    rows, overfull = candidates(found, asked, sizes, 200)
    last = len(words) - 1
    assert rows.tolist() == sorted({a for made in pairs_of_passes(words, vocabulary) for a, b in made if b == last})
    assert overfull == []


@given(RECORDS)
def test_a_pair_counts_once_in_what_is_learnt_from(records) -> None:
    words, vocabulary = pack_text(frame(records), LAYOUT)
    distinct = set().union(*pairs_of_passes(words, vocabulary))
    found: Histogram = learnt_from(words, vocabulary, LAYOUT)
    assert np.isclose(found.counts.sum(), len(distinct))

"""Walking, comparing, weighing and uniting agree with their slow twins on small random data."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.blocking import candidate_pairs, shared_passes
from core.matching.blocking.block_keys import pass_keys
from core.matching.blocking.blocks import cut, members_of, pairs_of, sort_keys, split
from core.matching.clustering.fit import Scores, people_of
from core.matching.clustering.union_find import Decided, unite
from core.matching.compare.patterns import compare_pairs, levels_of, patterns_of
from core.matching.edges import Edges, merge_edges
from core.matching.records.layout import Layout
from core.matching.records.pair_chunk import Chunk
from core.matching.records.sources import across, boundaries_of, linked_sources, pairs_across, source_numbers
from core.matching.records.value_places import field_values
from core.matching.records.vocabulary import code_columns, pack, remap
from core.matching.scoring.classes import FIRST_APART, N_ONE_PERSON
from core.matching.scoring.match_weights import posterior
from core.matching.scoring.model import WeightArrays
from core.matching.scoring.random_pairs import random_pairs
from core.matching.scoring.score_pairs import Scorer, score_range
from core.matching.specs.key_expressions import KEY_FUNCTIONS
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import MatchSpec, load_spec
from core.matching.standardise.names.nicknames import listed_names
from tests.blocking import in_block_order, spread

KEYS = st.lists(st.integers(0, 5), max_size=30)
BOUNDARIES = st.lists(st.integers(1, 30), max_size=3).map(sorted)
PERSONS = load_spec("persons")
LAYOUT = Layout.of(PERSONS)

NAME = st.one_of(
    st.none(), st.sampled_from(["ann", "anna", "anne", "an", "a", "bob", "robert", "smith", "smyth", "lee"])
)
RECORD = st.fixed_dictionaries(
    {
        "first_name": NAME,
        "last_name": NAME,
        "dob": st.one_of(st.none(), st.sampled_from([19800512, 19801205, 19800513, 19810512, 19800000, 19551231])),
        "ssn": st.one_of(st.none(), st.text(alphabet="0123", min_size=4, max_size=6)),
        "street": st.one_of(
            st.none(), st.sampled_from(["12 main st", "12 mian st", "14 main st", "main st", "9 oak ave"])
        ),
        "zip": st.one_of(st.none(), st.sampled_from(["12345", "12346", "54321", "123"])),
    }
)
FIELDS = ("first_name", "last_name", "dob", "ssn", "street", "zip")


SMALL_SPEC = PERSONS.restrict(FIELDS)[0]
SMALL = Layout.of(SMALL_SPEC)


def frame(records: list[dict]) -> pl.DataFrame:
    schema = {name: pl.Int32 if name == "dob" else pl.String for name in FIELDS}
    return pl.DataFrame(records, schema=schema)


@given(KEYS, BOUNDARIES)
def test_a_walk_makes_every_pair_of_equal_keys_once(keys, boundaries):
    made = walked(keys, boundaries, len(keys) + 1)
    assert len(made) == len(set(made))
    assert set(made) == reference.block_pairs(keys, boundaries)


@given(KEYS, st.integers(2, 6))
def test_pairs_of_counts_what_a_windowed_walk_makes(keys, window):
    sizes = cut(sort_keys(spread(keys)), len(keys), 0).sizes
    assert pairs_of(sizes, window).sum() == len(walked(keys, [], window))


@given(KEYS, st.integers(1, 12))
def test_split_covers_every_pair_once(keys, pairs_per_batch):
    blocks = sort_keys(spread(keys))
    whole = cut(blocks, max(len(keys), 1), 0)
    made: list[tuple[int, int]] = []
    for first, last, n_pairs in split(pairs_of(whole.sizes), pairs_per_batch):
        starts, sizes = whole.starts[first:last], whole.sizes[first:last]
        numbers = np.repeat(np.arange(len(sizes)), sizes).tolist()
        found = reference.walked_pairs(numbers, members_of(blocks, starts, sizes).tolist(), len(keys))
        assert len(found) == n_pairs
        made += found
    assert sorted(made) == sorted(reference.block_pairs(keys))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(1, 60), st.integers(0, 9))
def test_random_pairs_are_distinct_rows_in_order_of_two_sources(sizes, n_pairs, seed):
    n, boundaries = sum(sizes), boundaries_of(sizes)
    left, right = random_pairs(n, n_pairs, seed, boundaries)
    assert (left < right).all()
    assert right.max(initial=0) < n
    assert len(left) == min(n_pairs, pairs_across(sizes) if len(sizes) > 1 else n * (n - 1) // 2)
    assert len(sizes) == 1 or across(left, right, boundaries).all()


def test_random_pairs_of_every_two_sources_are_as_many_as_their_share() -> None:
    sizes = [6_000, 3_000, 10]
    left, right = random_pairs(sum(sizes), 30_000, 5, boundaries_of(sizes))
    sources = [source_numbers(rows, boundaries_of(sizes)) for rows in (left, right)]
    shares = {(a, b): sizes[a] * sizes[b] / pairs_across(sizes) for a, b in ((0, 1), (0, 2), (1, 2))}
    for (a, b), share in shares.items():
        assert abs(int(((sources[0] == a) & (sources[1] == b)).sum()) - 30_000 * share) <= 1


def test_random_pairs_of_two_sources_are_the_ones_they_were() -> None:
    left, right = random_pairs(1_000, 4, 11, boundaries_of([400, 600]))
    assert (left.tolist(), right.tolist()) == ([235, 326, 165, 289], [528, 527, 862, 769])


@given(st.lists(RECORD, min_size=2, max_size=8))
def test_levels_are_symmetric_and_missing_exactly_where_a_value_is(records):
    layout = SMALL
    words, vocabulary = pack(frame(records), layout)
    left, right = random_pairs(len(records), 1000, 0)
    levels = compare_pairs(words, vocabulary, layout, left, right)
    # Jaro-Winkler itself is not symmetric in rare cases; none of these names is one.
    assert (levels == compare_pairs(words, vocabulary, layout, right, left)).all()
    for column, name in enumerate(layout.spec.columns):
        absent = field_values(words, layout, name) == 0
        if name != "street":
            assert [record[name] is None for record in records] == absent.tolist()
        for pair in range(len(left)):
            a, b = records[left[pair]][name], records[right[pair]][name]
            assert (levels[pair, column] == MISSING) == (a is None or b is None)
            assert (levels[pair, column] == layout.n_levels[column] - 1) == (a is not None and a == b)


@given(st.lists(RECORD, min_size=2, max_size=8))
def test_levels_of_names_agree_with_twins(records):
    layout = SMALL
    words, vocabulary = pack(frame(records), layout)
    left, right = random_pairs(len(records), 1000, 0)
    levels = compare_pairs(words, vocabulary, layout, left, right)[:, layout.names.index("last_name")]
    labels = [level.label for level in reversed(layout.spec.fields[1].levels)]
    for pair, level in enumerate(levels):
        a, b = records[left[pair]], records[right[pair]]
        if a["last_name"] is None or b["last_name"] is None:
            continue
        tests = {
            "exact": a["last_name"] == b["last_name"],
            "swapped": a["last_name"] == b["first_name"] and b["last_name"] == a["first_name"],
            "same_name": reference.same_words(a["last_name"], b["last_name"]),
            "damerau <= 1": reference.slipped(a["last_name"], b["last_name"], 1, listed_names()),
            "jaro_winkler >= 0.9": reference.similar(a["last_name"], b["last_name"], 0.9),
            "jaro_winkler >= 0.8": reference.similar(a["last_name"], b["last_name"], 0.8),
        }
        expected = next((at + 1 for at in reversed(range(len(labels))) if tests[labels[at]]), 0)
        assert level == expected


@given(
    st.lists(st.lists(st.integers(-1, 5), min_size=LAYOUT.n_fields, max_size=LAYOUT.n_fields), min_size=1, max_size=6)
)
def test_patterns_of_levels_can_be_undone(rows):
    top = np.array(LAYOUT.n_levels) - 1
    levels = np.array([[MISSING if level < 0 else min(level, top[at]) for at, level in enumerate(row)] for row in rows])
    levels = levels.astype(np.uint8)
    assert (levels_of(patterns_of(levels, LAYOUT), LAYOUT) == levels).all()


@given(st.lists(RECORD, min_size=1, max_size=8), st.integers(0, 8))
def test_merged_vocabularies_give_the_records_of_one_pack(records, cut):
    layout = SMALL
    whole, vocabulary = pack(frame(records), layout)
    parts = [pack(frame(records[:cut]), layout), pack(frame(records[cut:]), layout)]
    merged, tables = code_columns([each[1].strings for each in parts])
    for (words, _), table in zip(parts, tables, strict=True):
        remap(words, layout, table)
    assert merged.strings.to_list() == vocabulary.strings.to_list()
    assert (np.concatenate([words for words, _ in parts]) == whole).all()


@given(st.lists(st.floats(-40, 40), min_size=8, max_size=8), st.lists(st.floats(-30, 0), min_size=8, max_size=8))
def test_posterior_agrees_with_twin(sums, shares):
    out = np.zeros(1)
    posterior(np.array(sums)[None, :], np.array(shares), 1, True, out)
    expected = reference.posterior_bits(sums, shares, (N_ONE_PERSON, FIRST_APART))
    assert out[0] == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_unite_labels_rows_with_the_smallest_connected_one(pairs):
    labels = np.arange(12, dtype=np.uint32)
    left, right = (np.array([pair[side] for pair in pairs], dtype=np.uint32) for side in (0, 1))
    every = np.stack(np.triu_indices(12, 1)).astype(np.uint32)
    fitting = Scores(every, np.ones(every.shape[1]))
    people = people_of(fitting, np.zeros(12, dtype=np.uint64), np.zeros(0, dtype=np.uint32), 0)
    outcome = np.zeros(len(left), dtype=np.uint8)
    unite((left, right), people, 12, labels, Decided.nothing().ruling(), outcome)
    assert not outcome.any()
    assert labels.tolist() == reference.components(12, pairs)


def edge(a: int, b: int, each: int) -> Edges:
    return Edges(
        left=np.array([a], dtype=np.uint32),
        right=np.array([b], dtype=np.uint32),
        bits=np.array([a + b], dtype=np.float32),
        tf_bits=np.zeros(1, dtype=np.float32),
        pattern=np.array([a], dtype=np.uint64),
        passes=np.array([1 << each], dtype=np.uint32),
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(4, 7), st.integers(0, 5)), max_size=20))
def test_merge_edges_keeps_each_pair_once_with_all_its_passes(found):
    merged = merge_edges([edge(*each) for each in found])
    expected: dict[tuple[int, int], int] = {}
    for a, b, each in found:
        expected[a, b] = expected.get((a, b), 0) | 1 << each
    assert list(zip(merged.left.tolist(), merged.right.tolist(), strict=True)) == sorted(expected)
    assert merged.passes.tolist() == [expected[pair] for pair in sorted(expected)]
    assert merged.bits.tolist() == [float(sum(pair)) for pair in sorted(expected)]


def walked(keys, boundaries: list[int], window: int, since: int = 0) -> list[tuple[int, int]]:
    """Pairs of `candidate_pairs.next_pairs`, as rows; checks that the gathered records are those of the pairs."""
    words = np.arange(4 * len(keys), dtype=np.uint32).reshape(-1, 4)
    ordered, rows = in_block_order(spread(keys))
    sources = linked_sources(rows, np.array(boundaries, dtype=np.int64))
    walk = candidate_pairs.start_walk(ordered, 4)
    made: list[tuple[int, int]] = []
    while not candidate_pairs.at_end(walk, ordered):
        size = candidate_pairs.next_pairs(walk, ordered, rows, sources, window, since)
        candidate_pairs.gather(walk, words)
        left, right = walk.left[:size], walk.right[:size]
        assert (walk.records[left] == words[walk.rows[left]]).all()
        assert (walk.records[right] == words[walk.rows[right]]).all()
        made += zip(walk.rows[left].tolist(), walk.rows[right].tolist(), strict=True)
    return made


def twin_of_walked(keys, boundaries: list[int], window: int) -> list[tuple[int, int]]:
    numbers, rows = in_block_order(spread(keys))
    return reference.walked_pairs(numbers.tolist(), rows.tolist(), window, boundaries)


@given(KEYS, BOUNDARIES, st.integers(2, 6))
def test_next_pairs_agrees_with_its_twin(keys, boundaries, window):
    assert walked(keys, boundaries, window) == twin_of_walked(keys, boundaries, window)


@given(KEYS, BOUNDARIES, st.integers(2, 6), st.integers(0, 30))
def test_next_pairs_leaves_out_pairs_of_two_rows_before_since(keys, boundaries, window, since):
    expected = [pair for pair in twin_of_walked(keys, boundaries, window) if max(pair) >= since]
    assert walked(keys, boundaries, window, since) == expected


@pytest.mark.parametrize(("sizes", "window"), [((2500, 2, 3000, 40), 3), ((2000, 60, 60, 2), 100), ((1, 1, 46), 50)])
def test_next_pairs_resumes_inside_blocks_of_any_size(sizes, window):
    keys = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    for boundaries in ([], [20, 45]):
        assert walked(keys, boundaries, window) == twin_of_walked(keys, boundaries, window)


EVERY_KEY = (
    "zip", "ssn", "street", "dob", "sound(last_name)", "nick(first_name)", "initial(last_name)", "prefix(zip, 3)",
    "year(dob)", "month_day(dob)", "parts(dob)", "house(street)", "number(street)", "first(ssn, 4)", "last(ssn, 5)",
    "unordered(first_name, last_name)", "street(street)",
)  # fmt: skip


def layout_of_every_key() -> Layout:
    passes = [{"name": f"pass{at}", "keys": [key]} for at, key in enumerate(EVERY_KEY)]
    passes.append({"name": "two", "keys": ["zip", "initial(last_name)"]})
    return Layout.of(MatchSpec.model_validate({**SMALL_SPEC.model_dump(exclude={"passes"}), "passes": passes}))


LAYOUT_OF_EVERY_KEY = layout_of_every_key()
PARTS_OF_EVERY_KEY = shared_passes.key_parts(LAYOUT_OF_EVERY_KEY.ops)


@given(st.lists(RECORD, min_size=2, max_size=8))
def test_passes_of_tells_from_two_records_what_their_keys_say(records):
    layout = LAYOUT_OF_EVERY_KEY
    words, vocabulary = pack(frame(records), layout)
    left, right = random_pairs(len(records), 1000, 0)
    keys, parts = pass_keys(words, vocabulary, layout), PARTS_OF_EVERY_KEY
    chunk = Chunk(words, left.astype(np.int64), right.astype(np.int64), len(left))
    masks, found = np.zeros(len(left), dtype=np.uint64), np.zeros(len(left), dtype=np.uint32)
    shared_passes.mark_parts(chunk, parts, vocabulary.arrays, np.uint64(2**64 - 1), masks)
    shared_passes.passes_of(masks, len(left), parts.needed, found)
    expected = ((keys[left] == keys[right]) & (keys[left] != 0)) @ (1 << np.arange(keys.shape[1]))
    assert found.tolist() == expected.tolist()


def test_sharing_knows_every_key_function_or_leaves_its_passes_alone():
    # Of rare words there is a test beside those of blocks.
    elsewhere = {"whole", "local", "rare"}
    assert {key.split("(")[0] for key in EVERY_KEY if "(" in key} | elsewhere == set(KEY_FUNCTIONS)
    ops = LAYOUT_OF_EVERY_KEY.ops
    strange = ops.keys.copy()
    strange[2, 0, 0] = max(shared_passes.KNOWN_OPCODES) + 1
    needed = shared_passes.key_parts(ops._replace(keys=strange)).needed
    assert [each for each in range(len(needed)) if needed[each] == 0] == [2]


@given(st.lists(RECORD, min_size=2, max_size=12), st.integers(0, 2**18 - 1), BOUNDARIES)
def test_leaving_out_pairs_of_whole_passes_changes_no_united_edge(records, whole, boundaries):
    layout = LAYOUT_OF_EVERY_KEY
    words, vocabulary = pack(frame(records), layout)
    keys = pass_keys(words, vocabulary, layout)
    bits = np.random.default_rng(3).normal(size=(layout.n_fields, max(layout.n_levels), 8))
    no_terms = np.full(layout.n_fields, -1, dtype=np.int32)
    table = WeightArrays(
        bits,
        np.zeros(8),
        no_terms,
        np.zeros((8, layout.n_fields)),
        np.zeros((0, len(vocabulary)), dtype=np.float32),
        no_terms,
        True,
    )
    blocks = [in_block_order(keys[:, pass_]) for pass_ in range(keys.shape[1])]
    found = []
    for mask in (0, whole):
        scorer = Scorer(
            vocabulary, layout, table, -1.0, np.array(boundaries, dtype=np.int64), 200, mask, parts=PARTS_OF_EVERY_KEY
        )
        parts, total = [], 0
        for pass_, (ordered, rows) in enumerate(blocks):
            edges, n_pairs = score_range(words, rows, ordered, scorer, pass_)
            parts.append(edges)
            total += n_pairs
        found.append((merge_edges(parts).to_frame().rows(), total))
    assert found[0] == found[1]

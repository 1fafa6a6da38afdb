"""What EM learns from data with a known truth, and that nothing it gives is infinite, however little it sees."""

import numpy as np
import polars as pl
import pytest

from core.errors import MatchError
from core.matching.blocking import block_keys
from core.matching.compare.patterns import compare_pairs, compare_patterns, patterns_of
from core.matching.quality.explain import explain_pair, explain_records
from core.matching.records.layout import Layout
from core.matching.records.sources import boundaries_of
from core.matching.records.vocabulary import Vocabulary, frequencies, pack
from core.matching.scoring import histograms
from core.matching.scoring.classes import CHANCE, CLASSES, KIN, SAME, T_CHANCE, T_KIN, T_SAME
from core.matching.scoring.evidence import evidence
from core.matching.scoring.learning.em import train
from core.matching.scoring.learning.starting_tables import CHANCE_BELIEF_PAIRS
from core.matching.scoring.model import Model, TermTable, build_model, rarity_bits, term_bits, weights
from core.matching.scoring.random_pairs import random_pairs
from core.matching.scoring.score_pairs import Scorer, score_range
from core.matching.specs.levels import TESTS
from core.matching.specs.passes import PassSpec
from core.matching.specs.spec import load_spec
from core.matching.standardise.normalise import normalise
from tests.blocking import always, candidates, in_block_order

FIRST = [
    "ann",
    "bob",
    "carla",
    "dmitri",
    "eve",
    "fritz",
    "gus",
    "hedwig",
    "ivan",
    "jola",
    "knut",
    "lena",
    "milo",
    "nina",
]
LAST = [
    "oakley",
    "birch",
    "cedarman",
    "dogwood",
    "elmer",
    "firth",
    "gumley",
    "hazel",
    "ivy",
    "juniper",
    "kauri",
    "larch",
]
TOWNS = ["adel", "boro", "cork", "dale", "esk", "fife", "glen", "holm"]


def households(n_homes: int) -> pl.DataFrame:
    """Homes of two people of one surname; the first of every second home occurs twice, with one slip in the surname."""
    rows = []
    draw = np.random.default_rng(5)
    for home in range(n_homes):
        last = LAST[draw.integers(len(LAST))] + chr(97 + home % 26) + chr(97 + home // 26 % 26)
        address = {"street": f"{home + 1} {LAST[home % 12]} st", "city": TOWNS[home % 8], "zip": f"{20000 + home // 4}"}
        for member in range(2):
            born = f"{1940 + draw.integers(60)}-{1 + draw.integers(12):02d}-{1 + draw.integers(28):02d}"
            person = {"first_name": FIRST[(home + 7 * member) % 14], "last_name": last, "dob": born}
            person |= address | {"ssn": f"{draw.integers(100_000_000, 999_999_999)}"}
            rows.append(person)
            if member == 0 and home % 2 == 0:
                rows.append(person | {"last_name": last[:-1]})
    return pl.DataFrame(rows)


def learn(frame: pl.DataFrame):
    spec = always(load_spec("persons").restrict(frame.columns)[0])
    homes = PassSpec(name="homes", keys=("house(street)", "sound(last_name)"))
    layout = Layout.of(spec.model_copy(update={"passes": (*spec.passes[: spec.n_always], homes)}))
    words, vocabulary = pack(normalise(frame, spec), layout)
    keys = block_keys.pass_keys(words, vocabulary, layout)
    made = candidates(words, vocabulary, layout)
    n = len(words)
    chance = histograms.pair_histogram(words, vocabulary, layout, *random_pairs(n, 50_000, 3))
    parameters = train(made, chance, n * (n - 1) / 2, layout)
    model = build_model(parameters, frequencies(words, layout, len(vocabulary)), vocabulary, layout, n_rows=n)
    return layout, words, vocabulary, keys, parameters, model


@pytest.fixture(scope="module")
def learnt():
    return learn(households(300))


def test_term_bits_of_a_few_strings_are_those_of_weights(learnt):
    layout, vocabulary, model = learnt[0], learnt[2], learnt[5]
    strings = [*vocabulary.strings.to_list()[:40], "zzz"]
    expected = weights(model, Vocabulary.of_strings(strings), layout).tf
    assert np.array_equal(term_bits(model, layout, strings), expected)
    assert expected.any()


def test_train_finds_the_shares_of_doubles_and_of_kin(learnt):
    parameters = learnt[4]
    n_same, n_kin = parameters.shares[SAME] * parameters.total_pairs, parameters.shares[KIN] * parameters.total_pairs
    assert parameters.converged
    assert n_same == pytest.approx(150, rel=0.05)
    # Kin are each home's other member: once, or twice where the first occurs twice.
    assert n_kin == pytest.approx(450, rel=0.35)
    assert parameters.shares.sum() == pytest.approx(1.0)


def test_train_learns_that_surnames_slip_and_identifiers_do_not(learnt):
    layout, parameters = learnt[0], learnt[4]
    last, ssn = layout.names.index("last_name"), layout.names.index("ssn")
    exact = layout.n_levels[last] - 1
    assert parameters.tables[T_SAME, last, exact] < 0.1
    slip = exact - [level.test for level in layout.spec.fields[last].levels].index("damerau")
    assert parameters.tables[T_SAME, last, slip] > 0.8
    assert parameters.tables[T_SAME, ssn, layout.n_levels[ssn] - 1] > 0.95


def test_train_learns_that_kin_share_home_and_family_but_no_birthday(learnt):
    layout, parameters = learnt[0], learnt[4]
    exact = {name: parameters.tables[T_KIN, at, layout.n_levels[at] - 1] for at, name in enumerate(layout.names)}
    assert exact["street"] > 0.97
    assert exact["zip"] > 0.97
    assert exact["dob"] < 0.02


def test_shares_of_every_table_sum_to_one_and_evidence_is_finite(learnt):
    layout, parameters = learnt[0], learnt[4]
    assert parameters.tables.sum(axis=2) == pytest.approx(np.ones(parameters.tables.shape[:2]))
    bits = evidence(parameters, layout)
    assert np.isfinite(bits).all()
    assert (bits[CHANCE] == 0).all()


def test_train_gives_the_same_bits_twice(learnt):
    again = learn(households(300))
    assert np.array_equal(learnt[4].tables, again[4].tables)
    assert learnt[5].to_json() == again[5].to_json()


@pytest.mark.parametrize("n_rows", [1, 2, 5, 30])
def test_train_survives_files_too_small_to_learn_from(n_rows):
    layout, words, vocabulary, keys, parameters, model = learn(households(20)[:n_rows])
    assert np.isfinite(evidence(parameters, layout)).all()
    table = weights(model, vocabulary, layout)
    assert np.isfinite(table.bits).all()
    assert np.isfinite(table.shares).all()
    ordered, rows = in_block_order(keys[:, 0])
    edges, _ = score_range(words, rows, ordered, Scorer(vocabulary, layout, table, -60.0))
    assert np.isfinite(edges.bits).all()


def test_small_files_still_join_what_is_plainly_the_same():
    layout, words, vocabulary, keys, _, model = learn(households(10))
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), 3.0)
    ordered, rows = in_block_order(keys[:, 0])
    edges, _ = score_range(words, rows, ordered, scorer)
    assert sorted(zip(edges.left.tolist(), edges.right.tolist(), strict=True)) == [
        (at, at + 1) for at in range(0, 25, 5)
    ]


def test_rarity_bits_are_clipped_both_ways():
    table = TermTable(n_present=1_000_000, counts={}, rest=1)
    found = rarity_bits(np.array([0, 10, 1000, 900_000]), table, 0.001)
    assert found.tolist() == pytest.approx([6.0, 6.0, 0.0, -8.0])


def test_a_model_survives_its_json(learnt):
    model = learnt[5]
    assert Model.from_json(model.to_json()) == model
    assert set(model.term_tables) <= {"first_name", "last_name", "city"}
    assert all(count >= 2 for table in model.term_tables.values() for count in table.counts.values())
    assert all(table.rest == 1 for table in model.term_tables.values())


def test_weights_refuse_a_model_of_other_rules(learnt):
    _, _, vocabulary, _, _, model = learnt
    with pytest.raises(MatchError, match="another spec"):
        weights(model, vocabulary, Layout.of(load_spec("persons")))


def test_kernel_scores_equal_the_explained_ones(learnt):
    layout, words, vocabulary, keys, _, model = learnt
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), -60.0)
    values = normalise(households(300), layout.spec)
    seen = 0
    for pass_ in range(keys.shape[1]):
        ordered, rows = in_block_order(keys[:, pass_])
        edges, n_pairs = score_range(words, rows[:60], ordered[:60], scorer, pass_)
        assert len(edges) == n_pairs
        levels = compare_pairs(words, vocabulary, layout, edges.left, edges.right)
        for at in range(len(edges)):
            a, b = values.row(int(edges.left[at]), named=True), values.row(int(edges.right[at]), named=True)
            explained = explain_pair(a, b, levels[at], model, layout)
            assert explained.total_bits == pytest.approx(edges.bits[at], abs=1e-4)
            assert sum(field.rarity_bits for field in explained.fields) == pytest.approx(edges.tf_bits[at], abs=1e-5)
            seen += 1
    assert seen > 100


def test_a_score_does_not_depend_on_the_blocks_it_is_met_in(learnt):
    layout, words, vocabulary, keys, _, model = learnt
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), -60.0)
    found: dict[tuple[int, int], set[float]] = {}
    for pass_ in range(keys.shape[1]):
        ordered, rows = in_block_order(keys[:, pass_])
        edges, _ = score_range(words, rows, ordered, scorer, pass_)
        for a, b, bits in zip(edges.left.tolist(), edges.right.tolist(), edges.bits.tolist(), strict=True):
            found.setdefault((a, b), set()).add(bits)
    assert {len(bits) for bits in found.values()} == {1}


def test_a_large_block_is_scored_in_chunks_like_its_pairs_one_by_one(learnt):
    layout, words, vocabulary, _, _, model = learnt
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), -1e9)
    n = 80
    block = np.full(n, 7, dtype=np.uint64)
    edges, n_pairs = score_range(words, np.arange(n, dtype=np.uint32), block, scorer)
    assert n_pairs == len(edges) == n * (n - 1) // 2
    assert len(set(zip(edges.left.tolist(), edges.right.tolist(), strict=True))) == n_pairs
    assert (
        edges.pattern == patterns_of(compare_pairs(words, vocabulary, layout, edges.left, edges.right), layout)
    ).all()
    assert (edges.pattern == compare_patterns(words, vocabulary, layout, edges.left, edges.right)).all()
    for at in range(0, n_pairs, 97):
        alone, _ = score_range(words, np.array([edges.left[at], edges.right[at]]), block[:2], scorer)
        assert alone.bits.tolist() == [edges.bits[at]]
        assert alone.tf_bits.tolist() == [edges.tf_bits[at]]


def test_a_large_block_teaches_each_of_its_pairs_once(learnt):
    """However many passes make it: of two, each counts a pair for half."""
    layout, words, vocabulary, _, _, _ = learnt
    n = 80
    passes = (PassSpec(name="town", keys=("city",)), PassSpec(name="letter", keys=("prefix(city, 1)",)))
    layout = Layout.of(layout.spec.model_copy(update={"passes": passes}))
    neighbours = words[:n].copy()
    neighbours[:, layout.words_of("city")] = words[0, layout.words_of("city")]
    expected = histograms.pair_histogram(neighbours, vocabulary, layout, *random_pairs(n, 10**6, 0))
    found = candidates(neighbours, vocabulary, layout)
    assert found.patterns.tolist() == expected.patterns.tolist()
    assert found.counts.tolist() == expected.counts.tolist()


def test_linking_scores_only_pairs_across_the_boundary(learnt):
    layout, words, vocabulary, _, _, model = learnt
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), -1e9, boundaries_of([30, 20]))
    edges, n_pairs = score_range(words, np.arange(50, dtype=np.uint32), np.full(50, 7, dtype=np.uint64), scorer)
    assert n_pairs == len(edges) == 30 * 20
    assert (edges.left < 30).all()
    assert (edges.right >= 30).all()


def test_an_oversize_block_meets_neighbours_in_spelling_only(learnt):
    layout, words, vocabulary, _, _, model = learnt
    scorer = Scorer(vocabulary, layout, weights(model, vocabulary, layout), -1e9, window=4)
    edges, n_pairs = score_range(words, np.arange(60, dtype=np.uint32), np.full(60, 7, dtype=np.uint64), scorer)
    assert n_pairs == 57 * 3 + 3
    order = np.lexsort((np.arange(60), *words[:60, :4].T[::-1]))
    place = np.argsort(order)
    assert (np.abs(place[edges.left] - place[edges.right]) < 4).all()


def test_explanations_add_up_and_read_as_a_waterfall(learnt):
    layout, model = learnt[0], learnt[5]
    explained = explain_records(households(300)[:2], model, layout.spec)
    parts = explained.prior_bits + sum(field.bits + field.rarity_bits for field in explained.fields)
    assert parts + explained.other_readings_bits == pytest.approx(explained.total_bits)
    assert explained.probability > 0.999
    assert "ssn" in explained.compared_by
    assert not set(explained.compared_by) & set(explained.missed_by)
    text = "\n".join(explained.to_lines())
    for word in ("prior", "last_name", "damerau <= 1", "total", "compared by ssn"):
        assert word in text
    assert explained.to_dict()["fields"][0]["name"] == "first_name"


def test_explanations_say_when_no_pass_compares_a_pair(learnt):
    layout, model = learnt[0], learnt[5]
    explained = explain_records(households(300)[[0, 40]], model, layout.spec)
    assert explained.compared_by == ()
    assert explained.probability < 1e-4
    assert explained.rival == "chance"
    assert "never compared" in "\n".join(explained.to_lines())


def test_a_histogram_counts_each_candidate_pair_once(learnt):
    layout, words, vocabulary, keys, _, _ = learnt
    distinct = sorted({pair for at in range(keys.shape[1]) for pair in _pairs(keys[:, at])})
    left, right = np.array(distinct, dtype=np.uint32).T
    expected = histograms.pair_histogram(words, vocabulary, layout, left, right)
    found = candidates(words, vocabulary, layout)
    assert found.patterns.tolist() == expected.patterns.tolist()
    assert found.counts == pytest.approx(expected.counts)
    assert found.counts.sum() == pytest.approx(len(distinct))


def test_a_histogram_of_two_sources_counts_pairs_across_only(learnt):
    layout, words, vocabulary, keys, _, _ = learnt
    distinct = {(a, b) for at in range(keys.shape[1]) for a, b in _pairs(keys[:, at]) if a < 301 <= b}
    assert candidates(words, vocabulary, layout, boundaries=boundaries_of([301, 1])).counts.sum() == pytest.approx(
        len(distinct)
    )


def test_a_sampled_histogram_estimates_the_whole(learnt):
    layout, words, vocabulary, _, _, _ = learnt
    whole = candidates(words, vocabulary, layout)
    part = candidates(words, vocabulary, layout, pairs_per_pass=80)
    assert part.counts.sum() == pytest.approx(whole.counts.sum(), rel=0.2)
    assert part.counts.max() > 1.0
    assert set(part.patterns.tolist()) <= set(whole.patterns.tolist())


def _pairs(column: np.ndarray) -> set[tuple[int, int]]:
    rows: dict[int, list[int]] = {}
    for row, key in enumerate(column.tolist()):
        if key:
            rows.setdefault(key, []).append(row)
    return {(a, b) for block in rows.values() for a in block for b in block if a < b}


def test_classes_without_their_fields_stay_out(learnt):
    parameters = learnt[4]
    # Nobody has a telephone that relatives could share.
    assert parameters.shares[CLASSES.index("relative")] < 1e-9
    assert parameters.tables[T_CHANCE].min() > 0


def test_explanations_say_what_kept_each_pass_from_a_pair(learnt):
    layout, model = learnt[0], learnt[5]
    pair = households(300)[:2].with_columns(
        ssn=pl.Series(["321654987", None]),
        zip=pl.Series(["12345", "54321"]),
        city=pl.Series([None, None], dtype=pl.String),
    )
    explained = explain_records(pair, model, layout.spec)
    why = dict(zip(explained.missed_by, explained.missed_why, strict=True))
    assert why["ssn"] == "ssn is missing in one"
    assert "zip differs" in why["names_zip"]
    assert "city is missing in both" in why["names_city"]
    assert all(why.values())
    (line,) = [line for line in explained.to_lines() if line.startswith("missed by ssn ")]
    assert line.endswith("ssn is missing in one")


def test_values_that_changed_places_weigh_once(learnt):
    layout, parameters = learnt[0], learnt[4]
    first, last = layout.names.index("first_name"), layout.names.index("last_name")
    level = {row: len(layout.spec.fields[row].levels) - 1 for row in (first, last)}
    assert layout.spec.fields[last].levels[1].test == "swapped"
    bits = evidence(parameters, layout)[SAME]
    shares = parameters.tables[:, first, level[first]]
    # What both fields say together is what the one event says, and in neither less than the level below.
    both = bits[first, level[first]] + bits[last, level[last]]
    least = bits[first, level[first] - 1] + bits[last, level[last] - 1]
    # One pair or none of three hundred: the level is pooled with its neighbour.
    assert both == pytest.approx(max(np.log2(shares[T_SAME] / shares[T_CHANCE]), least), abs=1.0)
    assert both > 3


def test_strangers_share_of_a_level_nobody_reached_is_the_expected_one_among_the_random_pairs(learnt):
    layout, parameters = learnt[0], learnt[4]
    row = layout.names.index("first_name")
    level = len(layout.spec.fields[row].levels) - 1
    expected = CHANCE_BELIEF_PAIRS * TESTS["swapped"].u / (50_000 + CHANCE_BELIEF_PAIRS)
    assert parameters.tables[T_CHANCE, row, level] == pytest.approx(expected, rel=0.3)


def test_marks_start_from_what_is_expected_of_them_and_never_differ_more_often() -> None:
    """Fathers and sons who are taken for one person at first must not teach that one person's initials differ."""
    spec = load_spec("persons").restrict(["first_name", "last_name", "phone", "street", "zip"])[0]
    layout = Layout.of(spec)
    names = layout.names
    levels = np.full((3, layout.n_fields), 255, dtype=np.uint8)
    levels[:, :5] = np.array(layout.n_levels[:5]) - 1
    levels[:, names.index("middle")] = levels[:, names.index("suffix")] = [0, 0, 1]
    together = histograms.Histogram.of(patterns_of(levels, layout), np.array([40.0, 40.0, 40.0]))
    apart = histograms.Histogram.of(
        patterns_of(np.zeros((1, layout.n_fields), dtype=np.uint8), layout), np.array([1.0])
    )
    parameters = train(together, apart, 10_000.0, layout)
    same = parameters.tables[T_SAME]
    assert same[names.index("middle"), 0] <= 0.0051
    assert same[names.index("suffix"), 0] < 1e-8
    assert same[names.index("sex"), 0] == pytest.approx(0.005, abs=0.001)
    bits = evidence(parameters, layout)[SAME]
    assert bits[names.index("middle"), 0] < -5
    assert 0 < bits[names.index("sex"), 1] < 1.5

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.clustering.assignment import EXACT_RECORDS_MAX, one_to_one
from core.matching.clustering.cluster import Decided, cluster, cluster_sizes, falling
from core.matching.clustering.contested import BY
from core.matching.clustering.fit import WHOLE_MAX
from core.matching.edges import Edges
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary, pack
from core.matching.scoring.score_pairs import Scorer
from core.matching.specs.spec import load_spec
from tests.weights import even_weights

FIELDS = ["first_name", "last_name", "dob", "ssn", "street", "zip"]
SPEC = load_spec("persons").restrict(FIELDS)[0]
LAYOUT = Layout.of(SPEC)
SENIOR = {"dob": 19500101, "ssn": "111222333"}
JUNIOR = {"dob": 19851231, "ssn": "987654320"}
BRIDGE = {"dob": None, "ssn": None}


# What is missing says nothing, and half a bit speaks for one person from the start.
WEIGHTS = even_weights(LAYOUT, alike=4.0, differ=-5.0)


def edges(*found: tuple[int, int, float]) -> Edges:
    n = len(found)
    left, right, bits = zip(*found, strict=True) if found else ((), (), ())
    zeros = np.zeros(n, dtype=np.float32)
    ends = (np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32))
    ones = np.ones(n, dtype=np.uint32)
    return Edges(*ends, np.array(bits, dtype=np.float32), zeros, np.zeros(n, dtype=np.uint64), ones)


def decided(matches=(), differs=()) -> Decided:
    return Decided(*(np.array(pairs, dtype=np.uint32).reshape(-1, 2) for pairs in (matches, differs)))


def labels(people: list[dict], *found: tuple[int, int, float], max_cluster: int = 50, by: Decided | None = None):
    result = clustered(people, *found, max_cluster=max_cluster, by=by)
    return result.labels.tolist(), result.report


def clustered(people: list[dict], *found: tuple[int, int, float], max_cluster: int = 50, by: Decided | None = None):
    schema = {name: pl.Int32 if name == "dob" else pl.String for name in FIELDS}
    words, vocabulary = pack(pl.DataFrame([dict.fromkeys(FIELDS) | each for each in people], schema=schema), LAYOUT)
    return cluster(edges(*found), words, Scorer(vocabulary, LAYOUT, WEIGHTS, 0.0), max_cluster, 3.0, by)


def test_cluster_follows_accepted_edges_only():
    found, report = labels([BRIDGE] * 5, (0, 1, 9.0), (1, 3, 5.0), (2, 4, 2.9))
    assert found == [0, 0, 2, 0, 4]
    assert report.to_dict() == {
        "clusters": 3, "largest": 3, "sizes": {"1": 2, "3": 1}, "merges_contradicted": 0, "merges_oversize": 0,
        "merges_denied": 0,
    }  # fmt: skip


def test_cluster_of_nothing_is_every_row_alone():
    found, report = labels([BRIDGE] * 3)
    assert found == [0, 1, 2]
    assert report.largest == 1


def test_a_bridge_does_not_join_what_contradicts():
    found, report = labels([SENIOR, BRIDGE, JUNIOR], (0, 1, 9.0), (1, 2, 5.0))
    assert found == [0, 0, 2]
    assert report.n_contradicted == 1


def test_the_stronger_edge_takes_the_bridge():
    found, _ = labels([SENIOR, BRIDGE, JUNIOR], (0, 1, 5.0), (1, 2, 9.0))
    assert found == [0, 1, 1]


def test_a_contradiction_never_vetoes_a_direct_pair():
    assert labels([SENIOR, JUNIOR], (0, 1, 9.0))[0] == [0, 0]


def test_pairs_that_were_accepted_themselves_are_no_contradiction():
    alike = {"first_name": "ann", "last_name": "lee", "street": "1 elm st", "zip": "12345"}
    people = [SENIOR | alike, SENIOR | alike, JUNIOR | alike]
    assert labels(people, (0, 1, 20.0), (1, 2, 9.0))[0] == [0, 0, 0]


def test_what_fits_two_that_do_not_fit_each_other_stays_alone_and_says_so():
    people = [BRIDGE, SENIOR, JUNIOR]
    found = clustered(people, (0, 1, 6.0), (0, 2, 6.0))
    assert found.labels.tolist() == [0, 1, 2]
    told = pl.DataFrame(vars(found.apart)).rows()
    share = float(np.log2(64 / 65))
    assert [each[:4] for each in told] == [(0, 1, BY.index("rival"), 2), (0, 2, BY.index("rival"), 1)]
    assert [each[5] for each in told] == pytest.approx([share, share])


def test_copies_of_a_torn_record_stay_together():
    people = [BRIDGE, BRIDGE, SENIOR, JUNIOR]
    ties = [(row, other, 6.0) for row in (0, 1) for other in (2, 3)]
    assert labels(people, (0, 1, 30.0), *ties)[0] == [0, 0, 2, 3]


def test_far_the_better_alternative_is_taken_and_the_other_kept_for_review():
    found = clustered([BRIDGE, SENIOR, JUNIOR], (0, 1, 15.0), (0, 2, 5.0))
    assert found.labels.tolist() == [0, 0, 2]
    assert [BY[each] for each in found.apart.by] == ["record"]
    assert (found.apart.one.tolist(), found.apart.other.tolist()) == ([1], [2])
    assert found.apart.bits[0] < -9


def test_pairs_never_compared_are_weighed_in_small_and_in_large_components():
    # A chain of accepted pairs through threes of which each differs from the next one.
    for n in (6, WHOLE_MAX + 6):
        groups = [at // 3 for at in range(n)]
        marks = [at % 9 + 1 for at in groups]
        people = [{"dob": 19500101 + 1_010_101 * mark, "ssn": str(111_222_333 * mark)} for mark in marks]
        chain = ((at, at + 1, 9.0 if groups[at] == groups[at + 1] else 4.0) for at in range(n - 1))
        found, _ = labels(people, *chain, max_cluster=10_000)
        assert found == [3 * (at // 3) for at in range(n)]


def test_a_field_that_tells_apart_is_absolute():
    spec = load_spec("organisations")
    layout = Layout.of(spec)
    assert spec.fields[layout.names.index("numbers")].tells_apart
    place = int(layout.ops.place[layout.names.index("numbers")])
    words = np.ones((2, layout.stride), dtype=np.uint32)
    scorer = Scorer(Vocabulary.of_strings(["shop"]), layout, even_weights(layout), 0.0)
    for digit, joined in ((0, True), (1, False), (2, True)):
        one = replace(edges((0, 1, 9.0)), pattern=np.array([digit * place], dtype=np.uint64))
        found = cluster(one, words, scorer, 50, 3.0)
        assert (found.labels[1] == 0) == joined
        assert [BY[each] for each in found.apart.by] == ([] if joined else ["field"])


@pytest.mark.parametrize(("born", "joined"), [(None, False), (19500101, True), (19500102, True)])
def test_two_middle_initials_are_not_bridged_by_a_record_that_shows_none(born, joined):
    fields = [*FIELDS, "middle"]
    layout = Layout.of(load_spec("persons").restrict(fields)[0])
    fathers = [{"first_name": f"james{mark}", "last_name": "haddad"} for mark in ("\x1dmr", "", "\x1dmt")]
    fathers[0] |= {"street": "12 oak st", "dob": 19500101 if born else None}
    fathers[2] |= {"street": "9 elm st", "dob": born}
    schema = {name: pl.Int32 if name == "dob" else pl.String for name in fields}
    words, vocabulary = pack(pl.DataFrame([dict.fromkeys(fields) | each for each in fathers], schema=schema), layout)
    scorer = Scorer(vocabulary, layout, even_weights(layout, alike=4.0, differ=-5.0), 0.0)
    found = cluster(edges((0, 1, 9.0), (1, 2, 5.0)), words, scorer, 50, 3.0)
    assert found.labels.tolist() == ([0, 0, 0] if joined else [0, 0, 2])


@pytest.mark.parametrize(
    "slip",
    [{"ssn": "111222344", "dob": 19991231}, {"ssn": "987654320"}, {"dob": 19850712, "ssn": None}, {"dob": 19500112}],
)
def test_one_field_alone_or_a_slip_is_no_contradiction(slip):
    assert labels([SENIOR, BRIDGE, SENIOR | slip], (0, 1, 9.0), (1, 2, 5.0))[0] == [0, 0, 0]


def test_clusters_are_cut_at_their_weakest_edges():
    chain = [(0, 1, 9.0), (1, 2, 4.0), (2, 3, 8.0), (3, 4, 7.0)]
    found, report = labels([BRIDGE] * 5, *chain, max_cluster=3)
    assert found == [0, 0, 2, 2, 2]
    assert report.n_oversize == 1


def test_a_cluster_may_reach_its_limit_but_not_pass_it():
    chain = [(0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0)]
    assert labels([BRIDGE] * 4, *chain, max_cluster=3)[0] == [0, 0, 0, 3]
    assert labels([BRIDGE] * 4, *chain, max_cluster=4)[0] == [0, 0, 0, 0]


def test_equal_weights_are_taken_by_row_whatever_the_order_of_the_edges():
    pairs = [(0, 1, 5.0), (1, 2, 5.0), (2, 3, 5.0)]
    assert labels([BRIDGE] * 4, *pairs, max_cluster=2)[0] == labels([BRIDGE] * 4, *pairs[::-1], max_cluster=2)[0]


BITS = st.one_of(st.floats(-64, 64, width=32), st.sampled_from([0.0, -0.0, 3.0, -3.0, 2.5, 1e-40, -1e-40]))


@given(st.lists(BITS, max_size=60), st.floats(-10, 10, width=32))
def test_falling_is_the_order_of_accepted_edges_by_weight_then_place(bits: list[float], match_bits: float) -> None:
    found = edges(*((0, at + 1, each) for at, each in enumerate(bits)))
    accepted = np.flatnonzero(found.bits >= np.float32(match_bits))
    order = falling(found, match_bits)
    assert order.tolist() == accepted[np.lexsort((accepted, -found.bits[accepted]))].tolist()
    assert order.dtype == np.uint32


@given(st.lists(st.integers(0, 9), max_size=60))
def test_cluster_sizes_count_the_rows_of_each_label(groups: list[int]) -> None:
    labels = np.array([groups.index(group) for group in groups], dtype=np.uint32)
    expected = [groups.count(groups[row]) for row, label in enumerate(labels.tolist()) if row == label]
    assert cluster_sizes(labels).tolist() == expected


def test_one_to_one_prefers_the_best_sum_to_the_best_edge():
    found = edges((0, 2, 10.0), (0, 3, 9.0), (1, 2, 9.0))
    assert one_to_one(found, 3.0).tolist() == [False, True, True]


def test_one_to_one_leaves_reviewable_edges_alone():
    found = edges((0, 2, 10.0), (0, 3, 2.0), (1, 2, 4.0))
    assert one_to_one(found, 3.0).tolist() == [True, True, False]
    assert one_to_one(edges(), 3.0).tolist() == []


def test_one_to_one_takes_an_edge_exactly_at_the_threshold():
    assert one_to_one(edges((0, 1, 3.0)), 3.0).tolist() == [True]


def test_one_to_one_is_greedy_in_large_components():
    n = EXACT_RECORDS_MAX
    star = [(0, n + at, 5.0) for at in range(n)]
    found = edges(*star, (1, n, 10.0))
    chosen = one_to_one(found, 3.0)
    assert chosen.sum() == 2
    assert chosen[-1]
    assert chosen[1]


def test_pairs_told_apart_never_meet_not_even_by_a_chain():
    found, report = labels([BRIDGE] * 4, (0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0), by=decided(differs=[(3, 0)]))
    assert found == [0, 0, 0, 3]
    assert report.n_denied == 1
    assert labels([BRIDGE] * 2, (0, 1, 9.0), by=decided(differs=[(0, 1)]))[0] == [0, 1]


def test_pairs_joined_by_people_pass_every_guard_and_count_as_one():
    found, report = labels([SENIOR, BRIDGE, JUNIOR], (0, 1, 9.0), (1, 2, 5.0), by=decided(matches=[(1, 2)]))
    assert found[1] == found[2]
    assert report.n_contradicted == 0
    # A copy of one of the two joins them, though it does not fit the other.
    people = [SENIOR, JUNIOR, SENIOR]
    assert labels(people, (0, 2, 9.0), by=decided(matches=[(0, 1)]))[0] == [0, 0, 0]
    joined = [(0, 1), (1, 2), (2, 3)]
    assert labels([BRIDGE] * 4, max_cluster=2, by=decided(matches=joined))[0] == [0, 0, 0, 0]

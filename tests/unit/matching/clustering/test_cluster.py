import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.clustering.assignment import EXACT_RECORDS_MAX, one_to_one
from core.matching.clustering.cluster import DATE, Decided, cluster, cluster_sizes, contradict, falling
from core.matching.edges import Edges
from core.matching.quality.capture_recapture import capture_recapture
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.specs.spec import load_spec

FIELDS = ["first_name", "last_name", "dob", "ssn", "street", "zip"]
SPEC = load_spec("persons").restrict(FIELDS)[0]
LAYOUT = Layout.of(SPEC)
SENIOR = {"dob": 19500101, "ssn": "111222333"}
JUNIOR = {"dob": 19851231, "ssn": "987654320"}
BRIDGE = {"dob": None, "ssn": None}


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
    schema = {name: pl.Int32 if name == "dob" else pl.String for name in FIELDS}
    words, _ = pack(pl.DataFrame([dict.fromkeys(FIELDS) | each for each in people], schema=schema), LAYOUT)
    spec = SPEC.model_copy(update={"max_cluster": max_cluster})
    result, report = cluster(edges(*found), words, LAYOUT, spec, 3.0, by)
    return result.tolist(), report


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


def test_an_edge_that_outweighed_its_own_contradiction_is_not_vetoed_by_more_of_it():
    assert labels([SENIOR, SENIOR, JUNIOR], (0, 1, 20.0), (1, 2, 9.0))[0] == [0, 0, 0]


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


def test_one_field_that_is_near_outweighs_two_that_contradict():
    guards = np.array([[DATE, 0, 1], [DATE, 1, 1], [DATE, 2, 1]])
    scratch = (np.zeros((2, 16), dtype=np.uint32), np.zeros(64, dtype=np.int32))
    senior = np.array([19500101, 19700202, 19900303, 0], dtype=np.uint32)
    junior = np.array([19851231, 19771130, 20011224, 0], dtype=np.uint32)
    assert contradict(senior, junior, guards, *scratch)
    assert not contradict(senior, np.array([19851231, 19771130, 19900303, 0], dtype=np.uint32), guards, *scratch)


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


def test_capture_recapture_counts_what_passes_made_alone():
    bits = np.array([0b01] * 3 + [0b10] * 2 + [0b11] * 4, dtype=np.uint32)
    estimate = capture_recapture(bits, ["one", "two"])
    assert estimate.n_missed == pytest.approx(0.5 * 5 * 4 / (2 * 5))
    assert estimate.recall == pytest.approx(9 / 10)
    assert [(each.n_edges, each.n_only) for each in estimate.passes] == [(7, 3), (6, 2)]
    assert estimate.to_dict()["passes"]["one"] == {"edges": 7, "only": 3}


def test_capture_recapture_of_independent_passes_comes_near_the_truth():
    draw = np.random.default_rng(11)
    hits = draw.random((20_000, 8)) < 0.3
    bits = (hits * (1 << np.arange(8))).sum(axis=1).astype(np.uint32)
    estimate = capture_recapture(bits[bits > 0], [f"p{at}" for at in range(8)])
    assert estimate.recall == pytest.approx((bits > 0).mean(), abs=0.005)


def test_capture_recapture_of_nothing_claims_nothing_missed():
    assert capture_recapture(np.zeros(0, dtype=np.uint32), ["one"]).recall == 1.0


def test_pairs_told_apart_never_meet_not_even_by_a_chain():
    found, report = labels([BRIDGE] * 4, (0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0), by=decided(differs=[(3, 0)]))
    assert found == [0, 0, 0, 3]
    assert report.n_denied == 1
    assert labels([BRIDGE] * 2, (0, 1, 9.0), by=decided(differs=[(0, 1)]))[0] == [0, 1]


def test_pairs_joined_by_people_pass_every_guard():
    found, report = labels([SENIOR, BRIDGE, JUNIOR], (0, 1, 9.0), (1, 2, 5.0), by=decided(matches=[(1, 2)]))
    assert (found[1], report.n_contradicted) == (found[2], 1)
    joined = [(0, 1), (1, 2), (2, 3)]
    assert labels([BRIDGE] * 4, max_cluster=2, by=decided(matches=joined))[0] == [0, 0, 0, 0]


EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(3, 9)), max_size=25)
DENIED = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=8)


@given(EDGES, DENIED)
def test_no_cluster_holds_a_denied_pair_and_the_rest_is_as_greedy(found, denied):
    result, _ = labels([BRIDGE] * 10, *found, by=decided(differs=denied))
    assert all(result[a] != result[b] for a, b in denied)
    # The twin: merge in falling order unless a denied pair would meet.
    clusters = [{row} for row in range(10)]
    bits = np.array([each[2] for each in found], dtype=np.float32)
    for at in np.argsort(-bits, kind="stable"):
        a, b = (next(each for each in clusters if row in each) for row in found[at][:2])
        if a is not b and not any({x, y} <= a | b for x, y in denied):
            clusters.remove(b)
            a |= b
    assert {frozenset(np.flatnonzero(np.array(result) == label).tolist()) for label in set(result)} == {
        frozenset(each) for each in clusters
    }


def test_capture_recapture_claims_nothing_without_a_match() -> None:
    told = capture_recapture(np.empty(0, dtype=np.uint32), ["a", "b"]).to_dict()
    assert (told["recall_estimate"], str(told["missed_estimate"])) == (None, "0.0")

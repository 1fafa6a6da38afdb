"""Clusters with all pairs in view agree with their slow twin, and hang on no order of the rows."""

from collections.abc import Mapping, Sequence, Set
from itertools import product
from math import log2
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.clustering.contested import BY, Terms, settle_contested
from core.matching.clustering.fit import ACROSS_MAX, Scores, arrange_ties, draw_ring, people_of
from core.matching.clustering.union_find import Decided
from core.matching.records.layout import Layout
from core.matching.records.record_hashes import record_hashes
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.score_pairs import Scorer
from core.matching.specs.spec import load_spec
from tests.weights import even_weights

LAYOUT = Layout.of(load_spec("persons"))
VOCABULARY = Vocabulary.of_strings(["ann"])
SCORER = Scorer(VOCABULARY, LAYOUT, even_weights(LAYOUT), 0.0)
MATCH_BITS = 3.0
N = 8
PAIRS = [(a, b) for a in range(N) for b in range(a + 1, N)]
# Many alike, so that there are ties, and few that do not fit, so that clusters grow.
BITS = st.sampled_from([-20.0, -5.0, -1.0, 2.0, 2.5, 4.0, 4.0, 6.0, 6.5, 9.0, 12.0, 20.0])
WORLD = st.lists(BITS, min_size=len(PAIRS), max_size=len(PAIRS))
DENIED = st.lists(st.sampled_from(PAIRS), max_size=3)
JOINED = st.lists(st.sampled_from(PAIRS), max_size=2)
WORDS = np.random.default_rng(5).integers(1, 9, (N, LAYOUT.stride)).astype(np.uint32)
HASHES = record_hashes(WORDS)


def fits(left: set[int], right: set[int], score: Mapping[frozenset[int], float], groups: Sequence[int]) -> bool:
    """Twin of `fit.fit`: mean of all pairs across above 0, none below -8; of records joined by people the best."""
    bits = [
        max(
            score[frozenset((x, y))]
            for x, y in product(left, right)
            if (groups[x], groups[y]) == (groups[a], groups[b])
        )
        for a, b in product(left, right)
    ]
    return min(bits) >= -8 and sum(bits) > 0


_FITTING = frozenset(("record", "rival"))


class Contested(NamedTuple):
    """Records 0 ... n - 1 with the scores of all their pairs; accepted pairs in falling order; what people decided."""

    n: int
    score: Mapping[frozenset[int], float]
    accepted: Sequence[tuple[int, int]]
    joined: Sequence[tuple[int, int]]
    denied: Set[frozenset[int]]
    size_max: int
    match_bits: float

    def denies(self, left: set[int], right: set[int]) -> bool:
        """Whether people told apart a record of one side and one of the other."""
        return any(frozenset(pair) in self.denied for pair in product(left, right))


def united(asked: Contested, torn: Set[tuple[int, int]]) -> tuple[list[set[int]], dict[tuple[int, int], str]]:
    """Twin of `union_find.unite`: the cluster of each record, and why accepted pairs were refused."""
    groups = reference.components(asked.n, asked.joined)
    clusters, refused = [{row} for row in range(asked.n)], {}
    for at, (a, b) in enumerate([*asked.joined, *(pair for pair in asked.accepted if pair not in torn)]):
        left, right = clusters[a], clusters[b]
        if left is right:
            continue
        size, forced = len(left) + len(right), at < len(asked.joined)
        if asked.denies(left, right):
            refused[a, b] = "decision"
        elif not forced and size > max(asked.size_max, 2):
            refused[a, b] = "max_cluster"
        elif not forced and size > 2 and not fits(left, right, asked.score, groups):
            refused[a, b] = "record"
        else:
            for row in left | right:
                clusters[row] = left | right
            for row in left | right:
                clusters[row] = clusters[a]
    return clusters, refused


def alternatives(asked: Contested, torn: set[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """Twin of `torn.find_torn`: bits of settled pairs; adds pairs that tie nothing any more to `torn`."""
    clusters, refused = united(asked, torn)
    groups = reference.components(asked.n, asked.joined)
    settled: dict[tuple[int, int], float] = {}
    found: set[tuple[int, int]] = set()
    for row in range(asked.n):
        mine = [(pair, sum(pair) - row) for pair in asked.accepted if row in pair and pair not in torn]
        rivals = [
            (p, x) for p, x in mine if refused.get(p) in ("record", "decision") and clusters[x] is not clusters[row]
        ]
        others: dict[int, float] = {}
        for _, other in rivals:
            others.setdefault(min(clusters[other]), asked.score[frozenset((row, other))])
        mates = [
            (pair, other) for pair, other in mine
            if clusters[other] is clusters[row] and any(
                asked.denies({other}, clusters[first]) or not fits({other}, clusters[first], asked.score, groups)
                for first in others
            )
        ]  # fmt: skip
        if not mates or not others:
            continue
        odds = {**others, -1: asked.score[frozenset((row, mates[0][1]))]}
        rest = {one: log2(1 + sum(2**bits for other, bits in odds.items() if other != one)) for one in odds}
        lost = odds[-1] - rest[-1] < asked.match_bits
        for pair, other in [*rivals, *(mates if lost else [])]:
            one = -1 if clusters[other] is clusters[row] else min(clusters[other])
            bits = asked.score[frozenset(pair)] - rest[one]
            settled[pair] = min(bits, settled.get(pair, bits))
            found |= {pair} if lost else set()
    torn |= found
    return settled


def settle_slowly(asked: Contested) -> tuple[list[int], dict[tuple[int, int], tuple[str, float]]]:
    """Twin of `contested.settle_contested`: labels, and of each accepted pair kept apart why, and its bits."""
    torn: set[tuple[int, int]] = set()
    settled: dict[tuple[int, int], float] = {}
    before = None
    while before != torn:
        before = set(torn)
        settled = {pair: bits for pair, bits in settled.items() if pair in torn} | alternatives(asked, torn)
    clusters, refused = united(asked, torn)
    why = {
        pair: "rival" if pair in torn else refused[pair]
        for pair in asked.accepted
        if clusters[pair[0]] is not clusters[pair[1]]
    }
    kept = {pair: (by, settled.get(pair, asked.score[frozenset(pair)])) for pair, by in why.items()}
    for row in range(asked.n):
        mine = [
            (pair, min(clusters[sum(pair) - row])) for pair in why if row in pair and why[pair] in ("record", "rival")
        ]
        odds = {one: max(asked.score[frozenset(pair)] for pair, other in mine if other == one) for _, one in mine}
        for pair, one in mine:
            rest = log2(1 + sum(2**bits for other, bits in odds.items() if other != one))
            kept[pair] = (why[pair], min(kept[pair][1], asked.score[frozenset(pair)] - rest))
    return [min(clusters[row]) for row in range(asked.n)], kept


def decided(joined, denied) -> Decided:
    return Decided(*(np.array(pairs, dtype=np.uint32).reshape(-1, 2) for pairs in (joined, denied)))


def settle(bits, joined=(), denied=(), size_max=50, order=None):
    """Labels and pairs kept apart of records in another order, told by their places in the first one."""
    place = np.arange(N) if order is None else np.argsort(order)
    ends = np.sort(place[np.array(PAIRS)].T, axis=0).astype(np.uint32)
    scores = np.array(bits, dtype=np.float64)
    falling = np.lexsort((ends[1], ends[0], -scores))
    falling = falling[scores[falling] >= MATCH_BITS]
    accepted = Scores(np.ascontiguousarray(ends[:, falling]), scores[falling])
    words = WORDS if order is None else np.ascontiguousarray(WORDS[order])
    by_people = decided(place[np.array(joined, dtype=int)] if joined else (), denied)
    found = settle_contested(accepted, Scores(ends, scores), by_people, Terms(words, SCORER, size_max, MATCH_BITS))
    return found[0], found[2]


def told_apart_for_good(joined, denied) -> list[tuple[int, int]]:
    """What people denied and did not join, be it by a chain: both together are refused before anything is run."""
    groups = reference.components(N, joined)
    return [pair for pair in denied if groups[pair[0]] != groups[pair[1]]]


@given(WORLD, JOINED, DENIED, st.integers(2, 9))
def test_settling_agrees_with_its_twin(bits, joined, denied, size_max) -> None:
    denied = told_apart_for_good(joined, denied)
    labels, kept = settle(bits, joined, denied, size_max)
    ends, scores = np.array(PAIRS, dtype=np.uint32).T.copy(), np.array(bits)
    order = np.lexsort((ends[1], ends[0], -scores))
    ends, scores = np.ascontiguousarray(ends[:, order]), scores[order]
    arrange_ties(ends, scores, HASHES)
    accepted = [(int(a), int(b)) for a, b, each in zip(*ends, scores, strict=True) if each >= MATCH_BITS]
    world = dict(zip(map(frozenset, PAIRS), bits, strict=True))
    asked = Contested(N, world, accepted, joined, set(map(frozenset, denied)), size_max, MATCH_BITS)
    expected, expected_kept = settle_slowly(asked)
    assert labels.tolist() == expected
    assert all(labels[a] != labels[b] for a, b in denied)
    assert all(labels[a] == labels[b] for a, b in joined)
    told = zip(kept.left.tolist(), kept.right.tolist(), kept.by.tolist(), kept.bits.tolist(), strict=True)
    found = {(a, b): (BY[by], bits) for a, b, by, bits in told}
    assert found.keys() == expected_kept.keys()
    for pair, (by, settled) in expected_kept.items():
        assert found[pair][0] == by
        assert abs(found[pair][1] - settled) < 1e-4


@given(WORLD, st.permutations(range(N)))
def test_the_order_of_rows_decides_nothing(bits, order) -> None:
    labels, _ = settle(bits)
    turned, _ = settle(bits, order=np.array(order))
    entities = {frozenset(np.flatnonzero(labels == each).tolist()) for each in labels}
    assert {frozenset(np.array(order)[turned == each].tolist()) for each in turned} == entities


@given(WORLD)
def test_alternatives_of_a_record_add_up_to_one_at_most(bits) -> None:
    labels, kept = settle(bits)
    for row in range(N):
        ends = np.stack([kept.left, kept.right])
        open_ = (ends == row).any(axis=0) & (kept.by <= BY.index("rival"))
        others = labels[ends.sum(axis=0)[open_] - row].tolist()
        mine = list(zip(others, (1 / (1 + 2.0 ** -kept.bits[open_])).tolist(), strict=True))
        best = {label: max(p for other, p in mine if other == label) for label, _ in mine}
        assert sum(best.values()) <= 1 + 1e-6


def test_of_large_rings_the_same_records_are_drawn_wherever_one_starts() -> None:
    n = 3 * ACROSS_MAX
    hashes = np.random.default_rng(3).permutation(n).astype(np.uint64)
    nothing = Scores(np.zeros((2, 0), dtype=np.uint32), np.zeros(0))
    people = people_of(nothing, hashes, np.zeros(0, dtype=np.uint32), 0)
    following = np.roll(np.arange(n, dtype=np.uint32), -1)
    for first in (0, 17, n - 1):
        assert draw_ring(np.uint32(first), following, people, 0) == ACROSS_MAX
        assert hashes[people.members[0]].tolist() == list(range(ACROSS_MAX))

"""Clusters from scored pairs: union-find in falling order of weight, with guards against chains.

Two guards refuse a merge. Size: no cluster grows above the spec's limit, so what holds a giant together by its weakest
edges stays apart. Contradiction: records of the two sides that cannot be one person (their identifiers and their birth
dates both disagree beyond slips of the pen, or a value that `tells_apart` differs) speak against it, and when they are
at least half of all crossings the merge is refused. An edge whose own two records contradict has outweighed that
already and is never vetoed by it.

What people decided comes before all: pairs they joined are united first, whatever the guards say, and no merge brings
together two records that they told apart, not even by a chain of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.assignment import one_to_one
from core.matching.compare.similarity import date_digits, date_parts, date_swapped, osa_within, unpack_digits
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.sources import Boundaries
from core.matching.specs.spec import MatchSpec

__all__ = ["ClusterReport", "Decided", "cluster", "one_to_one"]

DIGITS, DATE, WORD = 0, 1, 2
# Identifiers that differ by more edits than this contradict each other.
DIGITS_SLIPS_MAX = 2
CONTRADICTIONS_MIN = 2
# Crossings looked at before a merge: enough for any honest cluster, and a bound for a dishonest one.
CROSSINGS_MAX = 2500


class Ruling(NamedTuple):
    """Decisions as `unite` reads them: so many edges, the first ones, are decided; which pairs may never meet."""

    n_forced: int
    denied: NDArray[np.uint32]  # (2 d, 2) each pair both ways, ascending by its first row


@dataclass(frozen=True, eq=False)
class Decided:
    """Pairs of rows that people decided on: (n, 2) u32 each."""

    matches: NDArray[np.uint32]
    differs: NDArray[np.uint32]

    @classmethod
    def nothing(cls) -> Decided:
        """Nobody decided anything."""
        return cls(np.zeros((0, 2), dtype=np.uint32), np.zeros((0, 2), dtype=np.uint32))

    def ruling(self) -> Ruling:
        """For the kernel."""
        both = np.concatenate([self.differs, self.differs[:, ::-1]])
        return Ruling(len(self.matches), np.ascontiguousarray(both[np.lexsort((both[:, 1], both[:, 0]))]))


@dataclass(frozen=True)
class ClusterReport:
    """What clustering did. `sizes` counts clusters by their number of rows, singletons included."""

    n_clusters: int
    largest: int
    sizes: dict[int, int]
    n_contradicted: int
    n_oversize: int
    n_denied: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "clusters": self.n_clusters,
            "largest": self.largest,
            "sizes": {str(size): count for size, count in self.sizes.items()},
            "merges_contradicted": self.n_contradicted,
            "merges_oversize": self.n_oversize,
            "merges_denied": self.n_denied,
        }


@kernel
def root_of(parent: NDArray[np.uint32], row: np.uint32) -> np.uint32:
    """Representative of a row; halves the path on the way."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@kernel
def numbers_near(
    a: NDArray[np.uint32], b: NDArray[np.uint32], place: tuple[int, int], digits: NDArray[np.uint32],
    rows: NDArray[np.int32],
) -> tuple[int, int]:  # fmt: skip
    """How many numbers of one record meet one of the other, and how many of these are near; place = (word, values)."""
    at, n_values = place
    n_met, n_near = 0, 0
    for choice in range(n_values * n_values):
        one, two = at + 2 * (choice // n_values), at + 2 * (choice % n_values)
        n_a = unpack_digits(a[one], a[one + 1], digits[0])
        n_b = unpack_digits(b[two], b[two + 1], digits[1])
        if n_a > 0 and n_b > 0:
            n_met += 1
            n_near += int(osa_within(digits[0, :n_a], digits[1, :n_b], DIGITS_SLIPS_MAX, rows))
    return n_met, n_near


@kernel
def contradict(
    a: NDArray[np.uint32], b: NDArray[np.uint32], guards: NDArray[np.int64], digits: NDArray[np.uint32],
    rows: NDArray[np.int32],
) -> bool:  # fmt: skip
    """Whether at least two identity fields are present in both records and every one of them disagrees.

    One word that tells apart is enough. guards (G, 3) = (WORD, DIGITS or DATE, first word, values), words first; digits
    (2, 16) and rows are scratch.
    """
    n_against = 0
    for guard in range(len(guards)):
        kind, at, n_values = guards[guard]
        if kind == WORD:
            if a[at] != 0 and b[at] != 0 and a[at] != b[at]:
                return True
            continue
        if kind == DATE:
            date_a, date_b = np.int64(a[at]), np.int64(b[at])
            if date_a == 0 or date_b == 0:
                continue
            near = date_parts(date_a, date_b) >= 2 or date_swapped(date_a, date_b) or date_digits(date_a, date_b) <= 1
        else:
            n_met, n_near = numbers_near(a, b, (at, n_values), digits, rows)
            if n_met == 0:
                continue
            near = n_near > 0
        if near:
            return False
        n_against += 1
    return n_against >= CONTRADICTIONS_MIN


@kernel
def crossings_contradict(
    edge: tuple[int, int],
    following: NDArray[np.uint32],
    words: NDArray[np.uint32],
    guards: NDArray[np.int64],
    scratch: tuple[NDArray[np.uint32], NDArray[np.int32]],
) -> bool:
    """Whether at least half of the crossings between two clusters, the edge itself aside, contradict.

    `following` links the rows of each cluster in a ring; the walk starts at the edge's own rows.
    """
    left, right = edge
    digits, rows = scratch
    n_crossings, n_against = 0, 0
    a = left
    while True:
        b = right
        while True:
            if a != left or b != right:
                n_crossings += 1
                n_against += int(contradict(words[a], words[b], guards, digits, rows))
            b = following[b]
            if b == right or n_crossings >= CROSSINGS_MAX:
                break
        a = following[a]
        if a == left or n_crossings >= CROSSINGS_MAX:
            break
    return n_against > 0 and 2 * n_against >= n_crossings


@kernel
def denied_between(
    a: int, other: np.uint32, following: NDArray[np.uint32], parent: NDArray[np.uint32], denied: NDArray[np.uint32]
) -> bool:
    """Whether a record of row a's cluster was told apart from one of the cluster whose root is `other`."""
    row = a
    while True:
        at = np.searchsorted(denied[:, 0], row)
        while at < len(denied) and denied[at, 0] == row:
            if root_of(parent, denied[at, 1]) == other:
                return True
            at += 1
        row = following[row]
        if row == a:
            return False


@kernel
def unite(
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    words: NDArray[np.uint32],
    guards: NDArray[np.int64],
    size_max: int,
    parent: NDArray[np.uint32],
    ruling: Ruling,
) -> tuple[int, int, int]:
    """Merge along edges in the order given; parent[row] = row becomes the smallest row of its cluster.

    Args:
        ends: (n_edges,) rows of both sides.

    Returns how many merges were refused for contradiction, for size, and because people told records apart.
    """
    left, right = ends
    n_rows, denied = len(parent), ruling.denied
    # Whether any record of the cluster with this root was told apart from some other.
    wary = np.zeros(n_rows if len(denied) else 0, dtype=np.bool_)
    for at in range(len(denied)):
        wary[denied[at, 0]] = True
    following, size = parent.copy(), np.ones(n_rows, dtype=np.uint32)
    scratch = (np.zeros((2, 16), dtype=np.uint32), np.zeros(64, dtype=np.int32))
    n_contradicted, n_oversize, n_denied = 0, 0, 0
    for edge in range(len(left)):
        a, b = left[edge], right[edge]
        root_a, root_b = root_of(parent, a), root_of(parent, b)
        if root_a == root_b:
            continue
        if len(denied) and wary[root_a] and wary[root_b] and denied_between(a, root_b, following, parent, denied):
            n_denied += 1
            continue
        decided = edge < ruling.n_forced
        if not decided and size[root_a] + size[root_b] > size_max:
            n_oversize += 1
            continue
        alone = size[root_a] + size[root_b] == 2
        if not alone and not decided and len(guards) > 0:
            outweighed = contradict(words[a], words[b], guards, scratch[0], scratch[1])
            if not outweighed and crossings_contradict((a, b), following, words, guards, scratch):
                n_contradicted += 1
                continue
        # The smaller row is always the root, so labels need no second pass.
        keep, lose = min(root_a, root_b), max(root_a, root_b)
        parent[lose] = keep
        size[keep] += size[lose]
        if len(denied):
            wary[keep] |= wary[lose]
        following[a], following[b] = following[b], following[a]
    for row in range(n_rows):
        parent[row] = root_of(parent, np.uint32(row))
    return n_contradicted, n_oversize, n_denied


def falling(edges: Edges, match_bits: float) -> NDArray[np.uint32]:
    """Positions of the accepted edges, heaviest first, ties in their order; one sort of 8 bytes an edge."""
    accepted = np.flatnonzero(edges.bits >= np.float32(match_bits)).astype(np.uint64)
    # Adding 0 makes one zero of two.
    pattern = (edges.bits[accepted] + np.float32(0)).view(np.uint32)
    # As unsigned integers floats ascend with their value when the sign is flipped, negative ones wholly.
    ascending = np.where(pattern >> np.uint32(31), ~pattern, pattern | np.uint32(1 << 31))
    mixed = (~ascending).astype(np.uint64) << np.uint64(32) | accepted
    mixed.sort()
    return mixed.astype(np.uint32)


@kernel
def cluster_sizes(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Number of rows of each cluster."""
    sizes = np.zeros(len(labels), dtype=np.uint32)
    for row in range(len(labels)):
        sizes[labels[row]] += np.uint32(1)
    return sizes[sizes > 0]


@kernel
def name_rows(
    labels: NDArray[np.uint32], ids: NDArray[np.uint8], starts: NDArray[np.int64], boundaries: Boundaries
) -> NDArray[np.uint32]:
    """Per cluster, at its smallest row, the row with the smallest record id; ids of an earlier source are smaller."""
    named = labels.copy()
    for row in range(len(labels)):
        label = labels[row]
        best = named[label]
        if row != best and smaller_id(row, np.int64(best), ids, starts, boundaries):
            named[label] = row
    return named


@kernel
def smaller_id(a: int, b: int, ids: NDArray[np.uint8], starts: NDArray[np.int64], boundaries: Boundaries) -> bool:
    """Whether row a's id stands before row b's: by source, then byte by byte."""
    for at in range(len(boundaries)):
        if (a >= boundaries[at]) != (b >= boundaries[at]):
            return a < b
    at_a, at_b = starts[a], starts[b]
    while at_a < starts[a + 1] and at_b < starts[b + 1] and ids[at_a] == ids[at_b]:
        at_a += 1
        at_b += 1
    if at_b == starts[b + 1]:
        return False
    return bool(at_a == starts[a + 1] or ids[at_a] < ids[at_b])


def guard_fields(layout: Layout) -> NDArray[np.int64]:
    """The fields that can contradict: what tells apart, digits and dates of one person; (G, 3) for `contradict`."""
    # A slip in an identifier is a level of its own, which a word cannot tell from another identifier.
    # A mark may stand behind several strings; it is compared where pairs are scored.
    others = {"identifier", "mark"}
    apart = (field for field in layout.spec.fields if field.tells_apart and field.kind not in others)
    guards = [(WORD, layout.offset[field.name], 1) for field in apart]
    guards += [
        (DATE if field.kind == "date" else DIGITS, layout.offset[field.name], field.values)
        for field in layout.spec.fields
        if field.kind in {"date", "digits"} and not field.shared
    ]
    return np.array(guards, dtype=np.int64).reshape(-1, 3)


def cluster(
    edges: Edges, words: NDArray[np.uint32], layout: Layout, spec: MatchSpec, match_bits: float,
    decided: Decided | None = None,
) -> tuple[NDArray[np.uint32], ClusterReport]:  # fmt: skip
    """Label every row with the smallest row of its cluster.

    Args:
        edges: each pair once, ascending by (left, right); those below `match_bits` are left aside.
        words: all records, (n_rows, stride).
        decided: must not contradict itself; see `linkage.history.decisions`.
    Cost: O(edges log edges) for the order, then near-linear; at most 2,500 crossings are looked at per merge.
    """
    order = falling(edges, match_bits)
    labels = np.arange(len(words), dtype=np.uint32)
    guards = guard_fields(layout)
    decided = decided or Decided.nothing()
    ends = (
        np.concatenate([decided.matches[:, 0], edges.left[order]]),
        np.concatenate([decided.matches[:, 1], edges.right[order]]),
    )
    n_contradicted, n_oversize, n_denied = unite(ends, words, guards, spec.max_cluster, labels, decided.ruling())
    times = np.bincount(cluster_sizes(labels))
    distinct = np.flatnonzero(times[1:]) + 1
    counts = times[distinct]
    report = ClusterReport(
        n_clusters=int(counts.sum()),
        largest=int(distinct.max(initial=0)),
        sizes=dict(zip(distinct.tolist(), counts.tolist(), strict=True)),
        n_contradicted=int(n_contradicted),
        n_oversize=int(n_oversize),
        n_denied=int(n_denied),
    )
    return labels, report

"""Where one more record would go: scored by the kernels of a run, clustered as an increment clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.blocking.shared_passes import KeyParts, key_parts, shared_passes
from core.matching.clustering.cluster import Decided, cluster, name_rows
from core.matching.clustering.continuity import UNPUBLISHED, kept_ids
from core.matching.clustering.entity_ids import entity_keys
from core.matching.compare.patterns import compare_pairs, compare_patterns
from core.matching.edges import Edges
from core.matching.lookup.single_record import OneRecord, coded_matrix
from core.matching.quality.explain import NO_PASSES, Explanation, Passes, explain_pair, passes_of_pair
from core.matching.records.layout import Layout
from core.matching.records.sources import WITHIN_ONE
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.calibration.held_out import Calibration
from core.matching.scoring.model import Model, WeightArrays, term_bits, weights, well_known
from core.matching.scoring.score_pairs import Scorer, score_range
from core.matching.text.hashing import flat_bytes

LINK = np.dtype([("row", "<u4"), ("bits", "<f4")])
"""A neighbour of a record: accepted edges with their bits, and what people decided as plus and minus infinity."""
TEXT_SEPARATOR = "\x1f"
"""Stands between the strings of a stored record; normalised strings have no control characters."""
# Greater than any id that a person would give: a record without one names no entity.
_NAMELESS = "\U0010ffff"


class Known(NamedTuple):
    """A published record: packed, with its neighbours (see LINK); `began` is the version its entity began in."""

    row: int
    record_id: str
    entity_id: str
    began: int
    record: OneRecord
    links: NDArray[Any]


@dataclass(frozen=True)
class Rules:
    """What a published job decides by, ready for use; one for each job."""

    model: Model
    layout: Layout
    weights: WeightArrays
    parts: KeyParts
    well_known: frozenset[str]

    @classmethod
    def of(cls, model: Model, layout: Layout) -> Rules:
        """Lay out a model. Raises MatchError: it was trained under another spec."""
        tables = weights(model, Vocabulary.of_strings([""]), layout)
        return cls(model, layout, tables, key_parts(layout.ops), well_known(model.term_tables, layout))

    @cached_property
    def calibration(self) -> Calibration:
        """What scores are worth."""
        return Calibration.of(self.model)

    @property
    def match_bits(self) -> np.float32:
        """From here on a pair joins; in the precision of edges."""
        return np.float32(self.layout.spec.match_bits)


class Scored(NamedTuple):
    """The pairs of one record that are worth a look.

    places: (e,) of the known records; bits, tf_bits: as `Edges` has them; words, vocabulary: of the known records and,
    last, the one that asks.
    """

    places: NDArray[np.int64]
    bits: NDArray[np.float32]
    tf_bits: NDArray[np.float32]
    words: NDArray[np.uint32]
    vocabulary: Vocabulary
    passes: NDArray[np.uint32]


def score(record: OneRecord, known: Sequence[Known], rules: Rules) -> Scored:
    """Score a record with each of the known ones, and keep what reaches the review threshold.

    Cost: about 0.5 ms, and 1 us a pair.
    """
    layout, last = rules.layout, len(known)
    words, strings = coded_matrix([*(each.record for each in known), record], layout)
    rows = np.arange(last + 1, dtype=np.uint32)
    # One block of all of them, of whose pairs only those with the last record are made.
    scorer = replace(_scorer(rules, strings), window=max(last + 1, 2), since=last)
    edges, _ = score_range(words, rows, np.ones(last + 1, dtype=np.uint64), scorer)
    passes = shared_passes(words, (edges.left, edges.right), scorer.vocabulary, layout, rules.parts)
    look = rules.calibration.worth_a_look(edges.bits, passes, layout.spec)
    edges, passes = edges.take(look), passes[look]
    return Scored(edges.left.astype(np.int64), edges.bits, edges.tf_bits, words, scorer.vocabulary, passes)


def _scorer(rules: Rules, strings: Sequence[str]) -> Scorer:
    """The rules for records of these strings."""
    tables = rules.weights._replace(tf=term_bits(rules.model, rules.layout, strings))
    vocabulary = Vocabulary.of_strings(strings)
    vocabulary.mark_well_known(rules.well_known)
    return Scorer(vocabulary, rules.layout, tables, rules.calibration.least_score(rules.layout.spec), parts=rules.parts)


def evidence(scored: Scored, place: int, rules: Rules) -> list[dict[str, Any]]:
    """What each field says of the pair of a known record and the one that asks: level and bits, no values."""
    found = _explained(scored.words[[place, len(scored.words) - 1]], scored.vocabulary, rules)
    return [
        {"field": each.name, "level": each.level, "bits": round(each.bits + each.rarity_bits, 3)}
        for each in found.fields
    ]


def explain_known(a: OneRecord, b: OneRecord, rules: Rules) -> Explanation:
    """Why two packed records would be one, or not, and which passes make the pair; whether a run kept it or not.

    Blocks are not looked at: a pass that makes the pair may still have left it out of one that is too large.
    Cost: about a millisecond.
    """
    words, strings = coded_matrix([a, b], rules.layout)
    vocabulary = Vocabulary.of_strings(strings)
    vocabulary.mark_well_known(rules.well_known)
    return _explained(words, vocabulary, rules, passes_of_pair(words, vocabulary, rules.layout))


def _explained(
    words: NDArray[np.uint32], vocabulary: Vocabulary, rules: Rules, passes: Passes = NO_PASSES
) -> Explanation:
    """words: (2, stride)."""
    layout, first, second = rules.layout, np.array([0], dtype=np.uint32), np.array([1], dtype=np.uint32)
    levels = compare_pairs(words, vocabulary, layout, first, second)[0]
    strings = vocabulary.strings
    values = [{field.name: strings[int(row[layout.offset[field.name]])] for field in layout.coded} for row in words]
    return explain_pair(values[0], values[1], levels, rules.model, layout, passes)


class Joined(NamedTuple):
    """The cluster that a record would be in.

    entity_id: the one it keeps, None for one that is not published yet. rows: of the known records in it. merged:
    entities, other than this one, some of whose records would be in it. settled: by row, bits of
    pairs that are accepted and not joined, their alternatives counted in.
    """

    entity_id: str | None
    rows: frozenset[int]
    merged: tuple[str, ...]
    settled: Mapping[int, float] = {}


ALONE = Joined(None, frozenset(), ())


def missing_rows(component: Mapping[int, Known], rules: Rules) -> list[int]:
    """Rows that accepted pairs, or decisions that join, lead to from `component`, and that are not in it."""
    wanted: set[int] = set()
    for each in component.values():
        wanted.update(each.links["row"][each.links["bits"] >= rules.match_bits].tolist())
    return sorted(wanted - component.keys())


def join(
    record: OneRecord, edges: Mapping[int, float], component: Mapping[int, Known], rules: Rules,
    record_id: str | None = None,
) -> Joined:  # fmt: skip
    """Cluster a record with all that chains of accepted pairs lead to, as an increment of this one record would.

    Args:
        edges: accepted pairs of the record: row -> bits. component: by row; see `missing_rows`.
        record_id: of the record; only ties in names hang on it.
    """
    if not edges:
        return ALONE
    layout = rules.layout
    known = [component[row] for row in sorted(component)]
    labels, settled = _clustered(record, known, edges, rules)
    held, numbers = np.unique([each.entity_id for each in known], return_inverse=True)
    published = np.append(numbers + 1, UNPUBLISHED).astype(np.uint32)
    ages = np.zeros(len(held) + 1, dtype=np.int64)
    ages[numbers + 1] = [each.began for each in known]
    firsts = np.unique(labels)
    dense = np.searchsorted(firsts, labels).astype(np.uint32)
    ids = [*(each.record_id for each in known), record_id or _NAMELESS]
    kept = kept_ids(dense, published, ages, _names(labels, firsts, ids, layout.spec.name))
    mine = np.flatnonzero(labels[:-1] == labels[-1])
    if len(mine) == 0:
        return ALONE._replace(settled=settled)
    number = int(kept[dense[-1]])
    entity = None if number == UNPUBLISHED else str(held[number - 1])
    merged = sorted({known[at].entity_id for at in mine} - {entity})
    return Joined(entity, frozenset(known[at].row for at in mine), tuple(merged), settled)


def _clustered(
    record: OneRecord, known: Sequence[Known], edges: Mapping[int, float], rules: Rules
) -> tuple[NDArray[np.uint32], dict[int, float]]:
    """Labels of some records and the one that asks, which is the last; `Joined.settled` of that one."""
    layout = rules.layout
    words, strings = coded_matrix([*(each.record for each in known), record], layout)
    scorer = _scorer(rules, strings)
    every, decided = _mini_edges(known, edges)
    # Links are kept without levels, of which some decide by themselves.
    patterns = compare_patterns(words, scorer.vocabulary, layout, every.left, every.right)
    every = replace(every, pattern=patterns)
    found = cluster(every, words, scorer, layout.spec.max_cluster, float(rules.match_bits), decided)
    mine = found.apart.right == len(known)
    places, bits = found.apart.left[mine].tolist(), found.apart.bits[mine].tolist()
    return found.labels, {known[at].row: each for at, each in zip(places, bits, strict=True)}


def _mini_edges(known: Sequence[Known], edges: Mapping[int, float]) -> tuple[Edges, Decided]:
    """All accepted pairs among some records and the one that asks, which is the last; and the decisions."""
    place = {each.row: at for at, each in enumerate(known)}
    pairs = [
        (at, place[int(row)], float(bits))
        for at, each in enumerate(known)
        for row, bits in each.links.tolist()
        if int(row) > each.row and int(row) in place
    ]
    pairs += [(place[row], len(known), bits) for row, bits in edges.items()]
    pairs.sort(key=lambda pair: pair[:2])
    weighed = [pair for pair in pairs if np.isfinite(pair[2])]
    left, right, bits = (np.array(column) for column in zip(*weighed, strict=True))
    nothing = np.zeros(len(weighed), dtype=np.uint32)
    found = Edges(
        left.astype(np.uint32), right.astype(np.uint32), bits.astype(np.float32),
        nothing.astype(np.float32), nothing.astype(np.uint64), nothing,
    )  # fmt: skip
    joined, apart = (
        np.array([pair[:2] for pair in pairs if pair[2] == said], dtype=np.uint32).reshape(-1, 2)
        for said in (np.inf, -np.inf)
    )
    return found, Decided(joined, apart)


def _names(
    labels: NDArray[np.uint32], firsts: NDArray[np.uint32], ids: Sequence[str], namespace: str
) -> NDArray[np.uint64]:
    """(k, 2) keys of the ids that the clusters would have if they were new."""
    if len(firsts) < 2:
        return np.zeros((len(firsts), 2), dtype=np.uint64)
    flat = flat_bytes(pl.Series(ids, dtype=pl.String))
    return entity_keys(name_rows(labels, *flat, WITHIN_ONE)[firsts], flat, namespace)

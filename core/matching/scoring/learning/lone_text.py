"""Weights of a single text: how much of two texts is the same, and nothing beside it, as of names alone.

The levels of one field identify no mixture, so EM finds nothing in them. What is known beforehand is how the texts of
one entity cover each other, and that what strangers have in common scatters around something: how far, the candidates
tell. The mixture of a known and a normal distribution of the cover gives the chance of a match by level. It is never
better than is usual for that level in general, and never falls where the cover rises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.scoring.classes import CHANCE, CLASSES, SAME, T_CHANCE, T_MOVED, T_SAME
from core.matching.scoring.learning.em import LevelCounts, Parameters
from core.matching.scoring.learning.starting_tables import SHARE_FLOOR, starting_tables
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import FieldSpec

# Log-odds in bits that two texts which cover each other so far are of one entity, in lists of names of people and of
# firms: `python -m tests.benchmarks.kinds --kinds master companies names-people spellings` has such lists.
COVERS = (0.35, 0.45, 0.54, 0.62, 0.7, 0.78, 0.86, 0.935, 1.0)
USUAL_BITS = (-6.5, -4.5, -1.5, 0.7, 1.8, 3.2, 5.0, 6.0, 7.0)
# Pairs' worth of belief that strangers have little in common: at what cover, and how widely it scatters.
BELIEF_PAIRS, BELIEF_COVER, BELIEF_WIDTH = 20.0, 0.4, 0.1
WIDTH_LEAST = 0.03
ROUNDS_MAX, TOLERANCE = 500, 1e-9


@dataclass(frozen=True, eq=False)
class _Levels:
    """Levels of a text above `differ`, ascending, (L - 1,) each: mean cover, how wide, and how many of one entity."""

    cover: NDArray[np.float64]
    width: NDArray[np.float64]
    same: NDArray[np.float64]

    @classmethod
    def of(cls, field: FieldSpec) -> _Levels:
        begin = np.array([1.0 if level.threshold is None else level.threshold for level in reversed(field.levels)])
        ends = np.append(begin[1:], 1.0)
        same = np.array(field.expected_shares("m"))[1:]
        return cls((begin + ends) / 2.0, np.maximum(ends - begin, 0.01), same / same.sum())


def lone_text(layout: Layout) -> int | None:
    """The field of kind `words` that stands alone, marks aside; None where others stand beside it."""
    fields = [row for row, field in enumerate(layout.spec.fields) if field.mark is None]
    return fields[0] if len(fields) == 1 and layout.spec.fields[fields[0]].kind == "words" else None


def weigh_lone_text(
    candidates: LevelCounts, random: LevelCounts, total_pairs: float, layout: Layout, row: int
) -> Parameters:
    """Say what the levels of the text at `row` are worth, and how many pairs are of one entity.

    Marks read off the text have the weights that are expected of them. Arguments as of `em.train`; O(levels).
    """
    field, column = layout.spec.fields[row], candidates.levels[:, row]
    n_levels = len(field.levels) + 1
    seen = column != MISSING
    counts = np.bincount(column[seen], weights=candidates.counts[seen], minlength=n_levels).astype(np.float64)
    bits = _bits(_Levels.of(field), counts[1:])
    same = np.array(field.expected_shares("m"))
    total = max(total_pairs, 1.0)
    # Pairs with nothing in common are the rest of all pairs, whether a pass made them or not.
    found = float((counts[1:] / (1.0 + np.exp2(-bits))).sum())
    odds = max(found, 1.0) / total
    strangers = np.empty(n_levels)
    strangers[1:] = odds * same[1:] * np.exp2(-bits)
    strangers[1:] *= min(1.0, 0.99 / strangers[1:].sum())
    strangers[0] = 1.0 - strangers[1:].sum()
    drawn = random.level_sums(random.counts[:, None], (layout.n_fields, max(layout.n_levels)))[0]
    tables, shares = starting_tables(drawn, layout), np.full(len(CLASSES), SHARE_FLOOR)
    tables[[T_SAME, T_MOVED], row, :n_levels] = same
    tables[T_CHANCE, row, :n_levels] = strangers
    shares[SAME], shares[CHANCE] = odds / (1.0 + odds), 1.0 / (1.0 + odds)
    return Parameters(tables, shares, float(total_pairs), 0, converged=True)


def _bits(levels: _Levels, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L - 1,) log-odds in bits of pairs of each level, ascending; counts (L - 1,) of the candidates."""
    usual = np.interp(levels.cover, COVERS, USUAL_BITS)
    share, cover, width, before = 0.1, BELIEF_COVER, BELIEF_WIDTH, 0.0
    odds = np.exp2(usual)
    for _ in range(ROUNDS_MAX):
        strangers = levels.width * np.exp(-0.5 * ((levels.cover - cover) / width) ** 2)
        strangers = np.maximum(strangers / strangers.sum(), 1e-30)
        odds = share * levels.same / ((1.0 - share) * strangers)
        others = counts / (1.0 + odds)
        total = float(others.sum()) + BELIEF_PAIRS
        cover = (float(others @ levels.cover) + BELIEF_PAIRS * BELIEF_COVER) / total
        scatter = float(others @ (levels.cover - cover) ** 2) + BELIEF_PAIRS * BELIEF_WIDTH**2
        width = max(float(np.sqrt(scatter / total)), WIDTH_LEAST)
        share = min(max(float((counts - others).sum()) / max(float(counts.sum()), 1.0), 1e-6), 1.0 - 1e-6)
        if abs(share - before) < TOLERANCE:
            break
        before = share
    # From above down: little in common is no evidence where much in common is none.
    rising = np.minimum.accumulate(np.log2(odds)[::-1])[::-1]
    return np.asarray(np.minimum(rising, usual))

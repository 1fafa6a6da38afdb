"""No disagreement raises a score and no agreement lowers it, whatever was learnt: patterns of every built-in spec."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.records.layout import Layout
from core.matching.scoring.classes import CLASSES, TABLES, possible, rarity_counts
from core.matching.scoring.evidence import evidence
from core.matching.scoring.implied_fields import rows_of, without_implied
from core.matching.scoring.learning.em import Parameters
from core.matching.scoring.learning.starting_tables import SHARE_FLOOR, normal, starting_shares, starting_tables
from core.matching.scoring.match_weights import posterior
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import built_in_specs, load_spec

LAYOUTS = {name: Layout.of(load_spec(name)) for name in built_in_specs()}
N_PATTERNS = 400


def learnt_by_chance(layout: Layout, draw: np.random.Generator) -> Parameters:
    """Shares as no data would teach them: any level may be the likeliest, and any class the most frequent."""
    shape = (len(TABLES), layout.n_fields, max(layout.n_levels))
    tables = normal(np.maximum(draw.random(shape) ** draw.integers(1, 12), 1e-9))
    shares = np.where(possible(layout), 10.0 ** -draw.uniform(0.0, 9.0, len(CLASSES)), SHARE_FLOOR)
    names = layout.names
    implied = {"city": "zip", "state": "zip"} if {"city", "state", "zip"} <= set(names) and draw.random() < 0.7 else {}
    return Parameters(tables, shares / shares.sum(), 1e6, 1, True, implied=implied)


def some_patterns(layout: Layout, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Patterns (n, F), and each with one field at the next better level; missing values stay missing."""
    top = np.array(layout.n_levels) - 1
    worse = draw.integers(0, top + 1, (N_PATTERNS, layout.n_fields)).astype(np.uint8)
    raised = draw.integers(0, layout.n_fields, N_PATTERNS)
    at = np.arange(N_PATTERNS)
    worse[at, raised] = np.minimum(worse[at, raised], top[raised] - 1)
    absent = draw.random(worse.shape) < 0.2
    absent[at, raised] = False
    worse[absent] = MISSING
    better = worse.copy()
    better[at, raised] += 1
    return worse, better


def scores(
    levels: np.ndarray, bits: np.ndarray, parameters: Parameters, layout: Layout, rarity: np.ndarray
) -> np.ndarray:
    sums = np.zeros((len(levels), len(CLASSES)))
    counts, told = rarity_counts(layout), without_implied(levels, parameters.implied, layout)
    for row, (column, by) in enumerate(zip(told.T, rows_of(parameters.implied, layout), strict=True)):
        seen = column != MISSING
        sums[seen] += bits[:, row, :].T[column[seen]]
        exact = (column == layout.n_levels[row] - 1) & ((by < 0) | (levels[:, by] == MISSING))
        sums -= np.where(exact, rarity[:, row], 0.0)[:, None] * counts[:, row]
    out = np.zeros(len(levels))
    posterior(sums, np.log2(parameters.shares), len(levels), True, out)
    return out


@pytest.mark.parametrize("name", built_in_specs())
@given(st.integers(0, 2**32 - 1))
def test_a_better_level_never_lowers_a_score(name, seed):
    layout, draw = LAYOUTS[name], np.random.default_rng(seed)
    parameters = learnt_by_chance(layout, draw)
    lowest = {
        field.name: -8.0 * draw.random() if field.term_frequency and draw.random() < 0.7 else 0.0
        for field in layout.spec.fields
    }
    bits = evidence(parameters, layout, lowest)
    worse, better = some_patterns(layout, draw)
    # Any value is at least as rare as the commonest.
    least = np.array([lowest[each] for each in layout.names])
    rarity = least + draw.random((N_PATTERNS, layout.n_fields)) * (6.0 - least) * np.array([v < 0 for v in least])
    below, above = (scores(each, bits, parameters, layout, rarity) for each in (worse, better))
    assert (above >= below - 1e-6).all()


@pytest.mark.parametrize("name", built_in_specs())
def test_what_is_expected_before_any_data_is_in_order_but_for_the_weakest_levels(name):
    layout = LAYOUTS[name]
    tables = starting_tables(np.zeros((layout.n_fields, max(layout.n_levels))), layout)
    parameters = Parameters(tables, starting_shares(1e6, layout, 0.12), 1e6, 0, True)
    bits = evidence(parameters, layout)
    exact = np.array([bits[0, row, n_levels - 1] for row, n_levels in enumerate(layout.n_levels)])
    # A mark of sex tells little, and that of a flat nothing where it agrees.
    assert (exact[layout.unit_rows] == 0).all()
    assert np.delete(exact, layout.unit_rows).min() > 0.5
    assert (bits[0, :, 0] < 0).all()

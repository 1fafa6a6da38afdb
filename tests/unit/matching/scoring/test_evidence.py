"""Bits of levels from shares."""

import numpy as np
import pytest

from core.matching.records.layout import Layout
from core.matching.scoring.classes import CHANCE, KIN, MOVED, SAME
from core.matching.scoring.evidence import ascending_bits, evidence
from core.matching.scoring.learning.em import Parameters
from core.matching.scoring.learning.starting_tables import starting_shares, starting_tables
from core.matching.specs.spec import load_spec


@pytest.mark.parametrize(
    ("m", "u", "n_same", "expected"),
    [
        ([0.25, 0.25, 0.5], [0.5, 0.25, 0.25], 1e6, [-1.0, 0.0, 1.0]),
        ([0.25, 0.5, 0.25], [0.5, 0.125, 0.375], 10, [-1.0, np.log2(1.5), np.log2(1.5)]),
        ([0.25, 0.5, 0.25], [0.5, 0.125, 0.375], 1e6, [-1.0, 2.0, np.log2(2 / 3)]),
    ],
)
def test_ascending_bits_pools_only_thin_levels(m, u, n_same, expected):
    assert ascending_bits(np.array(m), np.array(u), n_same) == pytest.approx(np.array(expected))


def of_persons():
    """Layout of `persons`, and its evidence before any data."""
    layout = Layout.of(load_spec("persons"))
    tables = starting_tables(np.zeros((layout.n_fields, max(layout.n_levels))), layout)
    shares = starting_shares(1e6, layout, 0.1)
    return layout, evidence(Parameters(tables, shares, 1e6, 0, True), layout)


def test_two_of_one_home_are_called_alike_more_seldom_than_strangers():
    layout, bits = of_persons()
    given, surname = (layout.names.index(name) for name in ("first_name", "last_name"))
    assert bits[KIN, given, layout.n_levels[given] - 1] == pytest.approx(-4.0)
    assert bits[KIN, given, 0] == pytest.approx(0.0)
    assert bits[KIN, surname, layout.n_levels[surname] - 1] > 1.0


def test_units_of_a_house_speak_only_where_they_differ():
    layout, bits = of_persons()
    (row,) = layout.unit_rows
    bits = bits[:, row]
    assert not bits[:, 1].any()
    assert bits[SAME, 0] == bits[MOVED, 0] < bits[KIN, 0] - 3 < bits[CHANCE, 0] - 3
    assert bits[SAME, 0] < bits[CHANCE, 0] - 5

"""Bits of levels from shares."""

import numpy as np
import pytest

from core.matching.scoring.evidence import ascending_bits


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

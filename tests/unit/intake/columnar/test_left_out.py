"""The rows of a file without some of them: every range of the kept ones is found."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from core.intake.columnar.left_out import scan_without, span_of, without

ROWS = pl.DataFrame({"row": range(9)})


@pytest.mark.parametrize("left_out", [[], [0], [8], [0, 1, 2], [3, 4, 7], [0, 2, 4, 6, 8], [1, 2, 3, 4, 5, 6, 7]])
def test_span_of_and_without_give_every_range_of_the_kept_rows(left_out: list[int]) -> None:
    gaps, kept = np.array(left_out, dtype=np.int64), [row for row in range(9) if row not in left_out]
    assert scan_without(ROWS.lazy(), gaps).collect()["row"].to_list() == kept
    for lo, hi in combinations(range(len(kept) + 1), 2):
        first, end = span_of(lo, hi, gaps)
        assert without(ROWS[first:end], first, gaps)["row"].to_list() == kept[lo:hi]

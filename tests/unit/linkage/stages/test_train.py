from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.linkage.stages.train import teaching_passes
from core.matching.scoring.histograms import PAIRS_PER_PASS


@pytest.mark.parametrize(
    ("in_use", "pairs", "expected"),
    [
        ((0, 1, 3), (9, PAIRS_PER_PASS - 10, 50_000, 50_000), [0, 1, 3]),
        ((0, 1, 3), (9, PAIRS_PER_PASS - 9, 0, 0), [0, 1]),
        ((0, 1), (9, 9, 9, 9), [0, 1]),
    ],
)
def test_wide_passes_teach_where_the_others_make_few_pairs(
    in_use: tuple[int, ...], pairs: tuple[int, ...], expected: list[int]
) -> None:
    job: Any = SimpleNamespace(
        spec=SimpleNamespace(n_always=2), passes_in_use=in_use, pairs_of_pass=lambda number: pairs[number]
    )
    assert list(teaching_passes(job)) == expected

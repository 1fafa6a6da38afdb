from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import CandidateBudgetExceeded
from core.linkage.stages import plan


def _job(passes: list[list[int]], rows: int, pairs_per_batch: int = 1_000_000) -> Any:
    """A job whose passes have blocks of the given sizes."""
    arrays = []
    for sizes in passes:
        keys = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.uint64), sizes)
        arrays.append((keys, np.arange(len(keys), dtype=np.uint32)))
    return SimpleNamespace(
        rows=rows,
        spec=SimpleNamespace(
            passes=[SimpleNamespace(name=f"pass_{number}", keys=("ssn",)) for number in range(len(passes))]
        ),
        pass_arrays=lambda number: arrays[number],
        description=SimpleNamespace(request=SimpleNamespace(pairs_per_batch=pairs_per_batch)),
    )


def test_plan_counts_every_pair_and_covers_every_block(tmp_path: Path) -> None:
    job = _job([[3, 2, 1, 4], [5]], rows=10, pairs_per_batch=4)
    found = plan.run(job, 0, tmp_path)
    assert [each["pairs"] for each in found["passes"]] == [3 + 1 + 6, 10]
    assert sum(batch["pairs"] for batch in found["batches"]) == 20
    first = [(batch["lo"], batch["hi"]) for batch in found["batches"] if batch["pass"] == 0]
    assert len(first) > 1
    assert all(lo < hi for lo, hi in first)


def test_large_blocks_are_compared_in_a_window_within_the_budget(tmp_path: Path) -> None:
    found = plan.run(_job([[2_000]], rows=2_000), 0, tmp_path)
    assert found["window"] == 10
    assert found["passes"][0]["pairs"] <= found["budget"]
    assert found["passes"][0]["left_out"] == 2_000 * 1_999 // 2 - found["passes"][0]["pairs"]
    assert plan.run(_job([[150]], rows=2_000), 0, tmp_path)["window"] == 200


def test_flood_is_refused_with_the_worst_pass_named(tmp_path: Path) -> None:
    with pytest.raises(CandidateBudgetExceeded, match="pass pass_0 alone makes") as caught:
        plan.run(_job([[100], *[[90]] * 29], rows=100), 0, tmp_path)
    assert caught.value.rule == "pass_0"
    assert caught.value.pairs > 0


def test_no_block_at_all_makes_no_batch(tmp_path: Path) -> None:
    assert plan.run(_job([[1, 1, 1]], rows=3), 0, tmp_path)["batches"] == []

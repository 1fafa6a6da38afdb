from __future__ import annotations

from pathlib import Path
from threading import RLock
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import CandidateBudgetExceeded
from core.linkage.description import Frozen
from core.linkage.job import LinkageJob
from core.linkage.stages import block, plan
from core.matching.blocking.blocks import SAME, Blocks
from core.matching.specs.passes import PassSpec


def _blocks(sizes: list[int], parts: int = 1) -> Blocks:
    """Blocks of the given sizes, each of some equal parts that the first refinement tells apart."""
    depth: list[int] = []
    for size in sizes:
        places = [SAME if at % (size // parts) else 1 for at in range(size)]
        depth += [0, *places[1:]] if size > 1 else []
    return Blocks(np.arange(len(depth), dtype=np.uint32), np.array(depth, dtype=np.uint8))


class _Job(LinkageJob):
    """A job whose passes have blocks of the given sizes, the last `n_wide` of them wide ones."""

    def __init__(
        self,
        passes: list[list[int]],
        rows: int,
        pairs_per_batch: int = 1_000_000,
        parts: int = 1,
        n_wide: int = 0,
        **described: Any,
    ) -> None:
        n_always = len(passes) - n_wide
        names = [
            PassSpec(name=f"pass_{number}", keys=("ssn",), wide=number >= n_always) for number in range(len(passes))
        ]
        described = {"since": 0, "frozen": None} | described
        self.rows, self.threads = rows, 2
        self.spec: Any = SimpleNamespace(passes=names, n_always=n_always)
        self.layout: Any = SimpleNamespace(refinements=[("key",) if parts > 1 else ()] * len(passes))
        self.description: Any = SimpleNamespace(request=SimpleNamespace(pairs_per_batch=pairs_per_batch), **described)
        self._made = [_blocks(sizes, parts) for sizes in passes]
        self._lock, self._shared = RLock(), {}

    def blocks(self, number: int) -> Blocks:
        assert number < self.n_sorted, "nobody asks for blocks that were not sorted"
        return self._made[number]


def _job(passes: list[list[int]], rows: int, *args: Any, **how: Any) -> Any:
    return _Job(passes, rows, *args, **how)


def test_plan_counts_every_pair_and_covers_every_block(tmp_path: Path) -> None:
    job = _job([[3, 2, 1, 4], [5]], rows=10, pairs_per_batch=4)
    found = plan.run(job, 0, tmp_path)
    assert [each["pairs"] for each in found["passes"]] == [3 + 1 + 6, 10]
    assert sum(batch["pairs"] for batch in found["pieces"]) == 20
    first = [(batch["lo"], batch["hi"]) for batch in found["pieces"] if batch["pass"] == 0]
    assert len(first) > 1
    assert all(lo < hi for lo, hi in first)


def test_large_blocks_are_compared_in_a_window_within_the_budget(tmp_path: Path) -> None:
    found = plan.run(_job([[2_000]], rows=2_000), 0, tmp_path)
    assert found["window"] == 10
    assert found["passes"][0]["pairs"] <= found["budget"]
    assert found["passes"][0]["left_out"] == 2_000 * 1_999 // 2 - found["passes"][0]["pairs"]
    assert plan.run(_job([[150]], rows=2_000), 0, tmp_path)["window"] == 200


def test_large_blocks_are_cut_at_their_refinements_before_a_window_is_narrowed(tmp_path: Path) -> None:
    found = plan.run(_job([[1_000, 50]], rows=20_000, parts=10), 0, tmp_path)
    assert found["window"] == 200
    (figures,) = found["passes"]
    assert figures["pairs"] == 10 * (100 * 99 // 2) + 50 * 49 // 2
    assert figures["left_out"] == 1_000 * 999 // 2 - 10 * (100 * 99 // 2)
    assert (figures["blocks"], figures["largest"]) == (2, 1_000)
    assert np.load(tmp_path / "sizes-00.npy").tolist() == [*[100] * 10, 50]
    assert np.load(tmp_path / "starts-00.npy").tolist() == [*range(0, 1_001, 100)]


def test_only_a_pass_that_lost_no_pair_leaves_none_out(tmp_path: Path) -> None:
    found = plan.run(_job([[3, 4], [300], [200]], rows=100_000), 0, tmp_path)
    assert [each["left_out"] == 0 for each in found["passes"]] == [True, False, True]


def test_flood_is_refused_with_the_worst_pass_named(tmp_path: Path) -> None:
    with pytest.raises(CandidateBudgetExceeded, match="pass pass_0 alone makes") as caught:
        plan.run(_job([[100], *[[90]] * 29], rows=100), 0, tmp_path)
    assert caught.value.rule == "pass_0"
    assert caught.value.pairs > 0


def test_a_pass_that_no_refinement_splits_is_refused_with_its_exact_pairs(tmp_path: Path) -> None:
    wanted = "pass pass_1 alone would make 11,249,925,001 pairs, the limit is 10,000,000,000; .* has 150,000 records"
    with pytest.raises(CandidateBudgetExceeded, match=wanted) as caught:
        plan.run(_job([[3], [150_000, 2]], rows=160_000), 0, tmp_path)
    assert (caught.value.rule, list(tmp_path.iterdir())) == ("pass_1", [])
    # Equal parts of a refinement make few enough.
    assert plan.run(_job([[20], [150_000]], rows=160_000, parts=10), 0, tmp_path)["pieces"]


def test_small_passes_share_batches_in_order(tmp_path: Path) -> None:
    found = plan.run(_job([[2]] * 16, rows=1_000), 0, tmp_path)
    assert [(piece["pass"], piece["batch"]) for piece in found["pieces"]] == [(at, at // 2) for at in range(16)]
    large = plan.run(_job([[3], [5, 5]], rows=1_000, pairs_per_batch=4), 0, tmp_path)
    assert [(piece["pass"], piece["batch"]) for piece in large["pieces"]] == [(0, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("rows", "expected"), [(1_000, [4, 4, 4, 4]), (1_000_000, [2] * 7), (2_000_001, [1] * 14), (0, [4, 4, 4, 4])]
)
def test_passes_of_a_small_job_are_sorted_several_a_batch(rows: int, expected: list[int]) -> None:
    assert block.sizes(_job([[2]] * 16, rows, n_wide=2)) == expected


def test_no_block_at_all_makes_no_batch(tmp_path: Path) -> None:
    assert plan.run(_job([[1, 1, 1]], rows=3), 0, tmp_path)["pieces"] == []


def test_increment_plans_the_pairs_of_new_records_in_the_window_that_is_frozen(tmp_path: Path) -> None:
    # Rows 0 to 8 in blocks of 3, 2 and 4; the last two are new.
    frozen = Frozen(window=50, placeholders={})
    found = plan.run(_job([[3, 2, 4]], rows=9, since=7, frozen=frozen), 0, tmp_path)
    assert found["window"] == 50
    assert (found["passes"][0]["pairs"], found["passes"][0]["left_out"]) == (2 * 2 + 1, 0)
    assert np.load(tmp_path / "starts-00.npy").tolist() == [5]
    assert [batch["pairs"] for batch in found["pieces"]] == [5]


def test_wide_passes_are_made_in_order_as_far_as_there_is_room(tmp_path: Path) -> None:
    # At 400,000 rows there is room for 2,400,000 pairs; a block of 200 makes 19,900.
    passes = [[50], [200] * 100, [200] * 50, [200] * 20, [30]]
    job = _job(passes, rows=400_000, n_wide=4)
    found = plan.run(job, 0, tmp_path)["passes"]
    assert [each["used"] for each in found] == [True, True, False, True, True]
    assert [each["pairs"] for each in found] == [1_225, 1_990_000, 0, 398_000, 435]
    # None of an unused one's pairs may be taken for made.
    assert (found[2]["complete"], found[2]["left_out"]) == (False, 995_000)
    assert not (tmp_path / "sizes-02.npy").exists()
    job.batches = SimpleNamespace(outputs=lambda stage: [{"passes": found}])
    assert job.passes_planned == job.passes_in_use == (0, 1, 3, 4)


def test_from_a_million_rows_on_wide_passes_are_neither_sorted_nor_made(tmp_path: Path) -> None:
    job = _job([[50], [2], [3]], rows=1_000_000, n_wide=2)
    assert (job.n_sorted, job.passes_in_use) == (1, (0,))
    assert [each["used"] for each in plan.run(job, 0, tmp_path)["passes"]] == [True, False, False]
    assert _job([[50], [2], [3]], rows=999_000, n_wide=2).passes_in_use == (0, 1, 2)


def test_wide_passes_do_not_narrow_the_window_of_the_others(tmp_path: Path) -> None:
    passes = [[150], *[[200] * 10] * 3]
    found = plan.run(_job(passes, rows=2_001, n_wide=3), 0, tmp_path)
    assert sum(each["pairs"] for each in found["passes"]) > found["budget"]
    assert found["window"] == 200


def test_an_increment_makes_no_wide_pass_that_its_base_was_without() -> None:
    frozen = Frozen(window=200, placeholders={}, left_out=("pass_1",))
    assert _job([[9], [9], [9]], rows=20, n_wide=2, since=10, frozen=frozen).passes_in_use == (0, 2)
    # All records together leave no room any more.
    assert _job([[9], [9], [9]], rows=1_000_000, n_wide=2, since=10, frozen=frozen).passes_in_use == (0,)

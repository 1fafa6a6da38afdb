"""Which partitions go, decided without a database."""

from __future__ import annotations

import pytest

from core.queue.store.retention import Partition, plan

GB = 2**30
DAY = 86_400.0


def part(lo: int, days: float = 0.0, gb: float = 1.0, *holds: str, half: bool = False) -> Partition:
    return Partition(lo, lo + 1, half, int(gb * GB), days * DAY, holds)


@pytest.mark.parametrize(
    ("found", "gb", "dropped"),
    [
        pytest.param([part(1, 31), part(2, 29)], None, [1], id="by age"),
        pytest.param([part(1, 30)], None, [1], id="at the limit"),
        pytest.param([part(1, 31, 1, "job 3 is not finished")], None, [], id="who is needed stays"),
        pytest.param([part(1), part(2), part(3)], 2.0, [1], id="by size, the oldest first"),
        pytest.param([part(3), part(1), part(2)], 1.5, [1, 2], id="in order of ids"),
        pytest.param([part(1, 31, 2), part(2), part(3)], 2.0, [1], id="what goes by age makes room"),
        pytest.param([part(1, 0, 5, "2 live batches"), part(2), part(3)], 6.0, [2], id="the next where one is held"),
        pytest.param([part(1, 0, 1, half=True), part(2)], None, [1], id="what was begun is finished"),
        pytest.param([part(1), part(2)], 2.0, [], id="what just fits stays"),
    ],
)
def test_plan_drops(found: list[Partition], gb: float | None, dropped: list[int]) -> None:
    assert [fate.partition.lo for fate in plan(found, 30, gb) if fate.deed == "drop"] == dropped


def test_plan_says_why() -> None:
    fates = plan([part(1, 31), part(2, 0, 1, "2 live batches", "job 3 is not finished"), part(3, 2)], 30, None)
    assert [fate.why for fate in fates] == [
        "unused for 31.0 days, the limit is 30",
        "2 live batches; job 3 is not finished",
        "used 2.0 days ago, the limit is 30",
    ]

from __future__ import annotations

import math
from typing import Any

import pytest

from core.errors import ConfigError
from core.queue import FlowPolicy
from core.queue.store.flows import check


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("flow_name", ""),
        ("flow_name", "x" * 201),
        ("flow_name", "a\0b"),
        ("tenant_id", ""),
        ("tenant_id", "x" * 101),
        ("max_attempts", 0),
        ("max_attempts", 101),
        ("max_runtime_s", 0),
        ("max_runtime_s", 2**31),
        ("backoff_s", -0.1),
        ("backoff_s", math.inf),
        ("max_running", 0),
        ("rows_per_s", 0.0),
        ("rows_per_s", math.nan),
        ("burst_rows", 0),
        ("weight", 0.0),
        ("weight", math.inf),
        ("depth_limit_rows", 0),
        ("max_running", 1.5),
        ("max_running", "3"),
        ("flow_name", "half \ud800"),
        ("flow_name", 7),
        ("work_queue", ""),
        ("needs", ("gpu", "")),
    ],
)
def test_policy_out_of_bounds_is_refused_by_name(field: str, bad: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} .* must"):
        check(FlowPolicy(**{"flow_name": "f", field: bad}))


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        check(FlowPolicy("f", max_attempts=0, rows_per_s=-1, max_running=0))
    for field in ("max_attempts 0 must be at least 1", "rows_per_s -1 must be more than 0", "max_running 0"):
        assert field in refused.value.message


def test_limits_may_be_absent_or_at_their_bounds() -> None:
    check(FlowPolicy("f"))
    check(
        FlowPolicy("x" * 200, "y" * 100, 100, 1, backoff_s=0, max_running=1, rows_per_s=1e-9, burst_rows=1, weight=1e-9)
    )

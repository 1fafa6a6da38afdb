"""What a job needs is known before it works, and refused where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.jobs.memory import FIXED_BYTES, fit, limit_bytes, need_bytes
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.stages.needs import NEEDS


def test_seventy_million_fit_into_twelve_gigabytes() -> None:
    room = fit(NEEDS, 70_000_000, 2, limit_bytes(12))
    assert room.at_once == {"block": 2, "reduce": 2}
    assert need_bytes(NEEDS, "merge", 70_000_000, 2) < 12e9


def test_fewer_batches_run_at_once_where_memory_is_short() -> None:
    rows = 70_000_000
    least = fit(NEEDS, rows, 4, need_bytes(NEEDS, "merge", rows, 1))
    assert least.at_once == {"reduce": 2, "block": 3}
    assert fit(NEEDS, rows, 4, need_bytes(NEEDS, "reduce", rows, 4)).at_once == {"reduce": 4, "block": 4}


@pytest.mark.parametrize("rows", [1_000, 70_000_000])
def test_too_little_memory_is_refused_with_the_need(rows: int) -> None:
    with pytest.raises(ConfigError, match=r"records need \d+\.\d GB of memory \(stage \w+\), the limit is 0\.3 GB"):
        fit(NEEDS, rows, 2, limit_bytes(0.3))
    needed = max(
        need_bytes(NEEDS, stage, rows, 1) for stage in ("reduce", "train", "plan", "merge", "cluster", "survive")
    )
    assert fit(NEEDS, rows, 2, needed).limit_bytes == needed
    with pytest.raises(ConfigError):
        fit(NEEDS, rows, 2, needed - 1)


def test_a_refused_job_has_done_nothing(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "id,first_name,last_name,dob,zip\n" + "".join(f"{n},Ann,Lee,1980-01-01,12345\n" for n in range(20))
    )
    request = MatchRequest(
        input=str(people), id_column="id", out=str(tmp_path / "out.parquet"), memory_gb=FIXED_BYTES / 2e9
    )
    with pytest.raises(ConfigError, match="raise it with `memory_gb`"):
        resolve(request, tmp_path / "work")
    assert not (tmp_path / "out.parquet").exists()
    assert not list((tmp_path / "work").glob("*/manifest/ingest"))

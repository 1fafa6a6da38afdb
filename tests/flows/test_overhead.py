"""`headrace bench overhead`: both ways do the same job."""

from __future__ import annotations

from pathlib import Path

from core.linkage.request import MatchRequest
from core.workloads.identity.bench.overhead import measure
from core.workloads.identity.made_persons.samples import sampled


def test_overhead_runs_the_same_job_both_ways(prefect_env: dict[str, str], database_url: str, tmp_path: Path) -> None:
    request = MatchRequest(input=sampled("demo:persons?rows=300", tmp_path), id_column="id")
    environment = prefect_env | {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    told: list[tuple[int, int]] = []
    found = measure(database_url, request, 1, environment, lambda _, done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert found.rows == 300
    assert found.batches >= 11
    assert found.overhead_percent_rounds == [round(found.overhead_percent, 2)]
    assert found.plain_process_s > found.plain_job_s

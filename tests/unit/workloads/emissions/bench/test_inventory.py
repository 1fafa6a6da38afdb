"""The bench: lines that all count, and figures of every stage."""

from __future__ import annotations

from pathlib import Path

from core.workloads.emissions.bench.inventory import measure


def test_every_stage_is_timed_and_every_line_counts(tmp_path: Path) -> None:
    found = measure(1_000, 3, tmp_path)
    assert (found["rows"], found["counted"]) == (1_000, 1_000)
    assert set(found["seconds"]) == {"read", "compute", "write"}
    assert found["look_ups_per_second"] > 0

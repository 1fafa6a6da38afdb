from __future__ import annotations

import mmap
import os
import subprocess
from pathlib import Path

import pytest

from core.metrics.process import held_bytes, usable_cores

CORES = 8


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of limits, on a machine of which this process may use eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(CORES)), raising=False)
    return tmp_path


def v1(cgroup: Path, quota_us: int, period_us: int) -> None:
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text(f"{period_us}\n")


def test_without_a_quota_affinity_decides(cgroup: Path) -> None:
    assert usable_cores(cgroup) == CORES


def test_where_there_is_no_affinity_the_machine_decides(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores(cgroup) == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(cgroup) == 1


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", CORES),
        ("200000 100000", 2),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("400000 200000", 2),
        ("1600000 100000", CORES),
        ("200000 0", CORES),
    ],
)
def test_a_quota_of_cgroup_v2_counts_in_whole_cores(cgroup: Path, limit: str, cores: int) -> None:
    (cgroup / "cpu.max").write_text(f"{limit}\n")
    assert usable_cores(cgroup) == cores


@pytest.mark.parametrize(
    ("quota_us", "period_us", "cores"),
    [(-1, 100_000, CORES), (300_000, 100_000, 3), (350_000, 100_000, 3), (10_000, 100_000, 1), (300_000, 0, CORES)],
)
def test_a_quota_of_cgroup_v1_counts_in_whole_cores(cgroup: Path, quota_us: int, period_us: int, cores: int) -> None:
    v1(cgroup, quota_us, period_us)
    assert usable_cores(cgroup) == cores


def test_v2_goes_before_v1(cgroup: Path) -> None:
    v1(cgroup, 100_000, 100_000)
    (cgroup / "cpu.max").write_text("200000 100000\n")
    assert usable_cores(cgroup) == 2


def test_what_the_kernel_shows_here_can_be_read() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_held_bytes_are_without_mapped_files(tmp_path: Path) -> None:
    size = 64 << 20
    file = tmp_path / "mapped"
    with file.open("wb") as out:
        out.truncate(size)
    with file.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        before = held_bytes()
        assert sum(mapped[:: mmap.PAGESIZE]) == 0
        assert held_bytes() - before < size // 4
    before = held_bytes()
    anonymous = b"x" * size
    assert held_bytes(os.getpid()) - before > size // 2
    del anonymous


def test_held_bytes_of_a_process_that_has_ended_are_none() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert held_bytes(process.pid) == 0, "not yet waited for"
    assert held_bytes(process.pid) == 0

"""Runs that are killed at random moments, each followed by the same run: no row is lost, none is there twice."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.workloads.pipelines.conftest import Bench

KILLS = 20
ROWS = 300
SPEC = """
pipeline: copied
sources: {s: {kind: table, table: sales.events, incremental: {column: id}}}
steps: [{do: derive, columns: {twice: "amount * 2"}}]
sink: {table: sales.copied, mode: append, create: true}
"""
MORE = "INSERT INTO sales.events SELECT n, n %% 7 FROM generate_series(%d, %d) n"


@pytest.fixture
def forks(database_url: str) -> Iterator[subprocess.Popen[str]]:
    module = "tests.integration.workloads.pipelines.forked_runs"
    command = [sys.executable, "-m", module, database_url, "copied"]
    root = Path(__file__).parents[4]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=root
    ) as one:
        yield one
        assert one.stdin is not None
        one.stdin.close()


def killed_after(forks: subprocess.Popen[str], limit_s: float) -> bool:
    """Whether a run of a process of its own was killed: it is unless it ends within the limit."""
    assert forks.stdin is not None
    assert forks.stdout is not None
    forks.stdin.write("go\n")
    forks.stdin.flush()
    pid = int(forks.stdout.readline())
    if not select.select([forks.stdout], [], [], limit_s)[0]:
        # It may end between the look and the signal: then its own word counts.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return int(forks.stdout.readline()) == signal.SIGKILL


def agree(bench: Bench) -> bool:
    """Whether the target holds what the source has up to the watermark, each row once."""
    return bool(
        bench.sql(
            "SELECT (SELECT (count(*), sum(id), sum(twice)) FROM sales.copied) IS NOT DISTINCT FROM "
            "(SELECT (count(*), sum(id), sum(amount * 2)) FROM sales.events WHERE id <= coalesce("
            "(SELECT watermark FROM pipeline_watermarks WHERE name = 'copied'), '0')::bigint)"
        )[0][0]
    )


def test_killed_runs_followed_by_the_same_run_lose_and_repeat_nothing(
    bench: Bench, forks: subprocess.Popen[str]
) -> None:
    bench.sql("CREATE TABLE sales.events (id bigint PRIMARY KEY, amount bigint NOT NULL)")
    bench.sql(MORE % (1, ROWS))
    bench.load(SPEC)
    assert not killed_after(forks, 60)
    began = time.monotonic()
    assert not killed_after(forks, 60)
    usual_s, chance, n_killed = time.monotonic() - began, random.Random(20), 0
    for kill in range(1, KILLS + 1):
        bench.sql(MORE % (kill * ROWS + 1, (kill + 1) * ROWS))
        n_killed += killed_after(forks, chance.uniform(0, usual_s))
        # The server gives the lock back when it learns of the end.
        bench.sql("SELECT pg_advisory_xact_lock(hashtext('headrace pipeline run'), hashtext('copied'))")
        assert agree(bench), f"after kill {kill}"
        bench.run("copied")
        assert bench.sql("SELECT count(*), count(DISTINCT id), max(id) FROM sales.copied") == [((kill + 1) * ROWS,) * 3]
        assert agree(bench)
    assert n_killed, "no run was killed"
    assert bench.sql("SELECT count(*) FROM pipeline_runs WHERE state = 'running'") == [(0,)]

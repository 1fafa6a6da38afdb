"""The table of each command fits 80 columns, however long the names of flows, jobs, workers and inputs are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy, NewBatch, RowFailure
from core.scaling import decision_log
from core.scaling.policy import Fleet, Memory, decide, for_batches
from core.scaling.signals import read
from core.settings import QueueSettings
from tests.command import headrace

LONG = "a-flow-of-many-words-that-somebody-has-named-with-care-and-without-regard-to-width"
WORKER = "machine-7.rack-12.cluster.example.org:123456:7f00c0ffee"

Run = Callable[..., list[str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    environment = {"HEADRACE_DATABASE__URL": database_url, "COLUMNS": "80", "HEADRACE_STATE_DIR": str(tmp_path)}

    def said(*words: str, code: int = 0) -> list[str]:
        done = headrace(*words, env=environment)
        assert done.returncode == code, done.stderr
        return done.stdout.splitlines()

    return said


def fitting(lines: list[str]) -> list[str]:
    assert lines
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    return lines


def test_tables_of_the_queue_fit(run: Run, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), WORKER)
    queue.register_flow(FlowPolicy(LONG, needs=("gpu", "memory"), rows_per_s=1e9, max_running=100_000))
    parameters = {"input": f"/data/{LONG}/customers-of-the-whole-year.parquet"}
    job = queue.submit_job(LONG, "k" * 200, parameters, "digest")
    queue.open_stage(job.job_id, "match", [NewBatch(n, 500_000, {"uri": "x"}) for n in range(4)])
    one, two = queue.claim(LONG, 2, job_id=job.job_id)
    queue.complete(one)
    queue.enqueue(LONG, [{"n": n} for n in range(3)])
    (lone,) = [batch for batch in queue.claim(LONG, 9) if batch.job_id is None]
    queue.complete(lone, failures=[RowFailure(1, "ErrorOfAnUncommonlyLongName" * 3, "for this reason, " * 20)])
    assert two.job_id == job.job_id

    (head, line) = fitting(run("jobs"))[1:]
    assert head.split() == ["job", "input", "status", "rows", "progress", "time", "began"]
    assert line.split()[2:6] == ["running", "2,000,000", "match", "1/4"]
    shown = fitting(run("jobs", "show", str(job.job_id)))
    assert any(row.split()[:3] == ["match", "open", "1/4"] for row in shown)
    for words in (
        ["queue", "status"],
        ["queue", "flows"],
        ["queue", "peek"],
        ["queue", "peek", "--payload"],
        ["queue", "dead"],
        ["queue", "dead", "--each", "--payload"],
        ["queue", "retain", "--dry-run"],
        ["queue", "top", "--once", "--interval", "0.05"],
        ["doctor"],
    ):
        fitting(run(*words))


def test_top_names_whoever_holds_batches_without_beating(run: Run, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "a-match")
    queue.register_flow(FlowPolicy("held"))
    queue.enqueue("held", [{}])
    queue.claim("held")
    top = fitting(run("queue", "top", "--once", "--interval", "0.05"))
    assert [line.split()[-2:] for line in top if line.startswith("a-match")] == [["1", "0"]]


def test_stages_that_are_done_are_called_done(run: Run, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "done-test")
    queue.register_flow(FlowPolicy("done"))
    job = queue.submit_job("done", "key", {}, "digest")
    queue.open_stage(job.job_id, "ingest", [NewBatch(0, 10, {"uri": "x"})])
    assert any(line.split()[:2] == ["ingest", "open"] for line in run("jobs", "show", str(job.job_id)))
    queue.complete(queue.claim("done", 1, job_id=job.job_id)[0])
    assert any(line.split()[:3] == ["ingest", "done", "1/1"] for line in run("jobs", "show", str(job.job_id)))


def test_tables_of_scaling_fit(run: Run, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), WORKER)
    queue.register_flow(FlowPolicy(LONG))
    queue.enqueue(LONG, [{}])
    policy, fleet = for_batches(), Fleet(0, 0, 0, 0)
    inputs = decision_log.Inputs(read(db, LONG, 1000), fleet, policy)
    from uuid import uuid4

    from core.queue.store.singleton import take_lease

    token = uuid4()
    take_lease(db, f"autoscale:{LONG}", WORKER, token, 30.0)
    author = decision_log.Author(f"prefect:consume/{LONG}", WORKER, f"autoscale:{LONG}", token, 30.0)
    assert decision_log.write(db, LONG, author, inputs, decide(inputs.signals, fleet, policy, Memory())) is not None
    fitting(run("scale", "explain"))
    fitting(run("db", "tune", "--ram", "64GB", "--cores", "16"))


def test_tables_of_answers_fit(run: Run, tmp_path: Path) -> None:
    ids = [f"{LONG}-{n}" for n in range(4)]
    pl.DataFrame({"id": ids, "entity_id": ["a", "a", "b", "b"]}).write_csv(tmp_path / "out.csv")
    out = os.fspath(tmp_path / "out.csv")
    (head, pairwise, *_) = fitting(run("evaluate", out, "--truth", out, "--id", "id", "--entity", "entity_id"))
    assert head.split() == ["precision", "recall", "F1"]
    assert pairwise.split() == ["pairwise", "1.0000", "1.0000", "1.0000"]

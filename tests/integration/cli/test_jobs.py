"""`headrace jobs`: steering and backfill from the command line; dead letters of a job."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from core.cli.app import build
from core.database import DatabaseManager
from core.errors import ConfigError, QueueError
from core.queue import BatchQueue, FlowPolicy, RowFailure
from core.queue.producers import backfill, jobs
from core.settings import QueueSettings

Headrace = Callable[..., Result]


@pytest.fixture
def headrace(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)

    def run(*words: str, exit_code: int = 0) -> Result:
        done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
        assert done.exit_code == exit_code, done.output
        return done

    return run


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "cli-test")


@pytest.fixture
def flow(queue: BatchQueue, request: pytest.FixtureRequest) -> str:
    queue.register_flow(FlowPolicy(request.node.name))
    return str(request.node.name)


def test_a_job_is_paused_resumed_and_cancelled(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    job = str(queue.submit_job(flow, f"key of {flow}", {}, "d").job_id)
    queue.enqueue(flow, [{}] * 3000, job_id=int(job), batch_rows=1000)
    queue.claim(flow)
    paused = f"job {job} is paused: 2 batches with 2,000 rows wait, 1 running batches may finish\n"
    assert headrace("jobs", "pause", job).stdout == paused
    assert headrace("jobs", "pause", f"key of {flow}").stdout == f"job {job} was paused already\n"
    (row,) = json.loads(headrace("jobs", "resume", job, "--json").stdout)
    assert row == {"was": "paused", "job_id": int(job), "status": "running", "batches": 2, "rows": 2000, "running": 1}
    cancelled = f"job {job} is cancelled: 3 batches with 3,000 rows were taken out, 1 of the batches were running\n"
    assert headrace("jobs", "cancel", job).stdout == cancelled
    with pytest.raises(QueueError, match="is cancelled: nothing to resume"):
        headrace("jobs", "resume", job)
    with pytest.raises(ConfigError, match="there is no job 0"):
        headrace("jobs", "cancel", "0")


def test_dead_letters_of_a_job_by_fault(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    job = queue.submit_job(flow, f"key of {flow}", {}, "d").job_id
    queue.enqueue(flow, [{}] * 9, job_id=job)
    queue.complete(queue.claim(flow)[0], failures=[RowFailure(3, "Odd", "why", "poison"), RowFailure(4, "Odd")])
    (letter,) = json.loads(headrace("queue", "dead", "--job", str(job), "--fault", "poison", "--json").stdout)
    assert (letter["worker_id"], letter["attempts"], letter["stage"], letter["reason"]) == (
        "cli-test",
        1,
        "main",
        "why",
    )
    (row,) = json.loads(headrace("queue", "redrive", flow, "--fault", "poison", "--dry-run", "--json").stdout)
    assert (row["n_letters"], row["n_kept"]) == (1, 0)
    (row,) = json.loads(headrace("queue", "redrive", flow, "--fault", "poison", "--job", str(job), "--json").stdout)
    assert row == {"flow": flow, "items": 1}
    assert "--fault" in headrace("queue", "redrive", flow, "--fault", "bad", exit_code=2).output


def test_backfill_goes_on_where_it_was_stopped(
    headrace: Headrace, queue: BatchQueue, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["jobs", "backfill", "--flow", flow, "--table", "t", "--lo", "0", "--hi", "100", "--batch", "10"]
    n_waits = 0

    def consume(_: float) -> None:
        nonlocal n_waits
        n_waits += 1
        if n_waits == 3:
            raise KeyboardInterrupt
        for batch in queue.claim(flow, 2):
            queue.complete(batch)

    monkeypatch.setattr(backfill, "Hands", lambda look: backfill_hands(look, wait=consume))
    stopped = headrace(*words, "--ahead", "3", exit_code=130)
    job = jobs.newest(queue.db, 1)[0].job_id
    assert f"stopped at key 70: what was handed in is job {job}; the same command goes on from there" in stopped.stderr
    assert f"`headrace jobs cancel {job}` takes it back" in stopped.stderr
    (row,) = json.loads(headrace(*words, "--ahead", "9", "--json").stdout)
    assert row == {"job": job, "status": "completed", "issued": 100, "ended": 100}
    with pytest.raises(ConfigError, match="give either --table or --uri"):
        headrace(*words, "--uri", "u")


backfill_hands = backfill.Hands

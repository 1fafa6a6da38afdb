"""What the version before left in a database is read, redriven, claimed and finished: jobs, batches, records, answers.

A consumer that still runs counts as left behind too: it starts workers of the present code by its old orders.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

# Promised to nobody, so they may move: core.linkage.{prepare,request}, core.workloads.identity.session.
from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import JobBlocked
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.queue import BatchQueue, views
from core.runtime import Runtime, open_runtime
from core.settings import QueueSettings
from core.workloads.identity.session import IdentitySession, was_begun

Headrace = Callable[..., str]
Answered = Callable[..., Any]

# Jobs of the database, in the order in which they were made.
PUBLISHED, HALF_DONE, PAUSED = 1, 2, 3
# What a worker shows its consumer: ready, batch, its deadline, batches, rows, rows that failed.
BOARD = struct.Struct("6d")
LIMIT_S = 120


def test_queue_tells_what_lies_in_it(answered: Answered, old_url: str) -> None:
    status = {line["flow"]: line for line in answered("queue", "status")}
    counts = ("pending", "processing", "completed", "failed")
    assert {flow: [line[name] for name in counts] for flow, line in status.items()} == {
        "identity-resolution": [182, 68, 5908, 54],
        "survey": [30, 2, 6, 2],
        "sums": [29, 0, 8, 2],
    }
    letters = answered("queue", "dead", "--each")
    assert sorted((one["flow_name"], one["error_class"], one["fault"], one["n_items"]) for one in letters) == [
        ("identity-resolution", "MatchError", "permanent", 54),
        ("sums", "Schema", "permanent", 1),
        ("survey", "ValueError", "permanent", 1),
        ("survey", "ValueError", "permanent", 1),
    ]
    states: dict[str, list[str]] = {}
    for head in answered("queue", "peek"):
        states.setdefault(head["flow_name"], []).append(head["state"])
    assert {flow: sorted(found) for flow, found in states.items()} == {
        "identity-resolution": ["ready", "ready", "running", "scheduled"],
        "survey": ["ready", "running"],
        "sums": ["paused", "paused", "ready", "ready", "scheduled"],
    }
    jobs = {job["job"]: (job["flow"], job["status"]) for job in answered("jobs")}
    assert jobs == {
        PUBLISHED: ("identity-resolution", "completed"),
        HALF_DONE: ("identity-resolution", "running"),
        PAUSED: ("sums", "paused"),
    }
    (shown,) = answered("jobs", "show", HALF_DONE)
    assert {stage["stage"]: (stage["done"], stage["total"]) for stage in shown["stages"]}["match"] == (3, 8)


def test_half_done_queued_job_is_redriven_and_finished(
    here: Path, answered: Answered, old_url: str, old_db: DatabaseManager, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    request = MatchRequest(input=str(here / "persons.csv"), id_column="id", out=str(out))
    with open_runtime() as runtime, closing(joined(runtime, request)) as session:
        assert session.job_id == HALF_DONE
        with pytest.raises(JobBlocked, match="queue redrive identity-resolution --job 2"):
            session.progress("match")
        assert answered("queue", "redrive", "identity-resolution", "--job", HALF_DONE)[0]["items"] > 0
        # What a consumer's leader does every few seconds: it frees what the worker that is gone still holds.
        runtime.queue.lead_and_sweep()
        done = [finished_stage(session, stage) for stage in session.stages]
        session.write_outputs(session.finish())
    # Of the eight batches of `match` three were done, and of the stages before it all.
    assert done == [0, 0, 0, 0, 0, 0, 5, 1, 1, 1, 1]
    ended = (
        "SELECT stage, count(*), count(DISTINCT origin_batch_id) FROM queue_history "
        "WHERE job_id = :job AND outcome = 'completed' GROUP BY 1"
    )
    assert all(n == batches for _, n, batches in old_db.execute_query("ended", ended, {"job": HALF_DONE}))
    assert pl.read_parquet(out).equals(pl.read_parquet(here / "resolved.parquet"))
    (same,) = answered("jobs", "diff", PUBLISHED, HALF_DONE)
    assert not any(n for name, n in same.items() if name not in {"job_a", "job_b"})
    assert {job["job"]: job["status"] for job in answered("jobs")}[HALF_DONE] == "completed"


def joined(runtime: Runtime, request: MatchRequest) -> IdentitySession:
    """What a run of the flow does first."""
    understood = understand(request, partial(was_begun, runtime))
    workspace = runtime.workspace_of(understood.key)
    return IdentitySession(runtime.queue, describe(understood, workspace), workspace, threads=1)


def finished_stage(session: IdentitySession, stage: Any) -> int:
    """Do what is left of a stage; returns how many batches that were."""
    session.open(stage)
    n_done, give_up = 0, time.monotonic() + LIMIT_S
    while not session.progress(stage).drained:
        assert time.monotonic() < give_up, f"stage {stage} does not end"
        for tag in session.claim(stage, 4):
            assert session.run(tag)["outcome"] == "completed"
            n_done += 1
    return n_done


def test_worker_of_a_consumer_that_is_older_than_the_code_does_its_batch(
    here: Path, old_url: str, old_db: DatabaseManager, answered: Answered
) -> None:
    """The consumer goes on with the code it has loaded, and gives its workers the orders that it always gave."""
    orders = json.loads((here / "orders.json").read_text())
    assert orders["handlers"] == {"identity-resolution": "core.consuming.linkage:run_any"}
    with tempfile.TemporaryFile(buffering=0) as board:
        board.truncate(BOARD.size)
        line = json.dumps(orders | {"url": old_url, "board": board.fileno()}).encode() + b"\n"
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.queue.worker"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"HEADRACE_DATABASE__URL": old_url},
            pass_fds=(board.fileno(),),
        )
        try:
            assert worker.stdin is not None
            worker.stdin.write(line)
            worker.stdin.flush()
            # The pipe stays open as long as the consumer lives; the orders say to end after one batch.
            worker.wait(LIMIT_S)
        finally:
            worker.kill()
            _, said = worker.communicate()
        shown = BOARD.unpack(os.pread(board.fileno(), BOARD.size, 0))
    assert worker.returncode == 0, said
    assert said.decode().count("was started by an older version; restart it") == 1
    # Ready, in no batch, one done, no row failed.
    assert (shown[0], shown[1], shown[3], shown[5]) == (1.0, 0.0, 1.0, 0.0)
    did = "SELECT stage, attempt, outcome, job_id FROM queue_history WHERE worker_id = :me"
    assert old_db.execute_query("did", did, {"me": orders["worker_id"]}) == [("match", 1, "completed", HALF_DONE)]
    (shown_job,) = answered("jobs", "show", HALF_DONE)
    assert {stage["stage"]: stage["done"] for stage in shown_job["stages"]}["match"] == 4


def test_records_are_claimed_marked_and_run_again(answered: Answered, old_db: DatabaseManager) -> None:
    with DistributedProcessor(old_db, QueueSettings()) as records:
        assert counts(records) == (30, 2, 6, 2)
        # Those that a process had claimed which is gone, in whatever flow.
        assert records.cleanup_orphaned_records(0) >= 2
        assert counts(records) == (32, 0, 6, 2)
        waiting = records.claim_records_batch("survey", 100)
        assert sorted(record["payload"]["n"] for record in waiting) == list(range(8, 40))
        records.mark_records_completed([(record["id"], None) for record in waiting])
        assert answered("queue", "redrive", "survey") == [{"flow": "survey", "items": 2}]
        BatchQueue(old_db, QueueSettings(), "tests").lead_and_sweep()
        again = records.claim_records_batch("survey", 100)
        assert sorted(record["payload"]["n"] for record in again) == [6, 7]
        records.mark_records_completed([(record["id"], None) for record in again])
        assert counts(records) == (0, 0, 40, 0)


def counts(records: DistributedProcessor) -> tuple[int, ...]:
    """Pending, processing, completed, failed."""
    status = records.get_queue_status("survey")
    return tuple(status[f"{name}_records"] for name in ("pending", "processing", "completed", "failed"))


def test_batches_of_rows_are_claimed_retried_redriven_and_resumed(answered: Answered, old_db: DatabaseManager) -> None:
    queue = BatchQueue(old_db, QueueSettings(), "tests")
    assert answered("queue", "redrive", "sums", "--error-class", "Schema") == [{"flow": "sums", "items": 1}]
    (resumed,) = answered("jobs", "resume", PAUSED)
    assert (resumed["was"], resumed["status"], resumed["batches"]) == ("paused", "running", 2)
    assert queue.enqueue("sums", [{"n": 201}, {"n": 202}], unique_keys=["b", "c"]).n_rows == 1
    queue.lead_and_sweep()
    found: list[int] = []
    while batches := queue.claim("sums", 10):
        for batch in batches:
            found += [json.loads(payload)["n"] for payload in queue.items(batch)["payload"]]
            queue.complete(batch)
    # Of the first ten rows only the one that failed for now and the one that failed for good are left.
    assert sorted(found) == [3, 4, *range(10, 30), *range(100, 103), *range(200, 203), *range(300, 304)]
    depth = views.now(old_db, "sums")
    assert (depth.ready_batches, depth.scheduled_batches, depth.waiting_retries) == (0, 0, 0)
    queue.lead_and_sweep()
    assert answered("queue", "dead", "--flow", "sums", "--each") == []


def test_published_answer_is_read_looked_up_and_explained(
    here: Path, explained: list[str], answered: Answered, old_db: DatabaseManager
) -> None:
    entities = dict(pl.read_parquet(here / "resolved.parquet").rows())
    members = "SELECT record_id, entity_id::text FROM current_entity_members WHERE dataset = 'persons:persons.csv'"
    assert dict(old_db.execute_query("members", members)) == entities
    before = json.loads((here / "explained.json").read_text())
    found = answered("explain", *explained, "--job", PUBLISHED)
    assert (found["total_bits"], found["fields"]) == (before["total_bits"], before["fields"])
    persons = pl.read_csv(here / "persons.csv", infer_schema=False).drop_nulls().drop("entity_id")
    assert persons.height > 3
    for record in persons.head(3).to_dicts():
        fields = [f"--field={name}={value}" for name, value in record.items() if name != "id"]
        (answer,) = answered("lookup", *fields)
        assert (answer["decision"], answer["entity_id"]) == ("match", entities[record["id"]])
        assert record["id"] in {one["record_id"] for one in answer["matched"]}


def test_published_job_becomes_a_page(here: Path, headrace: Headrace, old_url: str, tmp_path: Path) -> None:
    headrace("report", PUBLISHED, "--out", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "persons.csv" in text
    assert f"{pl.read_parquet(here / 'resolved.parquet')['entity_id'].n_unique():,}" in text

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.errors import ConfigError, UnknownFlow
from core.queue import BatchQueue, FlowPolicy, NewBatch, RowFailure
from core.settings import QueueSettings

Headrace = Callable[..., str]


@pytest.fixture
def headrace(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)

    def run(*words: str) -> str:
        done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "cli-test")


@pytest.fixture
def flow(queue: BatchQueue, request: pytest.FixtureRequest) -> str:
    queue.register_flow(FlowPolicy(request.node.name))
    return request.node.name


def test_status_peek_and_payloads_on_demand_only(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [{"ssn": "078-05-1120"}] * 5, batch_rows=2)
    queue.claim(flow)
    (row,) = json.loads(headrace("queue", "status", flow, "--json"))
    assert (row["pending"], row["processing"], row["ready_batches"]) == (3, 2, 2)
    # Of a long name the ends are shown.
    assert flow[:8] in headrace("queue", "status")
    heads = json.loads(headrace("queue", "peek", "--flow", flow, "--json"))
    assert [(head["state"], head["n_items"]) for head in heads] == [("running", 2), ("ready", 2), ("ready", 1)]
    plain = headrace("queue", "peek", "--flow", flow, "--state", "ready")
    assert "078" not in plain
    assert "running" not in plain
    shown = json.loads(headrace("queue", "peek", "--flow", flow, "--payload", "--json", "--limit", "4"))
    assert len(shown) == 4
    assert shown[0] == {"record_id": heads[0]["origin_batch_id"] << 20, "payload": '{"ssn":"078-05-1120"}'}


def test_dead_letters_are_shown_and_redriven_by_class(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    assert headrace("queue", "dead", "--flow", flow) == "no dead letters\n"
    queue.enqueue(flow, [{"n": n} for n in range(3)])
    (batch,) = queue.claim(flow)
    queue.complete(batch, failures=[RowFailure(0, "Timeout", "slow"), RowFailure(2, "Schema", "odd")])
    groups = json.loads(headrace("queue", "dead", "--flow", flow, "--json"))
    assert [(group["error_class"], group["n_items"]) for group in groups] == [("Schema", 1), ("Timeout", 1)]
    (letter,) = json.loads(headrace("queue", "dead", "--flow", flow, "--error-class", "Schema", "--json"))
    assert (letter["seq"], letter["reason"], "payload" in letter) == (2, "odd", False)
    (letter,) = json.loads(headrace("queue", "dead", "--error-class", "Schema", "--payload", "--json"))
    assert letter["payload"] == '{"n":2}'
    for words in (["--dry-run"], []):
        with pytest.raises(UnknownFlow, match="is not registered"):
            headrace("queue", "redrive", "nobody", *words)
    (done,) = json.loads(headrace("queue", "redrive", flow, "--error-class", "Timeout", "--json"))
    assert done == {"flow": flow, "items": 1}
    assert "Schema" in headrace("queue", "dead", "--flow", flow)
    assert "Timeout" not in headrace("queue", "dead", "--flow", flow)


def test_pause_and_resume(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [{}])
    headrace("queue", "pause", flow, "--reason", "new release")
    assert queue.claim(flow) == []
    headrace("queue", "resume", flow)
    assert len(queue.claim(flow)) == 1
    with pytest.raises(UnknownFlow):
        headrace("queue", "pause", "nobody")


def test_jobs_are_listed_and_shown(headrace: Headrace, queue: BatchQueue, flow: str) -> None:
    assert headrace("jobs") == "no jobs yet\n"
    job = queue.submit_job(flow, "the key", {"spec": "persons"}, "digest")
    queue.open_stage(job.job_id, "match", [NewBatch(n, 10, {"uri": "x"}) for n in range(2)])
    queue.complete(queue.claim(flow, 1, job_id=job.job_id)[0])
    (listed,) = json.loads(headrace("jobs", "--json"))
    assert (listed["job"], listed["status"], listed["key"]) == (job.job_id, "running", "the key")
    for name in (str(job.job_id), "the key"):
        (found,) = json.loads(headrace("jobs", "show", name, "--json"))
        (stage,) = found["stages"]
        assert (stage["stage"], stage["total"], stage["done"], stage["drained"]) == ("match", 2, 1, False)
        assert [(a["outcome"], a["ok"]) for a in found["attempts"]] == [("completed", 10)]
        assert [b["partition_no"] for b in found["batches"]] == [1]
    text = headrace("jobs", "show", str(job.job_id))
    assert text.startswith(f"job {job.job_id} of {flow}: running\n")
    with pytest.raises(ConfigError, match="no job 999"):
        headrace("jobs", "show", "999")


def test_policies_are_listed_and_changed(headrace: Headrace, queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.register_flow(FlowPolicy(flow, max_attempts=5, rows_per_s=9.5, work_queue="matching", needs=("gpu",)))
    (line,) = json.loads(headrace("queue", "set", flow, "--max-running", "4", "--rows-per-s", "none", "--json"))
    assert [line[name] for name in ("max_running", "rows_per_s", "max_attempts")] == [4, None, 5]
    assert (line["work_queue"], line["needs"], line["paused"]) == ("matching", ["gpu"], False)
    queue.enqueue(flow, [{}] * 6, batch_rows=1)
    assert len(queue.claim(flow, 6)) == 4
    headrace("queue", "set", flow, "--tenant", "acme", "--new", "--weight", "2", "--needs", "none", "--splittable")
    headrace("queue", "pause", flow, "--reason", "why not")
    lines = json.loads(headrace("queue", "flows", flow, "--json"))
    told = [(one["tenant"], one["weight"], one["splittable"], one["paused_reason"]) for one in lines]
    assert told == [("acme", 2.0, True, "why not"), ("default", 1.0, False, "why not")]
    text = headrace("queue", "flows")
    assert "matching" in text
    assert "none" in text


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["--max-running", "four"], ConfigError, "--max-running 'four' is neither a whole number nor none"),
        (["--max-running", "1.5"], ConfigError, "--max-running '1.5' is neither a whole number nor none"),
        (["--max-running", "0"], ConfigError, "max_running 0 must be at least 1"),
        (["--rows-per-s", "nan"], ConfigError, "rows_per_s nan must be more than 0"),
        (["--weight", "-1"], ConfigError, "weight -1.0 must be more than 0"),
        (["--needs", "gpu,,big"], ConfigError, "needs '' must have 1 to 100 characters"),
        ([], ConfigError, "nothing to change"),
        (["--tenant", "acme", "--weight", "2"], UnknownFlow, "not registered for tenant 'acme', only for default"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_and_changes_nothing(
    headrace: Headrace, queue: BatchQueue, words: list[str], kind: type[Exception], said: str
) -> None:
    queue.register_flow(FlowPolicy("refused", max_running=7))
    with pytest.raises(kind, match=said):
        headrace("queue", "set", "refused", *words)
    (line,) = json.loads(headrace("queue", "flows", "refused", "--json"))
    assert (line["max_running"], line["weight"]) == (7, 1.0)


@pytest.mark.parametrize(
    "words",
    [
        "queue status nosuch",
        "queue flows nosuch",
        "queue peek --flow nosuch",
        "queue dead --flow nosuch",
        "queue discard nosuch --dry-run",
        "scale explain --flow nosuch",
    ],
)
def test_commands_say_of_an_unknown_flow_that_it_is_not_registered(headrace: Headrace, words: str) -> None:
    with pytest.raises(UnknownFlow, match="the flow 'nosuch' is not registered") as told:
        headrace(*words.split())
    assert told.value.exit_code == 1

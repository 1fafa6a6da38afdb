"""Invoice matching, as real processes against a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from core.database import DatabaseManager
from core.made_records.invoices.books import made_books
from core.queue import FlowPolicy
from core.queue.store import flows
from core.review.audit.verify import verify
from core.workloads import leaves_of, workloads
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.queued.request import ReconcileRequest
from core.workloads.invoices.reconciling.run import reconcile, record_of, write_folder
from core.workloads.invoices.workload import FLOW, WORK_QUEUE
from tests.flows.conftest import finished, queue_settings
from tests.processes import until

FILES = ("allocations.parquet", "exceptions.parquet", "unapplied.parquet", "run.json")
COMPLETED = "SELECT count(*) FROM queue_history WHERE outcome = 'completed' AND stage IN ('propose', 'settle')"
Start = Callable[[ReconcileRequest], "subprocess.Popen[bytes]"]


@pytest.fixture
def request_(tmp_path: Path) -> ReconcileRequest:
    write_books(made_books(1_000, seed=6), tmp_path)
    named = {kind: str(tmp_path / f"{kind}.csv") for kind in ("invoices", "customers", "rates")}
    return ReconcileRequest(**named, payments=(str(tmp_path / "payments.csv"),), batch_records=50)


@pytest.fixture
def start(prefect_env: dict[str, str], database_url: str, tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []
    env = prefect_env | queue_settings(database_url, tmp_path)

    def begin(asked: ReconcileRequest) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.invoice_matching", asked.model_dump_json(), "--json"]
        with (tmp_path / f"flow-{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def _count(db: DatabaseManager, sql: str) -> int:
    return int(db.execute_query("test", sql)[0][0])


def test_two_processes_of_which_one_is_killed_write_what_a_local_run_writes(
    start: Start, db: DatabaseManager, request_: ReconcileRequest, tmp_path: Path
) -> None:
    local, out = tmp_path / "local", tmp_path / "out"
    found = reconcile(request_.plain())
    write_folder(local, record_of(request_.plain(), found), found.answer)
    flows.register(db, FlowPolicy(FLOW, splittable=False, work_queue=WORK_QUEUE))
    flows.pause(db, FLOW, "until both processes are there")
    victim, survivor = start(request_), start(request_.model_copy(update={"out": str(out)}))
    logs = [tmp_path / "flow-0.log", tmp_path / "flow-1.log"]
    until(lambda: all("waiting for batches" in log.read_text() for log in logs), lambda: "they never begin")
    flows.resume(db, FLOW)
    until(lambda: _count(db, COMPLETED) >= 3, lambda: "no batch is ever completed")
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=30)
    assert victim.returncode == -signal.SIGKILL
    summary = finished(survivor, tmp_path)
    for name in FILES:
        assert (out / name).read_bytes() == (local / name).read_bytes(), name
    assert summary["states"] == found.figures()["states"]
    assert summary["batches"]["settle"] > 1
    assert _count(db, "SELECT count(*) FROM jobs WHERE status = 'completed'") == 1
    assert _count(db, "SELECT count(*) FROM receipts") == summary["payments"]
    assert _count(db, "SELECT count(*) FROM audit_events WHERE kind = 'settled'") == summary["batches"]["settle"]
    applied = found.answer.allocations.filter(found.answer.allocations["status"] == "auto")
    assert _count(db, "SELECT count(*) FROM allocations") == len(applied)
    paid = applied.drop_nulls("invoice_id").group_by("invoice_id").agg(pl.col("amount_minor").sum())
    changed = paid.filter(pl.col("amount_minor") != 0)
    assert _count(db, "SELECT count(*) FROM open_items WHERE version > 1") == len(changed)
    (report,) = verify(db, leaves_of(workloads()), "default")
    assert report.sound

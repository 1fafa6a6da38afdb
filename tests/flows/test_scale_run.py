"""`headrace scale run --on prefect` with a real server and worker: bursts, the API killed and started in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.scaling import decision_log
from core.settings import QueueSettings
from tests.flows.test_autoscale import HANDLER
from tests.flows.test_consume import runs
from tests.prefect_server import PrefectServer, call
from tests.processes import end, until

ROOT = Path(__file__).parents[2]
HEADRACE = [sys.executable, "-c", "from core.cli import main; main()"]


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield process
    finally:
        left = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        end(process)
        for one in left:
            if one.is_running():
                one.kill()


def test_bursts_are_drained_by_runs_also_after_the_api_was_away(
    prefect_server: PrefectServer, db: DatabaseManager, database_url: str, tmp_path: Path
) -> None:
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("bursts"))
    call(prefect_server.env, "POST", "/work_pools/", {"name": "bursts", "type": "process"})
    flow = call(prefect_server.env, "POST", "/flows/", {"name": "consume"})
    deployment = {
        "name": "bursts",
        "flow_id": flow["id"],
        "entrypoint": "flows.consume.consume",
        "work_pool_name": "bursts",
        "pull_steps": [],
        "parameters": {"request": {"flows": ["bursts"], "handler": HANDLER, "idle_exit_s": 1}},
        "enforce_parameter_schema": False,
    }
    call(prefect_server.env, "POST", "/deployments/", deployment)
    env = prefect_server.env | {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_SCALING__TICK_S": "0.5",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        # By default a client asks again for a minute before it tells that the API is away.
        "PREFECT_CLIENT_MAX_RETRIES": "1",
    }
    scale = [*HEADRACE, "scale", "run", "--flow", "bursts", "--on", "prefect", "--name", "consume/bursts", "--max", "2"]
    scale_log = tmp_path / "scale.log"

    def done() -> int:
        return int(db.execute_query("n", "SELECT count(*) FROM queue_results")[0][0])

    def nobody_left() -> bool:
        newest = decision_log.last(db, "bursts", 1)[0]
        return (newest.working, newest.starting, newest.desired) == (0, 0, 0)

    with ExitStack() as stack:
        work = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "bursts", "--type", "process"]
        stack.enter_context(running(work, env, tmp_path / "worker.log"))
        scaler = stack.enter_context(running([*scale, "--drain-seconds", "5"], env, scale_log))
        queue.enqueue("bursts", list(range(20)), batch_rows=1)
        until(lambda: done() == 20)
        until(nobody_left)
        prefect_server.kill()
        queue.enqueue("bursts", list(range(20)), batch_rows=1)
        until(lambda: "does not answer" in scale_log.read_text())
        prefect_server.ensure_running()
        until(lambda: done() == 40)
        until(nobody_left)
        assert scaler.poll() is None, scale_log.read_text()
    assert set(runs(prefect_server, "bursts")) == {"COMPLETED"}
    assert sum(one.started or 0 for one in decision_log.last(db, "bursts", 10_000)) == len(
        runs(prefect_server, "bursts")
    )

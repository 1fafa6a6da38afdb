"""Two autoscalers of one flow, as processes; one of them is halted over its lease in the middle of a round."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.database import DatabaseManager
from core.queue import BatchQueue
from core.scaling import decision_log

ROOT = Path(__file__).parents[3]
LIMIT_S = 60.0

# A kubectl with a memory. Who asks while the gate is closed is answered by what was true when it asked.
KUBECTL = """#!/bin/sh
cd "{folder}"
case "$*" in
*"get "*)
    answer="{{\\"spec\\": {{\\"replicas\\": $(cat replicas)}}}}"
    if [ -e "closed-$WHO" ]; then
        touch "asked-$WHO"
        while [ -e "closed-$WHO" ]; do sleep 0.02; done
    fi
    echo "$answer" ;;
*)
    echo "$WHO $*" >> scaled
    for word; do case "$word" in --replicas=*) echo "${{word#--replicas=}}" > replicas ;; esac; done ;;
esac
"""


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < give_up
        threading.Event().wait(0.05)


@contextmanager
def autoscaler(who: str, flow: str, url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = os.environ | {
        "HEADRACE_DATABASE__URL": url,
        "HEADRACE_SCALING__TICK_S": "0.2",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "WHO": who,
    }
    command = [sys.executable, "-m", "core.cli", "scale", "run", "--flow", flow, "--on", "deployment", "--name", "mill"]
    with (folder / f"{who}.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(LIMIT_S)


def test_a_halted_autoscaler_does_not_act_after_its_lease(
    db: DatabaseManager, queue: BatchQueue, flow: str, database_url: str, tmp_path: Path
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(folder=tmp_path))
    kubectl.chmod(0o755)
    (tmp_path / "replicas").write_text("0")
    (tmp_path / "closed-halted").touch()
    queue.enqueue(flow, [1] * 50, batch_rows=1)
    lease = {"n": f"autoscale:{flow}"}
    with autoscaler("halted", flow, database_url, tmp_path) as halted:
        until((tmp_path / "asked-halted").exists)
        halted.send_signal(signal.SIGSTOP)
        # Its 30 s have passed.
        db.execute_query("age", "UPDATE leases SET lease_until = now() - interval '1 second' WHERE name = :n", lease)
        with autoscaler("other", flow, database_url, tmp_path):
            until(lambda: bool(decision_log.last(db, flow, 1)) and decision_log.last(db, flow, 1)[0].started == 3)
            halted.send_signal(signal.SIGCONT)
            (tmp_path / "closed-halted").unlink()
            until(lambda: "was lost within a round" in (tmp_path / "halted.log").read_text())
            until(lambda: "another autoscaler acts" in (tmp_path / "halted.log").read_text())
    assert (tmp_path / "scaled").read_text().splitlines() == [
        "other scale deployment mill --replicas=3 --current-replicas=0"
    ]

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings

PAGE = (Path(__file__).parents[2] / "docs/explain/queue-states.md").read_text()
N = 20_000


@contextmanager
def worker(url: str, name: str, flow: str, hold: str) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("queue_worker.py"))],
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(f"{url}\t{name}\t{flow}\t{hold}\n")
        process.stdin.flush()
        try:
            yield process, process.stdin, process.stdout
        finally:
            if process.poll() is None:
                process.kill()


def questions() -> list[str]:
    """The two queries that the page promises."""
    found = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 2
    return found


def test_a_killed_worker_loses_nothing_and_repeats_nothing(db: DatabaseManager, database_url: str) -> None:
    queue = BatchQueue(db, QueueSettings(), "supervisor")
    queue.register_flow(FlowPolicy("sum"))
    ids = queue.enqueue("sum", [{"n": n} for n in range(N)], batch_rows=1_000)
    with worker(database_url, "victim", "sum", "hold") as (victim, _, says):
        held = int(says.readline())
        victim.kill()
        victim.wait()
    db.execute_query(
        "x", "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE batch_id = :b", {"b": held}
    )
    assert queue.rescue() == 1
    with (
        worker(database_url, "one", "sum", "go") as (one, _, _),
        worker(database_url, "two", "sum", "go") as (two, _, _),
    ):
        assert (one.wait(), two.wait()) == (0, 0)
    totals = "SELECT count(*), count(DISTINCT (batch_id, seq)), sum((output#>>'{}')::bigint) FROM queue_results"
    assert db.execute_query("s", totals) == [(N, N, N * (N - 1) // 2)]
    assert [db.execute_query("q", question.replace(":", "\\:")) for question in questions()] == [[], []]
    told = dict(db.execute_query("h", "SELECT outcome, count(*) FROM queue_history GROUP BY 1"))
    assert told == {"expired": 1, "completed": len(ids)}
    assert db.execute_query(
        "w", "SELECT worker_id FROM queue_history WHERE batch_id = :b ORDER BY history_id", {"b": held}
    )[0] == ("victim",)


def test_a_worker_that_was_away_too_long_writes_nothing(db: DatabaseManager, database_url: str) -> None:
    queue = BatchQueue(db, QueueSettings(), "supervisor")
    queue.register_flow(FlowPolicy("zombie"))
    (batch_id,) = queue.enqueue("zombie", [{"n": n} for n in range(100)])
    with worker(database_url, "sleeper", "zombie", "hold") as (sleeper, wake, says):
        assert int(says.readline()) == batch_id
        db.execute_query(
            "x", "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE batch_id = :b", {"b": batch_id}
        )
        assert queue.rescue() == 1
        (batch,) = queue.claim("zombie")
        queue.complete(batch, queue.items(batch).select("seq", output="payload"))
        wake.write("go on\n")
        wake.flush()
        assert sleeper.wait() != 0
    assert db.execute_query("c", "SELECT count(*) FROM queue_results WHERE batch_id = :b", {"b": batch_id}) == [(100,)]
    assert db.execute_query("q", questions()[1]) == []

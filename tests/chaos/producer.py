"""A producer process of the long chaos run: one chunk after the other, each a stage of a job of its own.

The stage is written in the transaction that enqueues the chunk, so after an error it says whether the chunk went in; a
chunk is said to be sent only when that is certain. Only so much is kept waiting as the workers can take.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict, dataclass

from pydantic import SecretStr

from core.database import DatabaseManager
from core.errors import QueueError, StoreError
from core.queue import BatchQueue, views
from core.queue.producers import stages
from core.settings import DatabaseSettings, QueueSettings
from tests.chaos.worker import say


@dataclass(frozen=True, slots=True)
class Orders:
    """`worker_id` names the producer; `ahead`: batches that may wait."""

    url: str
    worker_id: str
    flow: str
    chunk_rows: int = 500
    batch_rows: int = 100
    ahead: int = 40
    work_ms: int = 0

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def main() -> None:
    orders = Orders(**json.loads(sys.argv[1]))
    stop = threading.Event()
    threading.Thread(target=listen, args=(stop,), daemon=True).start()
    db = DatabaseManager(orders.worker_id, DatabaseSettings(url=SecretStr(orders.url), connect_retry_s=0))
    queue = BatchQueue(db, QueueSettings(), orders.worker_id)
    say("ready")
    n_sent = 0
    while not stop.is_set():
        try:
            if views.now(queue.db, orders.flow).ready_batches < orders.ahead:
                send(queue, orders, n_sent)
                n_sent += 1
        except StoreError as error:
            say("refused", error=type(error).__name__, sqlstate=error.facts.get("sqlstate"))
        stop.wait(0.1)
    db.dispose()
    say("left")


def listen(stop: threading.Event) -> None:
    """A line, or the end of the driver, ends it."""
    sys.stdin.readline()
    stop.set()


def send(queue: BatchQueue, orders: Orders, n: int) -> None:
    """Enqueue chunk `n` unless an attempt before this one did."""
    job = queue.submit_job(orders.flow, orders.worker_id, {}, "")
    stage = f"chunk-{n}"
    if not went_in(queue, job.job_id, stage):
        first = n * orders.chunk_rows
        rows = [{"n": first + i, "work_ms": orders.work_ms} for i in range(orders.chunk_rows)]
        queue.enqueue(orders.flow, rows, job_id=job.job_id, stage=stage, batch_rows=orders.batch_rows)
    say("sent", job=job.job_id, stage=stage, rows=orders.chunk_rows)


def went_in(queue: BatchQueue, job_id: int, stage: str) -> bool:
    try:
        stages.progress_of(queue.db, job_id, stage)
    except QueueError:
        return False
    return True


if __name__ == "__main__":
    main()

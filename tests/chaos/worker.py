"""A worker process of the chaos tests: drains a flow through the public API, adds up numbers, and says what it does.

Started with its orders as JSON; told `go`, `stop` or `jump SECONDS` line by line. What it does it says as JSON lines.
Errors of the store do not end it: it goes on as soon as the database answers, as any worker has to.
"""

from __future__ import annotations

import datetime
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Hold = Literal["claimed", "copying"]

_real_time = time.time


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is to do. `hold`: stop there once, until told to go; `pad`: bytes added to each result."""

    url: str
    worker_id: str
    flow: str
    lease_ttl_s: float = 2.0
    beat_s: float = 0.5
    rescue_every_s: float = 0.5
    pool_size: int = 4
    pool_timeout_s: float = 5.0
    work_s: float = 0.0
    hold: Hold | None = None
    pad: int = 0
    sink: bool = False

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Ears:
    """What the worker was told. `shift_s`: how far its clock is off."""

    go: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    shift_s: float = 0.0

    def listen(self) -> None:
        for line in sys.stdin:
            match line.split():
                case ["go"]:
                    self.go.set()
                case ["jump", seconds]:
                    self.shift_s += float(seconds)
                    say("jumped", shift_s=self.shift_s)
                case _:
                    break
        self.stop.set()
        self.go.set()


def say(what: str, **facts: Any) -> None:
    """One line, at once; the time is the true one."""
    sys.stdout.write(json.dumps({"what": what, "at": _real_time(), **facts}) + "\n")
    sys.stdout.flush()


def bend_clock(ears: Ears) -> None:
    """Whatever asks for the time of day gets it shifted from now on; called before any import of ours."""

    class Bent(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Bent:
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: _real_time() + ears.shift_s
    datetime.datetime = Bent  # type: ignore[misc]


def main() -> None:
    orders, ears = Orders(**json.loads(sys.argv[1])), Ears()
    bend_clock(ears)
    threading.Thread(target=ears.listen, daemon=True).start()
    work(orders, ears)


def work(orders: Orders, ears: Ears) -> None:
    """Claim, compute and complete until told to stop."""
    from pydantic import SecretStr

    from core.database import DatabaseManager
    from core.errors import StoreError
    from core.queue import BatchQueue, LeaseKeeper
    from core.settings import DatabaseSettings, QueueSettings

    settings = DatabaseSettings(
        url=SecretStr(orders.url),
        pool_size=orders.pool_size,
        max_overflow=0,
        pool_timeout_s=orders.pool_timeout_s,
        connect_retry_s=0,
    )
    db = DatabaseManager(orders.worker_id, settings)
    terms = QueueSettings(lease_ttl_s=orders.lease_ttl_s, beat_s=orders.beat_s, rescue_every_s=orders.rescue_every_s)
    queue = BatchQueue(db, terms, orders.worker_id)
    say("ready")
    with LeaseKeeper(queue) as keeper:
        hand = Hand(orders, ears, queue, keeper)
        while not ears.stop.is_set():
            try:
                found = queue.claim(orders.flow)
            except StoreError as error:
                say("refused", error=type(error).__name__, sqlstate=error.facts.get("sqlstate"))
                found = []
            for batch in found:
                hand.end(batch)
            if not found:
                ears.stop.wait(0.05)
    db.dispose()
    say("left")


class Hand:
    """What happens to one batch after another."""

    def __init__(self, orders: Orders, ears: Ears, queue: Any, keeper: Any) -> None:
        self.orders, self.ears, self.queue, self.keeper = orders, ears, queue, keeper
        self.hold = orders.hold

    def end(self, batch: Any) -> None:
        """Compute and complete, again and again while only the store is to blame."""
        from core.errors import LeaseLost, StoreError, StoreUnavailable

        self.keeper.add(batch)
        say("claimed", batch=batch.batch_id, attempt=batch.attempt)
        self._pause("claimed", batch)
        while not self.ears.stop.is_set():
            try:
                self.queue.complete(batch, self._results(batch), sink=self._sink(batch))
                say("done", batch=batch.batch_id)
                return
            except LeaseLost:
                say("lost", batch=batch.batch_id)
                self.keeper.remove(batch)
                return
            except StoreError as error:
                say("refused", error=type(error).__name__, sqlstate=error.facts.get("sqlstate"), batch=batch.batch_id)
                if not isinstance(error, StoreUnavailable) and not error.retryable:
                    # The disk is full, say: somebody else may have it.
                    self._give_back(batch)
                    return
                self.ears.stop.wait(0.05)

    def _give_back(self, batch: Any) -> None:
        from core.errors import StoreError

        self.keeper.remove(batch)
        self.ears.stop.wait(0.1)
        try:
            self.queue.release([batch])
        except StoreError as error:
            say("refused", error=type(error).__name__, sqlstate=error.facts.get("sqlstate"))

    def _results(self, batch: Any) -> Any:
        import polars as pl

        frame = self.queue.decode(batch, {"n": pl.Int64}).frame
        if self.orders.work_s:
            self.ears.stop.wait(self.orders.work_s)
        padding = pl.lit(" " * self.orders.pad)
        return frame.select("seq", pl.concat_str(pl.col("n").cast(pl.String), padding).alias("output"))

    def _sink(self, batch: Any) -> Callable[[Any], None] | None:
        if not self.orders.sink:
            return None

        def sink(conn: Any) -> None:
            with conn.cursor() as cursor, cursor.copy("COPY chaos_sink (batch_id, worker_id) FROM STDIN") as copy:
                copy.write_row((batch.batch_id, self.orders.worker_id))
                self._pause("copying", batch)

        return sink

    def _pause(self, where: Hold, batch: Any) -> None:
        if self.hold == where:
            self.hold = None
            self.ears.go.clear()
            say("holding", where=where, batch=batch.batch_id)
            self.ears.go.wait()


if __name__ == "__main__":
    main()

"""Who is woken, by what, and who pays for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from core.database import DatabaseManager
from core.queue import BatchQueue
from core.queue.store import wake
from core.queue.store.wake import Wake
from core.settings import DatabaseSettings, QueueSettings

LONG_S = 30.0


@pytest.fixture
def waiting(db: DatabaseManager, flow: str) -> Iterator[Wake]:
    """A consumer's Wake that is past its first, short wait."""
    with Wake(db, QueueSettings(), [flow]) as waker:
        while waker.wait(0.0):
            pass
        yield waker


def announce(db: DatabaseManager, flow: str) -> None:
    with db.transaction() as conn:
        wake.notify(conn, flow)


def sent(db: DatabaseManager, flow: str) -> bool:
    """Whether a notify of this flow sends anything now."""
    return bool(db.execute_query("up", "SELECT queue_wake_up(:f)", {"f": flow})[0][0])


def test_notify_is_sent_once_and_only_where_somebody_waits(db: DatabaseManager, flow: str) -> None:
    sent(db, flow)
    assert not sent(db, flow)
    with Wake(db, QueueSettings(), [flow]):
        assert [sent(db, flow) for _ in range(3)] == [True, False, False]


def test_an_idle_consumer_is_woken_by_notification(
    waiting: Wake, queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    assert waiting.mode == "notify"
    told: list[float] = []

    def announce_soon() -> None:
        announce(db, flow)
        told.append(time.perf_counter())

    teller = threading.Timer(0.1, announce_soon)
    teller.start()
    assert waiting.wait(LONG_S)
    woken = time.perf_counter()
    teller.join()
    print(f"woken {(woken - told[0]) * 1e3:.1f} ms after the commit")


def test_nothing_is_lost_between_two_waits(waiting: Wake, flow: str, db: DatabaseManager) -> None:
    announce(db, flow)
    assert waiting.wait(LONG_S)
    announce(db, flow)
    assert waiting.wait(LONG_S)
    # What was announced before the mark went up is found by a short wait.
    started = time.monotonic()
    assert not waiting.wait(LONG_S)
    assert time.monotonic() - started < LONG_S / 2


def test_a_rolled_back_enqueue_wakes_nobody(waiting: Wake, flow: str, db: DatabaseManager) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as conn:
        wake.notify(conn, flow)
        raise ZeroDivisionError
    assert not waiting.wait(0.2)
    announce(db, flow)
    assert waiting.wait(LONG_S)


def test_other_flows_wake_nobody_and_leave_the_mark_standing(waiting: Wake, flow: str, db: DatabaseManager) -> None:
    names = [f"other-{n}" for n in range(64)]
    slot_of = "SELECT queue_wake_slot(:f)"
    ours = db.execute_query("s", slot_of, {"f": flow})
    neighbour = next(name for name in names if db.execute_query("s", slot_of, {"f": name}) == ours)
    announce(db, neighbour)
    assert not waiting.wait(0.2)
    assert sent(db, flow)


def test_a_consumer_of_all_flows_hears_each(db: DatabaseManager) -> None:
    with Wake(db, QueueSettings()) as waker:
        for name in ("one", "two", "three"):
            announce(db, name)
            assert waker.wait(LONG_S)


def test_polling_takes_over_while_the_connection_is_lost(
    db: DatabaseManager, flow: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    with Wake(db, QueueSettings(), [flow], clock=lambda: now[0]) as waker, caplog.at_level(logging.INFO):
        assert waker.mode == "notify"
        ended = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE query LIKE '%queue_wake_mark%' AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert db.execute_query("end", ended) == [(True,)]
        assert not waker.wait(0.0)
        assert waker.mode == "polling"
        assert not waker.wait(0.0)
        now[0] += wake.RECONNECT_S
        waker.wait(0.0)
        assert waker.mode == "notify"
        announce(db, flow)
        assert waker.wait(LONG_S)
    told = [record.getMessage() for record in caplog.records if "wake-ups" in record.getMessage()]
    assert len(told) == 2
    assert told[0].startswith("wake-ups by polling every 1 s")
    assert told[1] == "wake-ups arrive by NOTIFY again"


def test_a_deaf_connection_is_found_out_once(
    db: DatabaseManager, flow: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "hears", lambda conn, db: False)
    sent(db, flow)
    with Wake(db, QueueSettings(), [flow]) as waker:
        assert not waker.wait(0.0)
        assert not waker.wait(0.0)
        assert waker.mode == "polling"
        assert not sent(db, flow)
    assert [record.levelname for record in caplog.records if "wake-ups by polling" in record.getMessage()] == [
        "WARNING"
    ]


def test_an_interrupt_ends_the_wait(waiting: Wake) -> None:
    threading.Timer(0.05, waiting.interrupt).start()
    assert not waiting.wait(LONG_S)
    waiting.interrupt()
    waiting.close()
    waiting.interrupt()


def test_a_database_that_is_away_is_polled(flow: str) -> None:
    away = DatabaseManager("away", DatabaseSettings(url=SecretStr("postgresql://127.0.0.1:1/none")))
    with Wake(away, QueueSettings(), [flow]) as waker:
        assert waker.mode == "polling"
        assert not waker.wait(0.01)


def test_the_probe_tells_what_consumers_will_do(db: DatabaseManager) -> None:
    assert wake.wake_mode(db) == "notify"

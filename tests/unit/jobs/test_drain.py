from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from core.errors import JobBlocked
from core.jobs.drain import hand_out
from core.jobs.ports import Progress, Stage


@dataclass
class Session:
    """Hands out numbered batches; after `held_by_others` looks the others are done too."""

    free: int
    held_by_others: int = 0
    blocked: bool = False
    poll_s: float = 0.0
    idle: list[float] = field(default_factory=list)
    given: int = 0

    def claim(self, stage: Stage, limit: int) -> list[str]:
        tags = [str(number) for number in range(self.given, min(self.given + limit, self.free))]
        self.given += len(tags)
        return tags

    def progress(self, stage: Stage) -> Progress:
        if self.blocked:
            raise JobBlocked("dead letters")
        self.held_by_others -= 1
        return Progress(10, 10 if self.held_by_others < 0 else 9, max(0, self.held_by_others + 1), 0)

    def note_idle(self, stage: Stage, idle_s: float) -> None:
        self.idle.append(idle_s)


def _drain(session: Session, limit: int = 100, at_once: int = 3) -> tuple[int, list[str], int]:
    flying: list[str] = []
    started: list[str] = []
    most = 0

    def submit(tag: str) -> str:
        nonlocal most
        started.append(tag)
        flying.append(tag)
        most = max(most, len(flying))
        return tag

    async def first_done(waiting: list[str]) -> str:
        flying.remove(waiting[-1])
        return waiting[-1]

    call = hand_out(session, "match", limit, at_once=at_once, submit=submit, first_done=first_done)  # type: ignore[arg-type]
    return asyncio.run(call), started, most


def test_hand_out_starts_every_batch_once_and_bounds_the_flight() -> None:
    taken, started, most = _drain(Session(free=10))
    assert taken == 10
    assert sorted(started, key=int) == [str(number) for number in range(10)]
    assert most == 3


def test_hand_out_stops_at_the_limit_with_nothing_in_flight() -> None:
    taken, started, _ = _drain(Session(free=10), limit=4)
    assert (taken, len(started)) == (4, 4)


def test_hand_out_asks_for_nothing_where_there_is_no_room() -> None:
    session = Session(free=10)
    assert _drain(session, limit=0)[0] == 0
    assert session.given == 0


def test_hand_out_waits_for_batches_of_others() -> None:
    session = Session(free=0, held_by_others=3)
    assert _drain(session)[0] == 0
    assert len(session.idle) == 3


def test_hand_out_raises_when_a_batch_is_dead() -> None:
    with pytest.raises(JobBlocked):
        _drain(Session(free=0, blocked=True))

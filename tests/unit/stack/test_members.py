"""Processes found by their mark, and ended."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from core.database.warden import start_ticks
from core.stack import members
from core.stack.state import Component

OBEYS = "print('up', flush=True); import time; time.sleep(600)"
IGNORES_ONE = """
import signal, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1) if not told else exit(0))
print('up', flush=True)
while True: time.sleep(600)
"""
IGNORES_ALL = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + OBEYS

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def start(mark: str) -> Iterator[Start]:
    """Start a program that bears the mark, in a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str, *, marked: bool = True) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, **({members.MARK: mark} if marked else {})},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "TERM_AGAIN_S", 0.3)
    monkeypatch.setattr(members, "KILL_S", 0.6)


def test_members_are_found_by_mark_or_by_record(mark: str, start: Start) -> None:
    marked, unmarked = start(OBEYS), start(OBEYS, marked=False)
    assert members.members(mark) == [marked.pid]
    known = [
        Component(name="redis", pid=unmarked.pid, ticks=start_ticks(unmarked.pid) or 0),
        # Another process has that pid now: it is not ours.
        Component(name="web", pid=os.getppid(), ticks=1),
    ]
    assert members.members(mark, known) == sorted([marked.pid, unmarked.pid])


def test_end_asks_twice_and_then_kills(mark: str, start: Start) -> None:
    obeys, one, ignores = (start(program) for program in (OBEYS, IGNORES_ONE, IGNORES_ALL))
    alive = [obeys, one, ignores]
    killed = members.end(lambda: members.members(mark), reap=lambda: [process.poll() for process in alive] and None)
    assert killed == [ignores.pid]
    assert [process.wait(10) for process in alive] == [-signal.SIGTERM, 0, -signal.SIGKILL]


def test_end_tells_the_last_when_the_others_are_gone(mark: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server, run = start(OBEYS), start(OBEYS)
    told: list[int] = []
    kill = os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (told.append(pid), kill(pid, number))[1])
    both = [server, run]
    killed = members.end(
        lambda: members.members(mark), [server.pid], reap=lambda: [process.poll() for process in both] and None
    )
    assert killed == []
    assert told == [run.pid, server.pid]

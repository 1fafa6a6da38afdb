"""How tasks reach the job their flow is working on: arguments are ids, never connections or frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from prefect.context import SyncClientContext

from core.jobs.session import JobSession

S = TypeVar("S", bound=JobSession)

_SESSION: ContextVar[JobSession] = ContextVar("headrace_session")


@contextmanager
def using(session: S) -> Iterator[S]:
    """Let the tasks submitted inside the block work on this session, and talk to the API through one client.

    Left alone, each task makes two clients, which read all the certificates of the machine: 48 ms a task against 5.
    """
    token = _SESSION.set(session)
    try:
        with SyncClientContext.get_or_create():
            yield session
    finally:
        session.close()
        _SESSION.reset(token)


def current() -> JobSession:
    """The session of the flow that submitted the running task."""
    return _SESSION.get()

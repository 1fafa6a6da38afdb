"""A lease by name: what only one process at a time may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError

Q = load("queue")


def take_lease(db: DatabaseManager, name: str, holder: str, token: UUID, ttl_s: float) -> bool:
    """Get or extend the named lease; False while another holder's is alive."""
    params = {"name": name, "holder": holder, "token": token, "ttl_s": ttl_s}
    with db.transaction() as conn:
        return bool(run(conn, Q["lease_take"], params))


def drop_lease(db: DatabaseManager, name: str, token: UUID) -> None:
    """Give the named lease back, if it is ours."""
    with db.transaction() as conn:
        run(conn, Q["lease_drop"], {"name": name, "token": token})


@contextmanager
def sole(db: DatabaseManager, name: str, holder: str, ttl_s: float) -> Iterator[None]:
    """Hold the named lease for the block. QueueError while another process holds it; it is not extended meanwhile."""
    token = uuid4()
    if not take_lease(db, name, holder, token, ttl_s):
        raise QueueError(f"another process does {name} now; this one leaves it to it", name=name)
    try:
        yield
    finally:
        drop_lease(db, name, token)

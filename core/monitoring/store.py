"""Which database a report is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.database import DatabaseManager

DEFAULT_NAME = "rpa_db"


@contextmanager
def reported(db: DatabaseManager | str | None) -> Iterator[DatabaseManager]:
    """The given manager, or one of the given name (None: `rpa_db`) whose connections are closed afterwards."""
    if isinstance(db, DatabaseManager):
        yield db
        return
    manager = DatabaseManager(db or DEFAULT_NAME)
    try:
        yield manager
    finally:
        manager.dispose()

"""Composition root: settings become a database, a queue and whatever else an entry point needs."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from os import getpid
from typing import TYPE_CHECKING

from core.database import DatabaseManager, connect, migrations
from core.settings import Settings, read_settings

if TYPE_CHECKING:
    from core.cache import TieredCache
    from core.queue import BatchQueue
    from core.storage.workspace import Workspace


@dataclass
class Runtime:
    """What an entry point works with. Parts that cost something are made on first use."""

    settings: Settings
    db: DatabaseManager
    worker_id: str

    @cached_property
    def queue(self) -> BatchQueue:
        """The batch queue on `db`, with this process as worker."""
        from core.queue import BatchQueue

        return BatchQueue(self.db, self.settings.queue, self.worker_id)

    def workspace(self, uri: str) -> Workspace:
        """The files of a job, by the address that the job has in the database."""
        from core.storage.scratch import Scratch
        from core.storage.workspace import Workspace

        return Workspace(uri, Scratch(self.settings.state_dir / "scratch", self.settings.matching.scratch_gb))

    def workspace_of(self, key: str) -> Workspace:
        """The files of the job of that key, where the settings want those of queued jobs."""
        place = self.settings.matching.workspace_uri or str(self.settings.state_dir / "workspaces" / "jobs")
        return self.workspace(f"{place.rstrip('/')}/{key}")

    @cached_property
    def cache(self) -> TieredCache:
        """Answers kept in this process, and in Redis if the settings name one."""
        from core.cache import open_cache

        return open_cache(self.settings)


@contextmanager
def open_runtime(settings: Settings | None = None) -> Iterator[Runtime]:
    """Connect everything for the block; settings default to the environment.

    With a database URL its schema must be current. Without one the embedded server of `settings.state_dir` is joined
    (started and migrated by its first user) and left at the end of the process; the last one out stops it.
    Raises MigrationError, StoreUnavailable, ConfigError.
    """
    settings = settings or read_settings()
    db = DatabaseManager.from_settings(settings)
    if settings.database.url is not None:
        migrations.require_current(connect.Source(connect.require_url(settings.database)), settings.database)
    runtime = Runtime(settings, db, f"{socket.gethostname()}-{getpid()}-{secrets.token_hex(4)}")
    try:
        yield runtime
    finally:
        if "cache" in vars(runtime):
            runtime.cache.close()
        db.dispose()

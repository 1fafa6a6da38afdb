"""A fleet of worker processes on the module's database, and a place to put down what was seen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.database import DatabaseManager
from core.database.embedded import EmbeddedServer
from core.settings import DatabaseSettings
from tests.chaos.fleet import Fleet, fleet_on
from tests.chaos.server import own_server


@pytest.fixture
def fleet(db: DatabaseManager, database_url: str) -> Iterator[Fleet]:
    with fleet_on(db, database_url, f"sum-{uuid.uuid4().hex[:6]}") as fleet:
        yield fleet


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says what was seen: on stdout, and in the summary of the run."""

    def say(line: str) -> None:
        print(line)
        record_property("figures", line)

    return say


@pytest.fixture(scope="module")
def server(services_folder: Path) -> Iterator[EmbeddedServer]:
    with own_server(services_folder) as server:
        yield server


@pytest.fixture
def own_fleet(server: EmbeddedServer) -> Iterator[Fleet]:
    """A fleet on the module's own server."""
    db = DatabaseManager("chaos", DatabaseSettings(url=SecretStr(server.url()), connect_retry_s=30))
    with fleet_on(db, server.url(), f"sum-{uuid.uuid4().hex[:6]}") as fleet:
        yield fleet
    db.dispose()

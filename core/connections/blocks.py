"""The blocks that pipelines name with `at`: settings `HEADRACE_CONNECTIONS__<NAME>__*`, and the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.database import DatabaseManager
from core.errors import ConfigError
from core.pipelines.catalog import WAREHOUSE, Block
from core.pipelines.refusals import instead
from core.settings import ConnectionSettings, Settings


@dataclass(frozen=True, slots=True)
class Connections:
    """What is configured, and the queue's own database, which is `warehouse`."""

    given: Mapping[str, ConnectionSettings]
    warehouse: DatabaseManager
    settings: Settings

    def blocks(self) -> dict[str, Block]:
        """By name, as a catalog has them. Raises ConfigError: a connection lacks what its kind needs."""
        own = self.given.get(WAREHOUSE, ConnectionSettings.model_validate({}))
        if own.kind != "postgres" or own.url is not None:
            raise ConfigError(f"{_variable(WAREHOUSE, 'kind')}: the warehouse is the queue's own database")
        blocks = {WAREHOUSE: Block(WAREHOUSE, "postgres", _schemas(own))}
        others = {name: connection for name, connection in self.given.items() if name != WAREHOUSE}
        for name, connection in others.items():
            _require_whole(name, connection)
            blocks[name] = Block(name, connection.kind, (), connection.writable)
        return blocks

    def folder(self, name: str) -> Path:
        """The root of a folder, links resolved. Raises ConfigError: no such folder."""
        one = self._named(name)
        if one.kind != "folder" or one.root is None:
            raise ConfigError(f"{name} is of kind {one.kind}, and files are read from a folder")
        if not one.root.is_dir():
            raise ConfigError(f"{name}: there is no folder {one.root}; {_variable(name, 'root')} says where it is")
        return one.root.resolve()

    @contextmanager
    def database(self, name: str) -> Iterator[DatabaseManager]:
        """A database for the block. Raises ConfigError: the connection is none."""
        if name == WAREHOUSE:
            yield self.warehouse
            return
        one = self._named(name)
        if one.kind != "postgres":
            raise ConfigError(f"{name} is of kind {one.kind}, and tables are read from postgres")
        manager = DatabaseManager(name, self.settings.database.replaced(url=one.url, pool_size=1))
        try:
            yield manager
        finally:
            manager.dispose()

    def _named(self, name: str) -> ConnectionSettings:
        one = self.given.get(name)
        if one is None:
            raise ConfigError(f"there is no block {name}{instead(name, [WAREHOUSE, *self.given])}")
        _require_whole(name, one)
        return one


def connections_of(settings: Settings, warehouse: DatabaseManager) -> Connections:
    """The connections of settings already read."""
    return Connections(settings.connections, warehouse, settings)


def _schemas(one: ConnectionSettings) -> tuple[str, ...]:
    # As a list of words, or as JSON writes one.
    words = one.writable_schemas.strip("[] ").split(",")
    return tuple(bare for word in words if (bare := word.strip(" \"'")))


def _variable(name: str, field: str) -> str:
    return f"HEADRACE_CONNECTIONS__{name}__{field}".upper()


def _require_whole(name: str, one: ConnectionSettings) -> None:
    needed = "root" if one.kind == "folder" else "url"
    if getattr(one, needed) is None:
        raise ConfigError(f"{name} is of kind {one.kind} and needs {_variable(name, needed)}")

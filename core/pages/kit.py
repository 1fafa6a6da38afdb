"""What every page works with; one for the app, without any state of a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from jinja2 import Environment
from starlette.requests import Request

from core.database import DatabaseManager
from core.database.queries import Connection, Query, Row, load, run
from core.pages.accounts.rates import Rates
from core.pages.accounts.roles import Role
from core.pages.accounts.sign_ins import SignIns
from core.settings import Settings

if TYPE_CHECKING:
    from core.pages.accounts.roles import Person

T = TypeVar("T")
Exposure = Literal["loopback", "tls", "bare"]
"""How the pages are reached: on this machine alone, by TLS (also of a proxy), or in clear over a network."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a page: what is pressed (`a`, or `g q` one after the other) and what it does, in words."""

    press: str
    words: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page in the navigation. `key`: the letter that goes there after `g`; `least`: who sees it."""

    words: str
    href: str
    key: str | None = None
    least: Role = "viewer"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person, for the start page: how many of what, where, and since when in words."""

    count: int
    words: str
    href: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What a part of the workbench brings along, beside the routers of its pages and its API.

    templates: folder of its templates, which they are named below: `<name>/queue.html.j2`.
    waiting: reads what waits for that person; None: nothing ever does. It may raise StoreError, and takes milliseconds.
    """

    name: str
    title: str
    links: tuple[Link, ...] = ()
    templates: Path | None = None
    waiting: Callable[[DatabaseManager, Person], Sequence[Waiting]] | None = None


class Kept:
    """What parts of the workbench make once a process, on first use: it costs too much for each request."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def get(self, name: str, make: Callable[[], T]) -> T:
        """What was made under a name, else what `make` gives now. What it raises is raised, and made again next time.

        Two requests that come first together both make it, and both get what one of them made.

        Args:
            name: of the maker's own: one name always holds one type.
        """
        if name not in self._made:
            self._made.setdefault(name, make())
        return cast(T, self._made[name])


@dataclass(frozen=True, slots=True)
class Kit:
    """The app's database, accounts, templates and sections."""

    settings: Settings
    db: DatabaseManager
    sign_ins: SignIns
    rates: Rates
    environment: Environment
    sections: Sequence[Section]
    exposure: Exposure
    prefect_url: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)


class PageDatabase(DatabaseManager):
    """A database whose statements are bounded: no page keeps one busy for longer than people wait.

    The bound is set in each transaction, for a session's own does not survive a pooler.
    """

    statement_timeout_s: float = 2.0

    @contextmanager
    def transaction(self, application_name: str | None = None) -> Iterator[Connection]:
        """As of any database, with the bound."""
        with super().transaction(application_name) as conn:
            run(conn, load("database")["query_bound"], {"timeout_ms": int(self.statement_timeout_s * 1000)})
            yield conn

    def execute_once(self, query: Query, params: Mapping[str, Any]) -> list[Row]:
        """By the pool and with the bound: a connection for each thread beside it would be more than pages may have."""
        with self.transaction() as conn:
            return run(conn, query, params)


def page_database(settings: Settings) -> PageDatabase:
    """The database of pages: as the role of its own, if there is one. It waits for no database that is away."""
    web, database = settings.web, settings.database.replaced(connect_retry_s=0, pool_size=settings.web.pool_size)
    if web.database_url is not None:
        database = database.replaced(url=web.database_url)
    db = PageDatabase.from_settings(settings.model_copy(update={"database": database}))
    db.statement_timeout_s = web.statement_timeout_s
    return db


def kit_of(request: Request) -> Kit:
    """The kit of the app that answers."""
    return cast(Kit, request.app.state.kit)

"""Schema revisions: Alembic orders them, each runs one reviewed file `sql/migrations/<revision>_<word>.sql`.

That a database has the newest is told without Alembic, which takes half a second to load: every process asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import psycopg
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from core.database import connect
from core.database.errors import wrapped
from core.database.queries import SQL_DIR, load, run
from core.errors import MigrationError, StoreError
from core.settings import DatabaseSettings

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS_DIR = SQL_DIR / "migrations"


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema."""

    revision: str
    title: str
    applied: bool


def run_file(name: str) -> None:
    """For revisions: run `sql/migrations/<name>.sql`, which may hold many statements, in Alembic's transaction."""
    from alembic import op

    path = MIGRATIONS_DIR / f"{name}.sql"
    if not path.is_file():
        raise MigrationError(f"sql/migrations/{name}.sql is missing")
    driver = _driver(op.get_bind())
    # Without parameters psycopg uses the simple protocol: several statements, and % means nothing.
    with wrapped(f"migration {name}"), driver.cursor() as cursor:
        cursor.execute(cast(Any, path.read_text(encoding="utf-8")))


def migrate(source: connect.Source, settings: DatabaseSettings) -> list[str]:
    """Bring the database to the newest revision; returns those applied now. Safe to call from several processes.

    Everything runs in one transaction: after an error the schema is as before.
    Raises MigrationError (a revision failed, or the database is ahead of this version).
    """
    if is_current(source, settings):
        return []
    from alembic import command

    with _opened(source, settings) as conn, conn.begin():
        _require_public(_driver(conn))
        run(_driver(conn), load("database")["migration_lock"])
        before = _applied(conn)
        try:
            command.upgrade(_config(conn), "head")
        except StoreError as error:
            raise MigrationError(f"migrating failed, nothing was changed: {error.message}", **error.facts) from None
        after = _applied(conn)
    return [name for name in after if name not in before]


def _require_public(conn: psycopg.Connection[Any]) -> None:
    """Functions that run with their owner's rights pin the schema, as they must, so it cannot be any."""
    (schema,) = run(conn, load("database")["schema_current"])[0]
    if schema != "public":
        raise MigrationError(
            f"Headrace lives in the schema public, and this role's search_path begins with {schema}: connect with "
            "?options=-csearch_path%3Dpublic, or change it by ALTER ROLE ... SET search_path",
            schema=schema,
        )


def grant_scaler(source: connect.Source, settings: DatabaseSettings) -> bool:
    """Let the role `headrace_scaler`, if there is one, execute `queue_backlog()`; returns whether it may now."""
    queries = load("database")
    with _opened(source, settings) as conn, conn.begin():
        run(_driver(conn), queries["scaler_grant"])
        ((granted,),) = run(_driver(conn), queries["scaler_granted"])
    return bool(granted)


def history(source: connect.Source, settings: DatabaseSettings) -> list[Revision]:
    """All revisions, oldest first, and which the database has. MigrationError if it has one that is unknown here."""
    from alembic.script import ScriptDirectory

    with _opened(source, settings) as conn:
        applied = _applied(conn)
    script = ScriptDirectory.from_config(_config(None))
    steps = list(script.walk_revisions())[::-1]
    return [Revision(step.revision, (step.doc or "").strip().rstrip("."), step.revision in applied) for step in steps]


def require_current(source: connect.Source, settings: DatabaseSettings) -> None:
    """Raise MigrationError unless every revision is applied."""
    if is_current(source, settings):
        return
    steps = history(source, settings)
    pending = [step.revision for step in steps if not step.applied]
    if pending:
        has, needs = ([step.revision for step in steps if step.applied] or ["none"])[-1], steps[-1].revision
        raise MigrationError(
            f"the database {connect.mask(source.url)} is at revision {has} and this version of Headrace needs {needs} "
            f"(it lacks {', '.join(pending)}); run `headrace db migrate`",
            pending=pending,
            has=has,
            needs=needs,
        )


def is_current(source: connect.Source, settings: DatabaseSettings) -> bool:
    """Whether the newest revision is applied; where that cannot be read it is not said to be.

    Raises StoreUnavailable, ConfigError. Cost: a connection and a round trip.
    """
    with connect.connect(source, settings) as conn:
        try:
            return run(conn, load("database")["schema_revisions"]) == [(newest(),)]
        except StoreError:
            # No such table, or none that this role may read.
            return False


def newest() -> str:
    """The revision that this version of Headrace needs: that of the last of the reviewed files."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS_DIR.glob("[0-9]*.sql"))


def _applied(conn: SqlConnection) -> list[str]:
    """Revisions the database has, newest first."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util.exc import CommandError

    current = MigrationContext.configure(conn).get_current_heads()
    script = ScriptDirectory.from_config(_config(None))
    try:
        return [step.revision for head in current for step in script.iterate_revisions(head, "base")]
    except (CommandError, RevisionError):
        raise MigrationError(
            f"the database is at revision {', '.join(current)}, unknown to this version of Headrace, which needs "
            f"{script.get_current_head()}: upgrade Headrace"
        ) from None


def _config(conn: SqlConnection | None) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": conn})
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    return config


@contextmanager
def _opened(source: connect.Source, settings: DatabaseSettings) -> Iterator[SqlConnection]:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect.connect(source, settings),
        poolclass=NullPool,
        hide_parameters=True,
    )
    with wrapped("migration"), engine.connect() as conn:
        yield conn


def _driver(conn: SqlConnection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", conn.connection.driver_connection)

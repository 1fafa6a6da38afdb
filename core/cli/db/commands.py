"""`headrace db`: start, migrate, tune, look at and stop the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedServer
    from core.settings import Settings


def register(app: typer.Typer) -> None:
    from core.cli.db.advise import advise
    from core.cli.db.pgbouncer import pgbouncer
    from core.cli.db.tune import tune

    group = typer.Typer(help="The database: start, migrate, tune, pool, advise, status, stop.", no_args_is_help=True)
    for command in (up, migrate, tune, pgbouncer, advise, status, url, down):
        group.command(command.__name__)(command)
    group.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(psql)
    app.add_typer(group, name="db")


def up() -> None:
    """Start the embedded server, migrate it, and keep it running until `headrace db down`.

    Example: headrace db up && headrace db psql
    """
    settings, server = _ours("db up")
    from core.database import migrations

    started = server.join(keep=True)
    done = migrations.migrate(_source(settings), settings.database)
    print(f"{'started' if started else 'already running'}: {server.url()}")
    print(f"applied revisions: {', '.join(reversed(done)) or 'none, the schema is current'}")


def migrate(as_json: AsJson = False) -> None:
    """Bring the schema of the configured database to the newest revision.

    A role `headrace_scaler` may then execute queue_backlog(), and nothing else: KEDA asks with it.

    Example: HEADRACE_DATABASE__URL=postgresql://me@db/prod headrace db migrate
    """
    from core.database import migrations

    settings = _settings()
    server = _embedded(settings)
    if server is not None:
        server.join()
    try:
        done = list(reversed(migrations.migrate(_source(settings), settings.database)))
        granted = migrations.grant_scaler(_source(settings), settings.database)
    finally:
        if server is not None:
            server.leave()
    words = f"applied revisions: {', '.join(done) or 'none, the schema is current'}"
    words += "\nrole headrace_scaler: may ask for the backlog" if granted else ""
    _emit({"applied": done, "scaler_granted": granted}, as_json, words)


def status(as_json: AsJson = False) -> None:
    """Show the server and which revisions it has. Starts nothing; exit code 1 where none could start.

    Example: headrace db status --json
    """
    from core.errors import StoreError
    from core.terminal.tables import emit, emit_facts

    settings = _settings()
    server = _embedded(settings)
    facts: dict[str, Any] = {"url": _masked(settings), "embedded": server is not None, "running": True}
    if server is not None:
        facts |= {
            "running": server.is_running(),
            "kept": server.kept(),
            "users": server.users(),
            "log": str(server.log),
            "obstacle": server.obstacle(),
        }
    revisions: list[dict[str, Any]] = []
    if facts["running"]:
        from dataclasses import asdict

        from core.database import DatabaseManager, migrations
        from core.monitoring.server_facts import server_facts

        source = _source(settings)
        db = DatabaseManager("status", settings.database.replaced(url=source.url))
        try:
            facts |= server_facts(db)
        finally:
            db.dispose()
        revisions = [asdict(step) for step in migrations.history(source, settings.database)]
    if as_json:
        _emit({**facts, "revisions": revisions}, True, "")
    else:
        emit_facts("database", {key: _words(value) for key, value in facts.items() if key != "obstacle"})
    if facts.get("obstacle"):
        raise StoreError(facts["obstacle"])
    if revisions and not as_json:
        emit(
            "revisions", [{**step, "applied": "yes" if step["applied"] else "NO"} for step in revisions], as_json=False
        )


def url(
    show_password: Annotated[bool, typer.Option("--show-password", help="Print the password in clear.")] = False,
) -> None:
    """Print the connection URL; a password is masked unless asked for.

    Example: psql "$(headrace db url --show-password)"
    """
    settings = _settings()
    print(_source(settings).url if show_password else _masked(settings))


def psql(context: typer.Context) -> None:
    """Open psql on the database; options after `--` go to psql.

    Example: headrace db psql -- -c 'TABLE queue_depth_v1'
    """
    import os
    import shutil
    import subprocess
    import sys

    from core.database import connect
    from core.errors import ConfigError

    settings = _settings()
    server = _embedded(settings)
    program = str(server.program("psql")) if server is not None else shutil.which("psql")
    if program is None:
        raise ConfigError("psql is not installed; `headrace db url` prints what another client needs")
    fields = connect.parts(_source(settings).url)
    # By environment, not by argument: arguments are seen by every user of the machine.
    names = {"dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT"}
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "options": "PGOPTIONS"}
    given = {names[key]: str(value) for key, value in fields.items() if key in names and value is not None}
    if server is not None:
        server.join()
    try:
        done = subprocess.run([program, *context.args], env={**os.environ, **given}, check=False)  # noqa: S603
    finally:
        if server is not None:
            server.leave()
    sys.exit(done.returncode)


def down() -> None:
    """Stop the embedded server; open transactions are rolled back.

    Example: headrace db down
    """
    settings, server = _ours("db down")
    users = server.users()
    ran = server.shut_down()
    lost = f" (it was used by {', '.join(map(str, users))})" if users and ran else ""
    print(f"stopped{lost}" if ran else "it was not running")
    if elsewhere := _kept_elsewhere(settings, server):
        print(elsewhere)


def _kept_elsewhere(settings: Settings, server: EmbeddedServer) -> str:
    """For root, whose state folder the server's user may not enter: nobody would look for its data there."""
    folder = server.home.parent
    if not server.data.is_dir() or server.home.is_relative_to(settings.state_dir.expanduser().absolute()):
        return ""
    return f"its data stay in {folder}; who removes {settings.state_dir} for good removes that folder too"


def _settings() -> Settings:
    from core.settings import read_settings

    return read_settings()


def _embedded(settings: Settings) -> EmbeddedServer | None:
    """The embedded server if it is the one that serves."""
    from core.database.embedded import server_at

    return server_at(settings.state_dir, settings.embedded) if settings.database.url is None else None


def _ours(command: str) -> tuple[Settings, EmbeddedServer]:
    from core.errors import ConfigError

    settings = _settings()
    server = _embedded(settings)
    if server is None:
        raise ConfigError(f"`headrace {command}` is for the embedded server, but HEADRACE_DATABASE__URL is set")
    return settings, server


def _source(settings: Settings) -> Any:
    from core.database import connect

    server = _embedded(settings)
    return connect.Source(server.url() if server is not None else connect.require_url(settings.database))


def _masked(settings: Settings) -> str:
    from core.database import connect

    return connect.mask(_source(settings).url)


def _words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "-"
    return str(value)


def _emit(facts: dict[str, Any], as_json: bool, words: str) -> None:
    import json

    print(json.dumps(facts) if as_json else words)

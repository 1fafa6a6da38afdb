"""`headrace db pgbouncer`: a pooler's file for the settings in force."""

from __future__ import annotations

from typing import Annotated

import typer

from core.terminal.options import AsJson


def pgbouncer(
    processes: Annotated[
        int, typer.Option("--processes", help="Consumers, workers and web processes that will connect.")
    ] = 10,
    connections: Annotated[
        int, typer.Option("--connections", help="max_connections of the server, as for `db tune`.")
    ] = 100,
    poolers: Annotated[int, typer.Option("--poolers", help="How many PgBouncers share the server.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Print a pgbouncer.ini (1.21 or newer) for the settings in force, with a reason each. Changes nothing.

    It names no user and no password: they stand in userlist.txt beside it.

    Example: headrace db pgbouncer --processes 40 --connections 200 > pgbouncer.ini
    """
    from dataclasses import asdict

    from core.database.sizing import pooler
    from core.settings import read_settings
    from core.terminal.tables import emit

    sections = pooler.pgbouncer(read_settings().database, pooler.Load(processes, connections, poolers))
    if as_json:
        rows = [{"section": name} | asdict(each) for name, lines in sections.items() for each in lines]
        emit("pgbouncer.ini", rows, as_json=True)
        return
    how = f"headrace db pgbouncer --processes {processes} --connections {connections} --poolers {poolers}"
    print(pooler.as_ini(sections, f"Made by `{how}`."), end="")

"""`headrace db tune`: PostgreSQL's settings for a machine, each with its reason."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from core.terminal.options import AsJson


def tune(
    ram: Annotated[str, typer.Option("--ram", help="Memory that PostgreSQL has for itself, such as 64GB.")],
    cores: Annotated[int, typer.Option("--cores", help="Cores that it has for itself.")],
    disk: Annotated[
        Literal["ssd", "network", "hdd"], typer.Option("--disk", help="network: a cloud's volume.")
    ] = "ssd",
    connections: Annotated[
        int, typer.Option("--connections", help="Connections at most; PgBouncer shares them.")
    ] = 100,
    wish: Annotated[list[str] | None, typer.Option("--set", help="name=value of your own; repeat for more.")] = None,
    allow_unsafe: Annotated[
        bool, typer.Option("--allow-unsafe", help="Let --set switch off what keeps the data through a crash.")
    ] = False,
    as_conf: Annotated[bool, typer.Option("--conf", help="Print a file for postgresql.conf to include.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print PostgreSQL settings for a machine that serves the queue, with a reason each. Changes nothing.

    Example: headrace db tune --ram 64GB --cores 16 --disk ssd --conf > headrace.conf
    """
    from dataclasses import asdict

    from core.database.sizing import tuning
    from core.errors import ConfigError
    from core.terminal.tables import emit

    if as_conf and as_json:
        raise ConfigError("--conf and --json exclude each other")
    target = tuning.machine(ram, cores, disk, connections)
    settings = tuning.replaced(tuning.tune(target), wish or [], allow_unsafe=allow_unsafe)
    if as_conf:
        how = f"headrace db tune --ram {ram} --cores {cores} --disk {disk} --connections {connections}"
        print(tuning.as_conf(settings, f"Made by `{how} --conf`."), end="")
        return
    emit(f"for {ram} of memory, {cores} cores, {disk}", [asdict(setting) for setting in settings], as_json=as_json)

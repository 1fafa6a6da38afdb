"""`headrace db advise`: what is amiss in a database, and the statement that mends it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from core.terminal.options import AsJson


def advise(
    ram: Annotated[str | None, typer.Option("--ram", help="Memory of the server, as for `db tune`.")] = None,
    cores: Annotated[int | None, typer.Option("--cores", help="Cores of the server, as for `db tune`.")] = None,
    disk: Annotated[
        Literal["ssd", "network", "hdd"], typer.Option("--disk", help="Its disk, as for `db tune`.")
    ] = "ssd",
    as_json: AsJson = False,
) -> None:
    """Look for what slows the database: indexes, dead rows, held snapshots, connections, settings. Changes nothing.

    Each finding has its evidence, the statement that mends it, the lock that it takes and what undoes it. With --ram
    and --cores settings are compared with those of `headrace db tune`.

    Example: headrace db advise --ram 64GB --cores 16 --json
    """
    from dataclasses import asdict

    from core.database.sizing import tuning
    from core.errors import ConfigError
    from core.monitoring.advise.advice import advise as looked
    from core.runtime import open_runtime
    from core.terminal.tables import emit_facts

    if (ram is None) != (cores is None):
        raise ConfigError("settings are compared by --ram and --cores; give both or neither")
    machine = None if ram is None or cores is None else tuning.machine(ram, cores, disk)
    with open_runtime() as runtime:
        advice = looked(runtime.db, machine)
    if as_json:
        import json

        print(json.dumps(asdict(advice)))
        return
    for number, finding in enumerate(advice.findings, 1):
        facts = asdict(finding)
        emit_facts(f"{number}. {facts.pop('kind')}", facts)
        print()
    print(f"{len(advice.findings)} findings" if advice.findings else "nothing is amiss")
    for said in advice.lost:
        print(f"not looked at: {said}")

"""What commands need as files although it is in the database: outputs of jobs, and tables that are matched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from core.errors import ConfigError

if TYPE_CHECKING:
    from core.runtime import Runtime


@contextmanager
def exports() -> Iterator[tuple[Runtime, Path]]:
    """What is configured, and a folder below the state folder."""
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        yield runtime, runtime.settings.state_dir / "exports"


def output_of(named: str) -> Path:
    """The output of a finished match: the file named, or that of the job of that number, which is written first.

    Raises:
        ConfigError: there is no such job, it is not done, or its workspace is gone.
    """
    if Path(named).exists() or not named.isdecimal():
        return Path(named)
    # Only here: queue and database take a third of a second to import.
    from core.workloads.identity.publishing.export import export_job

    with exports() as (runtime, folder):
        return export_job(runtime.queue, int(named), folder, runtime.workspace)


def input_file(named: str, via: str = "local") -> str:
    """The file of that name; or a private copy of standard input, a pipe, an address; or a snapshot of `table:name`.

    Raises:
        ConfigError: a pipe is to be matched by workers elsewhere. InputError: nothing came, or nothing is there.
    """
    from core.intake.tables.database_table import named_table

    table = named_table(named)
    if table is None:
        return _read_once(named, via)
    from core.intake.tables.database_table import export_table

    with exports() as (runtime, folder):
        return str(export_table(runtime.db, table, folder))


def _read_once(named: str, via: str) -> str:
    from core.intake.decoding.spool import fetch, is_address, is_pipe, spool_pipe
    from core.settings import read_settings

    if is_pipe(named):
        if via != "local":
            raise ConfigError(
                "a pipe is read here and once, but `via` prefect may match elsewhere and later; write a file first",
                fields=("via",),
            )
        path = spool_pipe(named, read_settings().state_dir / "exports")
    elif is_address(named):
        path = fetch(named, read_settings().state_dir / "exports")
    else:
        return named
    typer.echo(f"read into {path}, for your eyes only; keep it as long as this match is to be explained", err=True)
    return str(path)


def dataset_of(named: str, spec: str | None) -> str | None:
    """What answers for a table are published under: its snapshots have changing names. None: it is a file."""
    from core.intake.tables.database_table import named_table

    table = named_table(named)
    return None if table is None else f"{spec or 'persons'}:{table}"

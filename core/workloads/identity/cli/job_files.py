"""What commands need as files although it is in the database: outputs of jobs, and tables that are matched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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


def input_file(named: str) -> str:
    """The file of that name, or a snapshot of `table:name` of the configured database."""
    from core.intake.tables.database_table import named_table

    table = named_table(named)
    if table is None:
        return named
    from core.intake.tables.database_table import export_table

    with exports() as (runtime, folder):
        return str(export_table(runtime.db, table, folder))


def dataset_of(named: str, spec: str | None) -> str | None:
    """What answers for a table are published under: its snapshots have changing names. None: it is a file."""
    from core.intake.tables.database_table import named_table

    table = named_table(named)
    return None if table is None else f"{spec or 'persons'}:{table}"

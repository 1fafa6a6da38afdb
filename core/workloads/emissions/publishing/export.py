"""Lines of a version as a file for people and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.database import DatabaseManager
from core.errors import ConfigError
from core.intake.tables.csv_for_excel import sink_csv_for_excel
from core.intake.tables.workbook import write_workbook
from core.workloads.emissions.publishing.inventories import Version, lines_of_version, shown_lines, version_of

SUFFIXES: Final = (".csv", ".xlsx", ".parquet")


def export_lines(
    db: DatabaseManager, wanted: tuple[str, int, int | None], out: Path, *, for_excel: bool = False
) -> Version:
    """Write the lines of a version, whole or not at all.

    Args:
        wanted: tenant, period, version (None: the newest). for_excel: a CSV as Excel opens it, no cell computed.
    Raises ConfigError: another ending. InputError: no such version, or more rows than a sheet holds.
    """
    kind = out.suffix.casefold()
    if kind not in SUFFIXES:
        raise ConfigError(f"{out}: name a file that ends in {', '.join(SUFFIXES)}")
    tenant_id, period, number = wanted
    with db.transaction() as conn:
        version = version_of(conn, tenant_id, period, number)
        rows = lines_of_version(conn, tenant_id, version)
    frame = shown_lines(rows).lazy()
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.partial")
    if kind == ".xlsx":
        write_workbook(frame, part, out)
    elif kind == ".parquet":
        frame.sink_parquet(part)
    elif for_excel:
        sink_csv_for_excel(frame, part)
    else:
        frame.sink_csv(part)
    part.replace(out)
    return version

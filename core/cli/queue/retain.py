"""`headrace queue retain`: drop old partitions, or say what would go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.queue.store.retention import Fate

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go and what holds the rest; change nothing.")]
Days = Annotated[float | None, typer.Option("--days", min=0.001, help="Days to keep; default: the setting.")]
Gigabytes = Annotated[float | None, typer.Option("--gb", min=0.001, help="Room for all; default: the setting.")]


def retain(
    dry_run: DryRun = False,
    days: Days = None,
    gb: Gigabytes = None,
    as_json: AsJson = False,
) -> None:
    """Drop finished partitions: those that are old, then the oldest while all take too much room.

    Items, results and history of the range go; totals and dead letters stay. A partition that somebody still needs is
    kept, one that somebody locks is left for the next time.

    Example: headrace queue retain --dry-run --days 7
    """
    from uuid import uuid4

    from core.queue.store import retention
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        wanted = runtime.settings.queue.replaced(retain_days=days, retain_gb=gb)
        if dry_run:
            fates = retention.foresee(runtime.db, wanted)
        else:
            fates = retention.retain(runtime.db, wanted, runtime.worker_id, uuid4())
    emit("partitions", [_line(fate) for fate in fates], as_json=as_json, empty="another process is retaining just now")


def _line(fate: Fate) -> dict[str, Any]:
    partition = fate.partition
    return {
        "first_id": partition.lo,
        "end_id": partition.hi,
        "size_mb": round(partition.size_bytes / 2**20, 1),
        "idle_days": round(partition.idle_s / 86_400, 2),
        "fate": fate.deed,
        "why": fate.why,
    }

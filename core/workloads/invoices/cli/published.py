"""`headrace reconcile unmatch|aging`, and what `--publish` does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.workloads.invoices.reconciling.run import Reconciled, Request

OfTenant = Annotated[str, typer.Option("--tenant", help="Whose receivables.")]
_DAY = ["%Y-%m-%d"]
_INSTANT = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]

UNMATCH = """
Examples:

  headrace reconcile unmatch P-77 --reason "belongs to another customer"

  headrace reconcile unmatch P-77 --reason "bank error" --effective-on 2026-03-02 --json
"""
AGING = """
Examples:

  headrace reconcile aging --as-of 2026-01-31

  headrace reconcile aging --as-of 2026-01-31 --known-at 2026-02-01T00:00:00Z --json
"""


def register(group: typer.Typer) -> None:
    """Add the commands to the group `reconcile`."""
    group.command("unmatch", epilog=UNMATCH)(unmatch)
    group.command("aging", epilog=AGING)(aging)


def publish(request: Request, tenant: str) -> Reconciled:
    """Reconcile on what the database holds, write the answer there, and seal its event."""
    from core.review.audit.chain import Event
    from core.review.audit.sealer import seal_all
    from core.runtime import open_runtime
    from core.workloads.invoices.publishing.publish import reconcile_and_publish
    from core.workloads.invoices.reconciling.run import digests_of

    event = Event(tenant, "settled", _person(), datetime.now(UTC), details={"sha256": digests_of(request.files)})
    with open_runtime() as runtime:
        found = reconcile_and_publish(runtime.db, request, event)
        seal_all(runtime.db, runtime.worker_id, tenant)
    return found


def unmatch(
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")],
    effective_on: Annotated[
        datetime | None, typer.Option("--effective-on", formats=_DAY, help="Day from which it counts (default: today).")
    ] = None,
    tenant: OfTenant = "default",
    as_json: AsJson = False,
) -> None:
    """Take back what was applied of a payment: its items are open again, and no run applies it anew."""
    from core.errors import ConfigError
    from core.review.audit.chain import Event
    from core.review.audit.sealer import seal_all
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.invoices.publishing import unmatch as taking_back

    if not reason.strip():
        raise ConfigError("--reason is empty; say why the payment is taken back")
    now = datetime.now(UTC)
    day = (effective_on or now).date()
    if day > now.date():
        raise ConfigError(f"--effective-on {day} is in the future")
    event = Event(tenant, "unmatched", _person(), now, day, {"reason": reason.strip()})
    with open_runtime() as runtime:
        with runtime.db.transaction() as conn:
            event_id = taking_back.unmatch(conn, event, payment)
        seal_all(runtime.db, runtime.worker_id, tenant)
    emit("", [{"payment": payment, "event": event_id, "effective_on": str(day)}], as_json=as_json)


def aging(
    as_of: Annotated[datetime, typer.Option("--as-of", formats=_DAY, help="At the end of this day.")],
    known_at: Annotated[
        datetime | None,
        typer.Option("--known-at", formats=_INSTANT, help="As it was known then, in UTC (default: now)."),
    ] = None,
    tenant: OfTenant = "default",
    as_json: AsJson = False,
) -> None:
    """Show what was open on a day, by days past due."""
    from core.currencies import amount_text
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.invoices.publishing.aging import BANDS
    from core.workloads.invoices.publishing.aging import aging as aged

    known = datetime.now(UTC) if known_at is None else known_at.replace(tzinfo=UTC)
    with open_runtime() as runtime:
        rows = aged(runtime.db, tenant, as_of.date(), known)
    if not as_json:
        rows = [
            {
                name: amount_text(value, row["currency"]) if name in (*BANDS, "total") else value
                for name, value in row.items()
            }
            for row in rows
        ]
    emit("open, by days past due", rows, as_json=as_json, empty="nothing was open")


def _person() -> str:
    import getpass

    return getpass.getuser()

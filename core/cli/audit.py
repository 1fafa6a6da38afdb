"""`headrace audit`: whether the ledger is as it was written, and what to keep of it elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.review.audit.faults import Report

OfTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's; all unless said.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The ledger of decisions: verify it, print its heads.", no_args_is_help=True)
    group.command("verify")(verify)
    group.command("head")(head)
    app.add_typer(group, name="audit")


def verify(
    tenant: OfTenant = None,
    kept: Annotated[
        list[str] | None,
        typer.Option("--head", help="TENANT:SEQ:HASH that `headrace audit head` printed earlier; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every event, leaf and link of the ledger, and name each row that is not as it was written.

    Exit code 1 if there is one. Without a head that was kept elsewhere, a chain whose end was cut off looks whole.
    Events that no seal protects yet are counted as unsealed.

    Example: headrace audit verify --head default:17:3f5c...
    """
    from core.review.audit import verify as ledger
    from core.review.audit.chain import read_head
    from core.runtime import open_runtime
    from core.workloads import leaves_of, workloads

    heads = [read_head(text) for text in kept or ()]
    with open_runtime() as runtime:
        reports = ledger.verify(runtime.db, leaves_of(workloads()), tenant, heads)
    _print_reports(reports, as_json)
    if not all(report.sound for report in reports):
        raise typer.Exit(1)


def head(tenant: OfTenant = None, as_json: AsJson = False) -> None:
    """Seal what is committed, and print the newest link of each chain: to be kept out of the database owner's reach.

    Example: headrace audit head >> /mnt/elsewhere/heads.txt
    """
    from core.review.audit.sealer import every_head, seal_all
    from core.runtime import open_runtime
    from core.terminal.tables import emit

    with open_runtime() as runtime:
        seal_all(runtime.db, runtime.worker_id, tenant)
        heads = every_head(runtime.db, tenant)
    if as_json:
        rows = [{"tenant_id": one.tenant_id, "seq": one.seq, "link": one.link.hex(), "head": str(one)} for one in heads]
        emit("", rows, as_json=True)
    else:
        print("\n".join(map(str, heads)) or "nothing was recorded yet")


def _print_reports(reports: Sequence[Report], as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from core.terminal.tables import emit

    if as_json:
        tenants = [{**asdict(report), "sound": report.sound, "head": str(report.head)} for report in reports]
        print(json.dumps({"sound": all(report.sound for report in reports), "tenants": tenants}))
        return
    emit("ledger", [_line(report) for report in reports], as_json=False, empty="nothing was recorded yet")
    for report in reports:
        for fault in report.faults:
            print(f"{report.tenant_id}: {fault.kind} in {fault.table}: {fault.says}")
        if report.n_faults > len(report.faults):
            print(f"{report.tenant_id}: and {report.n_faults - len(report.faults)} more")
        if report.n_unsealed:
            print(f"{report.tenant_id}: no seal protects yet {_some(report.unsealed, report.n_unsealed)}")


def _line(report: Report) -> dict[str, Any]:
    return {
        "tenant": report.tenant_id,
        "events": report.n_events,
        "leaves": report.n_leaves,
        "links": report.head.seq,
        "unsealed": report.n_unsealed,
        "faults": report.n_faults,
    }


def _some(event_ids: Sequence[int], n_all: int) -> str:
    named = ", ".join(map(str, event_ids[:10]))
    return f"{'event' if n_all == 1 else 'events'} {named}{' ...' if n_all > 10 else ''} ({n_all})"

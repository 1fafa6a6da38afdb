"""`headrace emissions import|lock|restate|replay|export|versions`: inventories in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.review.audit.chain import Event
    from core.workloads.emissions.publishing.inventories import Version

OfTenant = Annotated[str, typer.Option("--tenant", help="Whose inventory.")]
OfPeriod = Annotated[int, typer.Option("--period", min=1990, max=2100, help="Year.")]
OfVersion = Annotated[int | None, typer.Option("--version", min=1, help="The newest unless given.")]
Maps = Annotated[list[str] | None, typer.Option("--map", help="ours=theirs, or a file of such lines.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]

IMPORT = """
Keep the lines of a file in the database, for `emissions run --tenant T --period P`.

Lines that stand there already are left out; of a line_id that comes again with other figures the later one counts.
Nothing is overwritten. A locked period takes no lines.

[bold]Examples[/bold]

  headrace emissions import lines.csv --tenant acme --period 2024 --dry-run

  headrace emissions import erp.csv --map amount=net_value --map code=naics --tenant acme --period 2024
"""
LOCK = """
Lock a draft: nothing changes it any more, and its period takes no lines and no run.

[bold]Examples[/bold]

  headrace emissions lock --tenant acme --period 2024 --reason "approved by the board"

  headrace emissions lock --tenant acme --period 2024 --version 3 --reason "approved" --json
"""
RESTATE = """
Make a new version beside a locked one, and the bridge from one to the other, exact to the milligram.

The bridge goes one driver at a time, in this order: code, boundary, activity, class, supplier data, edition, GWP,
price, method. What is not given stays as it was pinned. The new version is a draft; locking it supersedes the old one.

[bold]Examples[/bold]

  headrace emissions restate --tenant acme --period 2024 --factors ours-2025 --reason "new edition"

  headrace emissions restate --tenant acme --period 2024 --lines late.csv --reason "late invoices" --json
"""
REPLAY = """
Compute a version again from what it pins, and compare every line. Ends with 1 if anything differs.

[bold]Examples[/bold]

  headrace emissions replay 3 --tenant acme --period 2024

  headrace emissions replay 3 --tenant acme --period 2024 --json
"""
EXPORT = """
Write the lines of a version to a file: .csv, .xlsx or .parquet. With --csv-for-excel a CSV opens by a double click.

[bold]Examples[/bold]

  headrace emissions export inventory.xlsx --tenant acme --period 2024

  headrace emissions export inventory.csv --tenant acme --period 2024 --version 2
"""
VERSIONS = """
List the versions of inventories, newest first.

[bold]Examples[/bold]

  headrace emissions versions --tenant acme

  headrace emissions versions --tenant acme --period 2024 --json
"""


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("import", help=IMPORT)(import_lines)
    group.command("lock", help=LOCK)(lock)
    group.command("restate", help=RESTATE)(restate)
    group.command("replay", help=REPLAY)(replay)
    group.command("export", help=EXPORT)(export)
    group.command("versions", help=VERSIONS)(list_versions)


def import_lines(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet of lines.")],
    period: OfPeriod,
    tenant: OfTenant = "default",
    maps: Maps = None,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say what it would bring, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    from core.intake.file_digest import file_digest
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.emissions.inventory.lines import mapping_of, read_lines
    from core.workloads.emissions.publishing import computing

    lines = read_lines(file, mapping_of(maps or []))
    event = event_of(tenant, "lines imported", sha256=file_digest(file))
    with open_runtime() as runtime:
        brought, event_id = computing.import_lines(runtime.db, event, period, lines, is_dry=is_dry)
        _seal(runtime, tenant)
    facts = {
        "lines": len(lines),
        "new": brought.n_new,
        "changed": brought.n_changed,
        "there already": brought.n_same,
        "event": event_id,
    }
    emit("would come in" if is_dry else "came in", [facts], as_json=as_json)


def run_stored(tenant: str, period: int, policy: Path | None, factors: str) -> Version:
    """`emissions run` on the lines of the database."""
    from core.runtime import open_runtime
    from core.workloads.emissions.cli.factors import store_folder
    from core.workloads.emissions.inventory.policies.policy import read_policy
    from core.workloads.emissions.inventory.run import factors_of
    from core.workloads.emissions.publishing.computing import run_inventory
    from core.workloads.emissions.publishing.pins import Inputs

    factor_set = factors_of(factors, store_folder())
    inputs = Inputs(factor_set, read_policy(policy, is_starter=factor_set.is_starter))
    with open_runtime() as runtime:
        version = run_inventory(runtime.db, event_of(tenant, "inventory published"), period, inputs)
        _seal(runtime, tenant)
    return version


def lock(
    period: OfPeriod, reason: Reason, tenant: OfTenant = "default", version: OfVersion = None, as_json: AsJson = False
) -> None:
    from core.runtime import open_runtime
    from core.workloads.emissions.publishing import inventories

    event = event_of(tenant, "inventory locked", reason=said(reason))
    with open_runtime() as runtime:
        with runtime.db.transaction() as conn:
            locked = inventories.lock(conn, event, period, version)
        _seal(runtime, tenant)
    show_versions([locked], as_json=as_json)


def restate(
    period: OfPeriod,
    reason: Reason,
    tenant: OfTenant = "default",
    policy: Annotated[Path | None, typer.Option("--policy", help="YAML in the place of the pinned policy.")] = None,
    factors: Annotated[str | None, typer.Option("--factors", help="As of `run`; the pinned set unless given.")] = None,
    lines: Annotated[Path | None, typer.Option("--lines", help="Lines that came later, or stand corrected.")] = None,
    maps: Maps = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=100, help="Percent from which a change is significant.")
    ] = 5.0,
    as_json: AsJson = False,
) -> None:
    from core.intake.file_digest import file_digest
    from core.runtime import open_runtime
    from core.workloads.emissions.inventory.lines import mapping_of, read_lines
    from core.workloads.emissions.publishing import restating

    event = event_of(tenant, "inventory restated", reason=said(reason))
    frame = read_lines(lines, mapping_of(maps or [])) if lines else None
    change = restating.Change(_new_inputs(policy, factors), frame, file_digest(lines) if lines else "")
    with open_runtime() as runtime:
        version = restating.restate(runtime.db, event, period, change)
        steps = restating.bridge(runtime.db, tenant, version)
        _seal(runtime, tenant)
    _show_bridge(version, steps, threshold, as_json=as_json)


def replay(
    version: Annotated[int, typer.Argument(min=1, help="Number of the version.")],
    period: OfPeriod,
    tenant: OfTenant = "default",
    as_json: AsJson = False,
) -> None:
    from core.runtime import open_runtime
    from core.terminal.tables import emit_facts
    from core.workloads.emissions.publishing import computing

    with open_runtime() as runtime:
        found = computing.replay(runtime.db, tenant, period, version)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        verdict = "the same to the bit" if found["same"] else "not the same"
        emit_facts(f"version {version} of {period}: {verdict}", {**found, "period": str(period)})
    if not found["same"]:
        raise typer.Exit(1)


def export(
    out: Annotated[Path, typer.Argument(help="File that ends in .csv, .xlsx or .parquet.")],
    period: OfPeriod,
    tenant: OfTenant = "default",
    version: OfVersion = None,
    for_excel: Annotated[
        bool, typer.Option("--csv-for-excel", help="A CSV as Excel opens it: semicolons, cells never computed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    from core.runtime import open_runtime
    from core.terminal.tables import emit
    from core.workloads.emissions.publishing.export import export_lines

    with open_runtime() as runtime:
        found = export_lines(runtime.db, (tenant, period, version), out, for_excel=for_excel)
    emit("written", [{"file": str(out), "version": found.version, "lines": found.n_lines}], as_json=as_json)


def list_versions(
    tenant: OfTenant = "default",
    period: Annotated[int | None, typer.Option("--period", help="Year; all unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    from core.runtime import open_runtime
    from core.workloads.emissions.publishing.inventories import versions

    with open_runtime() as runtime, runtime.db.transaction() as conn:
        found = versions(conn, tenant, period)
    show_versions(found, as_json=as_json)


def event_of(tenant: str, kind: str, **details: Any) -> Event:
    """An event of now, by whoever is at the keyboard."""
    import getpass

    from core.review.audit.chain import Event

    return Event(tenant, kind, getpass.getuser(), datetime.now(UTC), details=details)


def said(reason: str) -> str:
    """A reason. Raises ConfigError: it is blank."""
    from core.errors import ConfigError

    if not reason.strip():
        raise ConfigError("--reason is empty; say why, for whoever reads the ledger")
    return reason.strip()


def show_versions(found: list[Version], *, as_json: bool) -> None:
    """A row a version."""
    from core.terminal.tables import emit
    from core.workloads.emissions.inventory.summary import kg_text

    rows = [
        {
            "period": str(each.period),
            "version": each.version,
            "state": each.state,
            "restates": each.restates,
            "lines": each.n_lines,
            "total_kg": kg_text(each.total_mg),
            "day": each.recorded_at.date().isoformat(),
            # What else there is has no room on a screen.
            **(
                {"at": each.recorded_at.isoformat(), "by": each.actor, "content": each.content.hex()} if as_json else {}
            ),
        }
        for each in found
    ]
    emit("Inventories", rows, as_json=as_json, empty="there is none")


def _new_inputs(policy: Path | None, factors: str | None) -> Any:
    """From the pinned inputs to the new ones."""
    from core.workloads.emissions.cli.factors import store_folder
    from core.workloads.emissions.inventory.policies.policy import read_policy
    from core.workloads.emissions.inventory.run import factors_of
    from core.workloads.emissions.publishing.pins import Inputs

    def changed(pinned: Inputs) -> Inputs:
        factor_set = factors_of(factors, store_folder()) if factors else pinned.factor_set
        said = read_policy(policy, is_starter=factor_set.is_starter) if policy else pinned.policy
        return Inputs(factor_set, said)

    return changed


def _show_bridge(version: Version, steps: list[dict[str, Any]], threshold: float, *, as_json: bool) -> None:
    from core.terminal.tables import emit
    from core.workloads.emissions.inventory.summary import kg_text

    before_mg = steps[0]["total_mg"] - steps[0]["delta_mg"]
    moved = abs(version.total_mg - before_mg) / abs(before_mg) * 100 if before_mg else None
    is_over = moved is None or moved >= threshold
    rows = [
        {
            "driver": step["driver"],
            "kg": kg_text(step["delta_mg"]),
            "lines": step["n_changed"],
            "total_kg": kg_text(step["total_mg"]),
        }
        for step in steps
    ]
    facts: dict[str, Any] = {"version": version.version, "restates": version.restates, "before_kg": kg_text(before_mg)}
    facts |= {"after_kg": kg_text(version.total_mg), "percent": None if moved is None else round(moved, 6)}
    facts |= {"threshold_percent": threshold, "significant": is_over}
    if as_json:
        print(json.dumps({**facts, "bridge": rows}, indent=2))
        return
    emit(f"From {facts['before_kg']} kg of version {version.restates}", rows, as_json=False)
    share = "from nothing" if moved is None else f"{moved:.3f} %"
    verdict = "significant" if is_over else "below the threshold"
    print(f"version {version.version} comes to {facts['after_kg']} kg: {share}, {verdict} ({threshold:g} %)")


def _seal(runtime: Any, tenant: str) -> None:
    from core.review.audit.sealer import seal_all

    seal_all(runtime.db, runtime.worker_id, tenant)

"""`headrace reconcile`: payments applied to invoices, and the group of commands around it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from core.workloads.invoices.cli import evaluate, explain, published
from core.workloads.invoices.cli.options import mapping_of, policy_of
from core.workloads.invoices.cli.shown import show

if TYPE_CHECKING:
    from core.workloads.invoices.reconciling.run import Request

CHANGED_SHOWN = 20

EXAMPLES = """
Find which open invoices each payment settles, apply what is sure, suggest the rest.

DIR gets allocations, exceptions and unapplied, and run.json, which has the model and the sums. Each payment is in
exactly one state: applied, suggested, exception, unapplied, foreign.

[bold]Examples[/bold]

  headrace reconcile --invoices invoices.csv --payments bank.csv --out answer

  headrace reconcile --invoices open.xlsx --payments bank.csv --customers c.csv --rates r.csv --out answer --csv

  headrace reconcile --invoices open.csv --payments bank.csv --map invoices.number=doc_no --map decimal=, --out answer

  headrace reconcile --invoices open.csv --payments monday.xml --payments tuesday.xml --advices remit.edi --out answer

  headrace reconcile --invoices open.csv --payments bank.csv --out answer --publish

  headrace reconcile --invoices open.csv --payments bank.csv --out answer --via prefect

  headrace reconcile explain P-77 --run answer

  headrace reconcile --dry-run --rules stricter.yaml --run answer
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=EXAMPLES, no_args_is_help=True, invoke_without_command=True)
    group.callback()(reconcile)
    evaluate.register(group)
    explain.register(group)
    published.register(group)
    app.add_typer(group, name="reconcile")


def reconcile(
    context: typer.Context,
    invoices: Annotated[Path | None, typer.Option(help="Open items: CSV, Excel, Parquet, JSON lines.")] = None,
    payments: Annotated[
        list[Path] | None, typer.Option(help="Bank lines: a table, or files of a bank (may be repeated).")
    ] = None,
    customers: Annotated[Path | None, typer.Option(help="Customers (default: those of the invoices).")] = None,
    rates: Annotated[
        Path | None, typer.Option(help="Dated rates; without them other currencies are only suggested.")
    ] = None,
    advices: Annotated[
        list[Path] | None, typer.Option(help="Remittance advices: EDI 820, remt.001, a table (may be repeated).")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="YAML: auto_min, weak_below, loss_minor.")] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="file.field=column, decimal=, or a YAML file of the same.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the answer.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: show what --rules would change of the run in --run.")
    ] = False,
    of_run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="With --dry-run: folder of an earlier --out.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Write what is applied to the database and its ledger, too.")
    ] = False,
    via: Annotated[
        Literal["local", "prefect"],
        typer.Option("--via", help="local: this process only; prefect: queue in PostgreSQL, always published."),
    ] = "local",
    rerun: Annotated[
        bool, typer.Option("--rerun", help="prefect: start anew although the same request was answered before.")
    ] = False,
    tenant: published.OfTenant = "default",
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of Parquet.")] = False,
    as_xlsx: Annotated[bool, typer.Option("--xlsx", help="Write workbooks instead of Parquet.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sums as JSON.")] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from core.errors import ConfigError

    if dry_run or of_run:
        _show_difference(dry_run, of_run, rules, as_json=as_json)
        return
    missing = [
        name for name, value in (("--invoices", invoices), ("--payments", payments), ("--out", out)) if not value
    ]
    if missing or invoices is None or payments is None or out is None:
        raise ConfigError(f"reconcile needs {', '.join(missing)}; `headrace reconcile --help` shows how")
    if as_csv and as_xlsx:
        raise ConfigError("--csv and --xlsx: choose one")
    from core.workloads.invoices.reconciling import run

    run.require_out(out)
    single = {"invoices": invoices, "customers": customers, "rates": rates}
    files = {kind: [path] for kind, path in single.items() if path}
    files |= {"payments": payments, "advices": advices or []}
    request = run.Request(files, mapping_of(maps or []), policy_of(rules))
    suffix = ".csv" if as_csv else ".xlsx" if as_xlsx else ".parquet"
    if via == "prefect":
        _become_flow(request, {"out": str(out), "format": suffix, "tenant": tenant, "rerun": rerun}, as_json=as_json)
    found = published.publish(request, tenant) if publish else run.reconcile(request)
    run.write_folder(out, run.record_of(request, found), found.answer, suffix)
    notices = (*found.read.notices, *run.in_the_future(found.sides.payments, datetime.now(UTC).date()))
    show(found.figures(), notices, str(out), as_json=as_json)


def _become_flow(request: Request, said: dict[str, Any], *, as_json: bool) -> NoReturn:
    """Replace this process by a run of the flow, on files that other processes find, too."""
    from core.terminal.become_flow import become_flow
    from core.workloads.invoices.queued.request import ReconcileRequest

    paths = {kind: [str(path.absolute()) for path in found] for kind, found in request.files.items()}
    single = {kind: paths[kind][0] for kind in ("invoices", "customers", "rates") if paths.get(kind)}
    asked = ReconcileRequest(
        **single,
        payments=tuple(paths["payments"]),
        advices=tuple(paths["advices"]),
        mapping={kind: dict(fields) for kind, fields in request.mapping.items()},
        auto_min=request.policy.auto_min,
        weak_below=request.policy.weak_below,
        loss_minor=request.policy.loss_minor,
        **said,
    )
    become_flow("flows.invoice_matching", [asked.model_dump_json(), *(["--json"] if as_json else [])])


def _show_difference(dry_run: bool, of_run: Path | None, rules: Path | None, *, as_json: bool) -> None:
    from core.currencies import money_words
    from core.errors import ConfigError
    from core.terminal.tables import emit
    from core.workloads.invoices.reconciling.dry_run import difference

    if not dry_run or of_run is None or rules is None:
        raise ConfigError("say --dry-run --rules FILE --run DIR: what other rules would change of an earlier run")
    found = difference(of_run, policy_of(rules))
    rows = found.sums()
    if as_json:
        print(json.dumps({"payments": found.payments, "sums": rows, "changed": found.changed.to_dicts()}))
        return
    shown = [
        {
            "payments": f"{row['payments']:,}",
            "from": row["before"],
            "to": row["after"],
            "amount": money_words(row["currency"], row["amount_minor"]),
        }
        for row in rows
    ]
    emit(f"{len(found.changed):,} of {found.payments:,} payments change", shown, as_json=False)
    listed = [
        {**row, "amount_minor": money_words(row["currency"], row["amount_minor"])}
        for row in found.changed.head(CHANGED_SHOWN).drop("held").to_dicts()
    ]
    named = [
        {"amount" if key == "amount_minor" else key: row[key] for key in row if key != "currency"} for row in listed
    ]
    emit(f"the first {len(named)}" if len(named) < len(found.changed) else "", named, as_json=False)

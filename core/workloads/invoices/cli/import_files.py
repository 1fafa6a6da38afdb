"""`headrace invoices import`: bank files and advices, looked at or written as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.workloads.invoices.cli.options import mapping_of

if TYPE_CHECKING:
    from core.workloads.invoices.readers.reading import FileFound, Imported

IMPORT = """
Read bank files and remittance advices: MT940 and MT942, camt.052, .053 and .054, BAI2, lockbox, OFX, EDI 820, ACH with
addenda, remt.001, and tables (CSV, workbooks, JSON lines, Parquet). The format is found by what stands in the file.

Of each statement the balances are checked to the last unit. What does not hold, or stands twice, is set aside with
line and reason, and the command ends with 1. --out DIR gets receipts.parquet, advices.parquet and rejects.parquet;
--dry-run only looks.

[bold]Examples[/bold]

  headrace invoices import statement.xml --dry-run

  headrace invoices import monday.sta tuesday.sta --out bank

  headrace invoices import lines.csv --map amount=Betrag --dry-run --json
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Bank files and remittance advices.", no_args_is_help=True)
    # A group needs a callback to stay a group while it has one command.
    group.callback()(lambda: None)
    group.command("import", help=IMPORT)(import_files)
    app.add_typer(group, name="invoices")


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, all pages of a statement at once.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look only; write nothing.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write to; made if it is not there.", show_default=False),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="A column of a table (may be repeated), or a YAML file of the same.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    from core.workloads.invoices.import_out import require_out, write_imported
    from core.workloads.invoices.readers.reading import read_files

    folder = require_out(out, dry_run=dry_run)
    imported = read_files(files, mapping_of(mapping or []))
    written = write_imported(imported, folder) if folder is not None else []
    if as_json:
        print(json.dumps(_facts(imported, written)))
    else:
        _print(imported, written)
    if not all(file.is_whole for file in imported.files):
        raise typer.Exit(1)


def _facts(imported: Imported, written: list[Path]) -> dict[str, Any]:
    return {
        "files": [file.facts() for file in imported.files],
        "receipts": len(imported.receipts),
        "advice_lines": len(imported.advices),
        "rejects": imported.rejects.to_dicts(),
        "written": [str(path) for path in written],
    }


def _print(imported: Imported, written: list[Path]) -> None:
    from core.terminal.tables import emit

    for file in imported.files:
        facts = file.facts()
        title = f"{file.path}: {file.format or 'refused'}"
        if file.n_advices:
            title += f", {file.n_advices:,} advices"
        emit(title, [_row(each) for each in facts["statements"]], as_json=False, empty=_without(file, title))
        for notice in file.notices:
            print(notice)
    if len(imported.rejects):
        emit("Set aside", imported.rejects.to_dicts(), as_json=False)
    print(f"{len(imported.receipts):,} receipts, {len(imported.advices):,} lines of advices")
    if written:
        print(f"written: {', '.join(map(str, written))}")


def _row(statement: dict[str, Any]) -> dict[str, Any]:
    balanced = {True: "yes", False: f"NO, by {statement['off_by']}", None: "not known"}[statement["balanced"]]
    named = ("statement", "account", "currency", "opening", "movements", "closing")
    shown = {name: statement[name] if statement[name] is not None else "-" for name in named}
    return {**shown, "balanced": balanced, "lines": statement["lines"], "taken": statement["taken"]}


def _without(file: FileFound, title: str) -> str:
    """What is printed of a file that has no statement."""
    return title if file.refused is None else f"{title}; nothing of it is taken"

"""`headrace generate invoices`: made receivables with known truth."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

INVOICES = """
Write made invoices and bank lines, customers and rates of exchange, and the truth of which line settles what.

Rows are invoices and bank lines together. DIR gets invoices.csv, payments.csv, customers.csv, rates.csv and truth.csv;
with another format than csv also the bank lines as statement.xml (camt053), statement.sta (mt940) or statement.bai
(bai2), or what payers write of them as remittances.edi (edi820).

How common each difficulty is, is drawn anew for every seed; --json says what came out. The same rows and seed make the
same files, byte for byte, with the same version.

[bold]Examples[/bold]

  headrace generate invoices --rows 100000 --seed 7 --out receivables

  headrace generate invoices --rows 2000 --seed 3 --out bank --format camt053 --json
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `generate`."""
    group.command("invoices", help=INVOICES)(invoices)


def invoices(
    rows: Annotated[int, typer.Option("--rows", help="Invoices and bank lines to write, together.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to; made if it is not there.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other receivables.")] = 1,
    form: Annotated[str, typer.Option("--format", help="csv, camt053, mt940, bai2 or edi820.")] = "csv",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a sentence.")] = False,
) -> None:
    from core.made_records.invoices.books import made_books
    from core.workloads.invoices.made_files import require_folder, write_books

    started = time.perf_counter()
    require_folder(out, form)
    books = made_books(rows, seed)
    files = write_books(books, out, form)
    facts: dict[str, Any] = {
        "out": str(out),
        "rows": rows,
        "invoices": len(books.invoices),
        "payments": len(books.payments),
        "customers": len(books.customers),
        "seed": seed,
        "format": form,
        "files": [file.name for file in files],
        "rates": {name: round(rate, 4) for name, rate in books.rates_drawn.items()},
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        print(json.dumps(facts))
        return
    print(
        f"{out}: {facts['invoices']:,} invoices of {facts['customers']:,} customers and {facts['payments']:,} bank "
        f"lines in {len(files)} files, {facts['bytes'] / 1e6:.1f} MB in {facts['seconds']:.1f} s"
    )

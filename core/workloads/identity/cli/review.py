"""`headrace review export`: the pairs that people should look at, as a sheet that `--decisions` takes back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.terminal.options import AsJson, CsvForExcel

EPILOG = """
Examples:

  headrace review export out.parquet --out review.xlsx

  headrace review export out.csv --out review.csv --csv-for-excel --limit 200

  headrace match people.csv --decisions review.xlsx --out out.parquet

Fill in the column decision (match or differ) and give the file back with --decisions; rows left empty stay open.
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group `review`."""
    group.command("export", epilog=EPILOG)(export)


def export(
    result: Annotated[
        str,
        typer.Argument(metavar="OUT|JOB", help="output of a `headrace match`, or a job's number", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", help="file to write: .xlsx, .csv or .parquet")],
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="pairs at most, the surest first", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="the accepted pairs too")] = False,
    csv_for_excel: CsvForExcel = False,
    as_json: AsJson = False,
) -> None:
    """List the pairs worth a review: both records side by side, the reason, an empty column for your decision."""
    from core.linkage.request_checks import check_place
    from core.linkage.results.review_list import DECISION, review_list
    from core.linkage.run_record import sink_table
    from core.storage.private_file import write_private
    from core.workloads.identity.cli.job_files import output_of

    check_place("out", out)
    found = review_list(output_of(result), limit=limit, everything=everything)
    choices = {DECISION: ("match", "differ")}
    frame = found.frame.lazy()
    write_private(out, lambda part: sink_table(frame, part, out, for_excel=csv_for_excel, choices=choices))
    facts = {"out": str(out), "pairs": found.frame.height, "beyond": found.n_beyond, "decided": found.n_decided}
    if as_json:
        import json

        print(json.dumps(facts))
        return
    print(f"written: {out}, {found.frame.height:,} pairs to look at; give it back with --decisions")
    if found.n_beyond:
        print(f"left out by --limit: {found.n_beyond:,} pairs")
    if found.n_decided:
        print(f"decided already and left out: {found.n_decided:,} pairs")

"""`headrace report`: a finished match as one page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    result: Annotated[
        str,
        typer.Argument(metavar="OUT|JOB", help="Output of a `headrace match`, or a job's number.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", help="HTML file to write.")],
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Show the values of pairs near the threshold: personal data.")
    ] = False,
) -> None:
    """Write one page without scripts: weights, scores, passes, entities, completeness, pairs near the threshold.

    Examples: headrace report resolved.parquet --out report.html; headrace report 3 --out report.html
    """
    from core.errors import ConfigError
    from core.linkage.results.report_facts import gather
    from core.linkage.results.report_page import write_page
    from core.workloads.identity.cli.job_files import output_of

    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConfigError(f"--out {out}: cannot be written; name a file in a folder that can")
    write_page(gather(output_of(result), with_values=with_values), out)
    print(f"written: {out}")

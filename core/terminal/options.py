"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many lines.")]
BadRows = Annotated[
    Literal["raise", "quarantine"],
    typer.Option("--bad-rows", help="raise: stop at the first; quarantine: set them aside"),
]
CsvForExcel = Annotated[
    bool, typer.Option("--csv-for-excel", help="write a .csv as Excel opens it: mark, semicolons, escaped cells")
]
JobName = Annotated[str, typer.Argument(help="Job id or job key.")]

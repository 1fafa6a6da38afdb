"""Rows for people as a table, for programs as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

WIDTH_MIN = 240


def emit(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "nothing there") -> None:
    """Print rows that share their keys: JSON list, or a table with the keys as its head; `empty` if there are none."""
    if as_json:
        import json

        print(json.dumps(list(rows), indent=2, default=_plain))
        return
    if not rows:
        print(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*[words(value) for value in row.values()])
    # Cut columns help nobody, and a narrow terminal wraps whole lines by itself.
    Console(width=max(Console().width, WIDTH_MIN)).print(table, markup=False, highlight=False)


def words(value: Any) -> str:
    """One cell: thousands separated, nothing for None, local time without fractions."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    raise TypeError(type(value).__name__)

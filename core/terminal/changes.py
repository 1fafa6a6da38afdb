"""What a deployment changes, as a table."""

from __future__ import annotations

from collections.abc import Sequence


def show_changes(changes: Sequence[tuple[str, str, str, str]]) -> None:
    """(kind, name, what was done, note) as a table, and in one sentence."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("kind", "name", "", box=None, header_style="dim")
    for kind, name, action, note in changes:
        table.add_row(kind, name, action if action == "unchanged" else f"[bold]{action}[/]")
        if note:
            table.add_row("", f"[yellow]{note}[/]", "")
    console.print(table)
    n_changed = sum(action != "unchanged" for _, _, action, _ in changes)
    all_there = "nothing to change: all is as prefect.yaml says"
    said = f"{n_changed} of {len(changes)} objects changed" if n_changed else all_there
    console.print(said, highlight=False)

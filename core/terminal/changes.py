"""What a deployment changes, as a table."""

from __future__ import annotations

from collections.abc import Sequence


def show_changes(changes: Sequence[tuple[str, str, str, str]]) -> None:
    """(kind, name, what was done, note) as a table, and in one sentence."""
    from core.terminal.tables import emit

    rows = [{"kind": kind, "name": name, "done": action, "note": note} for kind, name, action, note in changes]
    emit("", rows, as_json=False)
    n_changed = sum(action != "unchanged" for _, _, action, _ in changes)
    all_there = "nothing to change: all is as prefect.yaml says"
    said = f"{n_changed} of {len(changes)} objects changed" if n_changed else all_there
    print(said)

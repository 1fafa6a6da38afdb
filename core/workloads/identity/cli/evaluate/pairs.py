"""`headrace evaluate --pairs`: how many of the pairs that people labelled an answer has right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from core.linkage.results.labelled_shares import LabelledShares


def evaluate_pairs(out: Path, labels: Path, column: str | None, *, as_json: bool) -> None:
    """Print the share of each label. Raises as `labelled_shares`."""
    from core.linkage.results.labelled_shares import label_column, labelled_shares

    found = labelled_shares(out, labels, label_column(labels, column))
    if as_json:
        print(json.dumps(_as_json(found)))
        return
    _print_table(found)
    if found.n_open:
        typer.echo(f"notice: {found.n_open:,} rows of {labels} have no label and are left out", err=True)
    if found.n_unknown:
        said = f"notice: {found.n_unknown:,} pairs of {labels} name a record that is not in {out}, and are left out"
        typer.echo(said, err=True)


def _as_json(found: LabelledShares) -> dict[str, object]:
    kinds = {
        label: {"pairs": each.n_pairs, "right": each.n_right, "share": each.share}
        for label, each in (("match", found.match), ("differ", found.differ))
    }
    return {**kinds, "open": found.n_open, "unknown": found.n_unknown}


def _print_table(found: LabelledShares) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("label", "pairs", "right", "share", "right means")
    for label, share_of, means in (
        ("match", found.match, "both records are in one entity"),
        ("differ", found.differ, "they are in two"),
    ):
        share = "" if share_of.share is None else f"{share_of.share:.4f}"
        table.add_row(label, f"{share_of.n_pairs:,}", f"{share_of.n_right:,}", share, means)
    Console().print(table)

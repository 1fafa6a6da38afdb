"""Why a line came to what it came to: the factors that could be taken, and on what each of the others lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from core.errors import InputError
from core.workloads.emissions.inventory.compute import compute
from core.workloads.emissions.inventory.run import LINES, prepare, request_of
from core.workloads.emissions.inventory.selection.catalog import Catalog
from core.workloads.emissions.inventory.selection.choices import KEYS, answer

_SAID = ("fate", "reason", "note", "category", "method", "kg_co2e", "share", "data_quality", "flags", "ln_sd", "review")


def explained(out: Path, line_id: str) -> dict[str, Any]:
    """The trail of one line of a folder of answers: what it came to, its factors, and what they were chosen from.

    Raises InputError: the folder holds no run, its inputs gave another answer by now, or there is no such line.
    Cost: that of the run, whose files are read again.
    """
    ready = prepare(request_of(out))
    catalog = Catalog(ready.factor_set, ready.policy)
    frame = compute(ready.lines, catalog, ready.request.period).frame
    found = frame.filter(pl.col("line_id") == line_id)
    if found.is_empty():
        raise InputError(f"{out} has no line {line_id!r}", line=line_id)
    row = found.row(0, named=True)
    _refuse_changed(out, row)
    answered = answer({name: row[name] for name in KEYS}, catalog) if row["question"] is not None else None
    taken = answered.choice.taken if answered else ()
    return {
        "line_id": line_id,
        **{name: row[name] for name in _SAID},
        "factors": [
            {
                "dataset_id": each.candidate.dataset.dataset_id,
                "edition": " ".join(
                    filter(
                        None,
                        (
                            each.candidate.dataset.edition.source,
                            each.candidate.dataset.edition.edition,
                            each.candidate.dataset.edition.patch,
                        ),
                    )
                ),
                "factor_no": each.candidate.number,
                "key": each.candidate.factor.key,
                "locator": each.candidate.factor.locator,
                "label": each.candidate.factor.label,
                # A restricted licence lets results leave, and no values.
                "kg_a_unit": None if each.candidate.dataset.edition.restricted else f"{float(each.value):.12g}",
                "unit": row["factor_currency"] or row["unit"],
            }
            for each in taken
        ],
        "candidates": [
            {"dataset": name, "factor": label, "lost_on": lost or "chosen"}
            for name, label, lost in (answered.choice.shown if answered else ())
        ],
        "amount": {
            name: row[name] for name in ("net_minor", "currency", "factor_currency", "year", "price_year", "basis")
        },
    }


def _refuse_changed(out: Path, row: dict[str, Any]) -> None:
    kept = pl.read_parquet(out / LINES, columns=["line_id", "fate", "mass_mg"]).filter(
        pl.col("line_id") == row["line_id"]
    )
    if kept.is_empty() or kept.row(0)[1:] != (row["fate"], row["mass_mg"]):
        raise InputError(
            f"{out}: its lines, policy or factors changed since the run, which came to another answer; run it again",
            path=str(out),
        )

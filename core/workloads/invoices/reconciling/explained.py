"""A decision of a run's folder, explained: its files are read again, and give the same answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.invoices.reconciling.run import RUN, Request, reconcile
from core.workloads.invoices.rules.decide import Policy
from core.workloads.invoices.rules.why import why, why_not


def explained(folder: Path, payment: str, item: str | None) -> dict[str, Any]:
    """Why, and of an item why not.

    Raises:
        InputError: no finished run there, a file has changed since, or there is no such payment or item.
    """
    found = reconcile(request_of(folder))
    receipt = _place(found.sides.payments["id"], payment, "payment")
    told = why(found.run, receipt)
    ids = found.sides.invoices["id"]
    for each in told["explanations"]:
        each["items"] = [ids[place] for place in each["items"]]
    told = {"payment": payment, **told}
    if item is not None:
        told |= {"item": item, "why_not": why_not(found.run, receipt, _place(ids, item, "open invoice"))}
    return told


def _place(ids: pl.Series, wanted: str, what: str) -> int:
    places = (ids == wanted).arg_true()
    if not len(places):
        raise InputError(f"there is no {what} {wanted!r} in this run", id=wanted)
    return int(places[0])


def request_of(folder: Path) -> Request:
    """What a run was asked. Raises InputError: no finished run is there, or a file has changed since."""
    path = folder / RUN
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{folder} has no {RUN} of a finished run; name the folder of --out with --run") from None
    files = {kind: [Path(name) for name in names] for kind, names in record["files"].items()}
    for kind, paths in files.items():
        for file, digest in zip(paths, record["sha256"][kind], strict=True):
            if file_digest(file) != digest:
                raise InputError(f"{file} has changed since the run; reconcile again", path=str(file))
    return Request(files, record["map"], Policy(**record["rules"]))

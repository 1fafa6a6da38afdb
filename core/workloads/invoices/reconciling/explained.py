"""A decision of a run's folder, explained: its files are read again, and give the same answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.invoices.reconciling.run import RUN, Reconciled, Request, reconcile
from core.workloads.invoices.rules.decide import Policy
from core.workloads.invoices.rules.why import Asked, outlines, why_not


def explained(folder: Path, payment: str, item: str | None) -> dict[str, Any]:
    """Why, and of an item why not.

    Raises:
        InputError: no finished run there, a file has changed since, or there is no such payment or item.
    """
    found = reconcile(request_of(folder))
    payments, invoices = found.sides.payments, found.sides.invoices
    receipt = _place(payments["id"], payment, "payment")
    (told,) = outlines_of(found)[receipt].to_dicts()
    asked = None
    if item is not None:
        place = _place(invoices["id"], item, "open invoice")
        late = bool(invoices["issued"][place] > payments["date"][receipt])
        asked = Asked(item, str(invoices["customer"][place]), late)
    return told_of(payment, told, asked)


def outlines_of(found: Reconciled) -> pl.DataFrame:
    """`outlines` of all receipts of a run, in their order."""
    return outlines(found.run, np.arange(len(found.sides.payments)), found.sides.invoices)


def told_of(payment: str, told: dict[str, Any], asked: Asked | None) -> dict[str, Any]:
    """What is said of a payment, and of an item, wherever its outline comes from."""
    said = {"payment": payment, **told}
    return said if asked is None else said | {"item": asked.id, "why_not": why_not(told, asked)}


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

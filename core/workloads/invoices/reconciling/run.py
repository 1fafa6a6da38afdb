"""A reconciliation on this machine: files in, a folder out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.errors import ConfigError, HeadraceError
from core.intake.file_digest import file_digest
from core.workloads.invoices.reconciling.answer import Answer, answer_of
from core.workloads.invoices.reconciling.reading import Files, Read, read_tables
from core.workloads.invoices.rules.decide import Policy, decide
from core.workloads.invoices.rules.propose import propose
from core.workloads.invoices.rules.settle import settle
from core.workloads.invoices.rules.sides.assemble import Sides, assemble
from core.workloads.invoices.rules.train import Model, train
from core.workloads.invoices.rules.why import Decided

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Request:
    """What to reconcile. files, mapping: see `read_tables`."""

    files: Files
    mapping: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The answer, and all that `explain` wants."""

    read: Read
    sides: Sides
    run: Decided
    answer: Answer

    def figures(self) -> dict[str, Any]:
        """Payments and amounts by state; each payment stands in exactly one."""
        return figures_of(len(self.sides.invoices), len(self.sides.payments), [self.answer.states])


def figures_of(n_invoices: int, n_payments: int, states: Sequence[pl.DataFrame]) -> dict[str, Any]:
    """Payments and amounts by state, over parts of a run: their `states` of `Answer`."""
    grouped = pl.concat(states).group_by("state", "currency")
    sums = grouped.agg(payments=pl.len(), amount_minor=pl.col("amount_minor").sum()).sort("state", "currency")
    told: dict[str, Any] = {}
    for state, currency, payments, amount in sums.rows():
        entry = told.setdefault(state, {"payments": 0, "amount_minor": {}})
        entry["payments"] += payments
        entry["amount_minor"][currency] = amount
    return {"invoices": n_invoices, "payments": n_payments, "states": told}


def reconcile(request: Request) -> Reconciled:
    """Read, explain, settle and decide. The same rows in another order give the same answer."""
    return reconcile_tables(request, read_tables(request.files, request.mapping))


def reconcile_tables(request: Request, read: Read) -> Reconciled:
    """As `reconcile`, of tables that were read."""
    sides = assemble(read.tables)
    found = propose(sides.block)
    model = train(sides.block, found)
    gone = sides.reversals["original"].to_numpy().astype(np.int64)
    settled = settle(sides.block, found, model, gone)
    decisions = decide(sides.block, settled, _with_rates(request.policy, read))
    decided = Decided(sides.block, found, model, settled, decisions)
    return Reconciled(read, sides, decided, answer_of(sides, settled, decisions))


def in_the_future(payments: pl.DataFrame, today: date) -> list[str]:
    """A notice on payments that are booked after tomorrow, which it is elsewhere; no part of a run, which has no clock.

    Args:
        payments: as in `Tables`.
    """
    late = int((payments["date"].cast(pl.Date) > today + timedelta(days=1)).sum())
    return [f"{late:,} payments are booked in the future; their dates may be wrong"] if late else []


def decided_by(found: Reconciled, policy: Policy) -> Answer:
    """The answer under other rules, with the model and the explanations as they are."""
    decisions = decide(found.sides.block, found.run.settled, _with_rates(policy, found.read))
    return answer_of(found.sides, found.run.settled, decisions)


def _with_rates(policy: Policy, read: Read) -> Policy:
    return replace(policy, has_rates=len(read.tables.rates) > 0)


def record_of(request: Request, found: Reconciled) -> dict[str, Any]:
    """The run as JSON: what went in, what came out, and the model that decided; no clock, no name of a machine."""
    return record_from(
        request, (found.read.notices, found.read.mapping), (found.sides, found.run.model), found.figures()
    )


def record_from(
    request: Request,
    told: tuple[Sequence[str], Mapping[str, Any]],
    made: tuple[Sides, Model],
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """As `record_of`. told: notices and columns of what was read. made: both sides, and the model."""
    files = {kind: [str(path.absolute()) for path in paths] for kind, paths in request.files.items()}
    (notices, columns), (sides, model) = told, made
    habits = sides.block.habits
    return {
        "files": files,
        "sha256": digests_of(request.files),
        "map": {kind: dict(fields) for kind, fields in request.mapping.items()},
        "rules": {
            "auto_min": request.policy.auto_min,
            "loss_minor": request.policy.loss_minor,
            "weak_below": request.policy.weak_below,
        },
        "columns": columns,
        "notices": list(notices),
        "model": model.to_dict(),
        "fees": [[sides.codes[code], amount] for code, amount in habits.fees.tolist()],
        "taxes_per_10000": habits.taxes.tolist(),
        **figures,
    }


def digests_of(files: Files) -> dict[str, list[str]]:
    """SHA-256 of each file, in hex, by what it is."""
    return {kind: [file_digest(path) for path in paths] for kind, paths in files.items()}


def require_out(out: Path) -> None:
    """Raise ConfigError: `out` is there and no folder."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; it must name a folder", option="out", got=str(out))


def write_folder(folder: Path, record: Mapping[str, Any], answer: Answer, suffix: str = ".parquet") -> None:
    """Write allocations, exceptions and unapplied, then run.json: a folder with one is complete.

    Args:
        suffix: .parquet, .csv or .xlsx.
    Raises HeadraceError: the folder cannot be written.
    """
    try:
        _write_all(folder, record, answer, suffix)
    except OSError as error:
        raise HeadraceError(f"{folder} cannot be written: {error.strerror}", option="out") from error


def _write_all(folder: Path, record: Mapping[str, Any], answer: Answer, suffix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).unlink(missing_ok=True)
    for name in ("allocations", "exceptions", "unapplied"):
        for other in (".parquet", ".csv", ".xlsx"):
            (folder / f"{name}{other}").unlink(missing_ok=True)
        _write(getattr(answer, name), folder / f"{name}{suffix}")
    part = folder / f".{RUN}.partial"
    part.write_text(json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, folder / RUN)


def _write(frame: pl.DataFrame, path: Path) -> None:
    part = path.with_name(f".{path.name}.partial")
    if path.suffix == ".parquet":
        frame.write_parquet(part)
    elif path.suffix == ".csv":
        escaped_texts(frame).write_csv(part)
    else:
        from core.intake.tables.workbook import write_workbook

        write_workbook(frame.lazy(), part, path)
    os.replace(part, path)


def escaped_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would compute, with an apostrophe before them."""
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    computed = r"^'*[=+\-@\t\r]"
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(computed)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in names
    )

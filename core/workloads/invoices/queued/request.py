"""What a queued reconciliation is asked: one model, shared by the command line, the form in the UI and the job."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from core.workloads.invoices.reconciling.run import Request
from core.workloads.invoices.rules.decide import Policy


class ReconcileRequest(BaseModel):
    """Find which open items each bank line settles, and write what is applied to the database."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoices: str = Field(description="file of open items: CSV, workbook, JSON lines, Parquet")
    payments: tuple[str, ...] = Field(min_length=1, description="a table of bank lines, or files of banks")
    customers: str | None = Field(None, description="file of customers; empty: those of the invoices")
    rates: str | None = Field(None, description="file of dated rates; empty: other currencies are only suggested")
    advices: tuple[str, ...] = Field((), description="remittance advices: EDI 820, remt.001, a table")
    mapping: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="file (or nothing, for all) -> field or setting -> column or value"
    )
    auto_min: float = Field(0.995, gt=0, le=1, description="least posterior of what is applied without a person")
    weak_below: float = Field(0.75, gt=0, le=1, description="posterior below which a suggestion is called weak")
    loss_minor: int | None = Field(None, ge=0, description="most that (1 - posterior) x amount may be, minor units")
    out: str | None = Field(None, description="folder that receives allocations, exceptions, unapplied and run.json")
    format: Literal[".parquet", ".csv", ".xlsx"] = Field(".parquet", description="kind of the files in out")
    tenant: str = Field("default", min_length=1, max_length=100, description="whose receivables")
    batch_records: int = Field(10_000, ge=1, description="lines and items after which a batch ends with its group")
    rerun: bool = Field(False, description="start anew although the same request was answered before")

    def files(self) -> dict[str, list[str]]:
        """Paths by what they are, as a run on this machine has them."""
        single = {"invoices": self.invoices, "customers": self.customers, "rates": self.rates}
        found = {kind: [path] for kind, path in single.items() if path}
        return {**found, "payments": list(self.payments), "advices": list(self.advices)}

    def plain(self) -> Request:
        """The same, as a run on this machine is asked."""
        files = {kind: [Path(path) for path in paths] for kind, paths in self.files().items()}
        policy = Policy(self.auto_min, self.loss_minor, self.weak_below)
        return Request(files, self.mapping, policy)


def job_key(request: ReconcileRequest, digests: Mapping[str, Sequence[str]]) -> str:
    """Name a job by what determines its answer: whose it is, bytes of the files, columns, rules, version of the code.

    Paths, sizes of batches and where the answer goes are left out: a moved file resumes its job.
    """
    names = ("mapping", "auto_min", "weak_below", "loss_minor", "tenant")
    said = {name: getattr(request, name) for name in names} | {"sha256": digests, "version": version("headrace")}
    return "invoices-" + hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

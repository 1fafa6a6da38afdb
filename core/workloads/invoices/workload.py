"""Cash application as a workload: bank lines settle open items."""

from __future__ import annotations

from core.workloads import Workload

FLOW = "invoice-matching"
WORK_QUEUE = "matching"

_CLI = "core.workloads.invoices.cli"

WORKLOAD = Workload(
    name="invoices",
    handlers={FLOW: "core.workloads.invoices.queued.handler:run_any"},
    commands={
        "": (f"{_CLI}.reconcile", f"{_CLI}.import_files"),
        "generate": (f"{_CLI}.generate",),
        "bench": ("core.workloads.invoices.bench.commands",),
    },
    pages="core.workloads.invoices.pages.plug",
    leaves={"allocations": "core.workloads.invoices.publishing.leaves:leaves"},
    warm="core.workloads.invoices.warm:warm",
)

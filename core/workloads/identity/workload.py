"""Identity resolution as a workload: a file of records becomes entities."""

from __future__ import annotations

from core.workloads import Workload

FLOW = "identity-resolution"
WORK_QUEUE = "matching"

_CLI = "core.workloads.identity.cli"

WORKLOAD = Workload(
    name="identity",
    handlers={FLOW: "core.workloads.identity.handler:run_any"},
    commands={
        "": tuple(f"{_CLI}.{noun}" for noun in ("match", "lookup", "explain", "model", "report", "evaluate.command")),
        "generate": (f"{_CLI}.generate",),
        "jobs": (f"{_CLI}.published",),
        "review": (f"{_CLI}.review",),
        "spec": ("core.workloads.identity.suggesting.command",),
        "bench": ("core.workloads.identity.bench.commands",),
    },
    pages="core.workloads.identity.pages.plug",
    ways_on=("headrace report {job} --out job-{job}.html", "headrace explain ID1 ID2 --job {job}"),
)

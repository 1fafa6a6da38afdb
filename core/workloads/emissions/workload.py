"""Scope 3 emissions as a workload."""

from __future__ import annotations

from core.workloads import Workload

_CLI = "core.workloads.emissions.cli"

WORKLOAD = Workload(
    name="emissions",
    commands={
        "": (f"{_CLI}.emissions", f"{_CLI}.factors"),
        "generate": (f"{_CLI}.generate",),
        "bench": ("core.workloads.emissions.bench.commands",),
    },
)

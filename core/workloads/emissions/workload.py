"""Scope 3 emissions as a workload."""

from __future__ import annotations

from core.workloads import Workload

_CLI = "core.workloads.emissions.cli"

WORKLOAD = Workload(
    name="emissions",
    leaves={
        "activity_lines": "core.workloads.emissions.publishing.blocks:activity_leaves",
        "inventory_lines": "core.workloads.emissions.publishing.blocks:inventory_leaves",
    },
    commands={
        "": (f"{_CLI}.emissions", f"{_CLI}.factors"),
        "generate": (f"{_CLI}.generate",),
        "bench": ("core.workloads.emissions.bench.commands",),
    },
)

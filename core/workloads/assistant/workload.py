"""The assistant as a workload: it plans and changes nothing."""

from __future__ import annotations

from core.workloads import Workload

_CLI = "core.workloads.assistant.cli"

WORKLOAD = Workload(name="assistant", commands={"": (f"{_CLI}.ask",), "bench": (f"{_CLI}.bench",)})

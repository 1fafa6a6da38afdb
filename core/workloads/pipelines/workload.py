"""Pipelines as a workload: begun with the check of a spec."""

from __future__ import annotations

from core.workloads import Workload

WORKLOAD = Workload(name="pipelines", commands={"": ("core.workloads.pipelines.cli.check",)})

"""Pipelines as a workload: specs checked, approved and run."""

from __future__ import annotations

from core.workloads import Workload

WORKLOAD = Workload(name="pipelines", commands={"": ("core.workloads.pipelines.cli.check",)})

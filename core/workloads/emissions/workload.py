"""Scope 3 emissions as a workload."""

from __future__ import annotations

from core.workloads import Workload

WORKLOAD = Workload(name="emissions", commands={"": ("core.workloads.emissions.cli.emissions",)})

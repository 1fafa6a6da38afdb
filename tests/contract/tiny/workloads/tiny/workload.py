"""Counting vowels as a workload."""

from __future__ import annotations

from core.metrics.catalog import Metric
from core.workloads import Workload

FLOW = "tiny"
WORK_QUEUE = "validation"

_HERE = "tests.contract.tiny.workloads.tiny"

WORKLOAD = Workload(
    name="tiny",
    handlers={FLOW: f"{_HERE}.handler:count"},
    commands={"": (f"{_HERE}.cli.vowels",), "generate": (f"{_HERE}.cli.texts",)},
    pages=f"{_HERE}.pages",
    metrics=(Metric("headrace_tiny_texts", "gauge", "rows", (), "texts whose vowels were counted", "web"),),
    samples=f"{_HERE}.samples:samples",
    warm=f"{_HERE}.kernels:warm",
)

"""The registry and the port of workloads: one line in NAMES, one folder, and whatever is made from them.

The command tree, the consumer, the web app and the metrics page take a list of workloads, whose default is the
registry; nothing else names one. A list names modules and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from core.metrics.catalog import CATALOG, Metric

NAMES = ("identity",)
"""The one registry line of a new workload."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the platform is told about a kind of work.

    name: of its folder, of its files sql/<name>*.sql, of its pages below /<name> and its API below /api/v1/<name>.
    handlers: flow of the queue -> "module:function" that does any of its batches.
    commands: "" or a group ("generate", "bench", "jobs", "review") -> modules with `register(group: typer.Typer)`.
    pages: module with `router` and `api`, FastAPI routers of its pages and of its API.
    metrics: what it measures. samples: "module:function" that reads them, from a DatabaseManager to `Samples`.
    warm: "module:function" that compiles its kernels.
    """

    name: str
    handlers: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pages: str | None = None
    metrics: tuple[Metric, ...] = ()
    samples: str | None = None
    warm: str | None = None


def workloads(names: Iterable[str] = NAMES, package: str = "core.workloads") -> list[Workload]:
    """The `WORKLOAD` of `<package>.<name>.workload` for each name.

    Cost: one small module each.
    """
    return [import_module(f"{package}.{name}.workload").WORKLOAD for name in names]


def handlers_of(found: Sequence[Workload]) -> dict[str, str]:
    """Flow -> handler, over all workloads."""
    return {flow: handler for workload in found for flow, handler in workload.handlers.items()}


def catalog_of(found: Sequence[Workload]) -> dict[str, Metric]:
    """Every metric by its name: the platform's and the workloads'."""
    return {**CATALOG, **{metric.name: metric for workload in found for metric in workload.metrics}}


def named(what: str) -> Any:
    """The function that "module:function" names, imported now."""
    module, _, function = what.partition(":")
    return getattr(import_module(module), function)

"""The registry and the port of workloads: one line in NAMES, one folder, and whatever is made from them.

The command tree, the consumer, the web app and the metrics page take a list of workloads, whose default is the
registry; nothing else names one. A list names modules and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError
from core.metrics.catalog import CATALOG, Metric

if TYPE_CHECKING:
    from core.database import DatabaseManager
    from core.metrics.export import Samples
    from core.review.audit.leaves import LeafSource

NAMES = ("assistant", "emissions", "identity", "invoices", "pipelines")
"""The one registry line of a new workload."""
OWN_LEAVES = {"review_verdicts": "core.review.verdicts:leaves"}
"""Leaves of the ledger that all workloads share."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the platform is told about a kind of work.

    name: of its folder, of its files sql/<name>*.sql, of its pages below /<name> and its API below /api/v1/<name>.
    handlers: flow of the queue -> "module:function" that does any of its batches.
    commands: "" or a group ("generate", "bench", "jobs", "review") -> modules with `register(group: typer.Typer)`.
    pages: module with `router` and `api`, FastAPI routers of its pages and of its API.
    metrics: what the web app shows of it. samples: "module:function" that reads all of them and nothing else, from a
        DatabaseManager to `Samples`.
    warm: "module:function" that compiles its kernels.
    leaves: its tables that keep leaves of the ledger -> "module:function" that gives them, a `LeafSource` of
        core.review.audit.leaves.
    ways_on: commands, with {job} for its number, that show what a job of its flows found once that is done.
    """

    name: str
    handlers: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pages: str | None = None
    metrics: tuple[Metric, ...] = ()
    samples: str | None = None
    warm: str | None = None
    ways_on: tuple[str, ...] = ()
    leaves: Mapping[str, str] = field(default_factory=dict)


def workloads(names: Iterable[str] = NAMES, package: str = "core.workloads") -> list[Workload]:
    """The `WORKLOAD` of `<package>.<name>.workload` for each name.

    Raises ConfigError: it calls itself otherwise than its folder.
    Cost: one small module each.
    """
    found: list[Workload] = []
    for name in names:
        workload: Workload = import_module(f"{package}.{name}.workload").WORKLOAD
        if workload.name != name:
            raise ConfigError(f"the workload in the folder {name} calls itself {workload.name}; they must be the same")
        found.append(workload)
    return found


def handlers_of(found: Sequence[Workload]) -> dict[str, str]:
    """Flow -> handler, over all workloads. Raises ConfigError: two of them name one flow."""
    owners: dict[str, Workload] = {}
    for workload in found:
        for flow in workload.handlers:
            if flow in owners:
                raise ConfigError(
                    f"the workloads {owners[flow].name} and {workload.name} both have the flow {flow}; one of them "
                    "needs another name"
                )
            owners[flow] = workload
    return {flow: owner.handlers[flow] for flow, owner in owners.items()}


def leaves_of(found: Sequence[Workload]) -> dict[str, LeafSource]:
    """Table -> who gives the leaves of the ledger that it keeps: the platform's, and those of workloads.

    Raises ConfigError: two workloads name one table.
    """
    sources: dict[str, LeafSource] = {table: named(function) for table, function in OWN_LEAVES.items()}
    for workload in found:
        if twice := sorted(sources.keys() & workload.leaves):
            raise ConfigError(f"the workload {workload.name} keeps leaves in {twice[0]}, as another does")
        sources |= {table: named(function) for table, function in workload.leaves.items()}
    return sources


def catalog_of(found: Sequence[Workload]) -> dict[str, Metric]:
    """Every metric by its name: the platform's and the workloads'.

    Raises ConfigError: a name is taken, or nothing reads the values of a workload's metrics.
    """
    catalog, owners = dict(CATALOG), dict.fromkeys(CATALOG, "the platform")
    for workload in found:
        if workload.metrics and workload.samples is None:
            raise ConfigError(f"the workload {workload.name} has metrics and names no function as their `samples`")
        for metric in workload.metrics:
            _require_shown(metric, workload, owners.get(metric.name))
            catalog[metric.name], owners[metric.name] = metric, f"the workload {workload.name}"
    return catalog


def samples_of(found: Sequence[Workload], db: DatabaseManager) -> Samples:
    """Values of the workloads' metrics. Raises ConfigError: one gives values of what is not its own; StoreError."""
    samples: dict[str, Any] = {}
    for workload in found:
        if workload.samples is None:
            continue
        given = named(workload.samples)(db)
        if strange := sorted(set(given) - {metric.name for metric in workload.metrics}):
            raise ConfigError(
                f"the workload {workload.name} gives values of {strange[0]}, which is none of its metrics"
            )
        samples |= given
    return samples


def named(what: str) -> Any:
    """The function that "module:function" names, imported now."""
    module, _, function = what.partition(":")
    return getattr(import_module(module), function)


def _require_shown(metric: Metric, workload: Workload, owner: str | None) -> None:
    if owner is not None:
        raise ConfigError(
            f"{owner} has a metric {metric.name} already; the workload {workload.name} needs another name"
        )
    if metric.source != "web":
        # A consumer's page shows what its process has counted; it does not know what handlers do.
        raise ConfigError(
            f"the metric {metric.name} of the workload {workload.name} is said to be of a {metric.source}; the web app "
            "shows those of workloads, from the database: its source must be web"
        )

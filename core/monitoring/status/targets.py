"""Targets by environment, and whether the figures meet them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.monitoring.status.figures import Status, Work

Verdict = Literal["met", "missed", "critical", "no data"]

RECORD_ROWS = 200
"""A flow whose live batches hold at most so many rows on average is one of records: its depth is judged in rows, that
of others by the time to drain it."""

DRAIN_S = 3_600.0

EXIT_CODES: Mapping[Verdict, int] = {"met": 0, "no data": 0, "missed": 1, "critical": 3}


@dataclass(frozen=True, slots=True)
class Targets:
    """What an environment has to reach: at least these percent and rows an hour, at most these times and depths."""

    success_percent: float
    rows_per_hour: float
    record_min: float
    answer_ms: float
    depth_rows: float


BY_ENVIRONMENT: Mapping[str, Targets] = {
    "DEVELOPMENT": Targets(95, 50, 5, 500, 100),
    "STAGING": Targets(98, 200, 2, 200, 500),
    "PRODUCTION": Targets(99, 1_000, 1, 100, 1_000),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """A target and, where there is one, the limit beyond which it is critical; `least`: more is better."""

    unit: str
    target: float
    critical: float | None = None
    least: bool = False

    @property
    def words(self) -> str:
        """As a table shows it."""
        return f"{'>=' if self.least else '<='} {self.target:g}"

    def verdict(self, value: float) -> Verdict:
        """Of a value that is known."""
        sign = -1 if self.least else 1
        if self.critical is not None and sign * value > sign * self.critical:
            return "critical"
        return "missed" if sign * value > sign * self.target else "met"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure beside its target. `value` None: no data, which is neither met nor missed; `note` says why."""

    name: str
    value: float | None
    unit: str
    target: str
    verdict: Verdict
    note: str = ""


def targets_of(environment: str) -> Targets:
    """Those of DEVELOPMENT where an environment has none of its own."""
    return BY_ENVIRONMENT.get(environment.upper(), BY_ENVIRONMENT["DEVELOPMENT"])


def kpis(status: Status, environment: str) -> list[Kpi]:
    """Every figure that has a target, in the order in which one would look."""
    goal, ended, server = targets_of(environment), status.ended, status.server
    nothing = f"nothing ended within {status.hours:g} h"
    rate = ended.rows_per_hour if status.overall.backlog_rows else None
    of_records = [flow for flow in status.flows.values() if is_of_records(flow)]
    depth = float(sum(flow.backlog_rows for flow in of_records)) if of_records else None
    load = max((host.load for host in status.hosts if host.load is not None), default=None)
    drain_s, drain_note = _drain(status)
    return [
        _judged("success", ended.success_percent, Goal("%", goal.success_percent, least=True), nothing),
        _judged("rate", rate, Goal("rows/h", goal.rows_per_hour, least=True), "nothing waits"),
        _judged("time a record", ended.record_min, Goal("min", goal.record_min), nothing),
        _judged("database answer", server.answer_ms, Goal("ms", goal.answer_ms)),
        _judged("depth", depth, Goal("rows", goal.depth_rows), "no batch of a flow of records is live"),
        _judged("time to drain", drain_s, Goal("s", DRAIN_S), drain_note),
        _judged("CPU", None if load is None else 100 * load, Goal("%", 70, 90), "no consumer beats"),
        _judged("connections", 100 * server.connections / server.connections_max, Goal("%", 80, 95)),
        _judged("memory", None, Goal("%", 80, 95), "of workers, each consumer watches its own"),
        _judged("API p95", None, Goal("ms", 500, 2_000), "not measured"),
        _judged("cache hits", None, Goal("%", 70, 40, least=True), "each process counts its own"),
    ]


def exit_code(found: Sequence[Kpi]) -> int:
    """0: all met, or no data; 1: one is missed; 3: one is critical."""
    return max((EXIT_CODES[kpi.verdict] for kpi in found), default=0)


def is_of_records(flow: Work) -> bool:
    """Whether a flow's depth is judged in rows."""
    live = flow.ready_batches + flow.running_batches
    return live > 0 and flow.backlog_rows <= RECORD_ROWS * live


def _drain(status: Status) -> tuple[float | None, str]:
    """The latest end of the flows of batches, in seconds, or why it is not known."""
    waiting = [flow for flow in status.flows.values() if flow.backlog_rows and not is_of_records(flow)]
    if not waiting:
        return None, "no flow of batches waits"
    unsure = [flow for flow in waiting if flow.eta_s is None or flow.eta_s[1] is None]
    if unsure:
        return None, f"no end is sure of {len(unsure)} of {len(waiting)} flows"
    return max(flow.eta_s[1] or 0.0 for flow in waiting if flow.eta_s), ""


def _judged(name: str, value: float | None, goal: Goal, missing: str = "") -> Kpi:
    if value is None:
        return Kpi(name, None, goal.unit, goal.words, "no data", missing)
    return Kpi(name, round(value, 3), goal.unit, goal.words, goal.verdict(value))

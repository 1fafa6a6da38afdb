"""What one reading of the database says about rates, times and the end of the work; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles, stdev

from core.monitoring.queue_report import Health
from core.monitoring.top import FlowReading

SPANS = 10
"""The window is cut into so many equal parts: how much their rates differ says how sure the rate of all is."""

SURE = 2.0
"""Ends of a range lie so many standard errors from the mean."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One ended attempt; `n_rows` ended with it for good."""

    flow_name: str
    age_s: float
    wall_ms: float
    cpu_ms: float
    n_rows: int


@dataclass(frozen=True, slots=True)
class Host:
    """A machine with workers that beat. `load`: processes that run or wait, by core; None: its cores are not known."""

    host: str
    workers: int
    n_leases: int
    load: float | None
    silent_s: float


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the server counts it since its counters were reset; `text` without values."""

    text: str
    calls: int
    total_ms: float
    mean_ms: float
    rows: int


@dataclass(frozen=True, slots=True)
class Server:
    """The database: what a trivial statement takes, connections of all clients, and the statements that cost most.

    `lost`: why there are no statements, in words.
    """

    answer_ms: float
    connections: int
    connections_max: int
    statements: tuple[Statement, ...] = ()
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Rows that ended for good within a number of hours; percent and minutes are None where none did."""

    n_rows: int = 0
    n_failed: int = 0
    rows_per_hour: float = 0.0
    success_percent: float | None = None
    record_min: float | None = None
    # What most failed rows died of.
    error_class: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second with the range in which it lies at two standard errors."""

    per_s: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Work:
    """How a flow fares, or all of them; times are None where no attempt ended within the window.

    `batch_rows`: rows of an attempt, the median; 0 without one. `batch_s`, `batch_p95_s`: wall time of an attempt.
    `cpu_share`: CPU time of the workers by wall time, 1.0 = busy.
    `eta_s`: (soonest, latest) until the backlog is gone at that rate if nothing comes in; the second is None where no
    end is sure, the whole where none is in sight.
    """

    backlog_rows: int
    ready_batches: int
    running_batches: int
    oldest_age_s: float
    paused: bool
    attempts: int
    rate: Rate | None
    batch_rows: float
    batch_s: float | None
    batch_p95_s: float | None
    cpu_share: float | None
    eta_s: tuple[float, float | None] | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment. `at_s`: the server's clock, seconds since 1970; `hours`: what `ended` looks back on."""

    at_s: float
    hours: float
    health: Health
    overall: Work
    flows: dict[str, Work]
    ended: Ended
    ended_by_flow: dict[str, Ended]
    hosts: tuple[Host, ...]
    server: Server
    issues: tuple[str, ...] = field(default=())

    @property
    def workers(self) -> int:
        """Processes that beat."""
        return sum(host.workers for host in self.hosts)


def work(flows: Sequence[FlowReading], attempts: Sequence[Attempt], span_s: float) -> Work:
    """Figures of one flow, or of several as one.

    Args:
        attempts: of these flows, all that ended within the last `span_s` seconds.
    """
    walls = [attempt.wall_ms / 1e3 for attempt in attempts]
    wall_s = sum(walls)
    backlog = sum(flow.backlog_rows for flow in flows)
    rate = rate_of(attempts, span_s)
    return Work(
        backlog_rows=backlog,
        ready_batches=sum(flow.ready_batches for flow in flows),
        running_batches=sum(flow.running_batches for flow in flows),
        oldest_age_s=max((flow.oldest_age_s for flow in flows), default=0.0),
        paused=bool(flows) and all(flow.paused for flow in flows),
        attempts=len(attempts),
        rate=rate,
        batch_rows=median([attempt.n_rows for attempt in attempts]) if attempts else 0.0,
        batch_s=median(walls) if walls else None,
        batch_p95_s=p95(walls) if walls else None,
        cpu_share=sum(attempt.cpu_ms for attempt in attempts) / 1e3 / wall_s if wall_s else None,
        eta_s=eta(backlog, rate),
    )


def rate_of(attempts: Sequence[Attempt], span_s: float) -> Rate | None:
    """Rows a second over the last `span_s` seconds; None where nothing ended, or the span is no span."""
    if not attempts or span_s <= 0:
        return None
    part_s = span_s / SPANS
    rows = [0.0] * SPANS
    for attempt in attempts:
        rows[min(int(max(attempt.age_s, 0.0) / part_s), SPANS - 1)] += attempt.n_rows
    rates = [n / part_s for n in rows]
    mean, error = fmean(rates), stdev(rates) / SPANS**0.5
    return Rate(mean, max(mean - SURE * error, 0.0), mean + SURE * error)


def eta(backlog_rows: int, rate: Rate | None) -> tuple[float, float | None] | None:
    """(soonest, latest) in seconds; (0, 0) where nothing waits."""
    if backlog_rows == 0:
        return 0.0, 0.0
    if rate is None or rate.high <= 0:
        return None
    return backlog_rows / rate.high, backlog_rows / rate.low if rate.low > 0 else None


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not pass, between neighbours; that of a single one is itself."""
    return values[0] if len(values) == 1 else quantiles(values, n=20, method="inclusive")[-1]

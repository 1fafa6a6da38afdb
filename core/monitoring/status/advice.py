"""What to do about the figures: at most three suggestions, each with its evidence and the command to run; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from shlex import quote

from core.monitoring.status.figures import Host, Status, Work
from core.monitoring.status.targets import Targets, targets_of

SUGGESTIONS_MAX = 3
BATCH_ROWS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is said.

    `busy_share`: CPU by wall time of attempts above which workers compute all the time; `idle_share`: below which they
    wait. `full_load`: load by core of a host that has no core to spare. `short_batch_s`: below which the work around a
    batch weighs too much, and `good_batch_s` what it should take. `attempts_min`: ended attempts below which times say
    nothing. `drain_s`: within which a backlog should be done.
    """

    busy_share: float = 0.85
    idle_share: float = 0.3
    full_load: float = 0.9
    short_batch_s: float = 0.1
    good_batch_s: float = 1.0
    attempts_min: int = 10
    drain_s: float = 3_600.0


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to do for a flow, why, and how."""

    flow: str
    says: str
    evidence: str
    command: str


def suggestions(status: Status, environment: str, limits: Thresholds = THRESHOLDS) -> list[Suggestion]:
    """The most pressing first: what stands still, what fails, what is late, what could be faster."""
    goal = targets_of(environment)
    # One a flow: the first is the cause of the others.
    found: dict[str, Suggestion] = {}
    for rule in _RULES:
        for suggestion in rule(status, goal, limits):
            found.setdefault(suggestion.flow, suggestion)
    return list(found.values())[:SUGGESTIONS_MAX]


def _waiting(status: Status) -> Iterator[tuple[str, Work]]:
    """Flows that are late or not, the largest backlog first."""
    for name, flow in sorted(status.flows.items(), key=lambda pair: -pair[1].backlog_rows):
        if flow.backlog_rows and not flow.paused:
            yield name, flow


def _measured(status: Status, limits: Thresholds) -> Iterator[tuple[str, Work]]:
    return ((name, flow) for name, flow in _waiting(status) if flow.attempts >= limits.attempts_min)


def _paused(status: Status, _goal: Targets, _limits: Thresholds) -> Iterator[Suggestion]:
    for name, flow in status.flows.items():
        if flow.paused and flow.backlog_rows:
            yield Suggestion(
                name,
                "the flow is paused: look why, then resume it",
                f"{flow.backlog_rows:,} rows wait",
                f"headrace queue resume {quote(name)}",
            )


def _nobody_works(status: Status, _goal: Targets, _limits: Thresholds) -> Iterator[Suggestion]:
    for name, flow in _waiting(status):
        if not status.workers and not flow.running_batches and not flow.attempts:
            yield Suggestion(
                name,
                "nobody works: start a consumer",
                f"{flow.backlog_rows:,} rows wait, no worker beats",
                f"headrace consume --flow {quote(name)}",
            )


def _fails(status: Status, goal: Targets, _limits: Thresholds) -> Iterator[Suggestion]:
    for name, ended in status.ended_by_flow.items():
        if ended.success_percent is not None and ended.success_percent < goal.success_percent:
            most = f", most of them {ended.error_class}" if ended.error_class else ""
            yield Suggestion(
                name,
                f"too many rows fail: success is below {goal.success_percent:g} %",
                f"{ended.n_failed:,} of {ended.n_rows:,} rows failed within {status.hours:g} h{most}",
                f"headrace queue dead --flow {quote(name)}",
            )


def _short(status: Status, _goal: Targets, limits: Thresholds) -> Iterator[Suggestion]:
    for name, flow in _measured(status, limits):
        if flow.batch_s is not None and flow.batch_s < limits.short_batch_s:
            rows = min(max(round(flow.batch_rows * limits.good_batch_s / max(flow.batch_s, 1e-3)), 1), BATCH_ROWS_MAX)
            yield Suggestion(
                name,
                "batches are short, and what is around them weighs: enqueue more rows in each",
                f"half of {flow.attempts:,} attempts took less than {flow.batch_s * 1e3:.0f} ms",
                f"export HEADRACE_QUEUE__BATCH_ROWS={rows}",
            )


def _computes(status: Status, _goal: Targets, limits: Thresholds) -> Iterator[Suggestion]:
    full = _full_host(status, limits)
    for name, flow in _late(status, limits):
        if flow.cpu_share is not None and flow.cpu_share >= limits.busy_share:
            seen = f"workers compute {flow.cpu_share:.0%} of the time, {_end(flow)}"
            if full is not None and full.load is not None:
                more = "the work is bound by CPU and no core is idle: add a machine"
                yield Suggestion(
                    name, more, f"{seen}; load by core {full.load:.1f}", f"headrace consume --flow {quote(name)}"
                )
            else:
                yield Suggestion(name, "the work is bound by CPU: add consumers", seen, _scale(name, status))


def _waits(status: Status, _goal: Targets, limits: Thresholds) -> Iterator[Suggestion]:
    for name, flow in _late(status, limits):
        if flow.cpu_share is not None and flow.cpu_share < limits.idle_share:
            yield Suggestion(
                name,
                "workers wait for something else: start more processes than cores",
                f"they compute {flow.cpu_share:.0%} of the time, {_end(flow)}",
                f"headrace consume --flow {quote(name)} --processes 8",
            )


def _late_ones(status: Status, _goal: Targets, limits: Thresholds) -> Iterator[Suggestion]:
    for name, flow in _late(status, limits):
        yield Suggestion(
            name,
            "the backlog lasts long: add consumers",
            f"{flow.backlog_rows:,} rows, {_end(flow)}",
            _scale(name, status),
        )


def _late(status: Status, limits: Thresholds) -> Iterator[tuple[str, Work]]:
    """Flows whose backlog surely lasts too long."""
    for name, flow in _measured(status, limits):
        if flow.eta_s is not None and flow.eta_s[0] > limits.drain_s:
            yield name, flow


def _full_host(status: Status, limits: Thresholds) -> Host | None:
    """The least loaded host, if even that is full."""
    known = [host for host in status.hosts if host.load is not None]
    idlest = min(known, key=lambda host: host.load or 0.0, default=None)
    return idlest if idlest is not None and (idlest.load or 0.0) >= limits.full_load else None


def _scale(name: str, status: Status) -> str:
    return f"headrace scale run --flow {quote(name)} --max {max(2 * status.workers, 2)}"


def _end(flow: Work) -> str:
    soonest = flow.eta_s[0] if flow.eta_s is not None else 0.0
    return f"done in {soonest / 3600:.1f} h at the soonest"


_RULES: tuple[Callable[[Status, Targets, Thresholds], Iterator[Suggestion]], ...] = (
    _paused,
    _nobody_works,
    _fails,
    _computes,
    _waits,
    _late_ones,
    _short,
)

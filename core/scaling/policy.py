"""The rule of scaling: what waits and runs, and who works, in; the wanted number of consumers and the reason, out.

Pure: no clock, no database. Time comes in with the signals, and what must be remembered goes out with the decision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from core.errors import ConfigError

Kind = Literal["batch", "record"]

# What Kubernetes' own autoscaler allows at once from few: the greater of four and double.
SURGE_FIRST = 4
SURGE_FACTOR = 2
HYSTERESIS = 0.10
# Assumed of a batch until one was measured: what batches are cut to take (core.queue.producers.batch_size).
BATCH_S_UNKNOWN = 3.0
# Fewer ended consumers than that say nothing about whether consumers work at all.
BREAKER_ENDED_MIN = 4


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds and aims of one flow's consumers.

    `kind` batch: what waits is counted in batches, and consumers leave by themselves when nothing is left. `kind`
    record: it is counted in records, `depth_per_consumer` of them each, and somebody is always there.
    `drain_target_s`: within which a backlog should be done. `oldest_s`: age above which one more is wanted.
    `cool_up_s`: pause between two rises. `down_after_s`: so long fewer must have been enough before fewer are wanted.
    Raises ConfigError where a bound makes no sense.
    """

    kind: Kind = "batch"
    min_consumers: int = 0
    max_consumers: int = 10
    drain_target_s: float = 60.0
    depth_per_consumer: int = 100
    oldest_s: float = 120.0
    cool_up_s: float = 15.0
    down_after_s: float = 30.0

    def __post_init__(self) -> None:
        if self.min_consumers < 0 or self.max_consumers < 1:
            raise ConfigError(
                f"min is {self.min_consumers} and max {self.max_consumers} consumers; they must be at least 0 and 1"
            )
        if self.min_consumers > self.max_consumers:
            raise ConfigError(
                f"min is {self.min_consumers} consumers and max {self.max_consumers}: raise max or lower min",
                min_consumers=self.min_consumers,
                max_consumers=self.max_consumers,
            )
        for field in fields(self):
            value = getattr(self, field.name)
            bad_time = field.name.endswith("_s") and not 0 <= value < math.inf
            if bad_time or (field.name in {"drain_target_s", "depth_per_consumer"} and value <= 0):
                raise ConfigError(f"{field.name} is {value}; it must be a positive number", field=field.name)


def for_batches(**changed: float) -> Policy:
    """For flows whose consumers come and go: none while there is nothing to do."""
    return Policy(**({"kind": "batch"} | changed))  # type: ignore[arg-type]


def for_records(**changed: float) -> Policy:
    """For flows of single records: one to ten, down after five minutes."""
    usual = {"kind": "record", "min_consumers": 1, "max_consumers": 10, "down_after_s": 300.0}
    return Policy(**(usual | changed))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Signals:
    """What the queue shows at `at_s` (seconds, any fixed origin): batches and items that are due, and those in hand.

    Leased ones are counted whether their lease is alive or not. `oldest_age_s`: None where nothing waits. `batch_s`:
    seconds one consumer takes for a batch, `items_per_s` its speed, both lately; None: not known.
    `running_most`: batches that may run at once (the flow's max_running); None: any number. `items_per_s_most`: items
    that are handed out in a second (the flow's rows_per_s); None: any number.
    """

    at_s: float
    ready_batches: int
    leased_batches: int
    ready_items: int = 0
    leased_items: int = 0
    oldest_age_s: float | None = None
    batch_s: float | None = None
    items_per_s: float | None = None
    running_most: int | None = None
    items_per_s_most: float | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """Consumers there are: at work, on their way, and how those that ended lately ended."""

    working: int = 0
    starting: int = 0
    ended_well: int = 0
    ended_badly: int = 0

    @property
    def active(self) -> int:
        """Those that take, or will take, batches."""
        return self.working + self.starting


@dataclass(frozen=True, slots=True)
class Memory:
    """For the next decision: when the last rise was, and since when fewer would do; on the signals' clock."""

    up_at_s: float | None = None
    below_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`need`: before brakes; `desired`: what to bring about; `reason`: both in words; `memory`: for the next time."""

    need: int
    desired: int
    reason: str
    memory: Memory


def decide(signals: Signals, fleet: Fleet, policy: Policy, memory: Memory) -> Decision:
    """The wanted number of consumers.

    need = ceil((ready + leased) / target), target = drain_target_s / batch_s batches (or depth_per_consumer records),
    one more where the oldest waits longer than `oldest_s`, never above ready + leased, what may run at once, or what a
    limit of rows a second keeps busy, within [min, max]. Then the brakes: a rise at most doubles (from few: to four)
    and comes `cool_up_s` after the last one; a difference of up to a tenth changes nothing; fewer are wanted only after
    `down_after_s`. Where most of the consumers that ended lately failed, none is added.
    """
    need, said = _need(signals, policy)
    active = fleet.active
    if need > active:
        desired, brake = _rise(need, signals.at_s, fleet, policy, memory)
        below_since = None
    elif need < active:
        below_since = signals.at_s if memory.below_since_s is None else memory.below_since_s
        desired, brake = _fall(need, signals, active, policy, below_since)
    else:
        desired, brake, below_since = need, "", None
    up_at = signals.at_s if desired > active else memory.up_at_s
    return Decision(need, desired, said + brake, Memory(up_at, below_since))


def _need(signals: Signals, policy: Policy) -> tuple[int, str]:
    if policy.kind == "batch":
        ready, leased, unit = signals.ready_batches, signals.leased_batches, "batches"
        batch_s = BATCH_S_UNKNOWN if signals.batch_s is None else max(signals.batch_s, 1e-3)
        per_consumer = policy.drain_target_s / batch_s
        how = (
            f"{batch_s:.3g} s each{'' if signals.batch_s else ' (assumed)'}, to be done in {policy.drain_target_s:g} s"
        )
    else:
        ready, leased, unit = signals.ready_items, signals.leased_items, "records"
        per_consumer = float(policy.depth_per_consumer)
        how = f"{policy.depth_per_consumer:,} a consumer"
    load = ready + leased
    if load == 0:
        floor = policy.min_consumers
        return floor, f"nothing waits or runs: {_n(floor)}"
    # A quotient that is whole but for rounding must not become one more.
    need = math.ceil(load / per_consumer - 1e-9)
    said = f"{ready:,} {unit} wait and {leased:,} run, {how}: {_n(need)}"
    if ready and signals.oldest_age_s is not None and signals.oldest_age_s > policy.oldest_s:
        need += 1
        said += f"; the oldest waits {signals.oldest_age_s:.0f} s, more than {policy.oldest_s:g}: one more"
    if need > load:
        need = load
        said += f"; never more than there are {unit}: {need}"
    if signals.running_most is not None and need > signals.running_most:
        need = signals.running_most
        said += f"; the flow's max_running is {need}"
    if (fed := _fed(signals)) is not None and need > fed:
        need = fed
        said += f"; the flow's limit of {signals.items_per_s_most:g} rows a second keeps no more busy: {need}"
    bounded = min(max(need, policy.min_consumers), policy.max_consumers)
    if bounded != need:
        said += f"; {'at least' if bounded > need else 'at most'} {bounded}"
    return bounded, said


def _fed(signals: Signals) -> int | None:
    """Consumers that a limit of rows a second keeps busy, at least one; None: no limit, or no speed was measured."""
    if signals.items_per_s_most is None or not signals.items_per_s:
        return None
    # Kept a float until it is bounded: consumers may be as good as infinitely slow.
    return math.ceil(min(max(signals.items_per_s_most / signals.items_per_s - 1e-9, 1.0), 1e9))


def _rise(need: int, at_s: float, fleet: Fleet, policy: Policy, memory: Memory) -> tuple[int, str]:
    """How much of a rise is allowed now, and what held the rest back."""
    active = fleet.active
    ended = fleet.ended_well + fleet.ended_badly
    if ended >= BREAKER_ENDED_MIN and 2 * fleet.ended_badly > ended:
        return active, f"; none is added, {fleet.ended_badly} of the last {ended} failed: there are {active}"
    if active >= policy.min_consumers and need - active <= HYSTERESIS * active:
        return active, f"; within a tenth of the {active} there are"
    waited_s = math.inf if memory.up_at_s is None else at_s - memory.up_at_s
    # With nobody there waiting longer helps no one; a clock that was set back must not block.
    if active and 0 <= waited_s < policy.cool_up_s:
        return active, f"; the last rise was {waited_s:.0f} s ago, {policy.cool_up_s:g} s are awaited: {active} stay"
    most = max(SURGE_FACTOR * active, SURGE_FIRST, policy.min_consumers)
    if need > most:
        return most, f"; at once at most {most}, there are {active}"
    return need, ""


def _fall(need: int, signals: Signals, active: int, policy: Policy, below_since_s: float) -> tuple[int, str]:
    """How many fewer may be wanted now, and what holds the rest."""
    load = signals.ready_batches + signals.leased_batches
    held = min(active, policy.max_consumers)
    if policy.kind == "batch":
        held = min(held, max(load, policy.min_consumers))
    if active - need <= HYSTERESIS * active:
        return held, f"; within a tenth of the {active} there are"
    below_s = signals.at_s - below_since_s
    if below_s < policy.down_after_s and held > need:
        return held, f"; fewer only after {policy.down_after_s:g} s, it is {max(below_s, 0):.0f} s: {held}"
    return need, ""


def _n(consumers: int) -> str:
    return "1 consumer" if consumers == 1 else f"{consumers:,} consumers"

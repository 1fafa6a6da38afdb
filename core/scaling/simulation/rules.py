"""Rules that can be compared: ours, the threshold rule, KEDA's formula under Kubernetes' autoscaler, a fixed number."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.scaling.policy import Fleet, Memory, Policy, Signals, decide
from core.scaling.processes import IDLE_EXIT_S

# What a fall does: those on their way are called off; or those at work finish their batch and go too.
Stops = Literal["starting", "working"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule may look at. `batch_s`: measured so far, None before the first batch ended; `more`: the future."""

    at_s: float
    ready: int
    leased: int
    oldest_age_s: float | None
    batch_s: float | None
    working: int
    starting: int
    more: bool


class Rule(Protocol):
    """Looks every `tick_s`, at once when work comes if `woken`; consumers leave by themselves after `idle_exit_s`."""

    name: str
    tick_s: float
    woken: bool
    idle_exit_s: float | None
    stops: Stops

    def want(self, seen: Seen) -> int:
        """The wanted number of consumers."""


@dataclass
class Ours:
    """core.scaling.policy as it runs."""

    policy: Policy
    tick_s: float = 5.0
    name: str = "headrace"
    woken: bool = True
    idle_exit_s: float | None = IDLE_EXIT_S
    stops: Stops = "starting"
    memory: Memory = field(default_factory=Memory)

    def want(self, seen: Seen) -> int:
        """One decision."""
        signals = Signals(seen.at_s, seen.ready, seen.leased, oldest_age_s=seen.oldest_age_s, batch_s=seen.batch_s)
        told = decide(signals, Fleet(seen.working, seen.starting), self.policy, self.memory)
        self.memory = told.memory
        return told.desired


@dataclass
class Threshold:
    """Up by one above 200 that wait, down by one below 50, five minutes between two steps, at least one."""

    max_consumers: int
    tick_s: float = 15.0
    name: str = "threshold"
    woken: bool = False
    idle_exit_s: float | None = None
    stops: Stops = "working"
    high: int = 200
    low: int = 50
    pause_s: float = 300.0
    stepped_at_s: float = -math.inf

    def want(self, seen: Seen) -> int:
        """One step, or none."""
        active = seen.working + seen.starting
        step = (seen.ready > self.high) - (seen.ready < self.low)
        wanted = min(max(active + step, 1), self.max_consumers)
        if active == 0 or (wanted != active and seen.at_s - self.stepped_at_s >= self.pause_s):
            self.stepped_at_s = seen.at_s if active else self.stepped_at_s
            return wanted
        return active


@dataclass
class Keda:
    """A ScaledObject on `queue_backlog()`: ceil(backlog / target) under the autoscaler's own limits.

    From zero to one by KEDA's poll; then a tenth of tolerance, up by the greater of four and double in 15 s, down to
    the highest wish of the last 300 s, to zero 300 s after the backlog was last seen: all documented defaults, with
    the poll set to 15 s. `target` is the best one: batches a consumer does within our drain target.
    """

    max_consumers: int
    target: float
    tick_s: float = 15.0
    name: str = "keda"
    woken: bool = False
    idle_exit_s: float | None = None
    stops: Stops = "working"
    hold_s: float = 300.0
    wishes: deque[tuple[float, int]] = field(default_factory=deque)
    seen_at_s: float = -math.inf

    def want(self, seen: Seen) -> int:
        """The replicas of the Deployment."""
        active, backlog = seen.working + seen.starting, seen.ready + seen.leased
        if backlog:
            self.seen_at_s = seen.at_s
        if active == 0:
            self.wishes.clear()
            return 1 if backlog else 0
        if seen.at_s - self.seen_at_s >= self.hold_s:
            return 0
        ratio = backlog / (active * self.target)
        wish = active if abs(ratio - 1) <= 0.1 else math.ceil(backlog / self.target - 1e-9)
        wish = min(max(wish, 1), self.max_consumers)
        self.wishes.append((seen.at_s, wish))
        while self.wishes[0][0] < seen.at_s - self.hold_s:
            self.wishes.popleft()
        if wish >= active:
            return min(wish, max(active + 4, 2 * active))
        return min(active, max(wished for _, wished in self.wishes))


@dataclass
class Fixed:
    """As many from the first moment on, none after the last batch: what one who knows the load would order."""

    consumers: int
    tick_s: float = 1.0
    name: str = "clairvoyant"
    woken: bool = True
    idle_exit_s: float | None = None
    stops: Stops = "working"

    def want(self, seen: Seen) -> int:
        """The number, while there is anything to come; at the end no more than what is left."""
        return self.consumers if seen.more else min(self.consumers, seen.ready + seen.leased)

"""Discrete events: batches come, consumers are ordered, start, work and leave, as a rule wants."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.scaling.controller import TICK_S_MIN
from core.scaling.simulation.load import Batch, Limits
from core.scaling.simulation.rules import Rule, Seen

# Start-up times differ by so much to both sides.
STARTUP_SPREAD = 0.2
BACKOFF_S = 2.0
# Weight of what was measured before, against the batch that has just ended (sql/scaling.sql: scaling_speed).
EWMA_KEEPS = 0.9

State = Literal["starting", "idle", "busy", "gone"]
Event = Literal["arrive", "tick", "started", "done", "bored"]


@dataclass(slots=True, eq=False)
class _Consumer:
    ordered_at_s: float
    state: State = "starting"
    idle_since_s: float = 0.0
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """The world at one time: batches that wait, consumers ordered or at work, age of the oldest that waits."""

    at_s: float
    depth: int
    consumers: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule did with a load.

    `drained_s`: from the first batch to the end of the last. `consumer_s`: from the order of each consumer to its end.
    `waits_s`: of each attempt, sorted. `oscillations`: times the number of consumers rose after it had fallen.
    """

    rule: str
    drained_s: float
    consumer_s: float
    waits_s: list[float]
    peak: int
    oscillations: int
    moments: list[Moment]

    def cost(self, per_consumer_s: float) -> float:
        """Seconds of draining, and consumer-seconds at their price."""
        return self.drained_s + per_consumer_s * self.consumer_s

    def wait_s(self, share: float) -> float:
        """The wait that so large a share of the attempts did not exceed."""
        return self.waits_s[min(int(share * len(self.waits_s)), len(self.waits_s) - 1)]


@dataclass
class World:
    """One run of one rule over one load; `rng` draws the start-up times."""

    rule: Rule
    limits: Limits
    rng: random.Random
    now_s: float = 0.0
    _events: list[tuple[float, int, Event, object]] = field(default_factory=list)
    _number: itertools.count[int] = field(default_factory=itertools.count)
    _waiting: deque[tuple[float, Batch, int]] = field(default_factory=deque)
    _crew: list[_Consumer] = field(default_factory=list)
    _to_come: int = 0
    _open: int = 0
    _batch_s: float | None = None
    _ticked_at_s: float = float("-inf")
    _last_done_s: float = 0.0
    _consumer_s: float = 0.0
    _waits: list[float] = field(default_factory=list)
    _moments: list[Moment] = field(default_factory=list)

    def run(self, batches: Sequence[Batch]) -> Outcome:
        """Until the last batch is done and consumers have left, or no rule makes the rest leave."""
        self._to_come = self._open = len(batches)
        for batch in batches:
            self._at(batch.at_s, "arrive", (batch, batch.attempts))
        self._at(0.0, "tick", "regular")
        quiet_since_s, counted = 0.0, -1
        while self._events:
            self.now_s, _, event, what = heapq.heappop(self._events)
            self._happen(event, what)
            self._note()
            if self._open or self._alive() != counted:
                quiet_since_s, counted = self.now_s, self._alive()
            # Ten minutes after the end without a change: whoever is left stays for ever.
            if not self._open and (not self._alive() or self.now_s - quiet_since_s > 600):
                break
        self._consumer_s += sum(quiet_since_s - one.ordered_at_s for one in self._crew if one.state != "gone")
        counts = [moment.consumers for moment in self._moments]
        return Outcome(
            self.rule.name,
            self._last_done_s - batches[0].at_s,
            self._consumer_s,
            sorted(self._waits),
            max(counts),
            rises_after_falls(counts),
            self._moments,
        )

    def _happen(self, event: Event, what: object) -> None:
        match event:
            case "arrive":
                self._arrive(*what)  # type: ignore[misc]
            case "tick":
                self._tick(regular=what == "regular")
            case "started":
                self._free(what)  # type: ignore[arg-type]
            case "done":
                self._done(*what)  # type: ignore[misc]
            case "bored":
                self._bored(what)  # type: ignore[arg-type]

    def _at(self, at_s: float, event: Event, what: object) -> None:
        heapq.heappush(self._events, (at_s, next(self._number), event, what))

    def _arrive(self, batch: Batch, attempts: int) -> None:
        self._to_come -= 1
        self._waiting.append((self.now_s, batch, attempts))
        idle = next((one for one in self._crew if one.state == "idle"), None)
        if idle is not None:
            self._free(idle)
        if self.rule.woken:
            self._at(max(self.now_s, self._ticked_at_s + TICK_S_MIN), "tick", "woken")

    def _tick(self, *, regular: bool) -> None:
        if regular:
            self._at(self.now_s + self.rule.tick_s, "tick", "regular")
        elif self.now_s < self._ticked_at_s + TICK_S_MIN:
            return
        self._ticked_at_s = self.now_s
        staying = [one for one in self._crew if one.state != "gone" and not one.leaving]
        starting = [one for one in staying if one.state == "starting"]
        leased = sum(one.state == "busy" for one in self._crew)
        seen = Seen(
            self.now_s,
            len(self._waiting),
            leased,
            self.now_s - self._waiting[0][0] if self._waiting else None,
            self._batch_s,
            len(staying) - len(starting),
            len(starting),
            self._to_come > 0,
        )
        wanted = min(self.rule.want(seen), self.limits.max_consumers)
        for _ in range(wanted - len(staying)):
            self._order()
        # Idle ones go first, then those on their way, the youngest first.
        rank = {"idle": 0, "starting": 1, "busy": 2, "gone": 3}
        may_go = starting if self.rule.stops == "starting" else sorted(staying, key=lambda one: rank[one.state])
        for consumer in may_go[: max(len(staying) - wanted, 0)]:
            consumer.leaving = True
            if consumer.state != "busy":
                self._leave(consumer)

    def _order(self) -> None:
        consumer = _Consumer(self.now_s)
        self._crew.append(consumer)
        startup_s = self.limits.startup_s * self.rng.uniform(1 - STARTUP_SPREAD, 1 + STARTUP_SPREAD)
        self._at(self.now_s + startup_s, "started", consumer)

    def _free(self, consumer: _Consumer) -> None:
        """It takes the next batch, or waits for one."""
        if consumer.state == "gone":
            return
        if consumer.leaving:
            self._leave(consumer)
        elif self._waiting:
            since_s, batch, attempts = self._waiting.popleft()
            self._waits.append(self.now_s - since_s)
            consumer.state = "busy"
            self._at(self.now_s + batch.work_s, "done", (consumer, batch, attempts))
        else:
            consumer.state, consumer.idle_since_s = "idle", self.now_s
            if self.rule.idle_exit_s is not None:
                self._at(self.now_s + self.rule.idle_exit_s, "bored", consumer)

    def _done(self, consumer: _Consumer, batch: Batch, attempts: int) -> None:
        took_s = batch.work_s
        before_s = took_s if self._batch_s is None else self._batch_s
        self._batch_s = EWMA_KEEPS * before_s + (1 - EWMA_KEEPS) * took_s
        if attempts > 1:
            self._to_come += 1
            failed = batch.attempts - attempts
            self._at(self.now_s + BACKOFF_S * 2.0**failed, "arrive", (batch, attempts - 1))
        else:
            self._open -= 1
            self._last_done_s = self.now_s
        self._free(consumer)
        if not self._open and self.rule.woken:
            self._at(self.now_s, "tick", "woken")

    def _bored(self, consumer: _Consumer) -> None:
        idle_exit_s = self.rule.idle_exit_s
        if consumer.state == "idle" and idle_exit_s is not None and self.now_s >= consumer.idle_since_s + idle_exit_s:
            self._leave(consumer)

    def _leave(self, consumer: _Consumer) -> None:
        consumer.state = "gone"
        self._consumer_s += self.now_s - consumer.ordered_at_s
        self._crew.remove(consumer)

    def _alive(self) -> int:
        return len(self._crew)

    def _note(self) -> None:
        oldest_s = self.now_s - self._waiting[0][0] if self._waiting else 0.0
        moment = Moment(self.now_s, len(self._waiting), self._alive(), oldest_s)
        if self._moments and self._moments[-1].at_s == self.now_s:
            self._moments.pop()
        self._moments.append(moment)


def rises_after_falls(counts: Sequence[int]) -> int:
    """How often a number rose again after it had fallen: 0 for one rise and one fall."""
    turns, fell = 0, False
    for before, after in itertools.pairwise(counts):
        if after > before and fell:
            turns, fell = turns + 1, False
        fell = fell or after < before
    return turns

"""One autoscaler of one flow: look, decide, log, act; and the loop that does so when woken.

Of several autoscalers of a flow one acts: it holds the flow's lease, a row with a token. The token is asked for at the
start of a round and again in the transaction that logs the decision, right before it is carried out: an autoscaler that
was halted in between, or looked for longer than its lease lives, leaves it to the one that has followed it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from core.database import DatabaseManager
from core.errors import HeadraceError, StoreError
from core.queue.store.singleton import drop_lease, take_lease
from core.scaling import decision_log, signals
from core.scaling.policy import Decision, Fleet, Policy, decide
from core.scaling.ports import Actuator, Effect

log = logging.getLogger(__name__)

# An autoscaler that died is followed after so long.
LEASE_S = 30.0
# Wake-ups come with every enqueue; decisions need not.
TICK_S_MIN = 0.5
FORGET_EVERY_S = 3600.0
HALTED = "the autoscaler was halted for longer than its lease lives"


@dataclass(frozen=True, slots=True)
class Aim:
    """Whose consumers, by which rule; `batch_rows` and `retain_days` come from the settings."""

    flow_name: str
    policy: Policy
    batch_rows: int
    retain_days: float


@dataclass(frozen=True, slots=True)
class Tick:
    """What one round saw, wanted and did.

    `effect` None: it could not be carried out. `late`: the oldest waits longer than it should; `was_late`: it did when
    the decision before was made, by whatever process.
    """

    decision: Decision
    fleet: Fleet
    effect: Effect | None
    error: str | None = None
    late: bool = False
    was_late: bool = False


class Waker(Protocol):
    """Waits for work; core.queue.store.wake.Wake in earnest."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Pause until work may be there, at most so long."""

    def interrupt(self) -> None:
        """End the present wait, or the next one, at once."""


class Controller:
    """Decides over one flow and has it carried out. `holder` names this process in the log and in the lease."""

    def __init__(self, db: DatabaseManager, aim: Aim, actuator: Actuator, holder: str) -> None:
        self._db, self._aim, self._actuator, self._holder = db, aim, actuator, holder
        self._token: UUID = uuid4()
        self._forget_at = time.monotonic()

    @property
    def lease(self) -> str:
        """One row for all autoscalers of a flow, whatever they drive."""
        return f"autoscale:{self._aim.flow_name}"

    def tick(self) -> Tick | None:
        """One round; None while another autoscaler of the flow acts, or may act since our lease ran out meanwhile.

        Raises StoreError, and what a census raises. What the actuator refuses is logged, and told in the tick.
        """
        if not take_lease(self._db, self.lease, self._holder, self._token, LEASE_S):
            return None
        self._forget()
        aim = self._aim
        fleet = self._actuator.census()
        inputs = decision_log.Inputs(signals.read(self._db, aim.flow_name, aim.batch_rows), fleet, aim.policy)
        late = (inputs.signals.oldest_age_s or 0.0) > aim.policy.oldest_s
        memory, was_late = decision_log.before(self._db, aim.flow_name)
        decision = decide(inputs.signals, fleet, aim.policy, memory)
        fenced_at = time.monotonic()
        decision_id = decision_log.write(self._db, aim.flow_name, self._author(), inputs, decision)
        if decision_id is None:
            log.warning("%s: the lease was lost within a round, whose decision is dropped", aim.flow_name)
            return None
        # Halted since: somebody may have followed us, and has not seen what we would do now.
        if time.monotonic() - fenced_at >= LEASE_S:
            decision_log.done(self._db, decision_id, None, HALTED)
            return None
        try:
            effect = self._actuator.bring_about(decision.desired, fleet, f"{aim.flow_name}-{decision_id}")
        except HeadraceError as error:
            log.warning(
                "%s: %d consumers are wanted, not brought about: %s", aim.flow_name, decision.desired, error.message
            )
            decision_log.done(self._db, decision_id, None, error.message)
            return Tick(decision, fleet, None, error.message, late, was_late)
        decision_log.done(self._db, decision_id, effect)
        return Tick(decision, fleet, effect, None, late, was_late)

    def _author(self) -> decision_log.Author:
        return decision_log.Author(self._actuator.pool, self._holder, self.lease, self._token, LEASE_S)

    def leave(self) -> None:
        """Let another autoscaler act at once."""
        drop_lease(self._db, self.lease, self._token)

    def _forget(self) -> None:
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + FORGET_EVERY_S
            decision_log.forget(self._db, self._aim.retain_days)


class Decider(Protocol):
    """Decides once a round; a Controller, or what stands before one."""

    def tick(self) -> Tick | None:
        """One round; None where nothing was decided."""

    def leave(self) -> None:
        """Let another autoscaler act at once."""


class Loop:
    """Ticks when work is announced, and every `tick_s` as the safety net, until `stop`.

    Args:
        say: gets each tick; None: another autoscaler acts.
    """

    def __init__(
        self, controller: Decider, waker: Waker, tick_s: float, say: Callable[[Tick | None], None] | None = None
    ) -> None:
        self._controller, self._waker, self._tick_s, self._say = controller, waker, tick_s, say
        self._stopping = threading.Event()
        self._said = ""

    def stop(self) -> None:
        """End after the present tick. Safe in any thread and in a signal handler."""
        self._stopping.set()
        self._waker.interrupt()

    def run(self) -> None:
        """Decide until told to stop; outages of the database and of the actuator are waited for."""
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                self._once()
                # A storm of announcements is one.
                self._stopping.wait(max(0.0, began + TICK_S_MIN - time.monotonic()))
                if not self._stopping.is_set():
                    self._waker.wait(self._tick_s)
        finally:
            self._leave()

    def _once(self) -> None:
        try:
            told = self._controller.tick()
        except HeadraceError as error:
            if isinstance(error, StoreError) and not error.retryable:
                raise
            # Said once, not with every look.
            if error.message != self._said:
                log.warning("no decision now, the next look tries again: %s", error.message)
            self._said = error.message
            return
        self._said = ""
        if self._say is not None:
            self._say(told)

    def _leave(self) -> None:
        try:
            self._controller.leave()
        except StoreError as error:
            log.warning("the lease was not given back, it runs out: %s", error.message)

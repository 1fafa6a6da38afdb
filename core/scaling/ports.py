"""What carries decisions out: a pool of local processes, a Deployment, a work pool of Prefect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.scaling.policy import Fleet


@dataclass(frozen=True, slots=True)
class Effect:
    """Consumers that were started, and those that were stopped or called off."""

    started: int = 0
    stopped: int = 0


class Actuator(Protocol):
    """Brings about a number of consumers. Raises HeadraceError where it cannot; the next decision tries again."""

    @property
    def pool(self) -> str:
        """Its name in the log."""

    def census(self) -> Fleet:
        """Who is there now."""

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        """Start or call off what differs from `fleet`. `key` names the decision: the same key, the same starts."""

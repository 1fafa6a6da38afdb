"""The plain actuator on Kubernetes: `kubectl scale` of a Deployment whose pods run `headrace consume`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ConfigError, QueueError
from core.scaling.policy import Fleet
from core.scaling.ports import Effect

LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which one; None: kubectl's own default."""

    name: str
    namespace: str | None = None
    context: str | None = None


class DeploymentScaler:
    """Sets the replicas of a Deployment. A pod that goes gets SIGTERM and finishes its batch within its grace."""

    def __init__(self, deployment: Deployment, kubectl: str = "kubectl") -> None:
        found = shutil.which(kubectl)
        if found is None:
            raise ConfigError(f"there is no {kubectl} on the PATH; install it, or scale another pool")
        where = [("--namespace", deployment.namespace), ("--context", deployment.context)]
        self._kubectl = [found, *(f"{option}={value}" for option, value in where if value is not None)]
        self._name = deployment.name
        self.pool = f"deployment/{deployment.name}"

    def census(self) -> Fleet:
        """Replicas asked for; those that are not ready yet are on their way."""
        seen = self._answer(["get", "deployment", self._name, "--output=json"])
        try:
            asked = int(seen["spec"]["replicas"])
            ready = int(seen.get("status", {}).get("readyReplicas") or 0)
        except (KeyError, TypeError, ValueError):
            raise QueueError(f"what kubectl says about the deployment {self._name} has no spec.replicas") from None
        return Fleet(min(ready, asked), max(asked - ready, 0))

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        """Scale unless it is so; refused by the cluster if somebody else scaled meanwhile. Raises QueueError."""
        change = desired - fleet.active
        if change:
            self._run(
                ["scale", "deployment", self._name, f"--replicas={desired}", f"--current-replicas={fleet.active}"]
            )
        return Effect(max(change, 0), max(-change, 0))

    def _answer(self, arguments: Sequence[str]) -> dict[str, Any]:
        text = self._run(arguments)
        try:
            return dict(json.loads(text))
        except (TypeError, ValueError):
            raise QueueError(f"kubectl {arguments[0]} did not answer in JSON") from None

    def _run(self, arguments: Sequence[str]) -> str:
        command = [*self._kubectl, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise QueueError(f"kubectl {arguments[0]} did not answer within {LIMIT_S:g} s") from None
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
            raise QueueError(f"kubectl {arguments[0]} of deployment {self._name} failed: {said}")
        return done.stdout

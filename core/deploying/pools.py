"""Work pools and their queues: a base job template each, in k8s/work-pools/, and what stands beside it here."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import ConfigError

Target = Literal["local", "k8s"]
STATE_VOLUME = "state_volume"


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A work queue. Lower priorities come first; `runs_max` bounds what runs at once, None: as the pool."""

    name: str
    priority: int
    runs_max: int | None
    description: str


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """A work pool. `runs_max` holds when it is made; what an operator sets later stays."""

    name: str
    type: Literal["process", "kubernetes"]
    runs_max: int
    description: str


QUEUES = (
    # First, and bounded: a backlog of matching must not keep the autoscaler waiting, nor the other way round.
    QueuePlan("upkeep", 1, 4, "Maintenance, statistics, autoscaling."),
    QueuePlan("matching", 2, None, "Identity resolution and its consumers."),
    QueuePlan("validation", 3, None, "Checks of records."),
    QueuePlan("aggregation", 4, None, "Sums and statements."),
)
POOLS: Mapping[Target, PoolPlan] = {
    "local": PoolPlan("headrace-local", "process", 12, "Flow runs as processes of the worker of `headrace up`."),
    "k8s": PoolPlan("headrace-k8s", "kubernetes", 40, "One Kubernetes Job for each flow run."),
}


def read_template(folder: Path, plan: PoolPlan) -> dict[str, Any]:
    """The base job template of a pool. Raises ConfigError: missing, no JSON, or not of the form Prefect takes."""
    path = folder / f"{plan.name}.json"
    try:
        template = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the work pool {plan.name} cannot be made: {path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} line {error.lineno}: {error.msg}") from None
    if not isinstance(template, dict) or set(template) != {"job_configuration", "variables"}:
        raise ConfigError(f"{path}: a base job template has the keys job_configuration and variables, and no other")
    return template


def on_claim(template: Mapping[str, Any], claim: str) -> dict[str, Any]:
    """The template with a claim as the default of `state_volume`. Raises ConfigError: it has no such variable."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    variable = changed["variables"].get("properties", {}).get(STATE_VOLUME)
    if variable is None:
        raise ConfigError(
            f"--workspace-claim {claim}: the base job template has no variable {STATE_VOLUME} to put it into; "
            "use it with --target k8s and a template that has one"
        )
    variable["default"] = {"name": "state", "persistentVolumeClaim": {"claimName": claim}}
    return changed


def job_variables(template: Mapping[str, Any]) -> list[str]:
    """Names that a deployment may set in `job_variables`."""
    return sorted(template["variables"].get("properties", {}))

"""The actuator on a work pool of Prefect: consumers are runs of a deployment, which end by themselves.

It speaks of addresses and JSON only, so that whoever reaches the API, by Prefect's client or without it, can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from core.errors import ConfigError, QueueError
from core.scaling.policy import Fleet
from core.scaling.ports import Effect

Ask = Callable[[str, str, Any], Any]
"""(method, path below the API, body) -> what it answers, decoded; None for 404. Raises QueueError, in words."""

# What the server takes at once.
BULK = 100
RUNS_SEEN = 200
# Runs that ended lately tell whether consumers work at all.
ENDED_SEEN = 10
ENDED_WITHIN = timedelta(minutes=10)

ON_THEIR_WAY, WELL, BADLY = ("SCHEDULED", "PENDING"), ("COMPLETED",), ("FAILED", "CRASHED")
LENGTH_MAX = 200


class PrefectRuns:
    """Submits runs of a deployment, and calls off those that no worker has taken yet; running ones are never touched.

    Args:
        deployment: `flow/deployment`, known to the server. Raises ConfigError: it is not written so.
        flow_name: whose consumers its runs are; they carry it as a tag.
        parameters: of the runs, in place of the deployment's own.
    """

    def __init__(self, ask: Ask, deployment: str, flow_name: str, parameters: Mapping[str, Any] | None = None) -> None:
        if deployment.count("/") != 1:
            raise ConfigError(f"{deployment!r} names no deployment of Prefect: write flow/deployment, as consume/local")
        self._ask, self._deployment, self._parameters = ask, deployment, dict(parameters or {})
        self._tag = f"consumes:{flow_name}"
        self._id: str | None = None
        self.pool = f"prefect:{deployment}"

    def require(self) -> None:
        """Raise ConfigError if the server has no such deployment, QueueError if it does not answer."""
        self._deployment_id()

    def census(self) -> Fleet:
        """Runs that work, those on their way, and how the last ones ended."""
        alive = self._runs((*ON_THEIR_WAY, "RUNNING"), RUNS_SEEN)
        ended = self._runs(WELL + BADLY, ENDED_SEEN, "END_TIME_DESC")
        starting = sum(run["state_type"] in ON_THEIR_WAY for run in alive)
        since = datetime.now(UTC) - ENDED_WITHIN
        lately = [run for run in ended if run["end_time"] and datetime.fromisoformat(run["end_time"]) >= since]
        badly = sum(run["state_type"] in BADLY for run in lately)
        return Fleet(len(alive) - starting, starting, len(lately) - badly, badly)

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        """Submit what is missing; of too many, call off the youngest that wait. Raises QueueError."""
        missing = desired - fleet.active
        if missing > 0:
            self._submit(missing, key)
            return Effect(started=missing)
        return Effect(stopped=self._call_off(-missing) if missing else 0)

    def _submit(self, n: int, key: str) -> None:
        for first in range(0, n, BULK):
            wanted = [
                {"parameters": self._parameters, "tags": [self._tag], "idempotency_key": f"{key}-{number}"}
                for number in range(first, min(first + BULK, n))
            ]
            answer = self._ask("POST", f"/deployments/{self._deployment_id()}/create_flow_run/bulk", wanted)
            refused = [one["error"] for one in answer["results"] if one["status"] != "CREATED"]
            if refused:
                why = str(refused[0]).partition("[SQL:")[0].strip().partition("\n")[0][:LENGTH_MAX]
                raise QueueError(f"{len(refused)} of {len(wanted)} consumer runs were refused: {why}")

    def _call_off(self, n: int) -> int:
        waiting = self._runs(("SCHEDULED",), RUNS_SEEN, "EXPECTED_START_TIME_DESC")[:n]
        if not waiting:
            return 0
        # The filter is read again by the server: a run that a worker took meanwhile is left alone.
        which = {"id": {"any_": [run["id"] for run in waiting]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
        state = {"type": "CANCELLED", "message": "fewer consumers are wanted"}
        body = {"flow_runs": which, "state": state, "limit": len(waiting)}
        answer = self._ask("POST", "/flow_runs/bulk_set_state", body)
        return sum(one["status"] == "ACCEPT" for one in answer["results"])

    def _runs(self, types: tuple[str, ...], limit: int, sort: str | None = None) -> list[dict[str, Any]]:
        which = {
            "deployment_id": {"any_": [self._deployment_id()]},
            "tags": {"all_": [self._tag]},
            "state": {"type": {"any_": sorted(types)}},
        }
        body = {"flow_runs": which, "limit": limit} | ({"sort": sort} if sort else {})
        return list(self._ask("POST", "/flow_runs/filter", body))

    def _deployment_id(self) -> str:
        if self._id is None:
            found = self._ask("GET", f"/deployments/name/{quote(self._deployment)}", None)
            if found is None:
                raise ConfigError(
                    f"the Prefect server has no deployment {self._deployment}; deploy it, or name another one"
                )
            self._id = str(found["id"])
        return self._id

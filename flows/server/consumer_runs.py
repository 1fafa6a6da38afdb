"""The actuator on a work pool of Prefect: consumers are runs of a deployment, which end by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentFlowRunCreate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectException

from core.errors import ConfigError, QueueError
from core.scaling.policy import Fleet
from core.scaling.ports import Effect
from flows.server.answers import brief, refusal

# What the server takes at once.
BULK = 100
RUNS_SEEN = 200
# Runs that ended lately tell whether consumers work at all.
ENDED_SEEN = 10
ENDED_WITHIN = timedelta(minutes=10)

ON_THEIR_WAY = {StateType.SCHEDULED, StateType.PENDING}
WELL, BADLY = {StateType.COMPLETED}, {StateType.FAILED, StateType.CRASHED}


class RunPool:
    """Submits runs of a deployment, and calls off those that no worker has taken yet; running ones are never touched.

    Args:
        deployment: `flow/deployment`, known to the server. Raises ConfigError: it is not written so.
        flow_name: whose consumers its runs are; they carry it as a tag.
        parameters: of the runs, in place of the deployment's own.
    """

    def __init__(
        self, client: SyncPrefectClient, deployment: str, flow_name: str, parameters: Mapping[str, Any] | None = None
    ) -> None:
        if deployment.count("/") != 1:
            raise ConfigError(f"{deployment!r} names no deployment of Prefect: write flow/deployment, as consume/local")
        self._client, self._deployment, self._parameters = client, deployment, dict(parameters or {})
        self._tag = f"consumes:{flow_name}"
        self._id: UUID | None = None
        self.pool = f"prefect:{deployment}"

    def require(self) -> None:
        """Raise ConfigError if the server has no such deployment, QueueError if it does not answer."""
        with self._in_words():
            self._deployment_id()

    def census(self) -> Fleet:
        """Runs that work, those on their way, and how the last ones ended."""
        with self._in_words():
            alive = self._runs({*ON_THEIR_WAY, StateType.RUNNING}, RUNS_SEEN)
            ended = self._runs(WELL | BADLY, ENDED_SEEN, FlowRunSort.END_TIME_DESC)
        starting = sum(run.state_type in ON_THEIR_WAY for run in alive)
        since = datetime.now(UTC) - ENDED_WITHIN
        lately = [run for run in ended if run.end_time is not None and run.end_time >= since]
        badly = sum(run.state_type in BADLY for run in lately)
        return Fleet(len(alive) - starting, starting, len(lately) - badly, badly)

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        """Submit what is missing; of too many, call off the youngest that wait. Raises QueueError."""
        missing = desired - fleet.active
        with self._in_words():
            if missing > 0:
                self._submit(missing, key)
                return Effect(started=missing)
            return Effect(stopped=self._call_off(-missing) if missing else 0)

    def _submit(self, n: int, key: str) -> None:
        for first in range(0, n, BULK):
            wanted = [
                DeploymentFlowRunCreate(
                    parameters=self._parameters, tags=[self._tag], idempotency_key=f"{key}-{number}"
                ).model_dump(mode="json", exclude_unset=True)
                for number in range(first, min(first + BULK, n))
            ]
            path = f"/deployments/{self._deployment_id()}/create_flow_run/bulk"
            answer = self._client.request("POST", cast(Any, path), json=wanted)
            answer.raise_for_status()
            refused = [one["error"] for one in answer.json()["results"] if one["status"] != "CREATED"]
            if refused:
                raise QueueError(f"{len(refused)} of {len(wanted)} consumer runs were refused: {brief(refused[0])}")

    def _call_off(self, n: int) -> int:
        waiting = self._runs({StateType.SCHEDULED}, RUNS_SEEN, FlowRunSort.EXPECTED_START_TIME_DESC)[:n]
        if not waiting:
            return 0
        # The filter is read again by the server: a run that a worker took meanwhile is left alone.
        which = {"id": {"any_": [str(run.id) for run in waiting]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
        state = {"type": "CANCELLED", "message": "fewer consumers are wanted"}
        path = cast(Any, "/flow_runs/bulk_set_state")
        answer = self._client.request("POST", path, json={"flow_runs": which, "state": state, "limit": len(waiting)})
        answer.raise_for_status()
        return sum(one["status"] == "ACCEPT" for one in answer.json()["results"])

    def _runs(self, types: set[StateType], limit: int, sort: FlowRunSort | None = None) -> list[FlowRun]:
        which = {
            "deployment_id": {"any_": [str(self._deployment_id())]},
            "tags": {"all_": [self._tag]},
            "state": {"type": {"any_": sorted(kind.value for kind in types)}},
        }
        found = FlowRunFilter.model_validate(which)
        return list(self._client.read_flow_runs(flow_run_filter=found, limit=limit, sort=sort))

    def _deployment_id(self) -> UUID:
        if self._id is None:
            try:
                self._id = self._client.read_deployment_by_name(self._deployment).id
            except ObjectNotFound:
                raise ConfigError(
                    f"the Prefect server has no deployment {self._deployment}; deploy it, or name another one"
                ) from None
        return self._id

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPStatusError as error:
            raise QueueError(f"the Prefect API refused {error.request.url.path}: {refusal(error.response)}") from None
        except httpx.HTTPError as error:
            raise QueueError(f"the Prefect API does not answer: {type(error).__name__}; is it up?") from None
        except PrefectException as error:
            raise QueueError(f"the Prefect API: {type(error).__name__}") from None

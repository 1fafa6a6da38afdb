"""`headrace bench scale --by schedule`: what it asks of a real Prefect server, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.bench.scaling.schedule import SLUG, Api, _scheduled, alive, request
from core.consuming.request import ConsumeRequest
from core.errors import ServiceUnavailable
from flows.autoscale import AutoscaleRequest


@pytest.fixture(scope="module")
def api(prefect_env: dict[str, str]) -> Api:
    return Api(prefect_env["PREFECT_API_URL"])


@pytest.fixture
def deployment(api: Api) -> Iterator[str]:
    """Path of autoscale/local."""
    flow = api.ask("POST", "/flows/", {"name": "autoscale"})
    made = api.ask("POST", "/deployments/", {"name": "local", "flow_id": flow["id"], "enforce_parameter_schema": False})
    yield f"/deployments/{made['id']}"
    api.ask("DELETE", f"/deployments/{made['id']}")


def test_schedule_lives_as_long_as_the_block_and_replaces_one_that_was_left(api: Api, deployment: str) -> None:
    path = f"{deployment}/schedules"
    own: dict[str, Any] = {"schedule": {"cron": "* * * * *"}}
    api.ask("POST", path, [own, {**own, "slug": SLUG}])
    with _scheduled(api, "bench-scale-1", 2):
        made = {one["slug"]: one["parameters"] for one in api.ask("GET", path)}
        assert made == {None: {}, SLUG: request("bench-scale-1", 2)}
    assert [one["slug"] for one in api.ask("GET", path)] == [None]


def test_request_is_one_that_both_flows_take() -> None:
    asked = AutoscaleRequest.model_validate(request("bench-scale-1", 3)["request"])
    assert (asked.flow_name, asked.max_consumers, asked.ticks) == ("bench-scale-1", 3, 4)
    assert asked.consumer is not None
    assert ConsumeRequest.model_validate(asked.consumer["request"]).flows == ("bench-scale-1",)


def test_alive_counts_the_runs_of_this_flow_until_they_end(api: Api) -> None:
    flow = api.ask("POST", "/flows/", {"name": "consume"})
    runs = [
        api.ask("POST", "/flow_runs/", {"flow_id": flow["id"], "tags": [f"consumes:{name}"], "state": {"type": state}})
        for name, state in [("ours", "SCHEDULED"), ("ours", "RUNNING"), ("others", "RUNNING"), ("ours", "COMPLETED")]
    ]
    assert len(runs) == 4
    assert alive(api, "ours") == 2
    assert alive(api, "others") == 1


def test_server_without_the_deployment_is_told(api: Api) -> None:
    with (
        pytest.raises(ServiceUnavailable, match=r"refused GET /deployments/name/autoscale/local: 404"),
        _scheduled(api, "bench-scale-1", 2),
    ):
        pass

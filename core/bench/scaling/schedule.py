"""How soon consumers come and go where only the scheduled flow scales: bursts on a local stack that runs already."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import orjson

from core.bench.harness.database import session
from core.bench.scaling.bursts import DRAIN_S, Bursts, Moved, Reaction, Watched, figures, rounds
from core.database.queries import load, run
from core.errors import QueueError, ServiceUnavailable
from core.queue import BatchQueue, FlowPolicy
from core.scaling import decision_log

Q = load("bench")

AUTOSCALE, CONSUME = "autoscale/local", "consume/local"
SLUG = "bench-scale"
MINUTE_S = 60.0
# The first decision comes at the next full minute, when a run of the flow has started.
READY_LIMIT_S = 180.0
LOOK_S = 0.5
BUSY_LIMIT_S = 60.0
ALIVE = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")


@dataclass(frozen=True, slots=True)
class Api:
    """Prefect's API. Raises ServiceUnavailable: it does not answer, or refuses."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer; None where it is empty."""
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"}
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310 - of our own stack
        give_up = time.monotonic() + BUSY_LIMIT_S
        while (told := self._once(request)) is None:
            if time.monotonic() > give_up:
                raise ServiceUnavailable(f"the Prefect API is busy for {BUSY_LIMIT_S:g} s", url=self.url)
            threading.Event().wait(LOOK_S)
        return orjson.loads(told) if told else None

    def _once(self, request: Request) -> bytes | None:
        """None: 503, its database is busy, and nothing was done; Prefect's own client asks again, too."""
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                return bytes(answer.read())
        except HTTPError as error:
            error.close()
            if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
                return None
            asked = f"{request.method} {request.selector.removeprefix('/api')}"
            raise ServiceUnavailable(f"the Prefect API refused {asked}: {error.code}", url=self.url) from None
        except (URLError, OSError, HTTPException):
            raise ServiceUnavailable(
                f"the Prefect API at {self.url} does not answer; is it up?", url=self.url
            ) from None


def measure(queue: BatchQueue, api: Api, bursts: Bursts, moved: Moved) -> Reaction:
    """Run the bursts at seeded seconds of the minute, one when the last one's consumers have gone.

    Raises ServiceUnavailable, and QueueError where no consumer comes. Cost: one to two minutes a burst.
    """
    busy = round(os.getloadavg()[0], 1)
    flow_name = f"{SLUG}-{secrets.token_hex(4)}"
    with _own_flow(queue, flow_name), _scheduled(api, flow_name, bursts.consumers), session(queue.db.url) as conn:
        watched = Watched(conn, queue, flow_name, lambda: alive(api, flow_name), LOOK_S)
        moved("bursts", 0, bursts.rounds)
        _await_decision(queue, flow_name)
        found = list(rounds(watched, bursts, moved, lambda rng: until_second(time.time(), offset_s(rng))))
    return figures("the scheduled flow", bursts, found, busy)


def offset_s(rng: random.Random) -> float:
    """Second of the minute at which a burst comes."""
    return rng.uniform(0, MINUTE_S)


def until_second(now_s: float, second: float) -> float:
    """Seconds from `now_s` (since 1970) until a clock shows that second of a minute; below 60."""
    return (second - now_s) % MINUTE_S


def alive(api: Api, flow_name: str) -> int:
    """Runs that are the flow's consumers, at work or on their way."""
    which = {"tags": {"all_": [f"consumes:{flow_name}"]}, "state": {"type": {"any_": ALIVE}}}
    return int(api.ask("POST", "/flow_runs/count", {"flow_runs": which}))


def request(flow_name: str, consumers: int) -> Mapping[str, Any]:
    """Parameters of the autoscaler: consumers as the deployment's own are, with the benchmark's flow and handler."""
    consumer = {
        "flows": [flow_name],
        "handler": "core.bench.scaling.handler:wait",
        "idle_exit_s": 10,
        "max_run_s": 3000,
    }
    return {
        "request": {
            "flow_name": flow_name,
            "deployment": CONSUME,
            "consumer": {"request": {**consumer, "grace_s": 1}},
            "max_consumers": consumers,
            "drain_target_s": DRAIN_S,
        }
    }


@contextmanager
def _own_flow(queue: BatchQueue, flow_name: str) -> Iterator[None]:
    """A flow of the benchmark's own; what it leaves is deleted."""
    with session(queue.db.url) as conn:
        first = run(conn, Q["bench_batch_top"])[0][0]
        queue.register_flow(FlowPolicy(flow_name))
        try:
            yield
        finally:
            run(conn, Q["bench_flow_drop"], {"flow_name": flow_name, "first": first})


@contextmanager
def _scheduled(api: Api, flow_name: str, consumers: int) -> Iterator[None]:
    """One more schedule of the autoscaler, each minute. One that a killed benchmark left is taken away first."""
    path = f"/deployments/{api.ask('GET', f'/deployments/name/{AUTOSCALE}')['id']}/schedules"
    for left in api.ask("GET", path):
        if left["slug"] == SLUG:
            api.ask("DELETE", f"{path}/{left['id']}")
    wanted = {
        "schedule": {"cron": "* * * * *", "timezone": "UTC"},
        "parameters": request(flow_name, consumers),
        "slug": SLUG,
    }
    made = api.ask("POST", path, [wanted])[0]
    try:
        yield
    finally:
        api.ask("DELETE", f"{path}/{made['id']}")
        _await_end(api, flow_name)


def _await_end(api: Api, flow_name: str) -> None:
    """The last run of the autoscaler would go on for up to a minute, and log decisions over a flow that is gone."""
    which = {"state": {"type": {"any_": ALIVE}}}
    asked = {"flow_runs": which, "flows": {"name": {"any_": ["autoscale"]}}, "limit": 200}
    ours = [
        one["id"]
        for one in api.ask("POST", "/flow_runs/filter", asked)
        if one["parameters"].get("request", {}).get("flow_name") == flow_name
    ]
    give_up = time.monotonic() + READY_LIMIT_S
    while ours and time.monotonic() < give_up:
        threading.Event().wait(LOOK_S)
        left = {"flow_runs": {"id": {"any_": ours}, **which}}
        ours = ours if api.ask("POST", "/flow_runs/count", left) else []


def _await_decision(queue: BatchQueue, flow_name: str) -> None:
    """Until the schedule has begun to decide: a flow that is new to it would wait longer than any later burst."""
    give_up = time.monotonic() + READY_LIMIT_S
    while not decision_log.last(queue.db, flow_name, 1):
        if time.monotonic() > give_up:
            raise QueueError(
                f"{AUTOSCALE} decided nothing within {READY_LIMIT_S:g} s; is its work pool paused, or its worker down?"
            )
        threading.Event().wait(LOOK_S)

"""A consumer as a flow: what the autoscaler submits in these tests."""

from __future__ import annotations

from prefect import flow

from core.queue.consumer import Consumer, Options
from core.runtime import open_runtime
from tests.integration.scaling.handlers import at_leisure


@flow(name="consume-in-tests")
def consume(flow_name: str) -> int:
    with open_runtime() as runtime:
        done = Consumer(runtime.queue, [flow_name], at_leisure, Options(idle_exit_s=1.0)).run()
    return done.completed

"""The base job template of the Kubernetes pool, turned into Jobs by Prefect's own code."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from typing import Any, cast

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from tests.architecture.tree import ROOT

POOLS = ROOT / "k8s/work-pools"
PROFILES: dict[str, dict[str, str]] = json.loads((ROOT / "k8s/profiles/job-variables.json").read_text())


def template(pool: str) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((POOLS / f"{pool}.json").read_text()))


def rendered_job(variables: dict[str, Any]) -> dict[str, Any]:
    """The Job that Prefect's worker would create for a run with these job variables."""
    # The template names no block and no variable, so nobody is asked; None would start a server to ask.
    nobody = cast(PrefectClient, object())

    async def render() -> dict[str, Any]:
        configuration = await KubernetesWorkerJobConfiguration.from_template_and_values(
            template("headrace-k8s"), variables, client=nobody
        )
        configuration.prepare_for_flow_run(FlowRun(id=uuid.UUID(int=1), flow_id=uuid.UUID(int=2), name="calm-otter"))
        return configuration.job_manifest

    return asyncio.run(render())


def as_kubernetes_sees(job: dict[str, Any]) -> dict[str, Any]:
    """Without `parallelism` and `completions` in the pod's spec: Prefect demands them there, Kubernetes drops them."""
    seen = copy.deepcopy(job)
    for field in ("parallelism", "completions"):
        assert seen["spec"]["template"]["spec"].pop(field) == 1
    return seen

"""The real Prefect Kubernetes worker, with the settings and arguments of its manifest, against a served API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.k8s.cluster import Cluster, served_cluster
from tests.k8s.link_checks import ASKED
from tests.k8s.overlays import named, of, overlay
from tests.k8s.pools import POOLS, PROFILES, as_kubernetes_sees
from tests.k8s.schemas import VERSIONS, problems
from tests.prefect_server import call

# What the test changes of the manifest's environment: where things are on this machine.
ELSEWHERE = {"PREFECT_API_URL", "PREFECT_HOME", "PREFECT_WORKER_WEBSERVER_HOST", "PREFECT_WORKER_WEBSERVER_PORT"}


class Prefect:
    """The few calls of Prefect's REST API that a user's client makes."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return dict(call(self._env, "POST", path, body))

    def run_of(self, job_variables: dict[str, Any]) -> str:
        """Submit a run of a deployment on our pool; nobody will execute it. Returns its id."""
        flow = self.post("/flows/", {"name": "identity-resolution"})
        body = {
            "name": "k8s",
            "flow_id": flow["id"],
            "work_pool_name": "headrace-k8s",
            "work_queue_name": "matching",
            "job_variables": job_variables,
            "pull_steps": [],
            "entrypoint": "flows.identity_resolution.identity_resolution",
        }
        deployment = self.post("/deployments/", body)
        run = self.post(f"/deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        return str(run["id"])

    def state(self, run_id: str) -> dict[str, Any]:
        return dict(call(self._env, "GET", f"/flow_runs/{run_id}")["state"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with served_cluster() as served:
        yield served


@pytest.fixture(scope="module")
def prefect(prefect_env: dict[str, str]) -> Prefect:
    """Prefect with our pool, made as the runbook says."""
    template = POOLS / "headrace-k8s.json"
    command = [
        "work-pool",
        "create",
        "headrace-k8s",
        "--type",
        "kubernetes",
        "--overwrite",
        "--base-job-template",
        template,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *command], env=prefect_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Prefect(prefect_env)


@pytest.fixture(scope="module")
def worker(
    prefect: Prefect, cluster: Cluster, prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The worker's log while it runs."""
    folder = tmp_path_factory.mktemp("worker")
    docs = overlay("local")
    told = {k: v for k, v in named(docs, "ConfigMap", "headrace-worker")["data"].items() if k not in ELSEWHERE}
    env = (
        prefect_env | told | {"KUBECONFIG": str(cluster.kubeconfig(folder / "config")), "PREFECT_LOGGING_LEVEL": "INFO"}
    )
    program, *args = named(docs, "Deployment", "headrace-worker")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert program == "prefect"
    # Its port is fixed in the manifest, and may be taken here.
    args.remove("--with-healthcheck")
    log = folder / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "prefect", *args], env=env, stdout=out, stderr=out)
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def job_of(cluster: Cluster, run_id: str, log: Path) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [job for job in cluster.jobs() if job["metadata"]["labels"]["prefect.io/flow-run-id"] == run_id]

    try:
        return dict(cluster.until(found, "the Job")[0])
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-3000:]}") from None


def test_worker_makes_the_job_of_our_pool(prefect: Prefect, cluster: Cluster, worker: Path) -> None:
    run_id = prefect.run_of(PROFILES["matching-xl"] | {"node_selector": {"headrace/accelerator": "gpu"}})
    job = job_of(cluster, run_id, worker)
    for version in VERSIONS:
        assert problems(as_kubernetes_sees({key: job[key] for key in job if key != "status"}), version) == []
    spec = job["spec"]
    assert (spec["activeDeadlineSeconds"], spec["backoffLimit"], spec["ttlSecondsAfterFinished"]) == (7200, 0, 900)
    pod = spec["template"]["spec"]
    assert pod["nodeSelector"] == {"headrace/accelerator": "gpu"}
    (container,) = pod["containers"]
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "16Gi"}
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["HEADRACE_DATABASE__URL"]["valueFrom"] == {"secretKeyRef": {"name": "headrace-database", "key": "url"}}
    assert env["AWS_ACCESS_KEY_ID"]["valueFrom"]["secretKeyRef"]["optional"] is True
    assert container["envFrom"] == [{"configMapRef": {"name": "headrace-workspace", "optional": True}}]
    assert {"name": "state", "emptyDir": {"sizeLimit": "50Gi"}} in pod["volumes"]
    assert env["PREFECT__FLOW_RUN_ID"]["value"] == run_id
    assert container["args"] == ["prefect", "flow-run", "execute"]


def test_image_that_cannot_be_pulled_is_ended_by_the_deadline(prefect: Prefect, cluster: Cluster, worker: Path) -> None:
    """The pod stays pending, so only the Job's deadline ends it; then Prefect must know."""
    run_id = prefect.run_of({"image": "registry.example.com/nobody/has-this:1.0", "active_deadline_s": 60})
    job = job_of(cluster, run_id, worker)
    assert job["spec"]["activeDeadlineSeconds"] == 60
    condition = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    cluster.tell_status(job["metadata"]["name"], {"failed": 1, "conditions": [condition]})
    try:
        cluster.until(lambda: prefect.state(run_id)["type"] == "CRASHED", "the end of the run")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{cluster.asked()}\n{worker.read_text()[-3000:]}") from None
    assert "No active or succeeded pods" in prefect.state(run_id)["message"]


def test_worker_asks_for_no_more_than_its_role_grants(cluster: Cluster, worker: Path) -> None:
    watched = {("batch", "jobs", "watch"), ("", "pods", "watch")}
    cluster.until(lambda: watched <= cluster.asked(), "the observer's watches")
    granted = {
        (group, resource, verb)
        for rule in of(overlay("local"), "Role")[0]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    asked = cluster.asked()
    assert asked <= granted, f"the Role lacks {sorted(asked - granted)}"
    assert ("batch", "jobs", "create") in asked
    assert asked <= ASKED | {("batch", "jobs", "patch")}, "tell link_checks.ASKED what is new"

"""Every overlay, as kubectl builds it: valid for three versions of Kubernetes, and right in itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from prefect.settings.models.root import Settings as PrefectSettings
from prefect_kubernetes.settings import KubernetesSettings
from pydantic import ValidationError

from core.settings import read_settings
from tests.architecture.tree import ROOT
from tests.k8s import link_checks, pod_checks, workspace_checks
from tests.k8s.keda import MODELS
from tests.k8s.overlays import OVERLAYS, Docs, kustomized, named, of, overlay, pods
from tests.k8s.pools import as_kubernetes_sees
from tests.k8s.schemas import VERSIONS, problems

Check = Callable[[Docs], Iterator[str]]
CHECKS: dict[str, Check] = {
    check.__name__: check for check in (*pod_checks.CHECKS, *link_checks.CHECKS, *workspace_checks.CHECKS)
}


def test_overlays_are_the_documented_ones() -> None:
    assert OVERLAYS == ["keda", "local", "production", "spot"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_is_valid_in_three_versions(name: str, version: str) -> None:
    plain = [doc for doc in overlay(name) if doc["kind"] not in MODELS]
    assert [problem for doc in plain for problem in problems(doc, version)] == []
    for job in of(overlay(name), "ScaledJob"):
        target = {key: job["spec"]["jobTargetRef"][key] for key in job["spec"]["jobTargetRef"]}
        as_job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": job["metadata"], "spec": target}
        assert problems(as_job, version) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_keda_resources_are_valid(name: str) -> None:
    for doc in overlay(name):
        if doc["kind"] in MODELS:
            MODELS[doc["kind"]].model_validate(doc)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_is_right(name: str, check: str) -> None:
    assert list(CHECKS[check](overlay(name))) == []


def test_kubernetes_validate_itself_agrees() -> None:
    """What the runbook shows: the program on a piped overlay, here a part of it: it takes a second a manifest."""
    some = [
        named(overlay("local"), "Deployment", "headrace-worker"),
        named(overlay("local"), "Role", "headrace-worker"),
    ]
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", VERSIONS[-1], "-"]
    for wrong in (False, True):
        if wrong:
            some[0]["spec"]["replica"] = 2
        done = subprocess.run(command, input=yaml.safe_dump_all(some), capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == wrong, done.stdout + done.stderr
        assert bool(problems(some[0], VERSIONS[-1])) == wrong


def test_keda_models_refuse_what_keda_would_ignore() -> None:
    doc = of(overlay("keda"), "ScaledJob")[0]
    doc["spec"]["maxReplicas"] = 5
    with pytest.raises(ValidationError, match="maxReplicas"):
        MODELS["ScaledJob"].model_validate(doc)


def test_local_overlay_brings_everything_and_the_others_no_secret() -> None:
    kinds = {doc["metadata"]["name"] for doc in of(overlay("local"), "Secret")}
    assert kinds == {
        "headrace-database",
        "headrace-prefect",
        "headrace-redis",
        "headrace-postgres",
        "headrace-pgbouncer",
        "headrace-scaler",
    }
    assert of(overlay("local"), "StatefulSet")
    for name in ("production", "keda", "spot"):
        assert not of(overlay(name), "Secret", "StatefulSet")


@pytest.mark.parametrize(("name", "store"), [("local", False), ("production", True), ("keda", True), ("spot", True)])
def test_files_of_jobs_lie_in_an_object_store_but_locally_on_a_claim(name: str, store: bool) -> None:
    docs = overlay(name)
    assert len(workspace_checks.workers(docs)) == 4
    for owner in workspace_checks.workers(docs):
        assert ("emptyDir" in workspace_checks.volume(owner)) == store, str(owner)
        assert (workspace_checks.URI in workspace_checks.plain_values(docs, owner)) == store, str(owner)
    assert bool(of(docs, "PersistentVolumeClaim")) != store


@pytest.mark.parametrize("queue", ["matching", "aggregation"])
def test_scaled_jobs_run_the_pods_of_the_deployments(queue: str) -> None:
    """KEDA's pods are written out, so they could drift from base/consumer."""
    by_name = {str(p): p for p in pods(overlay("production"))}
    deployed = by_name[f"Deployment/headrace-consumer-{queue}"]
    (scaled,) = (p for p in pods(overlay("keda")) if str(p) == f"ScaledJob/headrace-consumer-{queue}")
    different = {key for key in {*deployed.spec, *scaled.spec} if deployed.spec.get(key) != scaled.spec.get(key)}
    assert different == {"affinity", "topologySpreadConstraints", "containers", "restartPolicy"}
    ours, theirs = deployed.spec["containers"][0], scaled.spec["containers"][0]
    assert {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)} == {"args"}
    assert theirs["args"][: len(ours["args"])] == ours["args"], "the same command, with an end"


@pytest.mark.parametrize("name", ["production", "keda"])
def test_web_is_scaled_by_its_load_beyond_two_replicas(name: str) -> None:
    (scaler,) = of(overlay(name), "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == "headrace-web"
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 10)
    shares = {one["resource"]["name"]: one["resource"]["target"] for one in scaler["spec"]["metrics"]}
    assert {kind: target["averageUtilization"] for kind, target in shares.items()} == {"cpu": 70, "memory": 80}
    assert not of(overlay("local"), "HorizontalPodAutoscaler")
    assert named(overlay("local"), "Deployment", "headrace-web")["spec"]["replicas"] == 2


def test_spot_consumers_are_gone_before_the_node_is() -> None:
    consumers = [p for p in pods(overlay("spot")) if p.component == "consumer"]
    assert len(consumers) == 3
    for consumer in consumers:
        args = consumer.spec["containers"][0]["args"]
        assert args[args.index("--grace-seconds") + 1] == "20"
        assert consumer.spec["terminationGracePeriodSeconds"] == 25
        assert consumer.spec["tolerations"][0]["key"] == "headrace/spot"
    (said,) = (
        doc["data"] for doc in of(overlay("spot"), "ConfigMap") if "headrace-consumer" in doc["metadata"]["name"]
    )
    assert said["HEADRACE_QUEUE__BATCH_S_MAX"] == "20"
    assert len(said) > 1, "beside what the base says"
    others = [p for p in pods(overlay("spot")) if p.component not in {"consumer", "run"}]
    assert not any("tolerations" in p.spec for p in others), "only consumers may lose their node at any moment"


def test_consumers_have_time_to_finish_a_batch() -> None:
    for consumer in pods(overlay("production")):
        if consumer.component == "consumer":
            args = consumer.spec["containers"][0]["args"]
            grace_s = int(args[args.index("--grace-seconds") + 1])
            assert consumer.spec["terminationGracePeriodSeconds"] == grace_s + 30


def test_gpu_option_moves_only_matching(tmp_path: Path) -> None:
    base, option = (os.path.relpath(ROOT / "k8s" / part, tmp_path) for part in ("overlays/production", "options/gpu"))
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{base}]\ncomponents: [{option}]\n", encoding="utf-8")
    docs = kustomized(str(tmp_path))
    chosen = [str(p) for p in pods(docs) if p.spec.get("nodeSelector")]
    assert chosen == ["Deployment/headrace-consumer-matching"]
    assert problems(named(docs, "Deployment", "headrace-consumer-matching"), VERSIONS[-1]) == []


def test_job_of_a_run_keeps_to_the_rules_of_pods() -> None:
    runs = [p for p in pods(overlay("local")) if p.kind == "Run"]
    assert len(runs) == 1
    assert problems(as_kubernetes_sees(runs[0].owner), VERSIONS[0]) == []


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("web", "postgres", 5432),
        ("consumer", "postgres", 5432),
        ("run", "postgres", 5432),
        ("consumer", "worker", 8080),
        ("run", "web", 8080),
        ("redis", "server", 4200),
        ("monitoring", "server", 4200),
        ("migrate", "redis", 6379),
    ],
)
def test_connections_that_nobody_needs_are_denied_at_both_ends(source: str, target: str, port: int) -> None:
    docs = overlay("local")
    by_component = {p.component: p for p in pods(docs)}
    assert link_checks.denied(docs, by_component[source], by_component[target], port) == ["egress", "ingress"]


@pytest.mark.parametrize("name", ["server", "worker", "consumer"])
@pytest.mark.parametrize("built", ["local", "production"])
def test_values_of_settings_are_taken_by_those_who_read_them(
    built: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable, value in named(overlay(built), "ConfigMap", f"headrace-{name}")["data"].items():
        monkeypatch.setenv(variable, value)
    # The pod's folder is this machine's too, and maybe somebody else's.
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    read_settings()
    PrefectSettings()
    assert KubernetesSettings().observer.namespaces == ({"headrace"} if name == "worker" else set())
    assert PrefectSettings().server.services.task_run_recorder.batch_size == (100 if name == "server" else 1)


def test_a_value_out_of_bounds_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE", "many")
    with pytest.raises(ValidationError):
        PrefectSettings()

"""Each check sees what it is for: the manifests are broken in one place, and exactly that check must say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.k8s import workspace_checks
from tests.k8s.overlays import Docs, named, of, overlay
from tests.k8s.test_overlays import CHECKS

Break = Callable[[Docs], Any]


def container(docs: Docs, name: str) -> dict[str, Any]:
    kind = "StatefulSet" if name == "headrace-postgres" else "Deployment"
    found: dict[str, Any] = named(docs, kind, name)["spec"]["template"]["spec"]["containers"][0]
    return found


def spec(docs: Docs, name: str) -> dict[str, Any]:
    found: dict[str, Any] = named(docs, "Deployment", name)["spec"]
    return found


def policy(docs: Docs, name: str) -> dict[str, Any]:
    found: dict[str, Any] = named(docs, "NetworkPolicy", name)["spec"]
    return found


def drop(docs: Docs, kind: str, name: str) -> None:
    docs.remove(named(docs, kind, name))


def env(docs: Docs, name: str, variable: str) -> dict[str, Any]:
    (entry,) = (entry for entry in container(docs, name)["env"] if entry["name"] == variable)
    found: dict[str, Any] = entry
    return found


def consumer_data(docs: Docs) -> dict[str, str]:
    found: dict[str, str] = named(docs, "ConfigMap", "headrace-consumer")["data"]
    return found


def rename_setting(docs: Docs) -> None:
    data = named(docs, "ConfigMap", "headrace-consumer")["data"]
    data["HEADRACE_DATABSE__POOL_SIZE"] = data.pop("HEADRACE_DATABASE__POOL_SIZE")


def rename_metric(docs: Docs) -> None:
    data = named(docs, "ConfigMap", "headrace-monitoring")["data"]
    data["rules.yml"] = data["rules.yml"].replace("headrace_queue_dead_letters", "headrace_queue_dead_leters")


BREAKS: list[tuple[str, str, Break]] = [
    ("images_are_pinned", "no fixed version", lambda d: container(d, "headrace-web").update(image="headrace:latest")),
    ("images_are_pinned", "no fixed version", lambda d: container(d, "headrace-web").update(image="headrace")),
    (
        "containers_are_locked_down",
        "security context",
        lambda d: container(d, "headrace-redis")["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (
        "containers_are_locked_down",
        "somebody else than 1001",
        lambda d: spec(d, "headrace-redis")["template"]["spec"]["securityContext"].update(runAsUser=0),
    ),
    (
        "containers_are_locked_down",
        "seccomp",
        lambda d: spec(d, "headrace-web")["template"]["spec"]["securityContext"].pop("seccompProfile"),
    ),
    (
        "containers_are_locked_down",
        "folder of the node",
        lambda d: spec(d, "headrace-web")["template"]["spec"]["volumes"].append({"name": "x", "hostPath": {}}),
    ),
    (
        "tokens_are_mounted_only_where_needed",
        "token mounted: True",
        lambda d: spec(d, "headrace-web")["template"]["spec"].update(automountServiceAccountToken=True),
    ),
    (
        "tokens_are_mounted_only_where_needed",
        "does not exist",
        lambda d: spec(d, "headrace-web")["template"]["spec"].update(serviceAccountName="default"),
    ),
    ("resources_are_set", "no limits", lambda d: container(d, "headrace-web")["resources"].pop("limits")),
    (
        "profiles_are_applied",
        "profile light",
        lambda d: container(d, "headrace-consumer-validation")["resources"]["limits"].update(memory="9Gi"),
    ),
    ("probes_are_set", "no liveness", lambda d: container(d, "headrace-worker").pop("livenessProbe")),
    ("probes_are_set", "before it is ready", lambda d: container(d, "headrace-web").pop("readinessProbe")),
    (
        "probes_are_set",
        "asks port",
        lambda d: container(d, "headrace-web")["livenessProbe"]["httpGet"].update(port="www"),
    ),
    (
        "roots_are_read_only_with_room_in_tmp",
        "no emptyDir at /tmp",
        lambda d: container(d, "headrace-web").update(volumeMounts=[]),
    ),
    (
        "roots_are_read_only_with_room_in_tmp",
        "do not exist",
        lambda d: container(d, "headrace-web")["volumeMounts"].append({"name": "lost", "mountPath": "/lost"}),
    ),
    ("environment_is_read_by_somebody", "HEADRACE_DATABSE__POOL_SIZE", rename_setting),
    (
        "environment_is_read_by_somebody",
        "PREFECT_API_ULR",
        lambda d: named(d, "ConfigMap", "headrace-worker")["data"].update(PREFECT_API_ULR="x"),
    ),
    (
        "secrets_come_by_reference",
        "HEADRACE_DATABASE__URL",
        lambda d: env(d, "headrace-web", "HEADRACE_DATABASE__URL").update(value="postgresql://a:b@c/d", valueFrom={}),
    ),
    (
        "secrets_come_by_reference",
        "holds a secret",
        lambda d: named(d, "ConfigMap", "headrace-worker")["data"].update(X="postgresql://me:pw@host/db"),
    ),
    (
        "references_exist",
        "wants key address",
        lambda d: env(d, "headrace-web", "HEADRACE_REDIS__URL")["valueFrom"]["secretKeyRef"].update(key="address"),
    ),
    (
        "references_exist",
        "ConfigMap headrace-web",
        lambda d: container(d, "headrace-web")["envFrom"].append({"configMapRef": {"name": "headrace-web"}}),
    ),
    ("references_exist", "claim headrace-workspace", lambda d: drop(d, "PersistentVolumeClaim", "headrace-workspace")),
    ("references_exist", "no ['userlist.txt']", lambda d: named(d, "Secret", "headrace-pgbouncer")["data"].clear()),
    (
        "commands_exist",
        "no option --bogus",
        lambda d: container(d, "headrace-web").update(args=["headrace", "doctor", "--bogus"]),
    ),
    ("commands_exist", "Unknown option", lambda d: container(d, "headrace-worker")["args"].append("--with-health")),
    (
        "generated_names_roll_pods",
        "no hash",
        lambda d: named(d, "ConfigMap", "headrace-worker")["metadata"].update(name="headrace-worker"),
    ),
    (
        "selectors_match_their_own_pods",
        "its own pods",
        lambda d: spec(d, "headrace-web")["selector"].update(matchLabels={"app.kubernetes.io/component": "wbe"}),
    ),
    (
        "selectors_match_their_own_pods",
        "also matches",
        lambda d: spec(d, "headrace-web")["template"]["metadata"]["labels"].update(
            {"app.kubernetes.io/component": "server"}
        ),
    ),
    (
        "services_lead_to_ports",
        "selects nothing",
        lambda d: named(d, "Service", "headrace-web")["spec"]["selector"].update({"app.kubernetes.io/component": "x"}),
    ),
    ("services_lead_to_ports", "no port", lambda d: container(d, "headrace-web")["ports"][0].update(containerPort=80)),
    (
        "budgets_select_pods_and_let_nodes_drain",
        "all its pods at once",
        lambda d: drop(d, "PodDisruptionBudget", "headrace-web"),
    ),
    (
        "budgets_select_pods_and_let_nodes_drain",
        "selects nothing",
        lambda d: named(d, "PodDisruptionBudget", "headrace-web")["spec"]["selector"].update(matchLabels={"x": "y"}),
    ),
    (
        "budgets_select_pods_and_let_nodes_drain",
        "one node",
        lambda d: spec(d, "headrace-web")["template"]["spec"].pop("affinity"),
    ),
    ("policies_select_pods", "denies by default", lambda d: drop(d, "NetworkPolicy", "headrace-deny")),
    (
        "policies_select_pods",
        "no pods are ['wroker']",
        lambda d: policy(d, "headrace-to-server")["podSelector"]["matchExpressions"][0]["values"].append("wroker"),
    ),
    ("needed_connections_are_allowed", "egress is denied", lambda d: drop(d, "NetworkPolicy", "headrace-to-server")),
    ("needed_connections_are_allowed", "ingress is denied", lambda d: drop(d, "NetworkPolicy", "headrace-redis")),
    (
        "needed_connections_are_allowed",
        "no Service offers",
        lambda d: named(d, "ConfigMap", "headrace-worker")["data"].update(
            PREFECT_API_URL="http://headrace-server:80/api"
        ),
    ),
    (
        "rights_suffice_and_stay_in_the_namespace",
        "lacks",
        lambda d: named(d, "Role", "headrace-worker")["rules"][0]["verbs"].remove("delete"),
    ),
    (
        "rights_suffice_and_stay_in_the_namespace",
        "too much",
        lambda d: named(d, "Role", "headrace-worker")["rules"][1]["resources"].append("secrets"),
    ),
    (
        "rights_suffice_and_stay_in_the_namespace",
        "watches",
        lambda d: named(d, "ConfigMap", "headrace-worker")["data"].update(
            PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES="default"
        ),
    ),
    (
        "prefects_pages_lie_where_it_may_write",
        "there is no UI",
        lambda d: named(d, "ConfigMap", "headrace-server")["data"].pop("PREFECT_UI_STATIC_DIRECTORY"),
    ),
    ("alerts_ask_for_metrics_that_exist", "headrace_queue_dead_leters", rename_metric),
    ("prometheus_finds_services", "job web scrapes", lambda d: drop(d, "Service", "headrace-web")),
    (
        "everything_is_in_one_namespace",
        "namespace default",
        lambda d: named(d, "Service", "headrace-web")["metadata"].update(namespace="default"),
    ),
]
# In the overlay `production`.
STORE_BREAKS: list[tuple[str, str, Break]] = [
    ("files_of_jobs_are_shared", "nobody else sees", lambda d: consumer_data(d).pop(workspace_checks.URI)),
    ("files_of_jobs_are_shared", "nobody else sees", lambda d: drop(d, "ConfigMap", "headrace-workspace")),
    (
        "files_of_jobs_are_shared",
        "different places",
        lambda d: consumer_data(d).update({workspace_checks.URI: "s3://other/jobs"}),
    ),
    ("copies_fit_the_volume", "do not fit", lambda d: consumer_data(d).update({workspace_checks.SCRATCH: "50"})),
    ("copies_fit_the_volume", "do not fit", lambda d: consumer_data(d).pop(workspace_checks.SCRATCH)),
    ("store_can_be_reached", "no policy", lambda d: drop(d, "NetworkPolicy", "headrace-to-store")),
    (
        "store_can_be_reached",
        "may reach",
        lambda d: policy(d, "headrace-to-store")["egress"][0]["to"][0]["ipBlock"].pop("except"),
    ),
    (
        "store_can_be_reached",
        "may be absent",
        lambda d: env(d, "headrace-consumer-matching", "AWS_ACCESS_KEY_ID")["valueFrom"]["secretKeyRef"].pop(
            "optional"
        ),
    ),
    (
        "references_exist",
        "wants key key-id",
        lambda d: env(d, "headrace-consumer-matching", "AWS_ACCESS_KEY_ID")["valueFrom"]["secretKeyRef"].update(
            key="key-id"
        ),
    ),
    ("environment_is_read_by_somebody", "AWS_DEFALT_REGION", lambda d: consumer_data(d).update(AWS_DEFALT_REGION="x")),
]
SCALER_BREAKS: list[tuple[str, Break]] = [
    ("does not exist", lambda d: drop(d, "Deployment", "headrace-consumer-validation")),
    ("has replicas", lambda d: spec(d, "headrace-consumer-validation").update(replicas=3)),
    ("headrace-web has replicas", lambda d: spec(d, "headrace-web").update(replicas=2)),
    ("headrace-web shall be scaled", lambda d: drop(d, "Deployment", "headrace-web")),
    ("no TriggerAuthentication", lambda d: drop(d, "TriggerAuthentication", "headrace-scaler")),
    (
        "wants key dsn",
        lambda d: named(d, "TriggerAuthentication", "headrace-scaler")["spec"]["secretTargetRef"][0].update(key="dsn"),
    ),
    (
        "counts to 21",
        lambda d: named(d, "ScaledObject", "headrace-consumer-validation")["spec"].update(maxReplicaCount=20),
    ),
    (
        "one call of queue_backlog",
        lambda d: of(d, "ScaledJob")[0]["spec"]["triggers"][0]["metadata"].update(query="SELECT 1"),
    ),
    (
        "two actuators",
        lambda d: d.append(named(overlay("production"), "Deployment", "headrace-scaling")),
    ),
]


@pytest.mark.parametrize(("check", "words", "broken"), BREAKS, ids=[f"{c}-{w}" for c, w, _ in BREAKS])
def test_check_sees_what_it_is_for(check: str, words: str, broken: Break) -> None:
    docs = overlay("local")
    broken(docs)
    said = list(CHECKS[check](docs))
    assert any(words in line for line in said), said


@pytest.mark.parametrize(("check", "words", "broken"), STORE_BREAKS)
def test_check_sees_what_is_wrong_with_an_object_store(check: str, words: str, broken: Break) -> None:
    docs = overlay("production")
    broken(docs)
    said = list(CHECKS[check](docs))
    assert any(words in line for line in said), said


@pytest.mark.parametrize(("words", "broken"), SCALER_BREAKS, ids=[w for w, _ in SCALER_BREAKS])
def test_scalers_check_sees_what_it_is_for(words: str, broken: Break) -> None:
    docs = overlay("keda")
    broken(docs)
    said = list(CHECKS["scalers_find_their_targets"](docs))
    assert any(words in line for line in said), said


def test_every_check_was_seen_to_fail() -> None:
    assert {check for check, _, _ in [*BREAKS, *STORE_BREAKS]} | {"scalers_find_their_targets"} == set(CHECKS)

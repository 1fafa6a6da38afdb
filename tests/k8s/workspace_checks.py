"""Files of jobs: whoever works on one finds them in the same place, and has room for what it copies."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from tests.k8s.overlays import Doc, Docs, Pods, configs, matches, of, pods

STATE_DIR = "/var/lib/headrace"
URI, SCRATCH = "HEADRACE_MATCHING__WORKSPACE_URI", "HEADRACE_MATCHING__SCRATCH_GB"
KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
# A public address, which an object store may have, and that of Kubernetes' API server in many clusters.
PUBLIC, INSIDE = "203.0.113.7", "10.96.0.1"


def workers(docs: Docs) -> list[Pods]:
    """Pods that work on jobs."""
    return [owner for owner in pods(docs) if owner.component in {"consumer", "run"}]


def files_of_jobs_are_shared(docs: Docs) -> Iterator[str]:
    """By a claim that all mount, or by an object store that all are told of."""
    places = {str(owner): _place(docs, owner) for owner in workers(docs)}
    for owner, place in places.items():
        if place is None:
            yield f"{owner}: files of jobs lie in the pod, where nobody else sees them"
    if len(set(places.values())) > 1:
        yield f"pods that work on one job look for its files in different places: {places}"


def _place(docs: Docs, owner: Pods) -> str | None:
    claim: str | None = volume(owner).get("persistentVolumeClaim", {}).get("claimName")
    return plain_values(docs, owner).get(URI, claim)


def copies_fit_the_volume(docs: Docs) -> Iterator[str]:
    """A pod that fills its emptyDir is evicted; one that reaches its own limit says so and gives the batch back."""
    for owner in workers(docs):
        if URI not in plain_values(docs, owner):
            continue
        size = volume(owner).get("emptyDir", {}).get("sizeLimit", "0Gi")
        limit_gb = float(plain_values(docs, owner).get(SCRATCH, "inf"))
        if limit_gb * 10**9 > 0.9 * int(size.removesuffix("Gi")) * 2**30:
            yield f"{owner}: copies up to {limit_gb:g} GB do not fit nine tenths of a volume of {size}"


def store_can_be_reached(docs: Docs) -> Iterator[str]:
    """With keys by reference if there are any, through the network's policies, and nothing else inside with it."""
    for owner in workers(docs):
        if URI not in plain_values(docs, owner):
            continue
        (container,) = owner.spec["containers"]
        optional = {
            entry["name"]
            for entry in container["env"]
            if entry.get("valueFrom", {}).get("secretKeyRef", {}).get("optional")
        }
        if not optional >= KEYS:
            yield f"{owner}: {sorted(KEYS - optional)} must come from a Secret that may be absent"
        if not _may_reach(docs, owner, PUBLIC):
            yield f"{owner}: no policy lets it reach an object store at port 443"
        if _may_reach(docs, owner, INSIDE):
            yield f"{owner}: may reach {INSIDE}:443, where Kubernetes itself may be"


def plain_values(docs: Docs, owner: Pods) -> dict[str, str]:
    """Plain values of the container's environment; those of a ConfigMap that is absent are none."""
    (container,) = owner.spec["containers"]
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        values |= configs(docs).get(source["configMapRef"]["name"], {})
    return values | {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def volume(owner: Pods) -> Doc:
    """What is mounted where a pod keeps its files."""
    (container,) = owner.spec["containers"]
    (name,) = (mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == STATE_DIR)
    (found,) = (one for one in owner.spec["volumes"] if one["name"] == name)
    return dict(found)


def _may_reach(docs: Docs, owner: Pods, address: str) -> bool:
    policies = [doc["spec"] for doc in of(docs, "NetworkPolicy") if matches(doc["spec"]["podSelector"], owner.labels)]
    rules = [rule for spec in policies for rule in spec.get("egress", []) if 443 in {p["port"] for p in rule["ports"]}]
    return any("to" not in rule or any(_holds(peer.get("ipBlock"), address) for peer in rule["to"]) for rule in rules)


def _holds(block: Doc | None, address: str) -> bool:
    if block is None:
        return False
    inside, outside = ip_network(block["cidr"]), [ip_network(one) for one in block.get("except", [])]
    return ip_address(address) in inside and not any(ip_address(address) in one for one in outside)


CHECKS = (files_of_jobs_are_shared, copies_fit_the_volume, store_can_be_reached)

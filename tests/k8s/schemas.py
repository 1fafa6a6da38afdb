"""The strict schemas of kubernetes-validate, read once: its own `validate` parses 2 MB of JSON for every manifest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema.validators import Draft202012Validator
from kubernetes_validate.utils import all_versions, major_minor, schema_contents
from referencing import Registry, Resource

Manifest = Mapping[str, Any]

VERSIONS = tuple(sorted({major_minor(version) for version in all_versions()}, key=lambda v: int(v.split(".")[1])))[-3:]
"""The three newest minor versions: those that upstream still supports."""


@cache
def _folder(version: str) -> str:
    full = next(full for full in all_versions() if major_minor(full) == version)
    return f"kubernetes-json-schema/v{full}-local-strict"


@cache
def _definitions(version: str) -> Registry[Any]:
    shared = Resource.from_contents(schema_contents(f"{_folder(version)}/_definitions.json", version))
    return (shared @ Registry()).crawl()


@cache
def _validator(version: str, kind: str, api_version: str) -> Draft202012Validator:
    group, _, rest = api_version.rpartition("/")
    name = f"{kind.lower()}-{group.split('.')[0]}-{rest}.json" if group else f"{kind.lower()}-{rest}.json"
    schema = schema_contents(f"{_folder(version)}/{name}", version)
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _definitions(version))


def problems(manifest: Manifest, version: str) -> list[str]:
    """What Kubernetes of that minor version would not take, unknown fields included. Cost: 1 ms once it is warm."""
    try:
        validator = _validator(version, manifest["kind"], manifest["apiVersion"])
    except FileNotFoundError:
        return [f"Kubernetes {version} has no {manifest['kind']} of {manifest['apiVersion']}"]
    return [
        f"{manifest['kind']}/{manifest['metadata'].get('name')}: {'.'.join(map(str, error.path))}: {error.message}"
        for error in validator.iter_errors(dict(manifest))
    ]

"""The work pools: what `headrace deploy` and `prefect work-pool create --base-job-template` are given."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema.validators import Draft202012Validator
from prefect.utilities.templating import find_placeholders
from prefect.workers.process import ProcessJobConfiguration

from tests.architecture.tree import ROOT
from tests.k8s.names import is_read
from tests.k8s.pools import POOLS, PROFILES, as_kubernetes_sees, rendered_job, template
from tests.k8s.schemas import VERSIONS, problems

NAMES = sorted(path.stem for path in POOLS.glob("*.json"))


def test_pools_are_the_two_that_deployments_name() -> None:
    assert NAMES == ["headrace-k8s", "headrace-local"]


@pytest.mark.parametrize("pool", NAMES)
def test_template_uses_every_variable_and_no_other(pool: str) -> None:
    content = template(pool)
    used = {placeholder.name for placeholder in find_placeholders(content["job_configuration"])}
    assert used == set(content["variables"]["properties"])


@pytest.mark.parametrize("pool", NAMES)
def test_variables_are_a_sound_schema_whose_defaults_fit(pool: str) -> None:
    schema = template(pool)["variables"]
    Draft202012Validator.check_schema(schema)
    defaults = {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
    Draft202012Validator(schema).validate(defaults)
    assert all(field["description"] for field in schema["properties"].values())


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_profile_fits_the_variables(profile: str) -> None:
    schema = template("headrace-k8s")["variables"] | {"additionalProperties": False}
    Draft202012Validator(schema).validate(PROFILES[profile])


def _deployments() -> list[dict[str, Any]]:
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    return [one for one in declared if one["work_pool"]["name"] == "headrace-k8s"]


@pytest.mark.parametrize("deployment", _deployments(), ids=lambda one: str(one["entrypoint"]))
def test_job_variables_of_a_deployment_are_those_of_a_profile(deployment: dict[str, Any]) -> None:
    said = deployment["work_pool"]["job_variables"]
    schema = template("headrace-k8s")["variables"] | {"additionalProperties": False}
    Draft202012Validator(schema).validate(said)
    assert {name: said[name] for name in PROFILES["light"]} in PROFILES.values()
    for name in said.get("env", {}):
        assert is_read(name), f"nobody reads {name}"
    for version in VERSIONS:
        assert problems(as_kubernetes_sees(rendered_job(said)), version) == []


def test_variables_refuse_a_quantity_that_is_none() -> None:
    schema = template("headrace-k8s")["variables"]
    assert not Draft202012Validator(schema).is_valid({"memory_limit": "2 GB"})
    assert not Draft202012Validator(schema).is_valid({"backoff_limit": 3}), "Kubernetes would retry beside Prefect"


def test_local_template_makes_a_process_configuration() -> None:
    configuration = template("headrace-local")["job_configuration"]
    assert set(configuration) == set(ProcessJobConfiguration.model_fields)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_job_is_valid_in_three_versions(profile: str, version: str) -> None:
    assert problems(as_kubernetes_sees(rendered_job(dict(PROFILES[profile]))), version) == []


def test_validation_sees_an_unknown_field() -> None:
    job = as_kubernetes_sees(rendered_job({}))
    job["spec"]["activeDeadlineSecond"] = 7200
    assert any("activeDeadlineSecond" in problem for problem in problems(job, VERSIONS[-1]))


def test_job_has_the_resources_of_its_profile() -> None:
    resources = _container(rendered_job(dict(PROFILES["heavy"])))["resources"]
    assert resources == {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "4Gi"}}


def test_job_ends_by_deadline_and_is_retried_by_prefect_only() -> None:
    """A pod whose image cannot be pulled stays pending for ever: the deadline ends it and frees the pool's slot."""
    spec = rendered_job({})["spec"]
    assert spec["activeDeadlineSeconds"] == 7200
    assert spec["backoffLimit"] == 0
    assert spec["ttlSecondsAfterFinished"] == 900
    assert "podFailurePolicy" not in spec, "ignoring DisruptionTarget beside Prefect's rescheduling runs a flow twice"
    env = {entry["name"]: entry.get("value") for entry in _container(rendered_job({}))["env"]}
    assert env["PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"] == "reschedule"


def test_job_is_locked_down() -> None:
    pod = rendered_job({})["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsUser"] == 1001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert _container(rendered_job({}))["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_job_takes_gpu_nodes_and_spot_nodes_as_variables() -> None:
    spot = [{"key": "headrace/spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}]
    pod = rendered_job({"node_selector": {"accelerator": "nvidia"}, "tolerations": spot})["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"accelerator": "nvidia"}
    assert pod["tolerations"] == spot


def test_job_takes_secrets_by_reference_only() -> None:
    for entry in _container(rendered_job({}))["env"]:
        assert not (entry["name"].endswith("__URL") and "value" in entry), f"{entry['name']} stands in clear text"


def test_every_name_in_the_environment_means_something() -> None:
    unread = [entry["name"] for entry in _container(rendered_job({}))["env"] if not is_read(entry["name"])]
    assert not unread, f"nobody reads {unread}"


def test_a_misspelt_name_is_noticed() -> None:
    assert not is_read("HEADRACE_DATABSE__URL")
    assert not is_read("PREFECT_API_ULR")


def _container(job: dict[str, Any]) -> dict[str, Any]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container


def test_templates_are_formatted_alike() -> None:
    for pool in NAMES:
        text = (POOLS / f"{pool}.json").read_text()
        assert text == json.dumps(json.loads(text), indent=2) + "\n", f"{pool}.json: write it with json.dumps(indent=2)"

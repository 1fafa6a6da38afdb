"""`headrace deploy` against a real Prefect server."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from tests.flows.in_process import command
from tests.prefect_server import call

ROOT = Path(__file__).parents[2]
BACKLOG = "headrace: backlog high"
HEADRACE = [sys.executable, "-c", "from core.cli import main; main()"]


def deploy(env: dict[str, str], url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return command(env | {"HEADRACE_DATABASE__URL": url}, "deploy", "--json", *options)


def deploy_as_a_process(env: dict[str, str], url: str, *options: str) -> subprocess.CompletedProcess[str]:
    line = [*HEADRACE, "deploy", "--json", *options]
    settings = {"HEADRACE_DATABASE__URL": url}
    return subprocess.run(line, env=env | settings, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def actions_of(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], str]:
    assert done.returncode == 0, done.stderr
    return {(one["kind"], one["name"]): one["action"] for one in json.loads(done.stdout)["objects"]}


def test_deploy_makes_all_and_then_changes_nothing(prefect_env: dict[str, str], database_url: str) -> None:
    first = actions_of(deploy_as_a_process(prefect_env, database_url, "--target", "local"))
    assert set(first.values()) == {"created"}
    assert {kind for kind, _ in first} == {"work pool", "work queue", "block", "deployment", "automation"}

    held = call(prefect_env, "GET", "/deployments/name/identity-resolution/local")
    assert held["parameters"]["request"]["input"].startswith("demo:persons")
    assert "MatchRequest" in held["parameter_openapi_schema"]["definitions"]
    assert (held["work_pool_name"], held["work_queue_name"]) == ("headrace-local", "matching")
    # What people change afterwards stays; what the file says comes back.
    upkeep = call(prefect_env, "GET", "/deployments/name/maintenance/local")
    schedule = upkeep["schedules"][0]["id"]
    call(prefect_env, "PATCH", f"/deployments/{upkeep['id']}/schedules/{schedule}", {"active": False})
    call(prefect_env, "PATCH", f"/deployments/{upkeep['id']}", {"description": "changed by hand"})
    nightly = {"schedule": {"cron": "5 1 * * *", "timezone": "Asia/Tokyo"}, "active": True, "parameters": {}}
    for one in (upkeep, held):
        call(prefect_env, "POST", f"/deployments/{one['id']}/schedules", [nightly])
    call(prefect_env, "PATCH", "/work_pools/headrace-local", {"concurrency_limit": 0})

    done = deploy(prefect_env, database_url, "--target", "local")
    second = actions_of(done)
    assert [name for name, action in second.items() if action != "unchanged"] == [("deployment", "maintenance/local")]
    assert second.keys() == first.keys()
    assert "it is at its limit, 0 of 0 slots are taken" in done.stdout
    again = call(prefect_env, "GET", "/deployments/name/maintenance/local")
    assert again["description"] == upkeep["description"]
    assert {one["schedule"]["cron"]: one["active"] for one in again["schedules"]} == {
        "17 * * * *": False,
        "5 1 * * *": True,
    }
    added = call(prefect_env, "GET", "/deployments/name/identity-resolution/local")["schedules"]
    assert [one["schedule"]["timezone"] for one in added] == ["Asia/Tokyo"]
    assert call(prefect_env, "GET", "/work_pools/headrace-local")["concurrency_limit"] == 0

    third = json.loads(deploy(prefect_env, database_url, "--target", "local").stdout)
    assert third["changed"] == 0


def test_deploy_refuses_a_pool_of_another_type(prefect_env: dict[str, str], database_url: str) -> None:
    call(prefect_env, "POST", "/work_pools/", {"name": "headrace-k8s", "type": "process"})
    try:
        done = deploy(prefect_env, database_url, "--target", "k8s")
    finally:
        call(prefect_env, "DELETE", "/work_pools/headrace-k8s")
    assert done.returncode == 2
    assert "a work pool headrace-k8s of type process, and kubernetes is needed" in done.stderr


def test_deploy_refuses_an_older_schema_with_both_versions(prefect_env: dict[str, str], database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        (newest,) = conn.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        conn.execute("UPDATE alembic_version SET version_num = '0006'")
        try:
            done = deploy(prefect_env, database_url, "--target", "local")
        finally:
            conn.execute("UPDATE alembic_version SET version_num = %s", [newest])
    assert done.returncode == 1
    assert f"is at revision 0006 and this version of Headrace needs {newest}" in done.stderr


def test_deploy_names_an_api_that_does_not_answer(prefect_env: dict[str, str], database_url: str) -> None:
    away = prefect_env | {"PREFECT_API_URL": "http://127.0.0.1:1/api"}
    done = deploy_as_a_process(away, database_url, "--target", "local")
    assert done.returncode == 75
    assert "Prefect's API http://127.0.0.1:1/api/ does not answer" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_deploy_holds_parameters_against_the_flow(
    prefect_env: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    text = (ROOT / "prefect.yaml").read_text()
    file = tmp_path / "prefect.yaml"
    file.write_text(text.replace('rows=20000", id_column: id}', 'rows=20000", id_colum: id}'))
    done = deploy(prefect_env, database_url, "--target", "local", "--file", str(file))
    assert done.returncode == 2
    assert "MatchRequest has no such field; did you mean id_column?" in done.stderr
    assert f"{file} line " in done.stderr


def test_deploy_says_who_scales_both_ways(prefect_env: dict[str, str], database_url: str) -> None:
    autoscaler = "/deployments/name/autoscale/k8s"

    def runs() -> tuple[bool, bool, int]:
        """Its schedule is on; the automation wakes it; runs of it that wait for their time.

        One whose time has come in between stays for a worker.
        """
        held = call(prefect_env, "GET", autoscaler)
        wakes = call(prefect_env, "POST", "/automations/filter", {"automations": {"name": {"any_": [BACKLOG]}}})
        waiting = {
            "deployments": {"id": {"any_": [held["id"]]}},
            "flow_runs": {
                "state": {"type": {"any_": ["SCHEDULED"]}},
                "expected_start_time": {"after_": datetime.now(UTC).isoformat()},
            },
        }
        n_waiting = call(prefect_env, "POST", "/flow_runs/count", waiting)
        woken = any(action.get("deployment_id") == held["id"] for one in wakes for action in one["actions"])
        return held["schedules"][0]["active"], woken, n_waiting

    def deployed(*options: str) -> list[str]:
        done = actions_of(deploy(prefect_env, database_url, "--target", "k8s", *options))
        return [name for (_, name), action in done.items() if action != "unchanged"]

    deployed("--scaler", "prefect")
    assert runs()[:2] == (True, True)
    assert deployed("--scaler", "keda") == ["autoscale/k8s", BACKLOG]
    assert runs() == (False, False, 0)
    assert deployed("--scaler", "none") == []
    # What was decided stays where nothing is said.
    assert deployed() == []
    assert runs()[0] is False
    assert deployed("--scaler", "prefect") == ["autoscale/k8s", BACKLOG]
    assert runs()[:2] == (True, True)
    assert deployed("--scaler", "prefect") == []


def test_deploy_leaves_keda_to_kubernetes(prefect_env: dict[str, str], database_url: str) -> None:
    done = deploy(prefect_env, database_url, "--target", "local", "--scaler", "keda")
    assert done.returncode == 2
    assert "use --scaler keda with --target k8s" in done.stderr


def test_deploy_mounts_a_claim_or_room_for_copies(prefect_env: dict[str, str], database_url: str) -> None:
    def volume(*options: str) -> Any:
        done = deploy(prefect_env, database_url, "--target", "k8s", *options)
        assert done.returncode == 0, done.stderr
        pool = call(prefect_env, "GET", "/work_pools/headrace-k8s")
        return pool["base_job_template"]["variables"]["properties"]["state_volume"]["default"]

    on_claim = {"name": "state", "persistentVolumeClaim": {"claimName": "files"}}
    assert volume("--workspace-claim", "files") == on_claim
    assert volume() == {"name": "state", "emptyDir": {"sizeLimit": "50Gi"}}
    done = deploy(prefect_env, database_url, "--target", "local", "--workspace-claim", "files")
    assert (done.returncode, "use it with --target k8s" in done.stderr) == (2, True), done.stderr
